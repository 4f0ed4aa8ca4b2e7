"""Whether a token is good: its signature, its issuer, its audience, its times, and what it is for (FR-057)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from lcplatform_runtime.clock import Clock, seconds_of
from lcplatform_runtime.errors import AuthenticationError, PermissionDeniedError, invalid
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.oidc.discovery import Kept, Metadata, freshness
from lcplatform_runtime.oidc.issuers import IssuerSettings, Quirks, is_issuer
from lcplatform_runtime.oidc.records import Claims, scopes_of, text_of
from lcplatform_runtime.oidc.refusals import garbled, of_answer, refused
from lcplatform_runtime.oidc.transport import Transport

if TYPE_CHECKING:
    from lcplatform_runtime.oidc.signatures import PublicKey, Signed

ACCESS: Final = "access"
ID: Final = "id"

_KEPT: Final = 4096
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
# By these an access token is known that does not say what it is, and an id token too.
_ACCESS_CLAIMS: Final = frozenset(
    {"scope", "scp", "cid", "appid", "client_id", "roles", "permissions"}
)
_ID_CLAIMS: Final = frozenset({"nonce", "at_hash", "c_hash"})


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that an issuer publishes."""

    all: tuple[PublicKey, ...]

    def fitting(self, signed: Signed) -> PublicKey | None:
        """The key that a token names. One that names none can mean the only one of its kind alone."""
        algorithm, kid = signed.algorithm, signed.kid
        found = [
            it for it in self.all if algorithm in it.algorithms and (kid is None or it.kid == kid)
        ]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature, issuer and form were found good with these keys.

    Attributes:
        audience: those for whom it is meant.
        starts: from when on it is good, leeway included, in seconds since 1970; `ends` is when it is good no longer.
    """

    keys: Keys
    kind: str
    algorithm: str
    claims: Claims
    audience: tuple[str, ...]
    starts: float
    ends: float

    @property
    def all(self) -> Mapping[str, Any]:
        """All claims, by their names."""
        named: Mapping[str, Any] = self.claims.all.plain
        return named


class Verifier:
    """Verifies tokens of one issuer. What it found good it remembers, until the token expires or the keys change."""

    def __init__(
        self,
        settings: IssuerSettings,
        quirks: Quirks,
        metadata: Kept[Metadata],
        transport: Transport,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._quirks = quirks
        self._metadata = metadata
        self._transport = transport
        self._now = seconds_of(clock)
        self._leeway = settings.leeway.total_seconds()
        self._configured = frozenset[str](settings.algorithms)
        self._announced: tuple[Metadata | None, frozenset[str]] = (None, self._configured)
        self._keys = Kept(clock, self._fetch)
        self._published = b""
        self._last = Keys(())
        self._lock = threading.Lock()
        # By the tokens themselves: to digest one takes longer than all else that is asked of one that was seen before.
        self._verified: OrderedDict[str, _Verified] = OrderedDict()
        self._revoked: OrderedDict[bytes, None] = OrderedDict()
        self._own_audience = {
            ACCESS: settings.audience or settings.client_id,
            ID: settings.client_id,
        }

    def verify(
        self,
        token: str,
        *,
        kind: str = ACCESS,
        audience: str | None = None,
        required_scopes: Sequence[str] = (),
        nonce: str | None = None,
        access_token: str | None = None,
    ) -> Claims:
        """What a token says, if it is good.

        Args:
            token: the token.
            kind: what it must be, access or id.
            audience: for whom it must be; the configured audience or the client id where absent.
            required_scopes: what it must grant.
            nonce: what it must bring, as far as it is an id token of a login that sent one.
            access_token: the access token that it came with.

        Raises:
            AuthenticationError: it is not good. `details` tell the reason.
            PermissionDeniedError: it lacks a scope.
            ValidationError: such tokens are not verified.
            ServiceUnavailableError: the keys of the issuer cannot be had.
        """
        found = self._verified.get(token)
        if found is None or found.keys is not self._keys.get():
            found = self._found(token, kind)
        if found.kind != kind:
            _check_kind(kind)
            raise refused("type", f"this is an {found.kind} token, not an {kind} token")
        if not found.starts <= self._now() < found.ends:
            raise self._untimely(found)
        if (audience or self._own_audience[kind]) not in found.audience:
            raise refused("audience", "the token is meant for somebody else")
        if kind == ID:
            self._check_party(found, audience)
        if nonce is not None:
            _check_same("nonce", nonce, found.all.get("nonce"))
        if access_token is not None and "at_hash" in found.all:
            expected = half_hash(access_token, found.algorithm)
            _check_same("access_token", expected, found.all["at_hash"])
        if required_scopes:
            _check_scopes(found.claims, required_scopes)
        return found.claims

    def revoke(self, token: str) -> None:
        """The token is good no longer, as far as this platform can tell."""
        with self._lock:
            self._verified.pop(token, None)
            self._revoked[_digest(token)] = None
            if len(self._revoked) > _KEPT:
                self._revoked.popitem(last=False)

    def forget(self) -> None:
        """Everything is checked anew, with keys that are fetched anew."""
        with self._lock:
            self._verified.clear()
            self._revoked.clear()
        self._keys.forget()

    # --- what is checked once

    def _found(self, token: str, kind: str) -> _Verified:
        """A token that was not verified yet, or with other keys."""
        _check_kind(kind)
        if self._revoked and _digest(token) in self._revoked:
            raise refused("revoked", "the token was taken back")
        found = self._checked(token, self._keys.get())
        with self._lock:
            if not self._revoked or _digest(token) not in self._revoked:  # meanwhile
                self._verified[token] = found
                if len(self._verified) > _KEPT:
                    self._verified.popitem(last=False)
        return found

    def _checked(self, token: str, keys: Keys) -> _Verified:
        from lcplatform_runtime.oidc import signatures

        signed = signatures.read(token)
        if signed.algorithm not in self._allowed(signed.type):
            raise refused("algorithm", "the token is signed with an algorithm that is not allowed")
        key = keys.fitting(signed)
        if key is None:
            keys = self._keys.again(keys)
            key = keys.fitting(signed)
        if key is None:
            raise refused(
                "unknown_key", "the token is signed with a key that the issuer does not have"
            )
        everything = signatures.payload(signed, key)
        named: Mapping[str, Any] = everything.plain
        self._check_issuer(named, key)
        claims = _claims(everything, self._quirks.scope_claims)
        starts = max(claims.not_before or claims.issued_at, claims.issued_at)
        return _Verified(
            keys,
            self._kind(signed.type, named),
            signed.algorithm,
            claims,
            claims.audience,
            starts.timestamp() - self._leeway,
            claims.expires_at.timestamp() + self._leeway,
        )

    def _allowed(self, typ: str | None) -> frozenset[str]:
        """The algorithms that are accepted: the configured ones, and of id tokens those that the issuer announces."""
        if typ == "at+jwt":
            return self._configured
        metadata = self._metadata.get()
        told, announced = self._announced
        if told is not metadata:
            listed = metadata.listed("id_token_signing_alg_values_supported")
            announced = self._configured if listed is None else self._configured & listed
            self._announced = metadata, announced
        return announced

    def _check_issuer(self, claims: Mapping[str, Any], key: PublicKey) -> None:
        tenant, tenants = claims.get("tid"), self._settings.tenants
        expected = self._metadata.get().issuer
        # Entra's keys say for which issuer they are good.
        for one in (expected, key.issuer):
            if one is not None and not is_issuer(one, claims.get("iss"), tenant, tenants):
                raise refused("issuer", "the token is from another issuer")

    def _kind(self, typ: str | None, claims: Mapping[str, Any]) -> str:
        if typ == "at+jwt":
            return ACCESS
        if typ not in {None, "jwt"}:
            raise refused("type", "the token is neither an access token nor an id token")
        if self._quirks.typed_access_tokens or claims.keys() & _ID_CLAIMS:
            return ID
        return ACCESS if claims.keys() & _ACCESS_CLAIMS else ID

    def _fetch(self) -> tuple[Keys, float]:
        from lcplatform_runtime.oidc import signatures

        reply = self._transport.send(self._metadata.get().endpoint("jwks_uri"), headers={})
        answer = reply.object()
        if reply.status != 200:
            raise of_answer(max(reply.status, 500), reply.headers, answer)
        if not isinstance(answer.get("keys"), list):
            raise garbled("key set")
        if reply.body != self._published:
            # Otherwise they stay the same object, so that what was verified with them need not be again.
            self._published, self._last = reply.body, Keys(signatures.keys_of(answer))
        return self._last, freshness(reply)

    # --- what is checked each time

    def _untimely(self, found: _Verified) -> AuthenticationError:
        if self._now() >= found.ends:
            return refused("expired", "the token has expired")
        return refused("not_yet_valid", "the token is not yet in force")

    def _check_party(self, found: _Verified, audience: str | None) -> None:
        """OpenID Connect Core 1.0, section 3.1.3.7: who asked for it must be said where it is for more than one."""
        own = self._settings.client_id
        party = found.all.get("azp")
        if audience is None and party != own and (party is not None or len(found.audience) > 1):
            raise refused("audience", "the token was issued to another client")


def _claims(everything: Json, scope_claims: Sequence[str]) -> Claims:
    found: Mapping[str, Any] = everything.plain
    audience = found.get("aud")
    subject, issuer = text_of(found, "sub"), text_of(found, "iss")
    meant = (audience,) if isinstance(audience, str) else scopes_of(audience)
    if subject is None or issuer is None or not meant:
        raise refused("claims", "the token lacks one of the claims iss, sub, aud, exp and iat")
    expires_at, issued_at = _moment(found, "exp"), _moment(found, "iat")
    if expires_at is None or issued_at is None:
        raise refused("claims", "the token lacks one of the claims iss, sub, aud, exp and iat")
    scopes = [scope for name in scope_claims for scope in scopes_of(found.get(name))]
    client = next((it for name in _CLIENT if (it := text_of(found, name)) is not None), None)
    return Claims(
        subject=subject,
        issuer=issuer,
        audience=meant,
        expires_at=expires_at,
        issued_at=issued_at,
        not_before=_moment(found, "nbf"),
        scopes=tuple(dict.fromkeys(scopes)),
        token_id=text_of(found, "jti"),
        client_id=client,
        all=everything,
    )


_CLIENT: Final = ("client_id", "cid", "azp", "appid")


def _moment(found: Mapping[str, Any], name: str) -> datetime | None:
    value = found.get(name)
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= _LAST_SECOND:
        raise refused("claims", f"the token's {name} is no moment")
    return datetime.fromtimestamp(value, UTC)


def _check_kind(kind: str) -> None:
    if kind not in {ACCESS, ID}:
        raise invalid("kind", "access or id: nobody but its issuer can read any other")


def _check_scopes(claims: Claims, required: Sequence[str]) -> None:
    missing = [it for it in required if it not in claims.scopes]
    if missing:
        raise PermissionDeniedError(f"the token does not grant {' '.join(missing)}")


def _check_same(reason: str, expected: str | None, found: object) -> None:
    if expected is not None and not (
        isinstance(found, str) and hmac.compare_digest(expected.encode(), found.encode())
    ):
        raise refused(reason, f"the token does not belong to this {reason.replace('_', ' ')}")


def half_hash(token: str, algorithm: str) -> str:
    """`at_hash` of an access token (OpenID Connect Core 1.0, section 3.1.3.6)."""
    name = "sha512" if algorithm in {"EdDSA", "Ed25519"} else "sha256"
    digest = hashlib.new(name, token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()

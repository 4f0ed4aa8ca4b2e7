"""A client of one issuer: it sends users to log in, exchanges what they bring for tokens, and knows good tokens from bad."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from pydantic import SecretStr

from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.errors import InternalError, PermissionDeniedError, invalid
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.oidc.discovery import Kept, discovery
from lcplatform_runtime.oidc.issuers import IssuerSettings, Quirks
from lcplatform_runtime.oidc.login import (
    challenge,
    check_parameters,
    check_scopes,
    random_text,
    with_query,
)
from lcplatform_runtime.oidc.records import (
    DeviceFlow,
    DevicePoll,
    Introspection,
    Login,
    Tokens,
    User,
    scopes_of,
    text_of,
)
from lcplatform_runtime.oidc.refusals import garbled, of_answer, refused
from lcplatform_runtime.oidc.transport import HttpTransport, Reply, Transport
from lcplatform_runtime.oidc.verification import ID, Verifier

_DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_EVERYTHING: Final = "/.default"
"""How a scope of Entra ends that stands for all that an application may do, and is not what the answer names."""
_SLOWER: Final = timedelta(seconds=5)
_HINTS: Final = {"access": "access_token", "refresh": "refresh_token"}
_SECRETS: Final = frozenset({"code", "code_verifier", "device_code", "refresh_token", "token"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 10**10


class RelyingParty:
    """A client of one issuer.

    Attributes:
        verifier: verifies its tokens.
    """

    def __init__(
        self,
        settings: IssuerSettings,
        *,
        transport: Transport | None = None,
        clock: Clock = SYSTEM,
        quirks: Quirks | None = None,
        secret: Kept[SecretStr] | None = None,
    ) -> None:
        """`client_secret_name` is for the provider to look up: here the secret itself is needed, in the settings or, where it
        may change, as `secret`. `quirks` are those of the settings' preset unless they are given."""
        self._quirks = quirks or settings.quirks
        self._settings = settings
        self._transport = transport or HttpTransport()
        self._clock = clock
        self._secret = secret
        self._metadata = discovery(settings, self._transport, clock)
        self.verifier = Verifier(settings, self._quirks, self._metadata, self._transport, clock)

    def forget(self) -> None:
        """Nothing is known of the issuer any more."""
        self._metadata.forget()
        self.verifier.forget()

    # --- logging in

    def login(
        self,
        redirect_uri: str,
        *,
        scopes: Sequence[str] = (),
        state: str | None = None,
        nonce: str | None = None,
        audience: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Login:
        """Where to send a user (OpenID Connect Core 1.0, section 3.1.2.1), with PKCE always."""
        check_scopes("scopes", scopes)
        check_parameters(parameters or {})
        wanted = dict.fromkeys(("openid", *(scopes or self._settings.scopes)))
        metadata = self._metadata.get()
        verifier = random_text()
        login = Login(
            url="",
            state=state or random_text(),
            nonce=nonce or random_text(),
            code_verifier=verifier,
            issuer=metadata.issuer,
        )
        query = {
            **(parameters or {}),
            **self._meant_for(audience),
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(wanted),
            "state": login.state,
            "nonce": login.nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return replace(login, url=with_query(metadata.endpoint("authorization_endpoint"), query))

    def exchange(
        self, code: str, *, redirect_uri: str, code_verifier: str, nonce: str, issuer: str | None
    ) -> Tokens:
        """The tokens for a code (FR-055)."""
        if issuer is not None and issuer != self._metadata.get().issuer:
            raise refused("issuer", "the redirect comes from another issuer")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
        tokens = self._tokens(form, (), nonce=nonce)
        if tokens.id_token is None:
            raise InternalError("the issuer answers a code without an id token")
        return tokens

    def refresh(self, refresh_token: str, scopes: Sequence[str] = ()) -> Tokens:
        """The next tokens (FR-056)."""
        check_scopes("scopes", scopes)
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._tokens(form | _scope(scopes), scopes)

    def client_credentials(self, scopes: Sequence[str] = (), audience: str | None = None) -> Tokens:
        """A token for the client itself. Some issuers leave out scopes without a word that they do not grant."""
        check_scopes("scopes", scopes)
        wanted = scopes or self._settings.client_scopes
        form = {"grant_type": "client_credentials", **self._meant_for(audience), **_scope(wanted)}
        tokens = self._tokens(form, wanted)
        missing = [it for it in wanted if it not in tokens.scopes and not it.endswith(_EVERYTHING)]
        if missing:
            raise PermissionDeniedError(f"the issuer does not grant {' '.join(missing)}")
        return tokens

    def logout(self, *, id_token: str | None, redirect_uri: str | None, state: str | None) -> str:
        """Where to send a user to log out (OpenID Connect RP-Initiated Logout 1.0)."""
        query = {
            "id_token_hint": id_token,
            "client_id": self._settings.client_id,
            "post_logout_redirect_uri": redirect_uri,
            "state": state,
        }
        return with_query(self._metadata.get().endpoint("end_session_endpoint"), query)

    # --- logging in on another device

    def start_device_flow(
        self, scopes: Sequence[str] = (), audience: str | None = None
    ) -> DeviceFlow:
        """A device code and what its user needs (RFC 8628, section 3.2)."""
        check_scopes("scopes", scopes)
        wanted = dict.fromkeys(("openid", *(scopes or self._settings.scopes)))
        now = self._clock.now()
        form = self._meant_for(audience) | _scope(tuple(wanted))
        answer = self._asked("device_authorization_endpoint", form)
        device_code, user_code = text_of(answer, "device_code"), text_of(answer, "user_code")
        url, lasts = text_of(answer, "verification_uri"), _seconds(answer, "expires_in")
        if device_code is None or user_code is None or url is None or lasts is None:
            raise garbled("answer to a device")
        return DeviceFlow(
            device_code=device_code,
            user_code=user_code,
            verification_url=url,
            complete_verification_url=text_of(answer, "verification_uri_complete"),
            expires_at=now + lasts,
            interval=_seconds(answer, "interval") or _SLOWER,
        )

    def poll_device_flow(self, device_code: str, interval: timedelta) -> DevicePoll:
        """Where a device flow stands (RFC 8628, section 3.5)."""
        now = self._clock.now()
        reply = self._posted(
            "token_endpoint", {"grant_type": _DEVICE_GRANT, "device_code": device_code}
        )
        match reply.object().get("error") if reply.status != 200 else None:
            case None:
                return DevicePoll(status="completed", tokens=self._read(_good(reply), (), now))
            case "authorization_pending":
                return DevicePoll(status="pending", interval=interval)
            case "slow_down":
                return DevicePoll(status="pending", interval=interval + _SLOWER)
            case "access_denied":
                return DevicePoll(status="denied")
            case "expired_token":
                return DevicePoll(status="expired")
            case _:
                raise of_answer(reply.status, reply.headers, reply.object(), reply.given)

    # --- tokens that there are

    def user(self, access_token: str, subject: str | None) -> User:
        """Whose token it is (FR-058)."""
        url = self._metadata.get().endpoint("userinfo_endpoint")
        _check_sendable("access_token", access_token)
        reply = self._transport.send(url, headers={"Authorization": f"Bearer {access_token}"})
        answer = reply.object()
        if reply.status != 200:
            told = {**answer, **_challenged(reply)}
            raise of_answer(reply.status, reply.headers, told, (access_token,))
        found = text_of(answer, "sub")
        if found is None:
            raise garbled("answer about a user")
        if subject is not None and found != subject:
            raise refused("subject", "the token is that of another user")
        verified = answer.get("email_verified")
        return User(
            subject=found,
            name=text_of(answer, "name"),
            email=text_of(answer, "email"),
            email_verified=verified if isinstance(verified, bool) else None,
            all=Json(answer),
        )

    def revoke(self, token: str, kind: str | None) -> None:
        """Takes a token back (RFC 7009)."""
        form = {"token": token, **_hint(kind)}
        _good(self._posted("revocation_endpoint", form))
        self.verifier.revoke(token)

    def introspect(self, token: str, kind: str | None) -> Introspection:
        """What the issuer says of a token (RFC 7662)."""
        answer = self._asked("introspection_endpoint", {"token": token, **_hint(kind)})
        active = answer.get("active")
        if not isinstance(active, bool):
            raise garbled("answer about a token")
        known = answer if active else {}
        lasts = _seconds(known, "exp")
        return Introspection(
            active=active,
            subject=text_of(known, "sub"),
            client_id=text_of(known, "client_id"),
            scopes=scopes_of(known.get("scope")),
            expires_at=None if lasts is None else _EPOCH + lasts,
            all=Json(answer),
        )

    # --- asking the issuer

    def _tokens(
        self, form: Mapping[str, str], scopes: Sequence[str], nonce: str | None = None
    ) -> Tokens:
        now = self._clock.now()
        reply = self._posted("token_endpoint", form)
        return self._read(_good(reply), scopes, now, nonce)

    def _read(
        self,
        answer: Mapping[str, Any],
        scopes: Sequence[str],
        now: datetime,
        nonce: str | None = None,
    ) -> Tokens:
        """The tokens in an answer (RFC 6749, section 5.1) to what was asked at `now`. An id token is verified."""
        access_token, id_token = text_of(answer, "access_token"), text_of(answer, "id_token")
        if access_token is None or (text_of(answer, "token_type") or "").lower() != "bearer":
            raise garbled("answer with tokens")
        claims = None
        if id_token is not None:
            claims = self.verifier.verify(id_token, kind=ID, nonce=nonce, access_token=access_token)
        lasts = _seconds(answer, "expires_in")
        return Tokens(
            access_token=access_token,
            token_type="Bearer",  # noqa: S106  no password
            expires_at=None if lasts is None else now + lasts,
            refresh_token=text_of(answer, "refresh_token"),
            id_token=id_token,
            # An issuer that grants what was asked for need not say so.
            scopes=scopes_of(answer.get("scope")) or tuple(scopes),
            claims=claims,
        )

    def _asked(self, endpoint: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        return _good(self._posted(endpoint, form))

    def _posted(self, endpoint: str, form: Mapping[str, str]) -> Reply:
        """The answer to a form that is sent in the client's name (RFC 6749, section 2.3.1)."""
        held = self._secret
        if held is None:
            return self._sent(endpoint, form, self._settings.client_secret)
        secret = held.get()
        reply = self._sent(endpoint, form, secret)
        if _refuses_client(reply) and (fresh := held.again(secret)) != secret:
            # It was rotated since it was read, and nothing has been done with the form.
            return self._sent(endpoint, form, fresh)
        return reply

    def _sent(self, endpoint: str, form: Mapping[str, str], secret: SecretStr | None) -> Reply:
        metadata = self._metadata.get()
        settings = self._settings
        ways = metadata.listed("token_endpoint_auth_methods_supported")
        headers: dict[str, str] = {}
        fields = dict(form)
        if secret is None:
            fields["client_id"] = settings.client_id
        elif ways is None or "client_secret_basic" in ways:
            # A blank as %20: some issuers take a plus for a plus, and none this for anything else.
            pair = ":".join(
                quote(it, safe="") for it in (settings.client_id, secret.get_secret_value())
            )
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            fields |= {
                "client_id": settings.client_id,
                "client_secret": secret.get_secret_value(),
            }
        reply = self._transport.send(metadata.endpoint(endpoint), headers=headers, form=fields)
        given = [value for name, value in form.items() if name in _SECRETS]
        if secret is not None:
            given.append(secret.get_secret_value())
        return replace(reply, given=tuple(given))

    def _meant_for(self, audience: str | None) -> dict[str, str]:
        if audience is None:
            return {}
        name = self._quirks.audience_parameter
        if name is None:
            raise invalid(
                "audience", "none: to this issuer the scopes say for whom a token is meant"
            )
        return {name: audience}


def _refuses_client(reply: Reply) -> bool:
    """Whether the issuer does not take the secret. These endpoints know the client by it, and nothing else has to do with 401."""
    told = reply.object()
    return told.get("error") == "invalid_client" or (reply.status == 401 and not told)


def _good(reply: Reply) -> Mapping[str, Any]:
    answer = reply.object()
    if reply.status != 200:
        told = {**answer, "error": "invalid_client"} if _refuses_client(reply) else answer
        raise of_answer(reply.status, reply.headers, told, reply.given)
    return answer


def _challenged(reply: Reply) -> Mapping[str, str]:
    """The error in a WWW-Authenticate header (RFC 6750, section 3)."""
    challenge = reply.headers.get("www-authenticate", "")
    for code in ("invalid_token", "insufficient_scope"):
        if f'error="{code}"' in challenge:
            return {"error": code}
    return {}


def _check_sendable(field: str, token: str) -> None:
    if not all("!" <= it <= "~" for it in token):
        raise refused("malformed", f"the {field.replace('_', ' ')} is no token")


def _scope(scopes: Sequence[str]) -> dict[str, str]:
    return {"scope": " ".join(scopes)} if scopes else {}


def _hint(kind: str | None) -> dict[str, str]:
    if kind is None:
        return {}
    if kind not in _HINTS:
        raise invalid("kind", "access or refresh")
    return {"token_type_hint": _HINTS[kind]}


def _seconds(answer: Mapping[str, Any], name: str) -> timedelta | None:
    value = answer.get(name)
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST:
        return timedelta(seconds=value)
    return None

"""Signatures of tokens, by joserfc. Whoever needs none does not load it: nobody else here imports it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import JWKRegistry, Key
from joserfc.jws import CompactSignature, JWSRegistry
from typing_extensions import override

from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.oidc.refusals import refused

_LOG: Final = logging.getLogger("lcplatform.oidc")

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
)
"""The algorithms that are ever allowed, each with the kind of its keys. None of them shares a secret."""

_SHORTEST_RSA: Final = 2048
_NUMBERS: Final = frozenset({"kty", "n", "e", "crv", "x", "y"})
_SAME: Final = dict.fromkeys(("EdDSA", "Ed25519"), frozenset({"EdDSA", "Ed25519"}))


class _Registry(JWSRegistry):
    """Allows what `KINDS` names. EdDSA is the old name of Ed25519, which most issuers still use: no reason to warn."""

    max_header_length = 8192

    @override
    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in KINDS:
            raise refused("algorithm", "the token is signed with an algorithm that is not allowed")
        return self.algorithms[name]


# Parameters of a header that nobody knows are ignored (RFC 7515, section 4), unless `crit` names them.
_REGISTRY: Final = _Registry(strict_check_header=False)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that an issuer signs with.

    Attributes:
        kid: its name, if it has one.
        algorithms: those that it may be used with.
        issuer: whom it signs for, where one set of keys serves many (Entra).
    """

    kid: str | None
    algorithms: frozenset[str]
    issuer: str | None
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """A token whose signature nobody has checked yet."""

    algorithm: str
    kid: str | None
    type: str | None
    object: CompactSignature = field(repr=False)


def keys_of(answer: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    """The keys for signatures in a JWK Set (RFC 7517). What is no usable public key is left out."""
    listed = answer.get("keys")
    found = (_key_of(it) for it in listed) if isinstance(listed, list) else ()
    return tuple(key for key in found if key is not None)


def _key_of(entry: object) -> PublicKey | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    kind, named = entry.get("kty"), entry.get("alg")
    algorithms = frozenset(it for it, its_kind in KINDS.items() if its_kind == kind)
    if named is not None:
        algorithms &= _SAME.get(named, frozenset({named}))
    if not algorithms:
        return None
    if not _is_strong(entry):
        _LOG.warning("a key of the issuer is too weak, or of a kind that no allowed algorithm uses")
        return None
    try:
        # What it may be used for is decided here, by algorithm and not by whatever else it says of itself.
        key = JWKRegistry.import_key({it: entry[it] for it in entry if it in _NUMBERS})
    except (JoseError, ValueError, TypeError, KeyError):
        _LOG.warning("a key of the issuer is not usable")
        return None
    kid, issuer = entry.get("kid"), entry.get("issuer")
    return PublicKey(
        kid if isinstance(kid, str) else None,
        algorithms,
        issuer if isinstance(issuer, str) else None,
        key,
    )


def _is_strong(entry: Mapping[str, Any]) -> bool:
    """Whether a key is of the size or on the curve that its algorithms ask for."""
    if entry["kty"] == "RSA":
        modulus = str(entry.get("n")).lstrip("A")  # leading zeros add no strength
        return len(modulus) * 6 >= _SHORTEST_RSA - 6
    return entry.get("crv") in {"P-256", "Ed25519"}


def read(token: str) -> Signed:
    """What the header of a token says. Raises AuthenticationError if it is none, or its algorithm is not allowed."""
    try:
        found = jws.extract_compact(token.encode(), registry=_REGISTRY)
        header = found.headers()
    except (JoseError, ValueError, TypeError, AttributeError):
        raise refused(
            "malformed", "this is no signed JWT, so only its issuer can read it"
        ) from None
    algorithm, kid, kind = (header.get(name) for name in ("alg", "kid", "typ"))
    if not isinstance(algorithm, str) or algorithm not in KINDS:
        raise refused("algorithm", "the token is signed with an algorithm that is not allowed")
    return Signed(
        algorithm,
        kid if isinstance(kid, str) else None,
        kind.lower().removeprefix("application/") if isinstance(kind, str) else None,
        found,
    )


def payload(signed: Signed, key: PublicKey) -> Json:
    """The claims of a token, an object, once its signature has been checked. Raises AuthenticationError if that is wrong."""
    try:
        genuine = jws.validate_compact(signed.object, key.key, registry=_REGISTRY)
    except (JoseError, ValueError):
        genuine = False
    if not genuine:
        raise refused("signature", "the signature of the token is wrong")
    try:
        claims = Json.from_text(signed.object.payload.decode())
    except (ValidationError, UnicodeError):
        claims = None
    if claims is None or not claims.is_object:
        raise refused("malformed", "the token holds no claims")
    return claims

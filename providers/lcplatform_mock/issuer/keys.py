"""The keys that an issuer signs with. The next is published before it signs, and each for as long as its tokens last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, KeySet, OKPKey, RSAKey

from lcplatform_mock.issuer.settings import AuthenticationSettings
from lcplatform_mock.issuer.state import SigningKey, Store

_RSA_BITS: Final = 2048

FRESH: Final = timedelta(minutes=5)
"""For how long whoever has the keys need not ask for them again."""


class SigningKeys:
    """The keys of one issuer. Whoever calls holds the lock of the service."""

    def __init__(self, settings: AuthenticationSettings, store: Store) -> None:
        self._algorithm = settings.algorithm
        self._lifetime = settings.lifetimes.keys
        lasts = settings.lifetimes
        self._afterlife = max(lasts.access_token, lasts.id_token)
        self._store = store
        self._keys: dict[str, Key] = {}

    def sign(self, now: datetime, claims: Mapping[str, Any], typ: str) -> str:
        """A token with these claims."""
        self._rotate(now)
        ((kid, record),) = self._signing()
        header = {"alg": self._algorithm, "kid": kid, "typ": typ}
        return jwt.encode(header, dict(claims), self._key(record), [self._algorithm])

    def published(self, now: datetime) -> dict[str, Any]:
        """The public keys as a JWK Set."""
        self._rotate(now)
        keys = [self._key(it) for it in self._store.state.keys.values()]
        algorithms = [it.jwk["alg"] for it in self._store.state.keys.values()]
        return {
            "keys": [
                key.as_dict(private=False, alg=algorithm, use="sig")
                for key, algorithm in zip(keys, algorithms, strict=True)
            ]
        }

    def read(self, token: str, typ: str) -> dict[str, Any] | None:
        """The claims of a token that these keys signed, whatever their age."""
        records = self._store.state.keys
        try:
            keys = KeySet([self._key(it) for it in records.values()])
            algorithms = {it.jwk["alg"] for it in records.values()}
            found = jwt.decode(token, keys, algorithms=algorithms, registry=_registry(algorithms))
        except (JoseError, ValueError):
            return None
        return found.claims if found.header.get("typ") == typ else None

    def _rotate(self, now: datetime) -> None:
        """Makes up the keys that are missing, replaces the one that is due, and withdraws those whose tokens are over."""
        for kid, record in list(self._store.state.keys.items()):
            unused = record.signs_from is None and record.jwk["alg"] != self._algorithm
            if unused or (record.gone_at is not None and record.gone_at <= now):
                self._store.drop("keys", kid)
        signing = self._signing()
        due = [
            (kid, it)
            for kid, it in signing
            if it.jwk["alg"] != self._algorithm or now >= (it.signs_from or now) + self._lifetime
        ]
        for kid, record in due:
            record.gone_at = now + self._afterlife
            self._store.put("keys", kid, record)
        if len(signing) == len(due):
            kid, record = self._next()
            record.signs_from = now
            self._store.put("keys", kid, record)
        self._next()

    def _signing(self) -> list[tuple[str, SigningKey]]:
        return [
            (kid, it)
            for kid, it in self._store.state.keys.items()
            if it.signs_from is not None and it.gone_at is None
        ]

    def _next(self) -> tuple[str, SigningKey]:
        """The key that signs next. Whoever fetched the keys after the last change knows it already."""
        for kid, record in self._own():
            if record.signs_from is None:
                return kid, record
        key = made(self._algorithm)
        record = SigningKey({**_texts(key), "alg": self._algorithm})
        self._store.put("keys", str(key.kid), record)
        return str(key.kid), record

    def _own(self) -> list[tuple[str, SigningKey]]:
        return [
            (kid, it)
            for kid, it in self._store.state.keys.items()
            if it.jwk["alg"] == self._algorithm
        ]

    def _key(self, record: SigningKey) -> Key:
        kid = record.jwk["kid"]
        if kid not in self._keys:
            self._keys[kid] = JWKRegistry.import_key(dict(record.jwk))
        return self._keys[kid]


def _registry(algorithms: set[str]) -> jws.JWSRegistry:
    registry = jws.JWSRegistry(algorithms=algorithms)
    registry.max_header_length = 8192
    return registry


def made(algorithm: str) -> Key:
    """A new key for an algorithm."""
    match algorithm:
        case "ES256":
            return ECKey.generate_key("P-256", auto_kid=True)
        case "Ed25519":
            return OKPKey.generate_key("Ed25519", auto_kid=True)
        case _:
            return RSAKey.generate_key(_RSA_BITS, auto_kid=True)


def _texts(key: Key) -> dict[str, str]:
    return {name: str(value) for name, value in key.as_dict(private=True).items()}

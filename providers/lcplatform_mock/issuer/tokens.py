"""What an issuer gives out, and what it knows again when it comes back."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from authlib.oauth2.rfc6749 import ClientMixin, InvalidScopeError, OAuth2Error, TokenMixin
from authlib.oidc.core import UserInfo
from typing_extensions import override

from lcplatform_mock.issuer.keys import SigningKeys
from lcplatform_mock.issuer.people import OFFLINE, Client, People, User
from lcplatform_mock.issuer.settings import AuthenticationSettings
from lcplatform_mock.issuer.state import SELF, Login, Revoked, Store
from lcplatform_runtime.clock import Clock
from lcplatform_runtime.oidc.records import scopes_of
from lcplatform_runtime.oidc.verification import half_hash

ACCESS_TYPE: Final = "at+jwt"
"""What an access token says that it is (RFC 9068)."""

ID_TYPE: Final = "JWT"
"""What an id token says that it is."""


class InvalidTargetError(OAuth2Error):
    """Nobody here answers to that audience (RFC 8707)."""

    error = "invalid_target"


class Bundle(dict[str, str | int]):
    """Tokens as they go into an answer. Authlib logs them, so they are not shown."""

    @override
    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class Given(TokenMixin):
    """A token that this issuer gave out and that is still in force.

    Attributes:
        login: the login that it belongs to; none for a client's own.
        claims: what an access token says.
    """

    client_id: str
    subject: str
    scope: str
    expires_at: datetime
    login: Login | None
    claims: Mapping[str, Any] | None = None

    @override
    def check_client(self, client: ClientMixin) -> bool:
        return client.get_client_id() == self.client_id

    @override
    def get_scope(self) -> str:
        return self.scope

    @override
    def get_expires_in(self) -> int:
        return 0

    @override
    def is_expired(self) -> bool:
        return False  # one that is would not have been found

    @override
    def is_revoked(self) -> bool:
        return False


class Tokens:
    """Makes tokens and recognises them. Whoever calls holds the lock of the service."""

    def __init__(
        self,
        settings: AuthenticationSettings,
        store: Store,
        people: People,
        clock: Clock,
        issuer: str,
    ) -> None:
        self.keys = SigningKeys(settings, store)
        self._lifetimes = settings.lifetimes
        self._algorithm = settings.algorithm
        self._audience = settings.audience
        self._audiences = {settings.audience, *settings.audiences}
        self._store = store
        self._people = people
        self._clock = clock
        self._issuer = issuer

    def now(self) -> datetime:
        """The time."""
        return self._clock.now()

    def audience(self, parameters: Mapping[str, str]) -> str:
        """For whom a token is asked for, by either name that issuers have for that."""
        asked = parameters.get("resource") or parameters.get("audience") or self._audience
        if asked not in self._audiences:
            raise InvalidTargetError("nobody here answers to that audience")
        return asked

    def check_scope(self, client: Client, scope: str | None) -> None:
        """Refuses scopes that the client may not have."""
        if not client.may_have(scope):
            raise InvalidScopeError("the client may not have all of these scopes")

    # --- making them

    def begin(self, client_id: str, user: str, scope: str, audience: str, since: datetime) -> Login:
        """A new login."""
        now = self.now()
        login = Login(
            id=secrets.token_urlsafe(12),
            client_id=client_id,
            subject=user,
            scope=scope,
            audience=audience,
            auth_time=since,
            expires_at=now + self._lifetimes.refresh_token,
        )
        self._store.sweep(now)
        self._store.put("logins", login.id, login)
        return login

    def for_user(self, login: Login, scope: str, nonce: str | None = None) -> Bundle:
        """The tokens of a login, with no more than these of its scopes."""
        login.tokens += 1
        answer = self._answer(
            client=login.client_id,
            subject=login.subject,
            scope=scope,
            audience=login.audience,
            token_id=f"{login.id}.{login.tokens}",
            more={"auth_time": _seconds(login.auth_time), "sid": login.id},
        )
        if OFFLINE in login.scope.split():
            login.refreshes += 1
            answer["refresh_token"] = self._refresh_token(login)
        self._store.put("logins", login.id, login)
        if "openid" in scope.split():
            answer["id_token"] = self._id_token(login, scope, nonce, str(answer["access_token"]))
        return answer

    def for_client(self, client: Client, scope: str, audience: str) -> Bundle:
        """A token for a client itself."""
        return self._answer(
            client=client.id,
            subject=client.id,
            scope=scope,
            audience=audience,
            token_id=secrets.token_urlsafe(12),
            more={},
        )

    def _answer(
        self,
        *,
        client: str,
        subject: str,
        scope: str,
        audience: str,
        token_id: str,
        more: Mapping[str, object],
    ) -> Bundle:
        now, lasts = self.now(), self._lifetimes.access_token
        claims = {
            "iss": self._issuer,
            "sub": subject,
            "aud": audience,
            "client_id": client,
            "scope": scope,
            "jti": token_id,
            **self._times(now, lasts),
            **more,
        }
        return Bundle(
            token_type="Bearer",  # noqa: S106  no password
            access_token=self.keys.sign(now, claims, ACCESS_TYPE),
            expires_in=int(lasts.total_seconds()),
            scope=scope,
        )

    def _id_token(self, login: Login, scope: str, nonce: str | None, access_token: str) -> str:
        now = self.now()
        claims = {
            "iss": self._issuer,
            "aud": login.client_id,
            **self._times(now, self._lifetimes.id_token),
            "auth_time": _seconds(login.auth_time),
            "sid": login.id,
            "at_hash": half_hash(access_token, self._algorithm),
            **self.about(login.subject, scope),
            **({} if nonce is None else {"nonce": nonce}),
        }
        return self.keys.sign(now, claims, ID_TYPE)

    def about(self, subject: str, scope: str) -> dict[str, object]:
        """What these scopes tell about a user."""
        user = self._people.users.get(subject)
        told = UserInfo({} if user is None else {**user.claims}, sub=subject)
        return dict(told.filter(scope))

    def _times(self, now: datetime, lasts: timedelta) -> dict[str, int]:
        return {"iat": _seconds(now), "exp": _seconds(now) + int(lasts.total_seconds())}

    def _refresh_token(self, login: Login) -> str:
        return f"{login.id}.{login.refreshes}.{self._seal(login.id, login.refreshes)}"

    def _seal(self, login: str, number: int) -> str:
        identity = self._store.state.identities[SELF]
        key = identity.secret.encode()
        return hmac.new(key, f"{login}.{number}".encode(), sha256).hexdigest()

    # --- knowing them again

    def access(self, token: str) -> Given | None:
        """An access token that is in force."""
        claims = self.keys.read(token, ACCESS_TYPE)
        if claims is None or claims.get("iss") != self._issuer:
            return None
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        if self.now() >= expires_at or claims["jti"] in self._store.state.revoked:
            return None
        login = None
        if "sid" in claims:
            login = self._store.state.logins.get(claims["sid"])
            if login is None or login.revoked or login.subject not in self._people.users:
                return None
        return Given(claims["client_id"], claims["sub"], claims["scope"], expires_at, login, claims)

    def refresh(self, token: str) -> tuple[Given, bool] | None:
        """A refresh token of a login that is in force, and whether it is the login's last."""
        name, _, rest = token.partition(".")
        number, _, seal = rest.partition(".")
        login = self._store.state.logins.get(name)
        if login is None or not number.isdecimal() or len(number) > 9 or not seal.isascii():
            return None
        if not hmac.compare_digest(seal, self._seal(name, int(number))):
            return None
        if login.revoked or self.now() >= login.expires_at:
            return None
        given = Given(login.client_id, login.subject, login.scope, login.expires_at, login)
        return given, int(number) == login.refreshes

    def id_token(self, token: str) -> dict[str, Any] | None:
        """The claims of an id token of this issuer, however old."""
        claims = self.keys.read(token, ID_TYPE)
        return claims if claims is not None and claims.get("iss") == self._issuer else None

    def login(self, name: str) -> Login | None:
        """A login that is known, if it is over or not."""
        return self._store.state.logins.get(name)

    def find(self, token: str) -> Given | None:
        """An access token or a refresh token that is in force."""
        found = self.refresh(token)
        return self.access(token) if found is None else found[0] if found[1] else None

    # --- taking them back

    def end(self, login: Login) -> None:
        """A login is over, and all its tokens with it."""
        login.revoked = True
        self._store.put("logins", login.id, login)

    def revoke(self, given: Given) -> None:
        """Takes back an access token, or with a refresh token its whole login."""
        if given.claims is None:
            assert given.login is not None
            self.end(given.login)
        else:
            self._store.put("revoked", given.claims["jti"], Revoked(given.expires_at))


def digest(code: str) -> str:
    """By what a code is known that is not kept itself."""
    return sha256(code.encode(errors="surrogatepass")).hexdigest()


def scope_within(scope: str, granted: str) -> bool:
    """Whether no scope is asked for that was not granted."""
    return set(scopes_of(scope)) <= set(scopes_of(granted))


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


__all__ = [
    "Given",
    "InvalidTargetError",
    "Tokens",
    "User",
    "digest",
    "scope_within",
]

"""How a client comes by tokens: with a code, a refresh token, its own secret, or a device code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import (
    BaseGrant,
    ClientMixin,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    TokenMixin,
)
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant
from typing_extensions import override

from lcplatform_mock.issuer.http import OAuthRequest
from lcplatform_mock.issuer.people import Client, User
from lcplatform_mock.issuer.state import Code, Device, Login, Store
from lcplatform_mock.issuer.tokens import Bundle, Given, Tokens, digest, scope_within

if TYPE_CHECKING:
    from lcplatform_mock.issuer.server import Server

_METHODS = ("client_secret_basic", "client_secret_post", "none")


class _Grant(BaseGrant):
    """What every grant needs of its server."""

    server: Server

    @property
    def parameters(self) -> dict[str, str]:
        """What the request asks."""
        assert isinstance(self.request, OAuthRequest)
        return self.request.parameters

    @property
    def tokens(self) -> Tokens:
        """What makes the tokens."""
        return self.server.tokens

    @property
    def store(self) -> Store:
        """What remembers them."""
        return self.server.store

    @override
    def validate_requested_scope(self) -> None:
        client = self.request.client
        assert isinstance(client, Client)
        self.tokens.check_scope(client, self.parameters.get("scope"))
        self.tokens.audience(self.parameters)


class RequiredChallenge(CodeChallenge):
    """PKCE, which nobody may leave out, and by S256 alone."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012  as the base class has it

    @override
    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        parameters = grant.request.parameters
        if not parameters.get("code_challenge"):
            raise InvalidRequestError("Missing 'code_challenge'")
        if parameters.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The 'code_challenge_method' must be S256")
        super().validate_code_challenge(grant, redirect_uri)

    @override
    def get_authorization_code_challenge(self, authorization_code: Found) -> str:
        return authorization_code.code.challenge

    @override
    def get_authorization_code_challenge_method(self, authorization_code: Found) -> str:
        return "S256"


class Found:
    """A code that is good, as Authlib asks about it."""

    def __init__(self, key: str, code: Code) -> None:
        self.key = key
        self.code = code

    def get_redirect_uri(self) -> str:
        """Where its user was sent."""
        return self.code.redirect_uri

    def get_scope(self) -> str:
        """What its user granted."""
        return self.code.scope


class CodeGrant(_Grant, AuthorizationCodeGrant):
    """The authorization code flow. A code that comes a second time ends the login that it brought the first time."""

    TOKEN_ENDPOINT_AUTH_METHODS = _METHODS

    @override
    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        assert isinstance(request, OAuthRequest)
        now = self.tokens.now()
        self.store.sweep(now)
        client, user = request.client, request.user
        assert isinstance(client, Client)
        assert isinstance(user, User)
        record = Code(
            client_id=client.id,
            redirect_uri=request.parameters["redirect_uri"],
            subject=user.name,
            scope=request.scope,
            audience=self.tokens.audience(request.parameters),
            challenge=request.parameters["code_challenge"],
            nonce=request.parameters.get("nonce"),
            auth_time=now,
            expires_at=now + self.server.lifetimes.code,
        )
        self.store.put("codes", digest(code), record)

    @override
    def query_authorization_code(self, code: str, client: ClientMixin) -> Found | None:
        key = digest(code)
        record = self.store.state.codes.get(key)
        if record is None or record.client_id != client.get_client_id():
            return None
        if record.login is not None:
            login = self.store.state.logins.get(record.login)
            if login is not None:
                self.tokens.end(login)
            return None
        return Found(key, record) if self.tokens.now() < record.expires_at else None

    @override
    def authenticate_user(self, authorization_code: Found) -> User | None:
        return self.server.people.users.get(authorization_code.code.subject)

    @override
    def generate_token(self, *_: object, **__: object) -> Bundle:
        found = self.request.authorization_code
        assert isinstance(found, Found)
        code = found.code
        login = self.tokens.begin(
            code.client_id, code.subject, code.scope, code.audience, code.auth_time
        )
        code.login = login.id
        return self.tokens.for_user(login, code.scope, code.nonce)

    @override
    def delete_authorization_code(self, authorization_code: Found) -> None:
        self.store.put("codes", authorization_code.key, authorization_code.code)


class RefreshGrant(_Grant, RefreshTokenGrant):
    """Refresh tokens that are used once. One that comes again was stolen, by whoever came first: its login is over."""

    TOKEN_ENDPOINT_AUTH_METHODS = _METHODS

    @override
    def authenticate_refresh_token(self, refresh_token: str) -> TokenMixin:
        found = self.tokens.refresh(refresh_token)
        client = self.request.client
        if found is None or client is None or not found[0].check_client(client):
            raise InvalidGrantError("The refresh token is not in force")
        given, is_last = found
        if not is_last:
            assert given.login is not None
            self.tokens.end(given.login)
            raise InvalidGrantError("The refresh token was used before, so the login is over")
        return given

    @override
    def authenticate_user(self, refresh_token: Given) -> User:
        user = self.server.people.users.get(refresh_token.subject)
        if user is None:
            raise InvalidGrantError("The user is not known any more")
        return user

    @override
    def issue_token(self, user: object, refresh_token: TokenMixin) -> Bundle:
        assert isinstance(refresh_token, Given)
        assert isinstance(refresh_token.login, Login)
        scope = self.parameters.get("scope") or refresh_token.scope
        return self.tokens.for_user(refresh_token.login, scope)

    @override
    def revoke_old_credential(self, refresh_token: TokenMixin) -> None:
        """Nothing: a new number has made the old one worthless."""


class ClientGrant(_Grant, ClientCredentialsGrant):
    """A token for a client that has a secret."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    @override
    def generate_token(self, *_: object, **__: object) -> Bundle:
        client = self.request.client
        assert isinstance(client, Client)
        asked = self.parameters.get("scope")
        scope = client.get_allowed_scope(asked)
        if not scope_within(scope, " ".join(client.scopes)):
            raise InvalidScopeError("A client has none of the scopes of users")
        return self.tokens.for_client(client, scope, self.tokens.audience(self.parameters))


class DeviceGrant(_Grant, DeviceCodeGrant):
    """A device asks whether its user has agreed. What it is given then, it is given once."""

    TOKEN_ENDPOINT_AUTH_METHODS = _METHODS

    @override
    def query_device_credential(self, device_code: str) -> Waiting:
        key = digest(device_code)
        device = self.store.state.devices.get(key)
        if device is None:
            raise InvalidGrantError("There is no such device code")
        return Waiting(key, device, self.tokens)

    @override
    def query_user_grant(self, user_code: str) -> tuple[User | None, bool] | None:
        device = next(it for it in self.store.state.devices.values() if it.user_code == user_code)
        if device.denied:
            return None, False
        if device.subject is None:
            return None
        user = self.server.people.users.get(device.subject)
        return user, user is not None

    @override
    def should_slow_down(self, credential: Waiting) -> bool:
        """A device that asks too soon waits five seconds longer from then on (RFC 8628, section 3.5)."""
        now, device = self.tokens.now(), credential.device
        soon = device.asked_at is not None and now < device.asked_at + device.interval
        if soon:
            device.interval += self.server.slower
        device.asked_at = now
        self.store.put("devices", credential.key, device)
        return soon

    @override
    def generate_token(self, *_: object, **__: object) -> Bundle:
        found = self.request.credential
        assert isinstance(found, Waiting)
        device = found.device
        assert device.subject is not None
        login = self.tokens.begin(
            device.client_id, device.subject, device.scope, device.audience, self.tokens.now()
        )
        self.store.drop("devices", found.key)
        return self.tokens.for_user(login, device.scope)


class Waiting:
    """A device that waits, as Authlib asks about it."""

    def __init__(self, key: str, device: Device, tokens: Tokens) -> None:
        self.key = key
        self.device = device
        self._tokens = tokens

    def get_client_id(self) -> str:
        """Whose device it is."""
        return self.device.client_id

    def get_scope(self) -> str:
        """What it asks for."""
        return self.device.scope

    def get_user_code(self) -> str:
        """What its user enters."""
        return self.device.user_code

    def is_expired(self) -> bool:
        """Whether its user took too long."""
        return self._tokens.now() >= self.device.expires_at

"""What clients ask an issuer about tokens that there are, and how a device asks for its user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import (
    ResourceProtector,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6750 import BearerTokenValidator, InsufficientScopeError, InvalidTokenError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint
from typing_extensions import override

from lcplatform_mock.issuer.http import Answer, OAuthRequest, json_answer
from lcplatform_mock.issuer.people import DEVICE_GRANT, Client
from lcplatform_mock.issuer.state import Device
from lcplatform_mock.issuer.tokens import Given, Tokens, digest

if TYPE_CHECKING:
    from lcplatform_mock.issuer.server import Server

_METHODS = ("client_secret_basic", "client_secret_post")


class Revocation(RevocationEndpoint):
    """Takes tokens back. One that is not known is no error (RFC 7009, section 2.2)."""

    CLIENT_AUTH_METHODS = (*_METHODS, "none")
    server: Server

    @override
    def query_token(self, token_string: str, token_type_hint: str | None) -> Given | None:
        tokens = self.server.tokens
        found = tokens.refresh(token_string)
        # One that was replaced counts too: its client may never have seen the one that took its place.
        return tokens.access(token_string) if found is None else found[0]

    @override
    def revoke_token(self, token: Given, request: object) -> None:
        self.server.tokens.revoke(token)


class Introspection(IntrospectionEndpoint):
    """Says whether a token is in force, to the client that has it and to the one that it is meant for."""

    CLIENT_AUTH_METHODS = _METHODS
    server: Server

    @override
    def query_token(self, token_string: str, token_type_hint: str | None) -> Given | None:
        return self.server.tokens.find(token_string)

    @override
    def check_permission(self, token: Given, client: Client, request: object) -> bool:
        meant = token.claims["aud"] if token.claims else None
        return client.id in {token.client_id, meant}

    @override
    def introspect_token(self, token: Given) -> dict[str, Any]:
        common = {
            "active": True,
            "client_id": token.client_id,
            "sub": token.subject,
            "scope": token.scope,
            "exp": int(token.expires_at.timestamp()),
            "iss": self.server.issuer,
        }
        if token.claims is None:
            return common
        return {**token.claims, **common, "token_type": "Bearer"}


class DeviceAuthorization(DeviceAuthorizationEndpoint):
    """Gives a device its code, and one for its user. Made for each request."""

    CLIENT_AUTH_METHODS = (*_METHODS, "none")
    server: Server

    def __init__(self, server: Server, request: OAuthRequest) -> None:
        super().__init__(server)
        self._audience = server.tokens.audience(request.parameters)
        self.EXPIRES_IN = int(server.lifetimes.device_code.total_seconds())
        self.INTERVAL = int(server.lifetimes.device_interval.total_seconds())

    @override
    def authenticate_client(self, request: OAuthRequest) -> Client:
        client = super().authenticate_client(request)  # type: ignore[no-untyped-call]
        assert isinstance(client, Client)
        if not client.check_grant_type(DEVICE_GRANT):
            raise UnauthorizedClientError()
        self.server.tokens.check_scope(client, request.parameters.get("scope"))
        return client

    @override
    def get_verification_uri(self) -> str:
        return f"{self.server.issuer}/device"

    @override
    def save_device_credential(
        self, client_id: str, scope: str | None, data: dict[str, Any]
    ) -> None:
        tokens = self.server.tokens
        now = tokens.now()
        self.server.store.sweep(now)
        device = Device(
            user_code=data["user_code"],
            client_id=client_id,
            scope=scope or "openid",
            audience=self._audience,
            expires_at=now + self.server.lifetimes.device_code,
            interval=self.server.lifetimes.device_interval,
        )
        self.server.store.put("devices", digest(data["device_code"]), device)


class _Bearer(BearerTokenValidator):
    """Access tokens that are in force."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens

    @override
    def authenticate_token(self, token_string: str) -> Given | None:
        return self._tokens.access(token_string)

    @override
    def validate_token(self, token: Given | None, scopes: object, request: object) -> None:
        if token is None:
            raise InvalidTokenError()
        if "openid" not in token.scope.split():
            raise InsufficientScopeError()


def userinfo(tokens: Tokens, request: OAuthRequest) -> Answer:
    """What a token's scopes tell about its user (OpenID Connect Core 1.0, section 5.3)."""
    protector = ResourceProtector()
    protector.register_token_validator(_Bearer(tokens))
    given = protector.validate_request(["openid"], request)  # type: ignore[no-untyped-call]
    assert isinstance(given, Given)
    return json_answer(200, tokens.about(given.subject, given.scope))

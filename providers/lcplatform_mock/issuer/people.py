"""Whom an issuer knows: users and clients. Their passwords and secrets are kept as digests that take their time."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import scrypt
from os import urandom
from secrets import token_urlsafe
from typing import Final

from authlib.oauth2.rfc6749 import ClientMixin
from typing_extensions import override

from lcplatform_mock.issuer.settings import AuthenticationSettings, IssuerClient, IssuerUser
from lcplatform_runtime.oidc.records import scopes_of

OFFLINE: Final = "offline_access"
"""The scope of a refresh token (OpenID Connect Core 1.0, section 11)."""

OPENID_SCOPES: Final = ("openid", "profile", "email", "address", "phone", OFFLINE)
"""The scopes of OpenID Connect."""

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
"""The grant type of devices (RFC 8628)."""

USER_GRANTS: Final = ("authorization_code", "refresh_token", DEVICE_GRANT)
"""The grant types that bring tokens for a user."""

_CLIENT_GRANT: Final = "client_credentials"


class Digest:
    """Recognises a text without keeping it. It takes about two milliseconds, since tests log in often."""

    def __init__(self, text: str) -> None:
        self._salt = urandom(16)
        self._digest = self._of(text)

    def fits(self, text: str) -> bool:
        """Whether it is the same text."""
        return hmac.compare_digest(self._digest, self._of(text))

    def _of(self, text: str) -> bytes:
        return scrypt(text.encode(errors="surrogatepass"), salt=self._salt, n=2**10, r=8, p=1)


_NOBODYS: Final = Digest(token_urlsafe())
"""A password that nobody has."""


class Client(ClientMixin):
    """An application, as Authlib asks about it."""

    def __init__(self, settings: IssuerClient, scopes: tuple[str, ...]) -> None:
        """`scopes` are those that it may ask for."""
        self.id = settings.client_id
        self.scopes = scopes
        self.post_logout_redirect_uris = settings.post_logout_redirect_uris
        self._redirect_uris = settings.redirect_uris
        secret = settings.client_secret
        self._secret = None if secret is None else Digest(secret.get_secret_value())

    @property
    def is_public(self) -> bool:
        """Whether it has no secret."""
        return self._secret is None

    @override
    def get_client_id(self) -> str:
        return self.id

    @override
    def get_default_redirect_uri(self) -> str:
        return ""  # it is always asked for: otherwise a code could be sent where its login did not begin

    @override
    def get_allowed_scope(self, scope: object) -> str:
        """What it asks for, or all of its own if it asks for none. Whether it may have that was checked before."""
        return " ".join(scopes_of(scope) or self.scopes)

    def may_have(self, scope: str | None) -> bool:
        """Whether it may ask for these scopes."""
        return set(scopes_of(scope)) <= {*OPENID_SCOPES, *self.scopes}

    @override
    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self._redirect_uris

    @override
    def check_client_secret(self, client_secret: str) -> bool:
        return self._secret is not None and self._secret.fits(client_secret)

    @override
    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method == "none") == self.is_public

    @override
    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    @override
    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in USER_GRANTS or (grant_type == _CLIENT_GRANT and not self.is_public)


class User:
    """Somebody who can log in.

    Attributes:
        claims: what is told about the user.
        password: knows the user's password.
    """

    def __init__(self, name: str, settings: IssuerUser) -> None:
        self.name = name
        self.claims: Mapping[str, object] = settings.claims
        password = settings.password
        self.password = _NOBODYS if password is None else Digest(password.get_secret_value())


class People:
    """All of them.

    Attributes:
        users: by their names.
        clients: by their ids.
        scopes: all scopes that there are.
    """

    def __init__(self, settings: AuthenticationSettings, client: IssuerClient) -> None:
        """`client` is the platform itself, with its secret."""
        self.users = {name: User(name, it) for name, it in settings.users.items()}
        self.clients = {
            it.client_id: Client(it, settings.scopes if it.scopes is None else it.scopes)
            for it in (*settings.clients, client)
        }
        self.scopes = (*OPENID_SCOPES, *settings.scopes)
        self._auto_login = settings.auto_login

    @property
    def asks(self) -> bool:
        """Whether users are asked who they are."""
        return not self._auto_login

    def without_form(self, hint: str | None) -> User | None:
        """Who is logged in without being asked, if anybody is."""
        if not self._auto_login:
            return None
        return next(iter(self.users.values())) if hint is None else self.users.get(hint)

    def with_password(self, name: str, password: str) -> User | None:
        """Who has this name and this password. To find nobody takes as long, so that no name is given away."""
        user = self.users.get(name)
        fits = (_NOBODYS if user is None else user.password).fits(password)
        return user if fits else None

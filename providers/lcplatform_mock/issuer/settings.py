"""Who may log in at the mock's issuer, for which applications, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, JsonValue, SecretStr

from lcplatform_runtime.model import Request
from lcplatform_runtime.oidc.transport import is_safe

_Lifetime = Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(days=3650))]
_Scope = Annotated[str, Field(pattern=r"^[!#-\[\]-~]{1,128}$")]


def _redirect(url: str) -> str:
    """An application on another machine is reached encrypted; one of the user's own machine may have its own scheme."""
    if url.startswith(("http://", "https://")) and not is_safe(url):
        raise ValueError("https, or http on this machine")
    return url


_RedirectUri = Annotated[
    str, Field(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$"), AfterValidator(_redirect)
]


class IssuerUser(Request):
    """Somebody who can log in."""

    __sensitive__: ClassVar[frozenset[str]] = frozenset({"password"})

    password: SecretStr | None = None
    """What the login form asks for. Without one, only an automatic login lets the user in."""

    claims: dict[str, JsonValue] = Field(default_factory=dict)
    """What is told about the user where the scope for it is granted, such as `name` and `email`."""


class IssuerClient(Request):
    """An application that is known at the issuer."""

    __sensitive__: ClassVar[frozenset[str]] = frozenset({"client_secret"})

    client_id: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
    """Its name."""

    client_secret: Annotated[SecretStr | None, Field(min_length=1)] = None
    """Its secret. One without is a public client."""

    redirect_uris: tuple[_RedirectUri, ...] = (
        "https://app.example/callback",
        "http://localhost:8000/callback",
    )
    """Where users may be sent after a login, byte for byte."""

    post_logout_redirect_uris: tuple[_RedirectUri, ...] = (
        "https://app.example/",
        "http://localhost:8000/",
    )
    """Where users may be sent after a logout, byte for byte."""

    scopes: tuple[_Scope, ...] | None = None
    """Which of the issuer's `scopes` it may ask for; all where absent."""


class Lifetimes(Request):
    """How long things last."""

    access_token: _Lifetime = timedelta(hours=1)
    """An access token."""

    id_token: _Lifetime = timedelta(hours=1)
    """An id token."""

    refresh_token: _Lifetime = timedelta(days=30)
    """A login, with all the refresh tokens that follow each other."""

    code: _Lifetime = timedelta(seconds=60)
    """A code, which is used once within this time."""

    device_code: _Lifetime = timedelta(minutes=10)
    """The time that a user of a device has."""

    device_interval: _Lifetime = timedelta(seconds=5)
    """The pause between two questions of a device."""

    keys: _Lifetime = timedelta(days=90)
    """A signing key, after which the next takes its place. It stays published for as long as its tokens last."""


_ADA: Final[dict[str, JsonValue]] = {
    "name": "Ada Lovelace",
    "email": "ada@app.example",
    "email_verified": True,
}


class AuthenticationSettings(Request):
    """The mock's issuer and its users.

    As it is, one user logs in without being asked, and the platform is the only application.
    """

    listen: Annotated[str, Field(pattern=r"^(127(\.\d{1,3}){3}|localhost):\d{1,5}$")] = (
        "127.0.0.1:0"
    )
    """Where the issuer answers, on this machine only. Port 0 takes any that is free, and with `state` the same one ever
    after, since tokens name their issuer by it. Opened at first use."""

    users: dict[str, IssuerUser] = Field(
        default_factory=lambda: {"ada": IssuerUser(claims={**_ADA})}, min_length=1
    )
    """The users by their names, which are their subjects as well."""

    auto_login: bool = True
    """Whether users are logged in, and agree, without a form: whom `login_hint` names, or the first one."""

    client: IssuerClient = Field(default_factory=lambda: IssuerClient(client_id="lcplatform"))
    """The platform itself. Where it has no secret, one is made up."""

    clients: tuple[IssuerClient, ...] = ()
    """Further applications."""

    scopes: tuple[_Scope, ...] = ("read", "write")
    """The scopes beyond those of OpenID Connect. An application that asks for none of its own gets all it may have."""

    audience: Annotated[str, Field(min_length=1)] = "https://api.app.example"
    """For whom access tokens are meant, unless somebody else is asked for."""

    audiences: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """For whom else they can be meant."""

    login_scopes: tuple[_Scope, ...] = ("openid", "profile", "email")
    """The scopes that the platform's logins ask for by default."""

    algorithm: Literal["RS256", "PS256", "ES256", "Ed25519"] = "RS256"
    """What tokens are signed with."""

    lifetimes: Lifetimes = Field(default_factory=Lifetimes)
    """How long things last."""

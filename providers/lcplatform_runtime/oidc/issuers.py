"""Issuers as configuration names them (FR-053): three presets and any discovery URL, and what is peculiar to each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, SecretStr, model_validator

from lcplatform_runtime.model import Request
from lcplatform_runtime.oidc.transport import is_safe

WELL_KNOWN: Final = "/.well-known/openid-configuration"
"""What follows an issuer in the URL of its discovery document (OpenID Connect Discovery 1.0, section 4)."""

TENANT: Final = "{tenantid}"
"""What stands in Entra's issuer for the tenant of whoever logs in."""

Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
"""An algorithm for signatures that may be allowed. None shares a secret, and `none` is none."""

_SHARED_TENANTS: Final = frozenset({"common", "organizations", "consumers"})
_HOST: Final = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(:\d{1,5})?$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """In what an issuer differs from others.

    Attributes:
        audience_parameter: how it is told for whom an access token is meant; `None` where scopes say it.
        scope_claims: where its access tokens say what they grant.
        typed_access_tokens: its access tokens say what they are (`typ: at+jwt`, RFC 9068). Otherwise one is known by its
            claims.
        own_issuer: its discovery document may name an issuer other than the document's own URL says.
    """

    audience_parameter: str | None = "resource"
    scope_claims: tuple[str, ...] = ("scope", "scp")
    typed_access_tokens: bool = False
    own_issuer: bool = False


_OKTA: Final = Quirks(audience_parameter=None)
_AUTH0: Final = Quirks(audience_parameter="audience", scope_claims=("scope", "permissions"))
# The document of a tenant that is named by its domain has the issuer with its id.
_ENTRA: Final = Quirks(audience_parameter=None, scope_claims=("scp", "roles"), own_issuer=True)
_PRESETS: Final = {"okta": _OKTA, "auth0": _AUTH0, "entra": _ENTRA}


class IssuerSettings(Request):
    """With which issuer a platform speaks, and as whom.

    Either a preset with the name of the account there, or the URL of a discovery document.
    """

    __sensitive__: ClassVar[frozenset[str]] = frozenset({"client_secret"})

    preset: Literal["okta", "auth0", "entra"] | None = None
    """An issuer whose ways are known: `okta` and `auth0` with `domain`, `entra` with `tenant`."""

    domain: Annotated[str | None, Field(pattern=_HOST)] = None
    """The host of the account at Okta or Auth0, such as `example.eu.auth0.com`, a domain of its own included."""

    authorization_server: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = "default"
    """Okta's authorization server. Empty is the one of the organization, whose access tokens nobody else can read."""

    tenant: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")] = None
    """Entra's tenant: its id, a domain of it, or `organizations`, `consumers` or `common`, which are many."""

    tenants: tuple[str, ...] = ()
    """The ids of the tenants whose users are let in. Needed where `tenant` means many."""

    discovery_url: Annotated[str | None, Field(max_length=2048)] = None
    """The URL of any other issuer's discovery document, or the issuer itself."""

    client_id: Annotated[str, Field(min_length=1, max_length=512)]
    """Who the platform is at the issuer."""

    client_secret: SecretStr | None = None
    """Its secret. One without is a public client."""

    client_secret_name: Annotated[str | None, Field(min_length=1)] = None
    """The name of the secret with the client's secret, in place of `client_secret`."""

    scopes: tuple[str, ...] = ("openid",)
    """The scopes that a login asks for by default."""

    client_scopes: tuple[str, ...] = ()
    """The scopes that the application asks for by default for itself. Entra wants `<resource>/.default`."""

    audience: Annotated[str | None, Field(min_length=1)] = None
    """For whom access tokens must have been issued unless a call says otherwise; the client itself where absent."""

    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = (
        "RS256",
        "PS256",
        "ES256",
        "EdDSA",
        "Ed25519",
    )
    """The algorithms that are accepted, as far as the issuer announces them."""

    leeway: Annotated[timedelta, Field(ge=timedelta(), le=timedelta(seconds=120))] = timedelta(
        seconds=60
    )
    """How far the issuer's clock may be off."""

    @property
    def discovery(self) -> str:
        """The URL of the discovery document."""
        match self.preset:
            case "okta":
                server = f"/oauth2/{self.authorization_server}" if self.authorization_server else ""
                return f"https://{self.domain}{server}{WELL_KNOWN}"
            case "auth0":
                return f"https://{self.domain}{WELL_KNOWN}"
            case "entra":
                return f"https://login.microsoftonline.com/{self.tenant}/v2.0{WELL_KNOWN}"
            case _:
                url = str(self.discovery_url)
                return url if url.endswith(WELL_KNOWN) else url.rstrip("/") + WELL_KNOWN

    @property
    def quirks(self) -> Quirks:
        """In what it differs from others."""
        return _PRESETS[self.preset] if self.preset is not None else Quirks()

    @model_validator(mode="after")
    def _complete(self) -> IssuerSettings:
        needed = {"okta": "domain", "auth0": "domain", "entra": "tenant", None: "discovery_url"}
        wanted = needed[self.preset]
        for name in ("domain", "tenant", "discovery_url"):
            if (getattr(self, name) is None) == (name == wanted):
                raise ValueError(f"{self.preset or 'any other issuer'} is named by its {wanted}")
        if self.client_secret is not None and self.client_secret_name is not None:
            raise ValueError("client_secret and client_secret_name exclude each other")
        if self.tenant in _SHARED_TENANTS and not self.tenants:
            raise ValueError(f"tenant {self.tenant} is many tenants: name those that are let in")
        if not is_safe(self.discovery):
            raise ValueError("the discovery URL is neither https nor on this machine")
        return self


def expected_issuer(discovery: str) -> str:
    """The issuer that the document at this URL must name, but for a slash at its end (Auth0 has one)."""
    return discovery.removesuffix(WELL_KNOWN)


_TENANT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_issuer(expected: str, issuer: object, tenant: object, tenants: tuple[str, ...]) -> bool:
    """Whether a token that says it is from `issuer`, for a user of `tenant`, is from `expected`.

    They are compared byte for byte. Only where the expected one leaves the tenant open (Entra), that of the token is put
    in, and must be among those that are let in.
    """
    if tenants and tenant not in tenants:
        return False
    if TENANT in expected:
        if not isinstance(tenant, str) or not _TENANT_ID.fullmatch(tenant):
            return False
        expected = expected.replace(TENANT, tenant)
    return issuer == expected

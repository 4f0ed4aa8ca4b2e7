"""What an application may say about its issuer."""

from __future__ import annotations

from typing import Final, Literal

from lcplatform_runtime.oidc.issuers import IssuerSettings

Offer = Literal["revocation", "introspection", "device_flow", "logout"]
"""What not every issuer offers."""

_LACKING: Final[dict[str | None, frozenset[Offer]]] = {
    "auth0": frozenset({"introspection"}),
    "entra": frozenset({"revocation", "introspection"}),
}


class AuthenticationOptions(IssuerSettings):
    """With which issuer users log in. `client_secret_name` is the name of a secret of Secrets Manager."""

    lacks: tuple[Offer, ...] = ()
    """What the issuer does not offer, beyond what is known of its preset: it is refused before the issuer is asked."""

    @property
    def lacking(self) -> frozenset[str]:
        """Everything that it does not offer."""
        return _LACKING.get(self.preset, frozenset[Offer]()) | frozenset(self.lacks)

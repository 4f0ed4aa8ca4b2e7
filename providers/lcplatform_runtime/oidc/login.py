"""The URLs to which a user is sent, and the secrets that tie what comes back to what was asked (FR-054)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode, urlsplit

from lcplatform_runtime.errors import invalid

# What only this service sets; `request` and `request_uri` would replace all of them.
_OWN: Final = frozenset(
    {
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "request",
        "request_uri",
        "response_type",
        "scope",
        "state",
    }
)


def random_text() -> str:
    """256 random bits, in 43 characters that may stand in a URL."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """The PKCE challenge of a verifier, by S256 (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def check_scopes(field: str, scopes: Sequence[str]) -> None:
    """Refuses what is no scope (RFC 6749, section 3.3)."""
    for index, scope in enumerate(scopes):
        if not scope or not all("!" <= it <= "~" and it not in '"\\' for it in scope):
            raise invalid(
                f"{field}[{index}]",
                "visible ASCII characters without quotes, backslashes and spaces",
            )


def check_parameters(parameters: Mapping[str, str]) -> None:
    """Refuses parameters that this service sets itself."""
    own = sorted(_OWN & parameters.keys())
    if own:
        raise invalid(
            "parameters", f"none of those that this service sets itself: {', '.join(own)}"
        )


def with_query(url: str, parameters: Mapping[str, str | None]) -> str:
    """The URL with these parameters, as far as they have a value, after those that it has."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    joint = "&" if urlsplit(url).query else "?"
    return f"{url}{joint}{query}" if query else url

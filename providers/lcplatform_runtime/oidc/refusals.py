"""Why a token is refused, and what an issuer's refusals mean, each in the platform's words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, Final

from lcplatform_runtime.errors import (
    AuthenticationError,
    InternalError,
    LCPlatformError,
    Outcome,
    PermissionDeniedError,
    QuotaExceededError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)

_LOG: Final = logging.getLogger("lcplatform.oidc")
_LONGEST: Final = 200


def refused(reason: str, message: str) -> AuthenticationError:
    """A token, or a code, that was given is not accepted. `reason` is one of those that the IDL names."""
    return AuthenticationError(message, details={"cause": "given_token", "reason": reason})


def lacking(what: str) -> UnsupportedError:
    """The issuer does not offer it."""
    return UnsupportedError(f"the issuer has no {what}")


def garbled(what: str) -> InternalError:
    """The issuer answered something that is not in the protocol."""
    return InternalError(f"the issuer's {what} is not what the protocol says")


def of_answer(
    status: int,
    headers: Mapping[str, str],
    answer: Mapping[str, Any],
    given: Collection[str] = (),
) -> LCPlatformError:
    """What an issuer means by an error (RFC 6749, section 5.2, and those that add to it).

    Some issuers repeat the token that they refuse: `given` is what must not be told.
    """
    code = answer.get("error")
    known = _of_entra(answer) or (_MEANINGS.get(code) if isinstance(code, str) else None)
    told = _told(answer, given)
    if known is not None:
        return known(told)
    if status == 429:
        return QuotaExceededError(
            f"the issuer is asked too often{told}", retry_after=after(headers)
        )
    if status >= 500:
        return ServiceUnavailableError(
            f"the issuer answers {status}{told}", retry_after=after(headers)
        )
    if status == 401:
        return refused("grant", f"the issuer refuses the token{told}")
    if status == 403:
        return PermissionDeniedError(f"the issuer does not allow this{told}")
    return ValidationError(f"the issuer refuses the request with {status}{told}")


def after(headers: Mapping[str, str]) -> timedelta | None:
    """When the issuer asks to be asked again."""
    value = headers.get("retry-after", "")
    return timedelta(seconds=int(value)) if value.isdecimal() and len(value) < 7 else None


def _told(answer: Mapping[str, Any], given: Collection[str]) -> str:
    """The issuer's own words, if they fit on a line of a log."""
    words = answer.get("error_description") or answer.get("error")
    if not isinstance(words, str) or not words:
        return ""
    for secret in sorted(given, key=len, reverse=True):
        words = words.replace(secret, "***")
    line = " ".join(words.split())[:_LONGEST]
    return f": {line}" if line.isprintable() else ""


def _own_secret(told: str) -> ServiceUnavailableError:
    _LOG.error("the issuer refuses the client's own credentials%s", told)
    return ServiceUnavailableError(
        "the issuer refuses the credentials of this platform's client: check its client id and secret",
        retryable=False,
        outcome=Outcome.NOT_EXECUTED,
    )


_MEANINGS: Final[Mapping[str, Callable[[str], LCPlatformError]]] = {
    "invalid_grant": lambda told: refused("grant", f"the issuer refuses what it was given{told}"),
    "invalid_token": lambda told: refused("grant", f"the issuer refuses the token{told}"),
    "invalid_client": _own_secret,
    "invalid_scope": lambda told: PermissionDeniedError(f"the scopes are not granted{told}"),
    "insufficient_scope": lambda told: PermissionDeniedError(f"the token lacks a scope{told}"),
    "invalid_target": lambda told: PermissionDeniedError(
        f"this client gets no token for that audience{told}"
    ),
    "unauthorized_client": lambda told: PermissionDeniedError(
        f"the issuer does not allow this to the platform's client{told}"
    ),
    "access_denied": lambda told: PermissionDeniedError(f"access was denied{told}"),
    "unsupported_grant_type": lambda told: UnsupportedError(
        f"the issuer does not offer this{told}"
    ),
    "unsupported_token_type": lambda told: UnsupportedError(
        f"the issuer does not do this with tokens of this kind{told}"
    ),
    "server_error": lambda told: ServiceUnavailableError(f"the issuer failed{told}"),
    "expired_token": lambda told: refused("grant", f"what the issuer was given has expired{told}"),
    **dict.fromkeys(
        (
            "account_selection_required",
            "insufficient_user_authentication",
            "interaction_required",
            "login_required",
            "mfa_required",
            "unmet_authentication_requirements",
        ),
        lambda told: refused("grant", f"the user has to log in again{told}"),
    ),
    "consent_required": lambda told: PermissionDeniedError(f"the user has not agreed{told}"),
    "temporarily_unavailable": lambda told: ServiceUnavailableError(
        f"the issuer is not available{told}", outcome=Outcome.NOT_EXECUTED
    ),
}


_Meaning = Callable[[str], LCPlatformError]


def _not_allowed(told: str) -> LCPlatformError:
    return PermissionDeniedError(f"the issuer does not allow this{told}")


# Entra says `invalid_grant` or `invalid_request` of these as well, and means something else.
_ENTRA: Final[Mapping[int, _Meaning]] = {
    **dict.fromkeys((50105, 53003, 65001, 500011), _not_allowed),
    # The client's secret is wrong or has expired; the client, or its tenant, is not there.
    **dict.fromkeys((90002, 700016, 7000215, 7000222), _own_secret),
    50196: lambda told: QuotaExceededError(f"the issuer is asked too often{told}"),
    **dict.fromkeys(
        (90006, 90033),
        lambda told: ServiceUnavailableError(
            f"the issuer is not available{told}", outcome=Outcome.NOT_EXECUTED
        ),
    ),
}
"""By the number of an `AADSTS` code."""


def _of_entra(answer: Mapping[str, Any]) -> _Meaning | None:
    """What the first of Entra's own codes means that says more than the standard's."""
    codes = answer.get("error_codes")
    known = (
        [_ENTRA.get(it) for it in codes if isinstance(it, int)] if isinstance(codes, list) else []
    )
    return next((it for it in known if it is not None), None)

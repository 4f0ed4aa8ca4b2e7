"""What psycopg and its pool report, in the platform's words. What statements come to is in `lcplatform_runtime.sqlstate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import psycopg

from lcplatform_aws.error_table import (
    INVALID,
    THROTTLED,
    UNAVAILABLE,
    UNSENT,
    UNSUPPORTED,
    WRONG_STATE,
    Meaning,
)
from lcplatform_runtime.errors import (
    DeadlineExceededError,
    LCPlatformError,
    Outcome,
    ServiceUnavailableError,
)
from lcplatform_runtime.sqlstate import failure

LOGIN: Final = "28P01"
_SAID: Final = (
    # libpq tells no SQLSTATE of a connection that was not made: only the server's words, which RDS has in English.
    ("too many clients", "53300"),
    ("too many connections", "53300"),
    ("connection slots are reserved", "53300"),
    ("authentication failed", LOGIN),
    ("no pg_hba.conf entry", "28000"),
    ("pg_hba.conf rejects", "28000"),
    ("is not permitted to log in", "28000"),
    ('role "', "28000"),
    ('database "', "3D000"),
    ("the database system is", "57P03"),
    ("certificate", "TLS"),
    ("SSL", "TLS"),
)
_HOPELESS: Final = frozenset({LOGIN, "28000", "3D000", "TLS"})


# By the names of the classes: the nearest ancestor decides.
_KINDS: Final[Mapping[str, Meaning]] = {
    "TooManyRequests": THROTTLED,
    "PoolClosed": WRONG_STATE,
    "PoolTimeout": UNSENT,
    "ConnectionTimeout": UNSENT,
    "CancellationTimeout": Meaning(DeadlineExceededError, outcome=Outcome.UNKNOWN),
    "PipelineAborted": WRONG_STATE,
    "InterfaceError": WRONG_STATE,
    "NotSupportedError": UNSUPPORTED,
    "ProgrammingError": INVALID,
    "DataError": INVALID,
    "Error": UNAVAILABLE,
}


def said(text: str) -> str:
    """The SQLSTATE of what a connection was refused for: 08001 where nothing better is known."""
    return next((code for words, code in _SAID if words in text), "08001")


def hopeless(error: Exception) -> bool:
    """Whether the next try would come to the same: what is wrong is not the server's moment."""
    if isinstance(error, psycopg.Error):
        return said(str(error)) in _HOPELESS
    return (
        True  # of credentials and secrets: whoever calls learns of it, and tries again if it likes
    )


def unopened(error: Exception) -> Exception:
    """What a connection that was not made is to whoever waits for it. Nothing was sent to the database yet."""
    if not isinstance(error, psycopg.Error):
        return error
    text = str(error).strip()
    code = said(text)
    message = f"no connection to the database: {text}"
    if code in _HOPELESS:
        details = {} if code == "TLS" else {"sqlstate": code}
        return ServiceUnavailableError(
            message, retryable=False, outcome=Outcome.NOT_EXECUTED, details=details
        )
    return failure(code, message)


def translated(error: Exception) -> LCPlatformError | None:
    """The error for what psycopg or its pool raised; None for what is not theirs."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    text = str(error).strip() or kinds[0]
    if isinstance(error, psycopg.Error) and error.sqlstate is not None:
        return failure(error.sqlstate, text)
    meaning = next((_KINDS[kind] for kind in kinds if kind in _KINDS), None)
    if meaning is None:
        return None
    return meaning.kind(
        text,
        retryable=meaning.retryable,
        outcome=meaning.outcome,
        details={"exception": kinds[0]},
    )

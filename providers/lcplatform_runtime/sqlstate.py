"""What an SQLSTATE means to an application: one table, since every database that speaks SQL tells its errors by them.

The codes are those of PostgreSQL (its documentation, appendix A), which are the standard's where the standard has some. What
is not in the table is decided by the first two characters, the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    Outcome,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error is to a caller."""

    kind: type[LCPlatformError]
    retryable: bool = False
    outcome: Outcome = Outcome.NOT_EXECUTED


_WRONG: Final = Meaning(ValidationError)
_STATE: Final = Meaning(PreconditionFailedError)
_COLLISION: Final = Meaning(ConflictError, retryable=True)
_BUSY: Final = Meaning(ServiceUnavailableError, retryable=True)
_BROKEN: Final = Meaning(ServiceUnavailableError, retryable=True, outcome=Outcome.UNKNOWN)
_REFUSED: Final = Meaning(ServiceUnavailableError)
_FULL: Final = Meaning(QuotaExceededError)

_CODES: Final[Mapping[str, Meaning]] = {
    "08001": _BUSY,  # the connection could not be made
    "08004": _BUSY,  # the server refused it
    "08P01": _WRONG,  # as many parameters as the statement has not
    "23001": _STATE,  # something still refers to the row
    "23503": _STATE,  # a foreign key
    "23505": Meaning(AlreadyExistsError),
    "23P01": Meaning(AlreadyExistsError),  # an exclusion constraint
    "25006": _WRONG,  # a statement that writes, where nothing may
    "25P03": Meaning(
        DeadlineExceededError, retryable=True
    ),  # the transaction was idle for too long
    "25P04": Meaning(DeadlineExceededError, retryable=True),  # or took too long as a whole
    "40002": _STATE,  # a constraint that was put off to the end of the transaction
    "40003": _BROKEN,  # whether the statement was completed is not known
    "42501": Meaning(PermissionDeniedError),
    "53000": _BUSY,
    "53300": _BUSY,  # too many connections
    "53400": _BUSY,
    "55P03": _COLLISION,  # a lock that was not to be waited for
    "57014": Meaning(DeadlineExceededError, retryable=True),  # ended because it took too long
    "57P03": _BUSY,  # the server is starting
    "58030": _BROKEN,  # its disk
    "57P04": _STATE,
}
_CLASSES: Final[Mapping[str, Meaning]] = {
    "02": Meaning(ResourceNotFoundError),
    "03": _STATE,
    "08": _BROKEN,
    "0A": Meaning(UnsupportedError),
    "0B": _STATE,
    "0F": _WRONG,
    "0L": Meaning(PermissionDeniedError),
    "0P": Meaning(PermissionDeniedError),
    "10": _WRONG,
    "20": _WRONG,  # a CASE without the case
    "21": _WRONG,
    "22": _WRONG,
    "23": _WRONG,
    "24": _STATE,
    "25": _STATE,
    "26": _WRONG,
    "27": _STATE,
    "28": _REFUSED,  # the server's own credentials
    "2B": _STATE,  # others depend on it
    "2D": _STATE,
    "2F": _WRONG,
    "34": _WRONG,
    "3B": _STATE,  # a savepoint that is not there
    "3D": _WRONG,
    "3F": _WRONG,
    "40": _COLLISION,
    "42": _WRONG,
    "44": _WRONG,  # a row that its view would not show
    "53": _FULL,
    "54": _WRONG,  # too long, too complex
    "55": _STATE,
    "57": _BROKEN,  # the server was stopped or crashed
    "72": _COLLISION,  # a snapshot that is too old
    "P0": _STATE,  # raised by a function of the database
}
_UNKNOWN: Final = Meaning(InternalError, outcome=Outcome.UNKNOWN)


def meaning(sqlstate: str) -> Meaning:
    """What an error with this code is to a caller."""
    return _CODES.get(sqlstate) or _CLASSES.get(sqlstate[:2]) or _UNKNOWN


def failure(
    sqlstate: str, message: str, details: Mapping[str, str | None] | None = None
) -> LCPlatformError:
    """The error for a code.

    Args:
        sqlstate: the code, which `details` of the error tell as `sqlstate`.
        message: what happened. It quotes no value: those are the application's, and some are secret.
        details: further facts, such as the constraint; what is None is left out.
    """
    known = meaning(sqlstate)
    facts = {name: value for name, value in (details or {}).items() if value}
    return known.kind(
        message,
        retryable=known.retryable,
        outcome=known.outcome,
        details={"sqlstate": sqlstate, **facts},
    )


def worth_another_try(error: LCPlatformError) -> bool:
    """Whether the whole transaction may succeed when it is run again: it was rolled back because of others."""
    return isinstance(error, ConflictError) and error.retryable

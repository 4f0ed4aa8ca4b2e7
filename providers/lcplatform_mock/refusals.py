"""The errors that more than one service raises, each in one form of words."""

from __future__ import annotations

from datetime import timedelta

from lcplatform.type.models import BatchFailure, ErrorCode
from lcplatform_runtime.errors import (
    ConflictError,
    LCPlatformError,
    ResourceNotFoundError,
    invalid,
)

_DAY = timedelta(days=1)


def missing(kind: str, name: str) -> ResourceNotFoundError:
    """There is no such thing."""
    return ResourceNotFoundError(f"{kind} {name!r} does not exist", resource=name)


def stale(kind: str, name: str) -> ConflictError:
    """An etag is no longer the one of the thing."""
    return ConflictError(
        f"{kind} {name!r} has changed: read it again and repeat the change on what is there now",
        resource=name,
    )


def whole_days(field: str, duration: timedelta) -> None:
    """Refuses a duration that is no number of whole days."""
    if duration % _DAY:
        raise invalid(field, "a number of whole days")


def failure(index: int, error: LCPlatformError) -> BatchFailure:
    """What a batch says of an entry that failed."""
    return BatchFailure(
        index=index,
        code=ErrorCode(error.code.lower()),
        message=error.message,
        retryable=error.retryable,
    )

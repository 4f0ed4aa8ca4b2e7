"""What a caller may say about one call, beyond its request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.retry import RetryPolicy

# What may travel in a header of any transport, and into a log, as it is.
_TOKEN: Final = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """Options of one call. What is absent is as the platform's settings say.

    Attributes:
        deadline: how long the call may take in all, its retries included.
        retry: how the call is retried.
        bypass_cache: reads from the provider even if an answer is kept.
        idempotency_key: makes a repeated call harmless, where the operation has such a key and the request none.
        correlation_id: names the call in logs and traces, here and on the server.

    Raises:
        ValidationError: an option is not usable. It names the option.
    """

    deadline: timedelta | None = None
    retry: RetryPolicy | None = None
    bypass_cache: bool = False
    idempotency_key: str | None = None
    correlation_id: str | None = None

    def __post_init__(self) -> None:
        for name, kind in _TYPES:
            given = getattr(self, name)
            if given is not None and not isinstance(given, kind):
                raise _refused(name, f"must be {kind.__name__}, not {type(given).__name__}")
        if self.deadline is not None and self.deadline <= timedelta(0):
            raise _refused("deadline", "must be longer than zero")
        for name in ("idempotency_key", "correlation_id"):
            value: str | None = getattr(self, name)
            if value is not None and not _TOKEN.fullmatch(value):
                raise _refused(name, "must have 1 to 128 visible ASCII characters")


_TYPES: Final = (
    ("deadline", timedelta),
    ("retry", RetryPolicy),
    ("bypass_cache", bool),
    ("idempotency_key", str),
    ("correlation_id", str),
)


def _refused(option: str, expected: str) -> ValidationError:
    return ValidationError(
        f"option {option} {expected}", violations=(FieldViolation(f"options.{option}", expected),)
    )

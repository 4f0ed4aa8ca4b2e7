"""When a failed call is sent again, how long to wait before, and when to leave it at that.

The arithmetic is a few lines, and the waiting belongs to the pipeline, which serves two colours from one generator: a
retry library brings loops of its own, one per colour, and knows neither outcomes nor a budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from lcplatform_runtime.errors import FieldViolation, ValidationError

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter (FR-062).

    Attributes:
        max_attempts: how often a call is sent at most, the first time included.
        base_delay: the longest wait before the second attempt. It doubles with each further attempt.
        max_delay: the longest wait before any attempt. A service that asks to wait longer is not waited for: the
            caller gets its error, which says how long.

    Raises:
        ValidationError: a value is not usable. It names the attribute.
    """

    max_attempts: int = 3
    base_delay: timedelta = timedelta(milliseconds=100)
    max_delay: timedelta = timedelta(seconds=20)

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise _refused("max_attempts", "must be at least 1")
        if self.base_delay < timedelta(0):
            raise _refused("base_delay", "must not be negative")
        if self.max_delay < self.base_delay:
            raise _refused("max_delay", "must not be shorter than base_delay")


def _refused(attribute: str, expected: str) -> ValidationError:
    return ValidationError(
        f"retry policy: {attribute} {expected}",
        violations=(FieldViolation(f"retry.{attribute}", expected),),
    )

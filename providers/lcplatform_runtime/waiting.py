"""Waiting for what takes its time: calling an operation again and again until the resource stands where it is wanted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar

from lcplatform_runtime.clock import Clock
from lcplatform_runtime.errors import DeadlineExceededError, Outcome, PreconditionFailedError

T = TypeVar("T")

FIRST_PAUSE: Final = 0.1
"""Seconds between the first call and the second."""

LONGEST_PAUSE: Final = 10.0
"""Seconds between two calls at most. Each pause is half as long again as the one before."""


def wait_until(
    poll: Callable[[], T],
    *,
    status: Callable[[T], str | None],
    reason: Callable[[T], str | None],
    until: Collection[str],
    fails_on: Collection[str],
    timeout: timedelta,
    clock: Clock,
    operation: str,
    resource: str | None,
) -> T:
    """Calls `poll` with growing pauses until what it answers with has a status of `until`, and returns that.

    Raises:
        PreconditionFailedError: it has one of `fails_on`.
        DeadlineExceededError: `timeout` has passed on the clock. What the last call told is in the message.
    """
    wait = _Wait(status, reason, until, fails_on, timeout, clock, operation, resource)
    while not wait.over(found := poll()):
        clock.sleep(wait.pause(found))
    return found


async def wait_until_async(
    poll: Callable[[], Awaitable[T]],
    *,
    status: Callable[[T], str | None],
    reason: Callable[[T], str | None],
    until: Collection[str],
    fails_on: Collection[str],
    timeout: timedelta,
    clock: Clock,
    operation: str,
    resource: str | None,
) -> T:
    """The same for async callers."""
    wait = _Wait(status, reason, until, fails_on, timeout, clock, operation, resource)
    while not wait.over(found := await poll()):
        await clock.sleep_async(wait.pause(found))
    return found


def present(
    value: T | None,
    field: str,
    *,
    status: str | None,
    reason: str | None,
    operation: str,
    resource: str | None,
) -> T:
    """`value`, which an answer may lack.

    Raises:
        PreconditionFailedError: it does. The message tells the status and its reason.
    """
    if value is None:
        state = f": it is {_told(status, reason)}" if status else ""
        raise PreconditionFailedError(
            f"there is no {field}{state}", operation=operation, resource=resource
        )
    return value


@dataclass(slots=True)
class _Wait(Generic[T]):
    """What both colours do between two calls."""

    status: Callable[[T], str | None]
    reason: Callable[[T], str | None]
    until: Collection[str]
    fails_on: Collection[str]
    timeout: timedelta
    clock: Clock
    operation: str
    resource: str | None
    _pause: float = FIRST_PAUSE
    _end: float = 0.0

    def __post_init__(self) -> None:
        self._end = self.clock.monotonic() + self.timeout.total_seconds()

    def over(self, found: T) -> bool:
        """Whether it is as it is wanted."""
        status = self.status(found)
        if status in self.fails_on:
            raise PreconditionFailedError(
                f"it is {self._told(found)}", operation=self.operation, resource=self.resource
            )
        return status in self.until

    def pause(self, found: T) -> float:
        """How long to wait now, in seconds."""
        left = self._end - self.clock.monotonic()
        if left <= 0:
            raise DeadlineExceededError(
                f"after {self.timeout} it is still {self._told(found)}",
                operation=self.operation,
                resource=self.resource,
                outcome=Outcome.NOT_EXECUTED,
            )
        pause, self._pause = self._pause, min(self._pause * 1.5, LONGEST_PAUSE)
        return min(pause, left)

    def _told(self, found: T) -> str:
        return _told(self.status(found), self.reason(found))


def _told(status: str | None, reason: str | None) -> str:
    return f"{status} ({reason})" if reason else f"{status}"

"""What is known about the call in progress, wherever the driver stands: its name, its deadline, its key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Final

from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.options import CallOptions


@dataclass(frozen=True, slots=True)
class CallContext:
    """One call.

    Attributes:
        correlation_id: names the call, and everything that was called for its sake, in logs and traces.
        deadline: the moment at which the caller stops waiting, in the `monotonic()` of `clock`.
        idempotency_key: makes a repetition of this very call harmless. Calls made for its sake do not inherit it.
        clock: the clock of the deadline.
    """

    correlation_id: str
    deadline: float | None = None
    idempotency_key: str | None = None
    clock: Clock = field(default=SYSTEM, repr=False, compare=False)

    def remaining(self) -> float | None:
        """The seconds left until the deadline, never below zero; `None` if there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - self.clock.monotonic())


CURRENT: Final[ContextVar[CallContext | None]] = ContextVar("lcplatform_call", default=None)
"""The variable behind `current_call`, for the pipeline and the bridges."""


def current_call() -> CallContext | None:
    """The call in whose course this code runs, or `None` outside of any."""
    return CURRENT.get()


@contextmanager
def entered(context: CallContext) -> Iterator[CallContext]:
    """Makes `context` the current call: a server does so with what came over the wire."""
    token = CURRENT.set(context)
    try:
        yield context
    finally:
        CURRENT.reset(token)


@contextmanager
def correlation(correlation_id: str) -> Iterator[CallContext]:
    """Names every call made within, so that the logs of one piece of work can be found together.

    Raises:
        ValidationError: the name is not 1 to 128 visible ASCII characters.
    """
    CallOptions(correlation_id=correlation_id)  # refuses what must not get into a header
    outer = CURRENT.get()
    context = (
        CallContext(correlation_id)
        if outer is None
        else replace(outer, correlation_id=correlation_id)
    )
    with entered(context):
        yield context

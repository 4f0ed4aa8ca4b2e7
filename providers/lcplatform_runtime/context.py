"""What is known about the call in progress, wherever the driver stands: its name, its deadline, its key."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.options import CallOptions

if TYPE_CHECKING:
    from lcplatform_runtime.retry import RetryPolicy


class CallContext:
    """One call. Nothing in it changes.

    It is made for every call, so it is no dataclass, and a name that nobody asks for is not spelled out.

    Args:
        correlation_id: names the call; a new name where absent.
        deadline: the moment at which the caller stops waiting, in the `monotonic()` of `clock`.
        idempotency_key: makes a repetition of this very call harmless.
        clock: the clock of the deadline.
        bypass_cache: whether the caller wants no answer that was kept, here or on a server.
        retry: how the caller wants it retried, if it says so: a server does it then.

    Calls that are made for its sake inherit the name and the deadline alone.
    """

    __slots__ = (
        "_correlation_id",
        "_number",
        "bypass_cache",
        "clock",
        "deadline",
        "idempotency_key",
        "retry",
    )

    def __init__(
        self,
        correlation_id: str | None = None,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        clock: Clock = SYSTEM,
        *,
        bypass_cache: bool = False,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._correlation_id = correlation_id
        # Not drawn when it is read: two threads that read it must read the same.
        self._number = 0 if correlation_id else next(_numbers)
        self.deadline: Final = deadline
        self.idempotency_key: Final = idempotency_key
        self.clock: Final = clock
        self.bypass_cache: Final = bypass_cache
        self.retry: Final = retry

    @property
    def heritable(self) -> bool:
        """Whether a call without options that is made for its sake has nothing but its name and clock: it may then be
        the context of that call as well."""
        return (
            self.deadline is None
            and self.idempotency_key is None
            and not self.bypass_cache
            and self.retry is None
        )

    @property
    def correlation_id(self) -> str:
        """Names the call, and everything that is called for its sake, in logs and traces."""
        return self._correlation_id or f"{_process}{self._number:016x}"

    def remaining(self) -> float | None:
        """The seconds left until the deadline, never below zero; `None` if there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - self.clock.monotonic())

    @override
    def __repr__(self) -> str:
        return f"CallContext({self.correlation_id!r}, deadline={self.deadline!r})"


_numbers: Final = itertools.count(1)
_process = ""


def _name_process() -> None:
    """Tells the calls of this process from those of any other; a fork is another."""
    global _process
    _process = os.urandom(8).hex()


_name_process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_name_process)


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
    if outer is None:
        context = CallContext(correlation_id)
    else:
        context = CallContext(correlation_id, outer.deadline, None, outer.clock)
    with entered(context):
        yield context

"""A clock that a test moves, so that no test ever waits."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from lcplatform_runtime.clock import SYSTEM, Clock, Scope, SystemClock

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["SYSTEM", "Clock", "ManualClock", "SystemClock", "Timer"]

_START: Final = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(order=True, slots=True)
class Timer:
    """Something that falls due at a moment of a `ManualClock`."""

    due: float
    order: int
    callback: Callable[[], object] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Nothing happens at that moment any more."""
        self.cancelled = True


class ManualClock(Clock):
    """A clock that stands still until `advance` moves it. Threads and event loops may share it.

    Args:
        start: the time of day at which it starts.
        self_advancing: whoever sleeps moves the clock and goes on at once. For a test in one thread, which could not
            move the clock while it sleeps.

    Attributes:
        slept: how long each sleep was, in the order in which they began.
    """

    def __init__(self, start: datetime = _START, *, self_advancing: bool = False) -> None:
        self._start = start.astimezone(UTC)
        self._elapsed = 0.0
        self._self_advancing = self_advancing
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self.slept: list[float] = []

    @override
    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    @override
    def monotonic(self) -> float:
        return self._elapsed

    def advance(self, delta: timedelta | float, /) -> None:
        """Moves the clock forward. What falls due on the way happens at its moment and in its order."""
        seconds = delta.total_seconds() if isinstance(delta, timedelta) else delta
        if seconds < 0:
            raise ValueError("time does not go back")
        with self._lock:
            end = self._elapsed + seconds
        while (timer := self._next(end)) is not None:
            timer.callback()
        with self._lock:
            self._elapsed = max(self._elapsed, end)

    def call_at(self, due: datetime | float, callback: Callable[[], object], /) -> Timer:
        """Calls `callback` when the clock reaches `due`, a time of day or a value of `monotonic`, in the thread that
        moves it. What is due already happens with the next `advance`, even one by nothing."""
        moment = (due - self._start).total_seconds() if isinstance(due, datetime) else due
        with self._lock:
            timer = Timer(moment, next(self._order), callback)
            heapq.heappush(self._timers, timer)
            self._changed.notify_all()
        return timer

    def call_later(self, delay: timedelta | float, callback: Callable[[], object], /) -> Timer:
        """Calls `callback` when so much time has passed."""
        seconds = delta.total_seconds() if isinstance(delta := delay, timedelta) else delta
        return self.call_at(self._elapsed + seconds, callback)

    def await_sleepers(self, count: int = 1, /, *, timeout: float = 30.0) -> None:
        """Returns when at least `count` sleeps, waits and calls are pending: then it makes sense to move the clock.

        Raises:
            TimeoutError: there were not so many within `timeout` seconds of real time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._pending() >= count, timeout):
                raise TimeoutError(f"{self._pending()} of {count} sleepers came")

    @override
    def sleep(self, seconds: float, /) -> None:
        if self._skips(seconds):
            return
        over = threading.Event()
        self.call_later(seconds, over.set)
        over.wait()

    @override
    async def sleep_async(self, seconds: float, /) -> None:
        import asyncio

        if self._skips(seconds):
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        timer = self.call_later(seconds, lambda: loop.call_soon_threadsafe(over.set))
        try:
            await over.wait()
        finally:
            timer.cancel()

    @override
    def timeout(self, seconds: float | None, /) -> Scope:
        return _ManualScope(self, seconds)

    @override
    def wait(self, condition: threading.Condition, seconds: float | None = None, /) -> bool:
        if seconds is None:
            return condition.wait()
        if self._skips(seconds):
            return False
        over = threading.Event()

        def wake() -> None:
            over.set()
            with condition:
                condition.notify_all()

        timer = self.call_later(seconds, wake)
        condition.wait()
        timer.cancel()
        return not over.is_set()

    def _skips(self, seconds: float) -> bool:
        with self._lock:
            self.slept.append(seconds)
        if self._self_advancing:
            self.advance(max(0.0, seconds))
        return self._self_advancing or seconds <= 0

    def _next(self, end: float) -> Timer | None:
        """Takes the next timer due by `end` and moves the clock to its moment."""
        with self._lock:
            while self._timers and self._timers[0].due <= end:
                timer = heapq.heappop(self._timers)
                if not timer.cancelled:
                    self._elapsed = max(self._elapsed, timer.due)
                    return timer
        return None

    def _pending(self) -> int:
        return sum(not timer.cancelled for timer in self._timers)


class _ManualScope(Scope):
    """A scope of asyncio whose end a `ManualClock` brings about."""

    def __init__(self, clock: ManualClock, seconds: float | None) -> None:
        import asyncio

        self._clock = clock
        self._seconds = seconds
        self._scope = asyncio.timeout(None)
        self._timer: Timer | None = None

    @override
    async def __aenter__(self) -> object:
        import asyncio

        await self._scope.__aenter__()
        if self._seconds is not None:
            loop = asyncio.get_running_loop()
            self._timer = self._clock.call_later(
                self._seconds, lambda: loop.call_soon_threadsafe(self._expire, loop.time())
            )
        return self

    @override
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> bool | None:
        if self._timer is not None:
            self._timer.cancel()
        await self._scope.__aexit__(kind, error, trace)
        return None

    @override
    def expired(self) -> bool:
        return self._scope.expired()

    def _expire(self, now: float) -> None:
        with contextlib.suppress(RuntimeError):  # it was left in the meantime
            self._scope.reschedule(now)

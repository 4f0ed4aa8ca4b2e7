"""The mock's own time: it runs with the machine's, and a test moves it ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from typing_extensions import override

from lcplatform_runtime.clock import SYSTEM, Clock, Scope

if TYPE_CHECKING:
    import asyncio
    from types import TracebackType


@runtime_checkable
class Movable(Protocol):
    """A clock that can be moved forward."""

    def advance(self, delta: timedelta, /) -> None:
        """Moves it. Whoever waits for a moment on the way is woken."""
        ...


class RunningClock(Clock):
    """The time of `base`, and as much later as `advance` was told."""

    def __init__(self, base: Clock = SYSTEM) -> None:
        self._base_now, self._base_monotonic = base.now, base.monotonic
        self._ahead = timedelta()
        self._ahead_seconds = 0.0
        self._lock = threading.Lock()
        self._wakers: dict[object, Callable[[], object]] = {}

    @override
    def now(self) -> datetime:
        return self._base_now() + self._ahead

    @override
    def monotonic(self) -> float:
        return self._base_monotonic() + self._ahead_seconds

    def advance(self, delta: timedelta, /) -> None:
        """Moves the clock forward and wakes everybody who waits, to see whether that was long enough."""
        if delta < timedelta():
            raise ValueError("time does not go back")
        with self._lock:
            self._ahead += delta
            self._ahead_seconds = self._ahead.total_seconds()
            wakers = list(self._wakers.values())
        for wake in wakers:
            wake()

    @override
    def sleep(self, seconds: float, /) -> None:
        end = self.monotonic() + seconds
        over = threading.Condition()
        with over:
            while (left := end - self.monotonic()) > 0:
                self.wait(over, left)

    @override
    def wait(self, condition: threading.Condition, seconds: float | None = None, /) -> bool:
        if seconds is None:
            return condition.wait()
        end = self.monotonic() + seconds

        def wake() -> None:
            with condition:
                condition.notify_all()

        with self.woken_by(wake):
            condition.wait(seconds)
        return self.monotonic() < end

    @override
    async def sleep_async(self, seconds: float, /) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        end = self.monotonic() + seconds
        while (left := end - self.monotonic()) > 0:
            moved = asyncio.Event()
            wake = partial(loop.call_soon_threadsafe, moved.set)
            with self.woken_by(wake), suppress(TimeoutError):
                await asyncio.wait_for(moved.wait(), left)

    @override
    def timeout(self, seconds: float | None, /) -> Scope:
        return _Scope(self, seconds)

    @contextmanager
    def woken_by(self, wake: Callable[[], object]) -> Iterator[None]:
        """Calls `wake` whenever the clock is moved meanwhile."""
        key = object()
        with self._lock:
            self._wakers[key] = wake
        try:
            yield
        finally:
            with self._lock:
                del self._wakers[key]


class _Scope(Scope):
    """A scope of asyncio that ends earlier when its clock is moved."""

    def __init__(self, clock: RunningClock, seconds: float | None) -> None:
        import asyncio

        self._clock = clock
        self._seconds = seconds
        self._end = 0.0
        self._watch = ExitStack()
        self._scope = asyncio.timeout(seconds)

    @override
    async def __aenter__(self) -> object:
        import asyncio

        await self._scope.__aenter__()
        if self._seconds is not None:
            loop = asyncio.get_running_loop()
            self._end = self._clock.monotonic() + self._seconds

            def wake() -> None:
                loop.call_soon_threadsafe(self._reschedule, loop)

            self._watch.enter_context(self._clock.woken_by(wake))
        return self

    @override
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        self._watch.close()
        await self._scope.__aexit__(kind, error, trace)

    @override
    def expired(self) -> bool:
        return self._scope.expired()

    def _reschedule(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # it was left in the meantime
            self._scope.reschedule(loop.time() + self._end - self._clock.monotonic())

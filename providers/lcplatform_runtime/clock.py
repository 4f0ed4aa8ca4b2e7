"""Time, as everything that waits or expires sees it: one object, so that a test can put its own in its place."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from types import TracebackType


class Scope(Protocol):
    """What runs `async with` it is cancelled when its time is over, and leaves it with `TimeoutError`."""

    async def __aenter__(self) -> object: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> bool | None: ...

    def expired(self) -> bool:
        """Whether it ended because its time was over."""
        ...


class Clock(Protocol):
    """Tells the time and waits for it to pass."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment. They never go back."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Returns when so much time has passed."""
        ...

    async def sleep_async(self, seconds: float, /) -> None:
        """Returns when so much time has passed, and lets other tasks run until then."""
        ...

    def timeout(self, seconds: float | None, /) -> Scope:
        """A scope that lasts so long, or as long as it likes."""
        ...

    def wait(self, condition: threading.Condition, seconds: float | None = None, /) -> bool:
        """Waits, holding `condition`, until it is notified or so much time has passed; true unless it has."""
        ...


class SystemClock:
    """The time of the machine."""

    # Not methods that call these, since the cache and every deadline ask on the fast path.
    now = staticmethod(partial(datetime.now, UTC))
    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)

    async def sleep_async(self, seconds: float, /) -> None:
        import asyncio

        await asyncio.sleep(seconds)

    def timeout(self, seconds: float | None, /) -> Scope:
        import asyncio

        return asyncio.timeout(seconds)

    def wait(self, condition: threading.Condition, seconds: float | None = None, /) -> bool:
        return condition.wait(seconds)


SYSTEM: Final[Clock] = SystemClock()
"""The clock of everything that was not given another one."""


def seconds_of(clock: Clock, /) -> Callable[[], float]:
    """The time of day by a clock, in seconds since 1970: for whoever asks so often that it matters to make no `datetime`."""
    return time.time if clock is SYSTEM else lambda: clock.now().timestamp()

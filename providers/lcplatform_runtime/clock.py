"""Time, as everything that waits or expires sees it: one object, so that a test can put its own in its place."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Final, Protocol

from typing_extensions import override


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

    def wait(self, condition: threading.Condition, seconds: float | None = None, /) -> bool:
        """Waits, holding `condition`, until it is notified or so much time has passed; true unless it has."""
        ...


class SystemClock(Clock):
    """The time of the machine."""

    # Not methods that call these, since the cache and every deadline ask on the fast path.
    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)

    @override
    def now(self) -> datetime:
        return datetime.now(UTC)

    @override
    async def sleep_async(self, seconds: float, /) -> None:
        import asyncio

        await asyncio.sleep(seconds)

    @override
    def wait(self, condition: threading.Condition, seconds: float | None = None, /) -> bool:
        return condition.wait(seconds)


SYSTEM: Final = SystemClock()
"""The clock of everything that was not given another one."""

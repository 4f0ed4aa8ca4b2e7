"""The time of the fake: it passes by itself, a test moves it on, and what is due happens in order."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Time:
    """A clock with things to come. What has fallen due happens when somebody next asks the fake for something."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._at: datetime | None = None
        self._lock = threading.RLock()

    def now(self) -> datetime:
        """The moment, in UTC: while something happens that was due, the moment at which it was."""
        with self._lock:
            return self._at or datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Moves it on."""
        with self._lock:
            self._ahead += by
            self.settle()

    def after(self, delay: timedelta, work: Callable[[], None]) -> None:
        """Has something happen then."""
        with self._lock:
            heapq.heappush(self._due, (self.now() + delay, next(self._numbers), work))

    def settle(self) -> None:
        """Has everything happen that is due."""
        with self._lock:
            now = self.now()
            while self._due and self._due[0][0] <= now:
                self._at, _, work = heapq.heappop(self._due)
                try:
                    work()
                finally:
                    self._at = None

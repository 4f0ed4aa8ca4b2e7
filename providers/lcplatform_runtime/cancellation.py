"""Tells a driver that waits that its caller has given up, so that it neither holds a thread nor takes a message for nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final


class Cancellation:
    """Whether a caller has given up. May be asked and told from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._wakers: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Whether the caller has given up."""
        return self._cancelled

    def cancel(self) -> None:
        """The caller gives up: whoever waits for its sake is woken. Only the first time counts."""
        with self._lock:
            if self._cancelled:
                return
            self._cancelled = True
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Calls `wake`, from the thread that cancels, if the caller gives up meanwhile.

        One that has given up before is not told again: ask `cancelled` within, before each wait, under the lock that `wake`
        takes.
        """
        with self._lock:
            self._wakers.append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakers.remove(wake)


CANCELLATION: Final[ContextVar[Cancellation | None]] = ContextVar(
    "lcplatform_cancellation", default=None
)
"""How the caller of the code that runs can give up; `None` where it cannot."""

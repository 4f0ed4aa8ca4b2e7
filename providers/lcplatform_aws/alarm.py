"""Calls things at moments that lie ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lcplatform_runtime.clock import Clock


class Alarm:
    """A thread for each moment, which ends with the process or when the alarm is closed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._set: set[threading.Timer] = set()
        self._closed = False

    def at(self, moment: float, call: Callable[[], object]) -> None:
        """Calls something at a moment of the clock's `monotonic`."""

        def ring() -> None:
            with self._lock:
                self._set.discard(timer)
            call()

        timer = threading.Timer(max(0.0, moment - self._clock.monotonic()), ring)
        timer.daemon = True
        with self._lock:
            if self._closed:
                return
            self._set.add(timer)
        timer.start()

    def close(self) -> None:
        """Nothing is called any more."""
        with self._lock:
            self._closed = True
            for timer in self._set:
                timer.cancel()
            self._set.clear()

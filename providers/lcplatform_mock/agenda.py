"""What the services of a mock do by themselves: deliveries, retries, schedules, each at its moment of the mock's clock."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol, runtime_checkable

from lcplatform_mock.clock import Movable, RunningClock
from lcplatform_runtime.clock import Clock

_LOG: Final = logging.getLogger("lcplatform.mock")

_WORKERS: Final = 16

PATIENCE: Final = 10.0
"""For how many seconds of real time `settle` waits for work under way, such as a webhook that answers slowly."""

INSTANT: Final = 1e-6
"""Seconds that make no difference: sums of times are not exact."""


@runtime_checkable
class _Standing(Protocol):
    """A clock that stands still until it is moved, and then calls whoever asked for a moment."""

    def call_at(self, due: float, callback: Callable[[], object], /) -> object: ...


@dataclass(order=True, slots=True)
class Ticket:
    """Work that is to be done at a moment of the clock's `monotonic`."""

    due: float
    _order: int
    _work: Callable[[], object] = field(compare=False, repr=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """It is not done any more, unless it has begun."""
        self.cancelled = True

    def run(self) -> None:
        """Does it."""
        if not self.cancelled:
            self._work()


class Agenda:
    """Work at moments of a clock, done by a few threads that start with the first of it.

    Work may take the locks of its service, and may put more on the agenda. It handles its own errors: one that gets out is
    logged, since nobody waits for it.
    """

    def __init__(self, clock: Clock, after_work: Callable[[], None]) -> None:
        """`after_work` is called at the end of each piece of work: it keeps what the work changed."""
        self._clock = clock
        self._after_work = after_work
        self._tickets: list[Ticket] = []
        self._order = itertools.count()
        self._running = 0
        self._changed = threading.Condition()
        self._pool: ThreadPoolExecutor | None = None
        self._dispatcher: threading.Thread | None = None
        self._watch = ExitStack()
        self._closed = False

    def soon(self, work: Callable[[], object], /) -> Ticket:
        """Does `work` as soon as a thread is free."""
        return self.at(self._clock.monotonic(), work)

    def after(self, seconds: float, work: Callable[[], object], /) -> Ticket:
        """Does `work` when so much time has passed."""
        return self.at(self._clock.monotonic() + seconds, work)

    def at(self, due: float, work: Callable[[], object], /) -> Ticket:
        """Does `work` when the clock's `monotonic` has reached `due`."""
        ticket = Ticket(due, next(self._order), work)
        with self._changed:
            if self._closed:
                ticket.cancel()
                return ticket
            heapq.heappush(self._tickets, ticket)
            self._start()
            self._changed.notify_all()
        if isinstance(self._clock, _Standing) and due > self._clock.monotonic():
            self._clock.call_at(due, self._wake)
        return ticket

    def settle(self, patience: float = PATIENCE) -> None:
        """Returns when everything that is due has been done, or after so many seconds of real time."""
        until = time.monotonic() + patience
        with self._changed:
            self._changed.notify_all()
            while self._running or self._due():
                left = until - time.monotonic()
                if left <= 0 or self._closed:
                    return
                self._changed.wait(left)

    def advance(self, clock: Movable, seconds: float) -> None:
        """Moves the clock from one piece of work to the next, so that each happens at its moment, and then to the end."""
        end = self._clock.monotonic() + seconds
        self.settle()
        while (due := self._next_due()) is not None and due <= end:
            self._move(clock, due)
            self.settle()
        self._move(clock, end)
        self.settle()

    def close(self) -> None:
        """Forgets what is not due and ends what has begun."""
        with self._changed:
            self._closed = True
            self._tickets.clear()
            pool, dispatcher = self._pool, self._dispatcher
            self._changed.notify_all()
        self._watch.close()
        if dispatcher is not None:
            dispatcher.join()
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _move(self, clock: Movable, moment: float) -> None:
        clock.advance(timedelta(seconds=max(0.0, moment - self._clock.monotonic())))

    def _start(self) -> None:
        if self._dispatcher is None:
            self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="lcplatform-mock")
            self._dispatcher = threading.Thread(
                target=self._dispatch, name="lcplatform-mock-agenda", daemon=True
            )
            if isinstance(self._clock, RunningClock):
                self._watch.enter_context(self._clock.woken_by(self._wake))
            self._dispatcher.start()

    def _dispatch(self) -> None:
        while True:
            with self._changed:
                while not self._closed and not self._due():
                    self._changed.wait(self._until_next())
                if self._closed:
                    return
                ticket = heapq.heappop(self._tickets)
                if ticket.cancelled:
                    self._changed.notify_all()
                    continue
                self._running += 1
                assert self._pool is not None
                self._pool.submit(self._do, ticket)

    def _do(self, ticket: Ticket) -> None:
        try:
            ticket.run()
        except Exception:  # noqa: BLE001  whatever it is, the thread has other work, and somebody must hear of it
            _LOG.exception("work of the mock failed")
        finally:
            try:
                self._after_work()
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

    def _due(self) -> bool:
        return bool(self._tickets) and self._tickets[0].due <= self._clock.monotonic() + INSTANT

    def _next_due(self) -> float | None:
        with self._changed:
            while self._tickets and self._tickets[0].cancelled:
                heapq.heappop(self._tickets)
            return self._tickets[0].due if self._tickets else None

    def _until_next(self) -> float | None:
        """For how long nothing falls due, in real time. A clock that stands still wakes by itself."""
        if not self._tickets or isinstance(self._clock, _Standing):
            return None
        return max(0.0, self._tickets[0].due - self._clock.monotonic())

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

"""Answers that are kept for a while and given again, loaded once however many callers ask.

cachetools has the dictionary, which is the smaller part: an entry here must also be found by its resource, a load that is
overtaken by a write must not be kept, callers of both colours wait for one load, and a hit takes no lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lcplatform_runtime.errors import (
    DeadlineExceededError,
    LCPlatformError,
    OperationCancelledError,
    Outcome,
)
from lcplatform_runtime.steps import Call, Join, Proceed, Steps

if TYPE_CHECKING:
    import asyncio

    from lcplatform_runtime.clock import Clock
    from lcplatform_runtime.operation import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """How answers are kept.

    Attributes:
        enabled: whether they are kept at all.
        ttl: how long; as the IDL says for each operation where absent.
        size: how many of each operation.
    """

    enabled: bool = True
    ttl: timedelta | None = None
    size: int = 1024


Key: TypeAlias = tuple[Hashable, ...]
"""The values of the request fields that identify an answer."""


class Flight:
    """A load that is under way, for threads and tasks to wait for."""

    __slots__ = ("_callbacks", "_done", "_lock", "error", "key", "resource", "stale", "value")

    def __init__(self, key: Key, resource: object) -> None:
        self.key = key
        self.resource = resource
        self.stale = False
        """Whether a write or another load has overtaken it: its answer is given to who waits for it already, and not
        kept."""
        self.value: Any = None
        """The answer. `None` until it is there, and if there is none."""
        self.error: LCPlatformError | None = None
        """Why there is no answer. `None` without a value means that the caller who loaded it gave up."""
        self._lock = threading.Lock()
        self._done = False
        self._callbacks: list[Callable[[], object]] = []

    def finish(self) -> None:
        """Wakes all who wait."""
        with self._lock:
            self._done = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def wait(self, seconds: float | None) -> bool:
        """Blocks until it is done; false if so much real time passed before."""
        over = threading.Event()
        self._when_done(over.set)
        return over.wait(seconds)

    async def wait_async(self) -> None:
        """Returns when it is done."""
        import asyncio

        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        self._when_done(lambda: _wake(loop, over))
        await over.wait()

    def _when_done(self, callback: Callable[[], object]) -> None:
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback()


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop is closed, and who waited there is gone
        loop.call_soon_threadsafe(event.set)


class _Entry:
    __slots__ = ("expires", "resource", "used", "value")

    def __init__(self, value: Any, expires: float, resource: object) -> None:
        self.value = value
        self.expires = expires
        self.resource = resource
        self.used = False


class Shelf:
    """The kept answers of one operation, `size` at most: those that were not asked for again go first."""

    def __init__(self, ttl: timedelta, size: int, clock: Clock) -> None:
        self._ttl = ttl.total_seconds()
        self._size = size
        self._monotonic = clock.monotonic
        self._entries: dict[Key, _Entry] = {}
        self._joinable: dict[Key, Flight] = {}
        self._loading: set[Flight] = set()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Any:
        """The answer that is kept under `key`, or `None`."""
        entry = self._entries.get(key)
        if entry is None or entry.expires <= self._monotonic():
            return None
        entry.used = True
        return entry.value

    def begin(self, key: Key, resource: object, *, alone: bool = False) -> tuple[Flight, bool]:
        """The load of an answer, and whether the caller is the one to do it. `alone`: it does so in any case."""
        with self._lock:
            flight = None if alone else self._joinable.get(key)
            if flight is not None:
                return flight, False
            flight = Flight(key, resource)
            self._loading.add(flight)
            if not alone:
                self._joinable[key] = flight
            return flight, True

    def end(self, flight: Flight) -> None:
        """The load is over. Its answer is kept if it has one that no write has overtaken."""
        with self._lock:
            self._loading.discard(flight)
            if self._joinable.get(flight.key) is flight:
                del self._joinable[flight.key]
            if flight.value is not None and not flight.stale:
                self._keep(flight)
                # Of two loads of one answer, one bypassed the other: what still comes may be older than what is kept.
                for other in self._loading:
                    if other.key == flight.key:
                        self._overtake(other)
        flight.finish()

    def invalidate(self, resource: object) -> None:
        """Forgets the answers about `resource`, all answers if it is `None`, and does not keep those on their way."""
        with self._lock:
            for flight in self._loading:
                if resource is None or flight.resource == resource:
                    self._overtake(flight)
            gone = [
                key
                for key, entry in self._entries.items()
                if resource is None or entry.resource == resource
            ]
            for key in gone:
                del self._entries[key]

    def _overtake(self, flight: Flight) -> None:
        """What the load brings is not kept, and nobody else waits for it."""
        flight.stale = True
        if self._joinable.get(flight.key) is flight:
            del self._joinable[flight.key]

    def _keep(self, flight: Flight) -> None:
        now = self._monotonic()
        self._entries.pop(flight.key, None)
        while len(self._entries) >= self._size:
            self._evict(now)
        self._entries[flight.key] = _Entry(flight.value, now + self._ttl, flight.resource)

    def _evict(self, now: float) -> None:
        """Takes the oldest entry out. One that was asked for meanwhile has a second chance, as the youngest."""
        key = next(iter(self._entries))
        entry = self._entries.pop(key)
        if entry.used and entry.expires > now:
            entry.used = False
            self._entries[key] = entry


class Cache:
    """The kept answers of a platform, by operation."""

    def __init__(self, settings: CacheSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._lock = threading.Lock()

    def shelf(self, operation: Operation) -> Shelf | None:
        """Where the answers of `operation` are kept, or `None` if they are not."""
        rule, settings = operation.cache, self._settings
        if rule is None or not settings.enabled or settings.size < 1:
            return None
        with self._lock:
            key = (operation.service, operation.method)
            if key not in self._shelves:
                self._shelves[key] = Shelf(settings.ttl or rule.ttl, settings.size, self._clock)
            return self._shelves[key]

    def invalidate(self, service: str, method: str, resource: object) -> None:
        """Forgets what an operation answered about `resource`, or everything it answered if that is `None`."""
        shelf = self._shelves.get((service, method))
        if shelf is not None:
            shelf.invalidate(resource)


class Keep:
    """Answers from the shelf, or loads and keeps. Callers who ask at the same moment share one load.

    An error is not kept. Who waited for the load gets it too, unless it is about the caller who loaded: its deadline, its
    cancellation. Then the next one loads.
    """

    def __init__(self, proceed: Proceed, operation: Operation, shelf: Shelf) -> None:
        assert operation.cache is not None
        self._proceed = proceed
        self._fields: Final = operation.cache.key
        self._shelf = shelf

    def __call__(self, call: Call, /) -> Steps:
        request, shelf = call.request, self._shelf
        key = tuple([getattr(request, field) for field in self._fields])
        bypass = call.options is not None and call.options.bypass_cache
        while True:
            if not bypass and (kept := shelf.get(key)) is not None:
                call.from_cache = True
                return kept
            flight, leads = shelf.begin(key, call.resource, alone=bypass)
            if leads:
                return (yield from self._load(flight, call))
            if not (yield Join(flight)):
                raise DeadlineExceededError(
                    "the deadline passed while another caller was loading the answer",
                    outcome=Outcome.NOT_EXECUTED,
                )
            if flight.value is not None:
                call.from_cache = True
                return flight.value
            if flight.error is not None:
                raise flight.error.copy()

    def _load(self, flight: Flight, call: Call) -> Steps:
        try:
            flight.value = yield from self._proceed(call)
        except LCPlatformError as error:
            if not isinstance(error, DeadlineExceededError | OperationCancelledError):
                flight.error = error.copy()
            raise
        finally:
            self._shelf.end(flight)
        return flight.value


class Invalidate:
    """Forgets the kept answers that a write makes stale, even if it failed: it may have been done all the same."""

    def __init__(self, proceed: Proceed, operation: Operation, cache: Cache) -> None:
        self._proceed = proceed
        self._operation = operation
        self._cache = cache

    def __call__(self, call: Call, /) -> Steps:
        try:
            return (yield from self._proceed(call))
        finally:
            for method in self._operation.invalidates:
                self._cache.invalidate(self._operation.service, method, call.resource)

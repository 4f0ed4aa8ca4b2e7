"""A live view of a configuration: always a good value, however old, and the truth about how old it is (FR-019, SC-005)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar, overload

from lcplatform_runtime.errors import InternalError, LCPlatformError, ResourceNotFoundError
from lcplatform_runtime.extensions.configuration import (
    C,
    ConfigurationChange,
    ReadConfiguration,
)
from lcplatform_runtime.extensions.watches import LOGGER, AsyncWatch, Watch, pause_after
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.pointer import NO_DEFAULT, value_at

if TYPE_CHECKING:
    from typing import Self

    from lcplatform_runtime.clock import Clock

D = TypeVar("D")
T = TypeVar("T")

# What is kept somewhere may be older than what is shown already.
_FRESH: Final = CallOptions(bypass_cache=True)
# A refresh that hangs is one that failed, and must say so.
_REFRESH: Final = CallOptions(bypass_cache=True, deadline=timedelta(seconds=30))
_FIRST_PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True)
class LiveState:
    """What a live view shows at one moment: all of it belongs together.

    Attributes:
        value: the data of the version.
        version: the version.
        etag: its mark.
        confirmed: when the provider last said that this is what there is, by the clock's `monotonic`.
        error: why it could not be asked since then.
    """

    value: Json
    version: str
    etag: str | None
    confirmed: float
    error: LCPlatformError | None = None


class LiveView:
    """What both colours show. Any thread may look at any time."""

    _state: LiveState

    def __init__(self, refresh: timedelta, clock: Clock) -> None:
        self._refresh = refresh.total_seconds()
        self._clock = clock
        self._failures = 0

    @property
    def state(self) -> LiveState:
        """Everything at one moment, for who needs a value and its version together."""
        return self._state

    @property
    def value(self) -> Json:
        """The data, as it was last read."""
        return self._state.value

    @property
    def version(self) -> str:
        """The version of the value."""
        return self._state.version

    @property
    def age(self) -> timedelta:
        """How long ago it was known for certain that this is what there is."""
        return timedelta(seconds=self._clock.monotonic() - self._state.confirmed)

    @property
    def last_error(self) -> LCPlatformError | None:
        """Why the last refresh failed; `None` if it did not. The value is the last good one all the same."""
        return self._state.error

    @overload
    def get(self, path: str, /) -> Json: ...
    @overload
    def get(self, path: str, /, *, default: D) -> Json | D: ...
    @overload
    def get(self, path: str, /, *, as_type: type[T]) -> T: ...
    @overload
    def get(self, path: str, /, *, as_type: type[T], default: D) -> T | D: ...

    def get(
        self, path: str, /, *, as_type: type[object] | None = None, default: object = NO_DEFAULT
    ) -> object:
        """One value of the data, as `get_configuration_value` reads it, but without a call.

        Args:
            path: Where the value stands, as a JSON Pointer (RFC 6901) such as /limits/rate.
            as_type: What the value must be: int, str, list[str], a dataclass, a pydantic model. As Json where absent.
            default: The answer if the path leads nowhere.

        Raises:
            ResourceNotFoundError: the path leads nowhere.
            ValidationError: the value is of another type, or the path is no JSON Pointer.
        """
        return value_at(self._state.value, path, as_type, default)

    def _began(self, answer: ReadConfiguration) -> None:
        if answer.data is None:
            raise InternalError("the provider answered without data")
        self._state = LiveState(answer.data, answer.version, answer.etag, self._clock.monotonic())

    def _heard(self, answer: ReadConfiguration, asked: float) -> None:
        """A refresh worked that was asked for at that moment."""
        self._failures = 0
        if answer.not_modified or answer.data is None:
            self._state = replace(self._state, confirmed=asked, error=None)
        else:
            self._state = LiveState(answer.data, answer.version, answer.etag, asked)

    def _failed(self, error: LCPlatformError) -> None:
        self._failures += 1
        LOGGER.warning("a refresh failed, and the last good version stays: %s", error)
        self._state = replace(self._state, error=error)

    @property
    def _pause(self) -> float:
        """How many seconds until the next refresh."""
        if not self._failures:
            return self._refresh
        return pause_after(self._failures, self._refresh, _FIRST_PAUSE)

    def _is_news(self, change: ConfigurationChange) -> bool:
        return change.deleted or change.etag != self._state.etag or self._state.error is not None

    def _is_gone(self, error: Exception | None) -> bool:
        """Whether a watch has found nothing, which a refresh has not noticed yet."""
        return isinstance(error, ResourceNotFoundError) and self._state.error is None


class LiveConfiguration(LiveView):
    """A live view that is kept up by threads of its own, until it is closed."""

    def __init__(
        self,
        read: Callable[[str | None, CallOptions], ReadConfiguration],
        opened: Callable[[str | None], Iterator[C]],
        refresh: timedelta,
        clock: Clock,
    ) -> None:
        super().__init__(refresh, clock)
        self._read = read
        self._woken = threading.Condition()
        self._news = False
        self._closed = False
        self._began(read(None, _FRESH))
        self._watch = Watch(opened, self._told, self._state.etag, clock, self._unheard)
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._run,), name="lcplatform-live", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Refreshes no more, and waits for a refresh that is under way. What was read stays. May be called again."""
        with self._woken:
            self._closed = True
            self._woken.notify_all()
        self._watch.close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _told(self, change: ConfigurationChange) -> None:
        # What is told may be behind what was read since, so it is read again: versions never go back.
        if self._is_news(change):
            self._wake()

    def _unheard(self, error: Exception | None) -> None:
        if self._is_gone(error):
            self._wake()

    def _wake(self) -> None:
        with self._woken:
            self._news = True
            self._woken.notify_all()

    def _run(self) -> None:
        while self._awaited():
            asked = self._clock.monotonic()
            try:
                self._heard(self._read(self._state.etag, _REFRESH), asked)
            except LCPlatformError as error:
                self._failed(error)

    def _awaited(self) -> bool:
        """Waits until it is time for a refresh; false if there is to be none."""
        end = self._clock.monotonic() + self._pause
        with self._woken:
            while not self._closed and not self._news:
                left = end - self._clock.monotonic()
                if left <= 0:
                    break
                self._clock.wait(self._woken, left)
            self._news = False
            return not self._closed


class AsyncLiveConfiguration(LiveView):
    """A live view that is kept up by tasks of its own, until it is closed."""

    def __init__(
        self,
        read: Callable[[str | None, CallOptions], Awaitable[ReadConfiguration]],
        first: ReadConfiguration,
        opened: Callable[[str | None], AsyncIterator[ConfigurationChange]],
        refresh: timedelta,
        clock: Clock,
    ) -> None:
        super().__init__(refresh, clock)
        self._read = read
        self._news = asyncio.Event()
        self._began(first)
        self._watch = AsyncWatch(opened, self._told, self._state.etag, clock, self._unheard)
        self._task = asyncio.get_running_loop().create_task(self._run())

    @classmethod
    async def opened(
        cls,
        read: Callable[[str | None, CallOptions], Awaitable[ReadConfiguration]],
        opened: Callable[[str | None], AsyncIterator[ConfigurationChange]],
        refresh: timedelta,
        clock: Clock,
    ) -> Self:
        """The view, after its first read."""
        return cls(read, await read(None, _FRESH), opened, refresh, clock)

    async def close(self) -> None:
        """Refreshes no more. What was read stays. May be called again."""
        self._task.cancel()
        await self._watch.close()
        await asyncio.wait([self._task])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _told(self, change: ConfigurationChange) -> None:
        if self._is_news(change):
            self._news.set()

    def _unheard(self, error: Exception | None) -> None:
        if self._is_gone(error):
            self._news.set()

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with self._clock.timeout(self._pause):
                    await self._news.wait()
            self._news.clear()
            asked = self._clock.monotonic()
            try:
                self._heard(await self._read(self._state.etag, _REFRESH), asked)
            except LCPlatformError as error:
                self._failed(error)

"""Watches of a configuration, in both colours: they go on until they are closed, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import aclosing, closing
from contextvars import copy_context
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, Generic, cast

from lcplatform_runtime.cancellation import CANCELLATION, Cancellation
from lcplatform_runtime.errors import (
    PreconditionFailedError,
    ResourceNotFoundError,
    UnsupportedError,
)
from lcplatform_runtime.extensions.configuration import C

if TYPE_CHECKING:
    from typing import Self

    from lcplatform_runtime.clock import Clock

LOGGER: Final = logging.getLogger("lcplatform.configuration")
"""What a watch survives and a person should know."""

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
# A provider that tells of no changes will not tell of any later, and a platform that is closed stays closed.
_FINAL: Final = (UnsupportedError, PreconditionFailedError)


def pause_after(
    failures: int, longest: float = _LONGEST_PAUSE, first: float = _FIRST_PAUSE
) -> float:
    """How many seconds to wait after so many failures in a row: twice as long each time, and not all at the same moment."""
    doubled: float = min(longest, first * 2.0 ** min(failures - 1, 30))
    return doubled * random.uniform(0.5, 1.0)  # noqa: S311  chance, not cryptography


def _ignored(_: Exception | None) -> None:
    """Nobody wants to know."""


class Progress:
    """How far a watch has come.

    Attributes:
        etag: what has been told last. Nothing, once it was not there: what is restored is told even if it is the same.
        error: why the connection broke, until it is there again.
    """

    def __init__(self, etag: str | None) -> None:
        self.etag = etag
        self.error: Exception | None = None
        self._failures = 0

    def told(self, etag: str, *, deleted: bool) -> None:
        """A change came."""
        self.etag = None if deleted else etag
        self.error = None
        self._failures = 0

    def broke(self, error: Exception | None) -> float | None:
        """The stream ended, perhaps with an error. Tells after how many seconds to ask again; `None`: never."""
        self.error = error
        self._failures += 1
        if isinstance(error, ResourceNotFoundError):
            self.etag = None
        if isinstance(error, _FINAL):
            LOGGER.warning("a watch ends: %s", error)
            return None
        pause = pause_after(self._failures)
        LOGGER.info("a watch goes on in %.1f s: %s", pause, error or "the stream ended")
        return pause


class Watch(Generic[C]):
    """Tells a callback of changes, in a thread of its own, until it is closed."""

    def __init__(
        self,
        opened: Callable[[str | None], Iterator[C]],
        callback: Callable[[C], object],
        etag: str | None,
        clock: Clock,
        broken: Callable[[Exception | None], object] = _ignored,
    ) -> None:
        """`broken` is told whenever nothing more is heard, and why."""
        self._opened = opened
        self._callback = callback
        self._broken = broken
        self._clock = clock
        self._progress = Progress(etag)
        self._cancellation = Cancellation()
        self._woken = threading.Condition()
        # Made here, so that a request which is wrong is refused here. Nothing is sent before it is iterated.
        answers = opened(etag)
        self._thread = threading.Thread(
            target=copy_context().run,
            args=(self._run, answers),
            name="lcplatform-watch",
            daemon=True,
        )
        self._thread.start()

    @property
    def last_error(self) -> Exception | None:
        """Why nothing is heard at present; `None` as long as all is well."""
        return self._progress.error

    def close(self) -> None:
        """Ends the watch and waits until a callback that runs has returned. May be called again, and by the callback."""
        self._cancellation.cancel()
        with self._woken:
            self._woken.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, answers: Iterator[C]) -> None:
        CANCELLATION.set(self._cancellation)
        while True:
            error = self._hear(answers)
            if self._cancellation.cancelled:
                return
            pause = self._progress.broke(error)
            self._broken(error)
            if pause is None or not self._paused(pause):
                return
            answers = self._opened(self._progress.etag)

    def _hear(self, answers: Iterator[C]) -> Exception | None:
        """Tells what comes, until nothing more does. The error that ended it."""
        try:
            # The clients' streams are generators, so they can be closed.
            with closing(cast("Generator[C, None, None]", answers)):
                for change in answers:
                    self._progress.told(change.etag, deleted=change.deleted)
                    if self._cancellation.cancelled:
                        break
                    self._tell(change)
        except Exception as error:  # noqa: BLE001  whatever it is, the watch goes on
            return error
        return None

    def _tell(self, change: C) -> None:
        try:
            self._callback(change)
        except Exception:
            LOGGER.warning("the callback of a watch failed", exc_info=True)

    def _paused(self, seconds: float) -> bool:
        """Waits, and tells whether the watch is to go on."""
        end = self._clock.monotonic() + seconds
        with self._woken:
            while not self._cancellation.cancelled:
                left = end - self._clock.monotonic()
                if left <= 0:
                    return True
                self._clock.wait(self._woken, left)
        return False


class AsyncWatch(Generic[C]):
    """Tells a callback of changes, in a task of its own, until it is closed."""

    def __init__(
        self,
        opened: Callable[[str | None], AsyncIterator[C]],
        callback: Callable[[C], Awaitable[object] | None],
        etag: str | None,
        clock: Clock,
        broken: Callable[[Exception | None], object] = _ignored,
    ) -> None:
        """`broken` is told whenever nothing more is heard, and why."""
        self._opened = opened
        self._callback = callback
        self._broken = broken
        self._clock = clock
        self._progress = Progress(etag)
        self._task = asyncio.get_running_loop().create_task(self._run(opened(etag)))

    @property
    def last_error(self) -> Exception | None:
        """Why nothing is heard at present; `None` as long as all is well."""
        return self._progress.error

    async def close(self) -> None:
        """Ends the watch and cancels a callback that is awaited. May be called again, and by the callback."""
        self._task.cancel()
        if self._task is not asyncio.current_task():
            await asyncio.wait([self._task])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self, answers: AsyncIterator[C]) -> None:
        while True:
            error = await self._hear(answers)
            pause = self._progress.broke(error)
            self._broken(error)
            if pause is None:
                return
            await self._clock.sleep_async(pause)
            answers = self._opened(self._progress.etag)

    async def _hear(self, answers: AsyncIterator[C]) -> Exception | None:
        try:
            # As above.
            async with aclosing(cast("AsyncGenerator[C, None]", answers)):
                async for change in answers:
                    self._progress.told(change.etag, deleted=change.deleted)
                    await self._tell(change)
        except Exception as error:  # noqa: BLE001  whatever it is, the watch goes on
            return error
        return None

    async def _tell(self, change: C) -> None:
        try:
            result: Any = self._callback(change)
            if isawaitable(result):
                await result
        except Exception:
            LOGGER.warning("the callback of a watch failed", exc_info=True)

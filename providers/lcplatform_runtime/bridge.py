"""Gives drivers of one colour to callers of the other: bounded threads for async callers, one loop for blocking ones."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
)
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Generic, Literal, ParamSpec, TypeAlias, TypeVar
from weakref import WeakSet

from lcplatform_runtime.body import CHUNK
from lcplatform_runtime.cancellation import CANCELLATION, Cancellation
from lcplatform_runtime.downloads import AsyncByteStream, ByteStream
from lcplatform_runtime.errors import OperationCancelledError, PreconditionFailedError

if TYPE_CHECKING:
    from lcplatform_runtime.sources import AsyncByteSource, ByteSource

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")
H = TypeVar("H")

Lane: TypeAlias = Literal["calls", "long_polls", "streams", "answers"]
"""Where a call of a blocking driver runs. Long polls, transfers and streams of answers have threads of their own, so that
sixty-four receivers who wait never keep a short call waiting."""

SIZES: Final[Mapping[Lane, int]] = MappingProxyType(
    {"calls": 32, "long_polls": 64, "streams": 32, "answers": 128}
)
"""How many threads a lane has at most, unless the settings say otherwise."""

_BATCH: Final = 4 * CHUNK
_CLOSED: Final = "the platform is closed"
# In these a driver may wait for what never comes, so it learns that its caller gave up.
_WAITING: Final = frozenset({"long_polls", "answers"})


class Lanes:
    """Threads for the calls of blocking drivers. A lane starts its threads when they are first needed.

    Context variables of the caller are seen by the driver. A call that is cancelled while it waits for a thread does not
    run; one that runs cannot be stopped and ends unheard.
    """

    def __init__(self, sizes: Mapping[Lane, int] = SIZES) -> None:
        """`sizes` bounds the threads of each lane; a lane that it leaves out has the usual number."""
        self._sizes = {**SIZES, **sizes}
        self._closed = False
        self.forked()
        _with_threads.add(self)

    def forked(self) -> None:
        """Starts threads of its own: a fork has none of those that its parent had."""
        self._executors: dict[Lane, ThreadPoolExecutor] = {}
        self._polling: set[Cancellation] = set()
        self._lock = threading.Lock()

    async def run(
        self, lane: Lane, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Calls a function in a thread of the lane. One that waits in "long_polls" or in "answers" learns that its
        caller gave up, or that the lanes are closed."""
        if lane not in _WAITING:
            return await self._result(self._submit(lane, function, *args, **kwargs))
        cancellation = Cancellation()
        self._polling.add(cancellation)
        try:
            token = CANCELLATION.set(cancellation)
            try:
                future = self._submit(lane, function, *args, **kwargs)
            finally:
                CANCELLATION.reset(token)
            return await self._result(future)
        except asyncio.CancelledError:
            cancellation.cancel()
            raise
        except OperationCancelledError:
            if not self._closed:
                raise
        finally:
            self._polling.discard(cancellation)
        raise PreconditionFailedError(_CLOSED)

    async def upload(
        self, method: Callable[[T, ByteSource], R], request: T, source: AsyncByteSource, /
    ) -> R:
        """Calls a driver's upload. A caller who gives up ends the body, so that the driver gives up too."""
        body = source.to_blocking(asyncio.get_running_loop())
        try:
            return await self.run("streams", method, request, body)
        except asyncio.CancelledError:
            body.abort()
            raise

    async def download(
        self, method: Callable[[T], ByteStream[H]], request: T, /
    ) -> AsyncByteStream[H]:
        """Calls a driver's download. What is small comes with the first change of threads, header and body together."""

        def start() -> tuple[H, _Pull[bytes], _Batch[bytes]]:
            stream = method(request)
            pull = _Pull("streams", iter(stream), len, stream.close)
            return stream.header, pull, pull(CHUNK)

        header, pull, first = await self._opened("streams", start)

        async def close() -> None:
            await self._end(pull)

        return AsyncByteStream(header, self._items(pull, first, _BATCH), close=close)

    async def stream(self, method: Callable[[T], Iterator[R]], request: T, /) -> AsyncIterator[R]:
        """Calls a driver's stream of responses. Each is handed on as it comes."""

        def start() -> tuple[None, _Pull[R], _Batch[R]]:
            iterator = method(request)
            close = getattr(iterator, "close", _nothing)
            return None, _Pull("answers", iterator, lambda _: 1, close), _Batch([])

        _, pull, first = await self._opened("answers", start)
        async with aclosing(self._items(pull, first, 1)) as items:
            async for item in items:
                yield item

    def close(self) -> None:
        """Lets running calls end, those that only wait at once, and refuses others. May be called again."""
        with self._lock:
            self._closed = True
            executors = list(self._executors.values())
            self._executors.clear()
        for cancellation in list(self._polling):
            cancellation.cancel()
        for executor in executors:
            executor.shutdown(cancel_futures=True)

    async def aclose(self) -> None:
        """As `close`, and the event loop goes on meanwhile."""
        await asyncio.to_thread(self.close)

    def _submit(
        self, lane: Lane, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[R]:
        executor = self._executors.get(lane) or self._open(lane)
        context = contextvars.copy_context()
        try:
            return executor.submit(lambda: context.run(function, *args, **kwargs))
        except RuntimeError:
            if not self._closed:
                raise  # the interpreter ends
        raise PreconditionFailedError(_CLOSED)

    async def _result(self, future: Future[R]) -> R:
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._closed or task is None or task.cancelling():
                raise
        # Nobody cancelled the caller: the lanes were closed while the call waited for a thread.
        raise PreconditionFailedError(_CLOSED)

    def _open(self, lane: Lane) -> ThreadPoolExecutor:
        with self._lock:
            if self._closed:
                raise PreconditionFailedError(_CLOSED)
            if lane not in self._executors:
                self._executors[lane] = ThreadPoolExecutor(self._sizes[lane], f"lcplatform-{lane}")
            return self._executors[lane]

    async def _opened(
        self, lane: Lane, start: Callable[[], tuple[H, _Pull[R], _Batch[R]]]
    ) -> tuple[H, _Pull[R], _Batch[R]]:
        """What `start` opens. If nobody waits for it any more, it is closed when it comes."""
        future = self._submit(lane, start)
        try:
            return await self._result(future)
        except asyncio.CancelledError:
            future.add_done_callback(_close_opened)
            raise

    async def _items(
        self, pull: _Pull[R], batch: _Batch[R], enough: int
    ) -> AsyncGenerator[R, None]:
        try:
            while True:
                for item in batch.items:
                    yield item
                if batch.error is not None:
                    raise batch.error
                if batch.last:
                    return
                batch = await self.run(pull.lane, pull, enough)
        finally:
            await self._end(pull)

    async def _end(self, pull: _Pull[R]) -> None:
        if pull.closed:
            return
        if self._closed:
            pull.close()
            return
        ended = self._submit(pull.lane, pull.close)
        if not pull.busy:  # else its caller gave up, and does not wait for it either
            await asyncio.wrap_future(ended)


@dataclass(slots=True)
class _Batch(Generic[R]):
    """What one change of threads brought: items, and then perhaps the end or an error."""

    items: list[R]
    last: bool = False
    error: Exception | None = None


class _Pull(Generic[R]):
    """Takes items from an iterator, in a thread, until there are enough of them. Closes it at its end."""

    def __init__(
        self,
        lane: Lane,
        iterator: Iterator[R],
        measure: Callable[[R], int],
        close: Callable[[], object],
    ) -> None:
        self.lane: Lane = lane
        self.closed = False
        self._iterator = iterator
        self._measure = measure
        self._close = close
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether a thread is taking items now."""
        return self._lock.locked()

    def __call__(self, enough: int) -> _Batch[R]:
        batch: _Batch[R] = _Batch([])
        with self._lock:
            try:
                self._fill(batch, enough)
                if batch.last:
                    self._shut()
            except Exception as error:  # noqa: BLE001  raised again after the items that came before it
                batch.error = error
        return batch

    def close(self) -> None:
        with self._lock:
            self._shut()

    def _fill(self, batch: _Batch[R], enough: int) -> None:
        taken = 0
        for item in self._iterator:
            batch.items.append(item)
            taken += self._measure(item)
            if taken >= enough:
                return
        batch.last = True

    def _shut(self) -> None:
        if not self.closed:
            self.closed = True
            self._close()


def _close_opened(future: Future[tuple[H, _Pull[R], _Batch[R]]]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result()[1].close()


def _nothing() -> None:
    """Closes what needs no closing."""


class BackgroundLoop:
    """One event loop in a daemon thread, for the calls of async drivers. It starts when it is first needed.

    Context variables of the caller are seen by the driver.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self.forked()
        _with_threads.add(self)

    def forked(self) -> None:
        """Starts a loop of its own: a fork has no thread that runs the one of its parent."""
        # Neither used nor closed: its selector is one with the parent's.
        self._of_parent = self._loop
        self._lock = threading.Lock()
        self._loop = None
        self._thread: threading.Thread | None = None

    def run(self, awaitable: Awaitable[R], /) -> R:
        """Waits for an awaitable on the loop. A caller who is interrupted or gives up cancels it."""
        return self._finish(awaitable, CANCELLATION.get())

    def _finish(self, awaitable: Awaitable[R], cancellation: Cancellation | None = None) -> R:
        """Waits for an awaitable on the loop, even for a caller who gave up, unless `cancellation` says so."""
        future = self._schedule(awaitable, cancellation)
        try:
            return future.result()
        except CancelledError:
            raise OperationCancelledError(
                "the call was cancelled, or the platform was closed meanwhile"
            ) from None
        except BaseException:
            future.cancel()
            raise

    def upload(
        self,
        method: Callable[[T, AsyncByteSource], Awaitable[R]],
        request: T,
        source: ByteSource,
        /,
    ) -> R:
        """Calls a driver's upload. What may block is read in a thread."""
        return self.run(method(request, source.to_async()))

    def download(
        self, method: Callable[[T], Awaitable[AsyncByteStream[H]]], request: T, /
    ) -> ByteStream[H]:
        """Calls a driver's download."""
        stream = self.run(method(request))
        return ByteStream(
            stream.header, self.iterate(aiter(stream)), close=lambda: self._finish(stream.close())
        )

    def stream(self, method: Callable[[T], AsyncIterator[R]], request: T, /) -> Iterator[R]:
        """Calls a driver's stream of responses. Each is handed on as it comes."""
        return self.iterate(method(request))

    def iterate(self, iterator: AsyncIterator[R], /) -> Iterator[R]:
        """Iterates over an async iterator on the loop. Closing the result closes it."""
        end = object()
        try:
            while (item := self.run(_next(iterator, end))) is not end:
                yield item  # type: ignore[misc]  # not the end
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None and not self._closed:  # a closed loop has closed it
                self._finish(close())

    def close(self) -> None:
        """Cancels what still runs and ends the thread. May be called again."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(_cancel_others(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _schedule(self, awaitable: Awaitable[R], cancellation: Cancellation | None) -> Future[R]:
        # Under the lock, so that whatever is scheduled is there to be cancelled when the loop is closed.
        with self._lock:
            if self._closed:
                refusal = _CLOSED
            elif self._thread is threading.current_thread():
                refusal = (
                    "a blocking call would wait for its own event loop: await the async client"
                )
            else:
                awaited = (
                    _awaited(awaitable)
                    if cancellation is None
                    else _heeding(awaitable, cancellation)
                )
                return asyncio.run_coroutine_threadsafe(awaited, self._running())
        if isinstance(awaitable, Coroutine):
            awaitable.close()  # it would warn that it was never awaited
        raise PreconditionFailedError(refusal)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=loop.run_forever, name="lcplatform-loop", daemon=True
            )
            self._thread.start()
        return self._loop


_with_threads: Final[WeakSet[Lanes | BackgroundLoop]] = WeakSet()


def _forked() -> None:
    for one in list(_with_threads):
        one.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


async def _awaited(awaitable: Awaitable[R]) -> R:
    return await awaitable


async def _heeding(awaitable: Awaitable[R], cancellation: Cancellation) -> R:
    """`awaitable`, which is cancelled when its caller gives up."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closed, and nothing runs on it
            loop.call_soon_threadsafe(task.cancel)

    with cancellation.waking(wake):
        if cancellation.cancelled:
            task.cancel()
        return await awaitable


async def _next(iterator: AsyncIterator[R], end: object) -> R | object:
    return await anext(iterator, end)


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()

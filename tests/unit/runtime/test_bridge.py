"""Drivers of one colour for callers of the other."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from lcplatform_runtime.bridge import BackgroundLoop, Lanes
from lcplatform_runtime.errors import (
    ConflictError,
    OperationCancelledError,
    PreconditionFailedError,
    ServiceUnavailableError,
)
from lcplatform_runtime.streams import (
    CHUNK,
    AsyncByteSource,
    AsyncByteStream,
    ByteSource,
    ByteStream,
)

CALLER: ContextVar[str] = ContextVar("CALLER", default="nobody")
BODY = bytes(range(256)) * 8192  # 2 MiB


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    lanes = Lanes({"calls": 2})
    yield lanes
    lanes.close()


@pytest.fixture
def loop() -> Iterator[BackgroundLoop]:
    loop = BackgroundLoop()
    yield loop
    loop.close()


# Blocking drivers for async callers


def test_a_call_runs_in_a_thread_of_its_lane_and_sees_the_callers_context(lanes: Lanes) -> None:
    async def main() -> tuple[str, str]:
        CALLER.set("me")
        return await lanes.run("calls", lambda: (CALLER.get(), threading.current_thread().name))

    caller, thread = asyncio.run(main())

    assert caller == "me"
    assert thread.startswith("lcplatform-calls")


def test_an_error_comes_back_as_it_is(lanes: Lanes) -> None:
    def fails() -> None:
        raise error

    error = ConflictError("stale")

    with pytest.raises(ConflictError) as caught:
        asyncio.run(lanes.run("calls", fails))
    assert caught.value is error


def test_a_full_lane_does_not_hold_up_another(lanes: Lanes) -> None:
    release = threading.Event()

    async def main() -> str:
        polls = [asyncio.create_task(lanes.run("long_polls", release.wait)) for _ in range(100)]
        short = await lanes.run("calls", lambda: "answered")
        release.set()
        await asyncio.gather(*polls)
        return short

    assert asyncio.run(main()) == "answered"


def test_a_lane_has_no_more_threads_than_it_was_given(lanes: Lanes) -> None:
    both = threading.Barrier(2, timeout=10)
    running: set[str] = set()

    def call() -> None:
        running.add(threading.current_thread().name)
        both.wait()

    async def main() -> None:
        await asyncio.gather(*(lanes.run("calls", call) for _ in range(8)))

    asyncio.run(main())
    assert len(running) == 2


def test_a_call_that_is_cancelled_before_it_runs_never_runs(lanes: Lanes) -> None:
    release = threading.Event()
    ran: list[int] = []

    async def main() -> None:
        busy = [asyncio.create_task(lanes.run("calls", release.wait)) for _ in range(2)]
        queued = asyncio.create_task(lanes.run("calls", ran.append, 1))
        await asyncio.sleep(0)
        queued.cancel()
        with pytest.raises(asyncio.CancelledError):
            await queued
        release.set()
        await asyncio.gather(*busy)

    asyncio.run(main())
    assert ran == []


def test_closed_lanes_refuse_calls() -> None:
    lanes = Lanes()

    async def main() -> None:
        await lanes.run("calls", int)
        await lanes.aclose()
        lanes.close()
        with pytest.raises(PreconditionFailedError, match="closed"):
            await lanes.run("calls", int)

    asyncio.run(main())


def test_a_call_that_waits_for_a_thread_when_the_lanes_close_is_told_so() -> None:
    """A task that nobody cancelled does not end as one that was."""
    lanes = Lanes({"calls": 1})
    running, release = threading.Event(), threading.Event()

    def work() -> str:
        running.set()
        assert release.wait(10)
        return "done"

    async def main() -> None:
        busy = asyncio.create_task(lanes.run("calls", work))
        await asyncio.to_thread(running.wait, 10)
        waiting = asyncio.create_task(lanes.run("calls", int))
        await asyncio.sleep(0)
        closing = asyncio.create_task(lanes.aclose())
        with pytest.raises(PreconditionFailedError, match="closed"):
            await waiting
        release.set()
        assert await busy == "done"
        await closing

    asyncio.run(main())


def test_a_call_that_comes_while_the_lanes_close_is_told_so(lanes: Lanes) -> None:
    async def main() -> None:
        await lanes.run("calls", int)
        executor = lanes._executors["calls"]
        await lanes.aclose()
        lanes._executors["calls"] = executor  # as a caller has it who looked just before
        with pytest.raises(PreconditionFailedError, match="closed"):
            await lanes.run("calls", int)

    asyncio.run(main())


class Store:
    """A blocking driver of bodies, which knows what is open."""

    def __init__(self, body: bytes = BODY, *, error: Exception | None = None) -> None:
        self.body = body
        self.error = error
        self.threads: list[str] = []
        self.open = 0
        self.opened = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.closed = threading.Event()

    def get(self, request: str) -> ByteStream[str]:
        self.opened.set()
        self.go_on.wait(10)
        self.open += 1
        return ByteStream(request.upper(), self._chunks(), close=self._close)

    def put(self, request: str, source: ByteSource) -> bytes:
        self.opened.set()
        try:
            return source.read()
        finally:
            self.closed.set()

    def watch(self, request: str) -> Iterator[str]:
        self.open += 1
        try:
            for letter in request:
                self.threads.append(threading.current_thread().name)
                yield letter
            if self.error is not None:
                raise self.error
        finally:
            self._close()

    def _chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self.body), CHUNK):
            self.threads.append(threading.current_thread().name)
            yield self.body[start : start + CHUNK]
        if self.error is not None:
            raise self.error

    def _close(self) -> None:
        if self.open:
            self.open -= 1
            self.closed.set()


def test_a_download_crosses_in_chunks_and_is_closed_at_its_end(lanes: Lanes) -> None:
    store = Store()

    async def main() -> None:
        stream = await lanes.download(store.get, "header")
        assert stream.header == "HEADER"
        assert b"".join([chunk async for chunk in stream]) == BODY
        assert store.open == 0
        await stream.close()

    asyncio.run(main())
    assert all(name.startswith("lcplatform-streams") for name in store.threads)


def test_a_small_download_costs_one_change_of_threads(
    lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[str] = []
    submit = ThreadPoolExecutor.submit

    def counted(executor: ThreadPoolExecutor, call: Callable[[], object]) -> Future[object]:
        changes.append(str(executor._thread_name_prefix))
        return submit(executor, call)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", counted)

    async def main() -> bytes:
        stream = await lanes.download(Store(b"small").get, "h")
        body = b"".join([chunk async for chunk in stream])
        await stream.close()
        return body

    assert asyncio.run(main()) == b"small"
    assert changes == ["lcplatform-streams"]


def test_chunks_that_came_before_an_error_are_given_out_before_it(lanes: Lanes) -> None:
    store = Store(BODY[: CHUNK + 5], error=ServiceUnavailableError("gone"))

    async def main() -> int:
        received = 0
        stream = await lanes.download(store.get, "h")
        try:
            async for chunk in stream:
                received += len(chunk)
        except ServiceUnavailableError:
            return received
        raise AssertionError("the error was lost")

    assert asyncio.run(main()) == CHUNK + 5
    assert store.open == 0


def test_a_download_that_is_left_early_is_closed(lanes: Lanes) -> None:
    store = Store()

    async def main() -> None:
        read, untouched = [await lanes.download(store.get, "h") for _ in range(2)]
        assert store.open == 2
        await anext(aiter(read))
        await read.close()
        await untouched.close()

    asyncio.run(main())
    assert store.open == 0


def test_a_download_whose_caller_gave_up_while_it_opened_is_closed(lanes: Lanes) -> None:
    store = Store()
    store.go_on.clear()

    async def main() -> None:
        opening = asyncio.create_task(lanes.download(store.get, "h"))
        await asyncio.to_thread(store.opened.wait, 10)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        store.go_on.set()
        assert await asyncio.to_thread(store.closed.wait, 10)

    asyncio.run(main())
    assert store.open == 0


def test_what_is_left_open_when_the_lanes_close_can_still_be_closed() -> None:
    store = Store()

    async def main() -> None:
        lanes = Lanes()
        stream = await lanes.download(store.get, "h")
        lanes.close()
        await stream.close()

    asyncio.run(main())
    assert store.open == 0


def test_an_upload_reads_the_callers_async_iterable(lanes: Lanes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first "
        await asyncio.sleep(0)
        yield b"second"

    assert asyncio.run(_upload(lanes, Store(), AsyncByteSource.of(pieces()))) == b"first second"


async def _upload(lanes: Lanes, store: Store, source: AsyncByteSource) -> bytes:
    return await lanes.upload(store.put, "h", source)


def test_an_upload_whose_caller_gives_up_ends_in_the_driver_too(lanes: Lanes) -> None:
    store = Store()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.Event().wait()

    async def main() -> None:
        source = AsyncByteSource.of(stuck())
        upload = asyncio.create_task(lanes.upload(store.put, "h", source))
        await asyncio.to_thread(store.opened.wait, 10)
        upload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload
        assert await asyncio.to_thread(store.closed.wait, 10)
        assert isinstance(source.failure, OperationCancelledError)

    asyncio.run(main())


def test_responses_cross_one_by_one_in_a_lane_of_their_own(lanes: Lanes) -> None:
    store = Store(error=ConflictError("over"))

    async def main() -> None:
        stream = lanes.stream(store.watch, "abc")
        assert await anext(stream) == "a"
        assert len(store.threads) == 1  # nothing is taken before it is asked for
        assert [await anext(stream), await anext(stream)] == ["b", "c"]
        with pytest.raises(ConflictError):
            await anext(stream)

    asyncio.run(main())
    assert store.open == 0
    assert all(name.startswith("lcplatform-answers") for name in store.threads)


# Async drivers for blocking callers


def test_an_awaitable_runs_on_the_loop_and_sees_the_callers_context(loop: BackgroundLoop) -> None:
    async def call() -> tuple[str, str]:
        await asyncio.sleep(0)
        return CALLER.get(), threading.current_thread().name

    def main() -> tuple[str, str]:
        CALLER.set("me")
        return loop.run(call())

    assert contextvars.copy_context().run(main) == ("me", "lcplatform-loop")


def test_many_threads_share_one_loop(loop: BackgroundLoop) -> None:
    seen: set[int] = set()

    async def call() -> None:
        seen.add(id(asyncio.get_running_loop()))

    threads = [threading.Thread(target=lambda: loop.run(call())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 1


def test_a_call_that_is_cancelled_says_so(loop: BackgroundLoop) -> None:
    async def call() -> None:
        raise asyncio.CancelledError

    with pytest.raises(OperationCancelledError):
        loop.run(call())


def test_a_blocking_call_on_the_loop_itself_is_refused_and_not_a_deadlock(
    loop: BackgroundLoop,
) -> None:
    async def inner() -> None: ...

    async def outer() -> None:
        loop.run(inner())

    with pytest.raises(PreconditionFailedError, match="async client"):
        loop.run(outer())


class AsyncStore:
    """An async driver of bodies."""

    def __init__(self) -> None:
        self.closed = 0

    async def get(self, request: str) -> AsyncByteStream[str]:
        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(BODY), CHUNK):
                await asyncio.sleep(0)
                yield BODY[start : start + CHUNK]

        async def close() -> None:
            self.closed += 1

        return AsyncByteStream(request.upper(), chunks(), close=close)

    async def put(self, request: str, source: AsyncByteSource) -> bytes:
        return await source.read()

    async def watch(self, request: str) -> AsyncIterator[str]:
        try:
            for letter in request:
                yield letter
        finally:
            self.closed += 1


def test_bodies_and_responses_cross_to_blocking_callers(loop: BackgroundLoop) -> None:
    store = AsyncStore()

    stream = loop.download(store.get, "header")
    assert stream.header == "HEADER"
    assert b"".join(stream) == BODY
    stream.close()
    assert store.closed == 1

    assert loop.upload(store.put, "h", ByteSource.of(iter([b"a", b"b"]))) == b"ab"

    responses = loop.stream(store.watch, "abc")
    assert next(responses) == "a"
    responses.close()  # type: ignore[attr-defined]  # a generator
    assert store.closed == 2
    assert list(loop.stream(store.watch, "abc")) == ["a", "b", "c"]


def test_closing_the_loop_cancels_what_runs_and_refuses_more() -> None:
    loop = BackgroundLoop()
    started = threading.Event()
    outcome: list[BaseException] = []

    async def stuck() -> None:
        started.set()
        await asyncio.Event().wait()

    def call() -> None:
        try:
            loop.run(stuck())
        except OperationCancelledError as error:
            outcome.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert started.wait(10)
    loop.close()
    thread.join(10)
    loop.close()

    assert len(outcome) == 1
    with pytest.raises(PreconditionFailedError, match="closed"):
        loop.run(stuck())


FORKING = """
import asyncio, os, signal, warnings
warnings.simplefilter("ignore")  # that a process with threads forks is the point
from lcplatform_runtime.bridge import BackgroundLoop, Lanes

async def pid():
    return os.getpid()

loop, lanes = BackgroundLoop(), Lanes()
work = lambda: (loop.run(pid()), asyncio.run(lanes.run("calls", os.getpid)))
assert work() == (os.getpid(), os.getpid())
child = os.fork()
if not child:
    signal.alarm(10)
    assert work() == (os.getpid(), os.getpid())
    loop.close()
    lanes.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert work() == (os.getpid(), os.getpid())
loop.close()
lanes.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
def test_a_fork_has_threads_of_its_own_and_leaves_its_parent_alone() -> None:
    subprocess.run([sys.executable, "-c", FORKING], check=True, timeout=60)

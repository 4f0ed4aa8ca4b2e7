"""Streams of answers: begun when the first is asked for, given up at any time, and closed where they come from."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from lcplatform import CallOptions, LCPlatform
from lcplatform.configuration import WatchConfigurationResponse
from lcplatform.errors import (
    OperationCancelledError,
    PreconditionFailedError,
    ResourceNotFoundError,
    ServiceUnavailableError,
)
from lcplatform.mocks import Mocks
from lcplatform.secrets import GetSecretResponse
from lcplatform_contract.colours import COLOURS, blocking_view, opened
from lcplatform_contract.open_stream import OpenStream
from lcplatform_grpc.draining import Draining
from lcplatform_runtime.bridge import BackgroundLoop
from lcplatform_runtime.cancellation import CANCELLATION, Cancellation
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SOON = timedelta(seconds=10)
PATIENT = ServerSettings(listen="127.0.0.1:0", grace=300)


def told(version: str) -> WatchConfigurationResponse:
    return WatchConfigurationResponse(version=version, etag=version, changed_at=NOW, deleted=False)


class Watched:
    """A configuration that is watched: answers come when the test says so, and it sees its watchers go."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._answers: list[WatchConfigurationResponse] = []
        self._over = False
        self.watchers = 0
        self.calls = 0

    def tell(self, version: str) -> None:
        with self._changed:
            self._answers.append(told(version))
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def watch(self, _: object) -> Iterator[WatchConfigurationResponse]:
        self.calls += 1
        return self._answer()

    def _answer(self) -> Iterator[WatchConfigurationResponse]:
        with self._changed:
            self.watchers += 1
            self._changed.notify_all()
        try:
            heard = 0
            while (answer := self._next(heard)) is not None:
                heard += 1
                yield answer
        finally:
            with self._changed:
                self.watchers -= 1
                self._changed.notify_all()

    def _next(self, heard: int) -> WatchConfigurationResponse | None:
        cancellation = CANCELLATION.get()
        with ExitStack() as stack, self._changed:
            if cancellation is not None:
                stack.enter_context(cancellation.waking(self._wake))
            while len(self._answers) == heard and not self._over:
                if cancellation is not None and cancellation.cancelled:
                    raise OperationCancelledError("the watcher gave up")
                self._changed.wait()
            return self._answers[heard] if len(self._answers) > heard else None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def await_watchers(self, number: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.watchers == number, SOON.total_seconds())


@pytest.fixture
def watched(mocks: Mocks) -> Iterator[Watched]:
    one = Watched()
    mocks.configuration.on_watch_configuration.returns(one.watch)
    yield one
    one.end()


@pytest.fixture(params=["blocking", "async", "grpc-blocking", "grpc-async"])
def platform(request: pytest.FixtureRequest, mocks: Mocks) -> Iterator[LCPlatform]:
    """A platform on every surface and in both colours; an async one looks like a blocking one."""
    surface, _, colour = request.param.rpartition("-")
    with ExitStack() as stack:
        if surface == "grpc":
            settings = ServerSettings(listen="127.0.0.1:0", grace=0)
            server = stack.enter_context(Server(stack.enter_context(mocks.platform()), settings))
            arguments = {"provider": "grpc", "endpoint": server.endpoint}
            yield stack.enter_context(opened(colour, arguments))
        elif colour == "blocking":
            yield stack.enter_context(mocks.platform())
        else:
            loop = BackgroundLoop()
            stack.callback(loop.close)
            yield stack.enter_context(blocking_view(mocks.async_platform(), loop))


def test_answers_come_as_they_are_given_and_the_stream_ends_with_them(
    platform: LCPlatform, watched: Watched
) -> None:
    stream = OpenStream(platform.configuration.watch_configuration("shop", "test"))
    watched.tell("1")
    assert stream.next().version == "1"
    watched.tell("2")
    watched.tell("3")
    assert [stream.next().version, stream.next().version] == ["2", "3"]
    watched.end()
    stream.end()
    watched.await_watchers(0)


def test_nothing_happens_before_the_first_answer_is_asked_for(
    platform: LCPlatform, mocks: Mocks
) -> None:
    mocks.configuration.on_watch_configuration.raises(ResourceNotFoundError("not there"))
    answers = platform.configuration.watch_configuration("shop", "test")
    assert mocks.configuration.on_watch_configuration.calls == ()
    with pytest.raises(ResourceNotFoundError):
        next(answers)


def test_who_gives_up_while_nothing_comes_is_gone_at_once(
    platform: LCPlatform, watched: Watched
) -> None:
    stream = OpenStream(platform.configuration.watch_configuration("shop", "test"))
    watched.await_watchers(1)
    stream.close()
    watched.await_watchers(0)
    with pytest.raises(OperationCancelledError):
        stream.next()


def test_who_has_heard_enough_closes_the_stream(platform: LCPlatform, watched: Watched) -> None:
    for version in "123":
        watched.tell(version)
    answers = platform.configuration.watch_configuration("shop", "test")
    assert next(answers).version == "1"
    watched.await_watchers(1)
    answers.close()  # type: ignore[attr-defined]  # a generator, as far as closing it goes
    watched.await_watchers(0)


def test_a_stream_that_is_given_up_can_be_opened_again(
    platform: LCPlatform, watched: Watched
) -> None:
    for number in range(1, 20):
        stream = OpenStream(platform.configuration.watch_configuration("shop", "test"))
        watched.await_watchers(1)
        stream.close()
        watched.await_watchers(0)
        assert watched.calls == number


def test_many_watchers_keep_nobody_else_waiting(
    platform: LCPlatform, mocks: Mocks, watched: Watched
) -> None:
    secret = GetSecretResponse(name="a", value="x", version="1", created_at=NOW)
    mocks.secrets.on_get_secret.returns(secret)
    streams = [
        OpenStream(platform.configuration.watch_configuration("shop", "test")) for _ in range(100)
    ]
    watched.await_watchers(100)
    assert platform.secrets.get_secret("a", options=CallOptions(deadline=SOON)) == secret
    watched.tell("1")
    assert {stream.next().version for stream in streams} == {"1"}
    for stream in streams:
        stream.close()
    watched.await_watchers(0)


def test_a_platform_that_closes_ends_its_async_watches(mocks: Mocks, watched: Watched) -> None:
    loop = BackgroundLoop()
    platform = mocks.async_platform()
    stream = OpenStream(
        blocking_view(platform, loop).configuration.watch_configuration("shop", "test")
    )
    watched.await_watchers(1)
    loop.run(platform.close())
    with pytest.raises((PreconditionFailedError, OperationCancelledError)):
        stream.next()
    watched.await_watchers(0)
    loop.close()


@pytest.mark.parametrize("colour", COLOURS)
def test_a_server_that_stops_ends_its_watches(mocks: Mocks, watched: Watched, colour: str) -> None:
    with mocks.platform() as behind:
        server = Server(behind, ServerSettings(listen="127.0.0.1:0", grace=0)).start()
        arguments = {"provider": "grpc", "endpoint": server.endpoint}
        with opened(colour, arguments) as platform:
            stream = OpenStream(platform.configuration.watch_configuration("shop", "test"))
            watched.await_watchers(1)
            server.stop()
            watched.await_watchers(0)
            with pytest.raises((OperationCancelledError, ServiceUnavailableError)):
                stream.next()


@pytest.mark.parametrize("colour", COLOURS)
def test_a_watch_is_told_of_the_stop_and_does_not_hold_it_up(
    mocks: Mocks, watched: Watched, colour: str
) -> None:
    with mocks.platform() as behind:
        server = Server(behind, PATIENT).start()
        with opened(colour, {"provider": "grpc", "endpoint": server.endpoint}) as platform:
            stream = OpenStream(platform.configuration.watch_configuration("shop", "test"))
            watched.await_watchers(1)
            stopping = threading.Thread(target=server.stop)
            stopping.start()
            stopping.join(SOON.total_seconds())
            assert not stopping.is_alive()
            watched.await_watchers(0)
            with pytest.raises(ServiceUnavailableError, match="stopping"):
                stream.next()


def test_a_watch_that_never_waits_does_not_hold_up_the_stop_either(mocks: Mocks) -> None:
    def incessantly(_: object) -> Iterator[WatchConfigurationResponse]:
        while True:
            yield told("1")

    mocks.configuration.on_watch_configuration.returns(incessantly)
    begun = threading.Event()

    def hear(platform: LCPlatform) -> None:
        for _ in platform.configuration.watch_configuration("shop", "test"):
            begun.set()

    with mocks.platform() as behind, ThreadPoolExecutor(2) as pool:
        server = Server(behind, PATIENT).start()
        with LCPlatform("grpc", endpoint=server.endpoint) as platform:
            hearing = pool.submit(hear, platform)
            assert begun.wait(SOON.total_seconds())
            pool.submit(server.stop).result(SOON.total_seconds())
            assert isinstance(hearing.exception(SOON.total_seconds()), ServiceUnavailableError)


def test_what_comes_while_a_server_drains_is_sent_away() -> None:
    draining = Draining()
    draining.begin()
    with pytest.raises(ServiceUnavailableError), draining.stream(Cancellation()):
        raise AssertionError


def test_who_gives_up_by_itself_is_not_told_of_a_stop() -> None:
    with pytest.raises(OperationCancelledError), Draining().stream(Cancellation()):
        raise OperationCancelledError("the watcher gave up")

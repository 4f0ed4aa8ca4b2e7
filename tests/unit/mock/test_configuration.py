"""Configurations where many are at work at once: one of those who saw the same version wins, and no watcher misses the last."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import CallOptions, LCPlatform
from lcplatform.configuration import GetConfigurationResponse, WatchConfigurationResponse
from lcplatform.configuration.client import Configuration
from lcplatform.configuration.models import WatchConfigurationRequest
from lcplatform.errors import (
    ConflictError,
    DeadlineExceededError,
    LCPlatformError,
    OperationCancelledError,
    ServiceUnavailableError,
)
from lcplatform_contract.colours import COLOURS, opened
from lcplatform_contract.open_stream import OpenStream
from lcplatform_mock.configuration import MockConfiguration
from lcplatform_runtime.testing.clock import ManualClock
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings
from tests.unit.mock.race import RUNNERS, race

PATIENCE = 60.0
PLACE = ("shop", "prod")


@pytest.fixture
def configurations(platform: LCPlatform) -> Configuration:
    platform.configuration.create_configuration(*PLACE, data=0)
    return platform.configuration


# --- conditions


def test_of_those_who_saw_the_same_version_one_wins(configurations: Configuration) -> None:
    for turn in range(20):
        etag = configurations.get_configuration(*PLACE).etag

        def write(number: int, etag: str | None = etag, turn: int = turn) -> int:
            data = turn * RUNNERS + number
            configurations.update_configuration(*PLACE, data=data, if_match=etag)
            return data

        results = race(write)
        written = [it for it in results if isinstance(it, int)]
        assert len(written) == 1
        assert sum(isinstance(it, ConflictError) for it in results) == RUNNERS - 1
        read = configurations.get_configuration(*PLACE).data
        assert read is not None
        assert read.value == written[0]
    assert len(configurations.list_versions(*PLACE).versions) == 21


def test_updates_with_a_schema_race_no_less_fairly(configurations: Configuration) -> None:
    """The check of the data is made while nobody is kept waiting, so what was checked may be old by then."""
    etag = configurations.update_configuration(
        *PLACE, data=list(range(2000)), schema={"items": {"type": "integer"}}
    ).etag

    def write(number: int) -> str:
        return configurations.update_configuration(
            *PLACE, data=list(range(2000 + number)), if_match=etag
        ).version

    results = race(write)
    assert sum(isinstance(it, str) for it in results) == 1
    assert sum(isinstance(it, ConflictError) for it in results) == RUNNERS - 1


def test_an_update_a_rollback_and_a_deletion_exclude_each_other(
    configurations: Configuration,
) -> None:
    for _ in range(10):
        read = configurations.get_configuration(*PLACE)

        def act(number: int, read: GetConfigurationResponse = read) -> object:
            if number == 0:
                return configurations.update_configuration(*PLACE, data=1, if_match=read.etag)
            if number == 1:
                return configurations.rollback_configuration(
                    *PLACE, version=read.version, if_match=read.etag
                )
            return configurations.delete_configuration(*PLACE, if_match=read.etag)

        results = race(act, runners=3)
        # The others find that the etag is stale, or nothing at all.
        assert sum(not isinstance(it, LCPlatformError) for it in results) == 1
        configurations.restore_configuration(*PLACE)


def test_whoever_writes_at_once_makes_a_version_each(configurations: Configuration) -> None:
    made = race(lambda number: configurations.update_configuration(*PLACE, data=number).version)
    listed = [it.version for it in configurations.list_versions(*PLACE).versions]
    assert sorted(map(str, made)) == sorted(listed[:-1])
    assert configurations.get_configuration(*PLACE).version == listed[0]


# --- watching


class Watcher:
    """Hears in a thread of its own until it has heard the last."""

    def __init__(
        self, answers: Iterator[WatchConfigurationResponse], last: int, slow: bool
    ) -> None:
        self.heard: list[int] = []
        self.begun = threading.Event()
        self._answers = answers
        self._last = last
        self._slow = slow

    def hear(self) -> None:
        for change in self._answers:
            assert change.data is not None
            self.heard.append(change.data.value)
            self.begun.set()
            if change.data.value == self._last:
                return
            if self._slow:
                time.sleep(0.01)


@pytest.mark.parametrize("surface", ["in-process", "grpc"])
def test_no_watcher_misses_the_last_and_each_hears_in_order(
    configurations: Configuration, platform: LCPlatform, surface: str
) -> None:
    last = 400
    settings = ServerSettings(listen="127.0.0.1:0", grace=0)
    with Server(platform, settings) as server, ThreadPoolExecutor(30) as pool:
        client = LCPlatform("grpc", endpoint=server.endpoint)
        with client:
            source = client.configuration if surface == "grpc" else configurations
            watchers = [
                Watcher(source.watch_configuration(*PLACE), last, slow=number % 3 == 0)
                for number in range(24)
            ]
            hearing = [pool.submit(it.hear) for it in watchers]
            assert all(it.begun.wait(PATIENCE) for it in watchers)
            for number in range(1, last + 1):
                configurations.update_configuration(*PLACE, data=number)
            for each in hearing:
                each.result(PATIENCE)
    for it in watchers:
        assert it.heard[0] == 0
        assert it.heard == sorted(set(it.heard))
        assert it.heard[-1] == last


def test_a_watcher_that_does_not_listen_holds_up_nobody(configurations: Configuration) -> None:
    answers = configurations.watch_configuration(*PLACE)
    first = next(answers)
    assert first.data is not None
    assert first.data.value == 0
    for number in range(1, 301):
        configurations.update_configuration(*PLACE, data=number)
    heard: list[Any] = []
    while not heard or heard[-1] != 300:
        change = next(answers)
        assert change.data is not None
        heard.append(change.data.value)
    assert heard == sorted(set(heard))
    answers.close()  # type: ignore[attr-defined]  # a generator, as far as closing it goes


# --- the end of a watch over gRPC


class Remote:
    """A platform that reaches the mock over gRPC, and how many watches the mock has open for it."""

    def __init__(self, server: Server, client: LCPlatform, watches: list[object]) -> None:
        self.server = server
        self.configuration = client.configuration
        self._watches = watches

    def unwatched(self) -> bool:
        """Whether the mock has let go of every watch, after a moment."""
        until = time.monotonic() + PATIENCE
        while self._watches and time.monotonic() < until:
            time.sleep(0.01)
        return not self._watches


@pytest.fixture(params=COLOURS)
def remote(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    watches: list[object] = []
    watch = MockConfiguration.watch_configuration

    def counted(
        self: MockConfiguration, request: WatchConfigurationRequest
    ) -> Iterator[WatchConfigurationResponse]:
        watches.append(request)
        try:
            yield from watch(self, request)
        finally:
            watches.remove(request)

    monkeypatch.setattr(MockConfiguration, "watch_configuration", counted)
    settings = ServerSettings(listen="127.0.0.1:0", grace=300)
    with LCPlatform("mock", clock=ManualClock()) as behind, Server(behind, settings) as server:
        behind.configuration.create_configuration(*PLACE, data=0)
        arguments = {"provider": "grpc", "endpoint": server.endpoint}
        with opened(request.param, arguments) as client:
            yield Remote(server, client, watches)


def test_a_remote_watch_ends_when_its_caller_gives_up(remote: Remote) -> None:
    stream = OpenStream(remote.configuration.watch_configuration(*PLACE))
    stream.next()
    stream.close()
    assert remote.unwatched()
    with pytest.raises(OperationCancelledError):
        stream.next()


def test_a_remote_watch_ends_at_its_deadline(remote: Remote) -> None:
    options = CallOptions(deadline=timedelta(seconds=1))
    answers = remote.configuration.watch_configuration(*PLACE, options=options)
    next(answers)
    with pytest.raises(DeadlineExceededError):
        next(answers)
    assert remote.unwatched()


def test_a_remote_watch_ends_when_the_server_stops(remote: Remote) -> None:
    stream = OpenStream(remote.configuration.watch_configuration(*PLACE))
    stream.next()
    remote.server.stop()
    assert remote.unwatched()
    with pytest.raises(ServiceUnavailableError):
        stream.next()

"""Watches and live views on the mock, on every surface and in both colours: nothing that is newest is missed (FR-019, FR-020)."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import Json, LCPlatform
from lcplatform.configuration import Configuration, WatchConfigurationResponse
from lcplatform.errors import ResourceNotFoundError, ServiceUnavailableError, ValidationError
from lcplatform.type.models import ErrorCode
from lcplatform_contract.colours import opened
from lcplatform_runtime.extensions.live import LiveConfiguration
from lcplatform_runtime.extensions.watches import Watch
from lcplatform_runtime.testing.clock import ManualClock
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings

PATIENCE = 10.0
REFRESH = timedelta(minutes=5)
LOOPBACK = ServerSettings(listen="127.0.0.1:0", grace=0)


@dataclass(frozen=True)
class Site:
    """Who watches, and what stands behind."""

    clock: ManualClock
    behind: LCPlatform
    platform: LCPlatform

    @property
    def watcher(self) -> Configuration:
        return self.platform.configuration

    @property
    def writer(self) -> Configuration:
        return self.behind.configuration

    def fail(self, operation: str, times: int, error: str = "service_unavailable") -> None:
        self.behind.control.inject_fault(
            "configuration", operation, error=ErrorCode(error), times=times
        )

    def watch(self, callback: Callable[[WatchConfigurationResponse], object]) -> Watch[Any]:
        return self.watcher.watch("shop", "test", callback, clock=self.clock)

    def live(self) -> LiveConfiguration:
        return self.watcher.live("shop", "test", clock=self.clock)


@pytest.fixture(params=["in-process-blocking", "in-process-async", "grpc-blocking", "grpc-async"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    surface, _, colour = request.param.rpartition("-")
    clock = ManualClock()
    with ExitStack() as stack:
        if surface == "grpc":
            behind = stack.enter_context(LCPlatform("mock", clock=clock))
            server = stack.enter_context(Server(behind, LOOPBACK))
            arguments = {"provider": "grpc", "endpoint": server.endpoint}
            yield Site(clock, behind, stack.enter_context(opened(colour, arguments)))
        else:
            platform = stack.enter_context(opened(colour, {"provider": "mock", "clock": clock}))
            yield Site(clock, platform, platform)


@pytest.fixture(autouse=True)
def first(site: Site) -> None:
    site.writer.create_configuration("shop", "test", data={"limit": 1})


def soon(condition: Callable[[], bool]) -> None:
    """The condition comes true without time passing on the clock."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        threading.Event().wait(0.002)


class Heard:
    """What a callback was told."""

    def __init__(self) -> None:
        self._changes: queue.SimpleQueue[WatchConfigurationResponse] = queue.SimpleQueue()

    def __call__(self, change: WatchConfigurationResponse) -> None:
        self._changes.put(change)

    def next(self) -> WatchConfigurationResponse:
        return self._changes.get(timeout=PATIENCE)

    def limit(self) -> object:
        data = self.next().data
        return None if data is None else data.value["limit"]

    @property
    def silent(self) -> bool:
        return self._changes.empty()


# --- watches


def test_a_callback_is_told_what_is_current_and_every_change(site: Site) -> None:
    heard = Heard()
    with site.watch(heard) as watch:
        assert heard.limit() == 1
        for limit in range(2, 30):
            site.writer.update_configuration("shop", "test", data={"limit": limit})
        assert [heard.limit() for _ in range(2, 30)] == list(range(2, 30))
        assert watch.last_error is None
    site.writer.update_configuration("shop", "test", data={"limit": 99})
    assert heard.silent


def test_a_callback_that_fails_is_told_of_the_next_change(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()

    def fail(change: WatchConfigurationResponse) -> None:
        heard(change)
        raise RuntimeError("not this one")

    with caplog.at_level(logging.WARNING, "lcplatform.configuration"), site.watch(fail):
        assert heard.limit() == 1
        site.writer.update_configuration("shop", "test", data={"limit": 2})
        assert heard.limit() == 2
    assert "the callback of a watch failed" in caplog.text
    assert "not this one" in caplog.text


def test_what_the_caller_has_already_is_not_told(site: Site) -> None:
    etag = site.watcher.get_configuration("shop", "test").etag
    heard = Heard()
    with site.watcher.watch("shop", "test", heard, if_none_match=etag, clock=site.clock):
        site.writer.update_configuration("shop", "test", data={"limit": 2})
        assert heard.limit() == 2


def test_a_watch_goes_on_after_failures_and_waits_longer_each_time(site: Site) -> None:
    site.fail("watch_configuration", times=9)
    heard = Heard()
    with site.watch(heard) as watch:
        for _ in range(3):  # each of them after the three attempts of the pipeline
            site.clock.await_sleepers(1)
            assert isinstance(watch.last_error, ServiceUnavailableError)
            site.clock.advance(1)
        assert heard.limit() == 1
        assert watch.last_error is None
    assert len(site.clock.slept) == 3
    assert all(0.05 * 2**n <= pause <= 0.1 * 2**n for n, pause in enumerate(site.clock.slept)), (
        site.clock.slept
    )


def test_a_configuration_that_is_not_there_is_waited_for(site: Site) -> None:
    heard = Heard()
    with site.watcher.watch("bank", "test", heard, clock=site.clock) as watch:
        site.clock.await_sleepers(1)
        assert isinstance(watch.last_error, ResourceNotFoundError)
        site.writer.create_configuration("bank", "test", data={"limit": 7})
        site.clock.advance(1)
        assert heard.limit() == 7


def test_a_request_that_is_wrong_is_refused_by_the_call(site: Site) -> None:
    with pytest.raises(ValidationError):
        site.watcher.watch("shop/", "test", lambda change: None, clock=site.clock)


def test_a_watch_is_closed_by_its_callback(site: Site) -> None:
    done = threading.Event()
    handle: list[Watch[Any]] = []
    ready = threading.Event()

    def close(change: WatchConfigurationResponse) -> object:
        ready.wait(PATIENCE)
        done.set()
        # The async one is awaited here, as an application would.
        target = getattr(handle[0], "_target", handle[0])
        return target.close()

    watch = site.watch(close)
    handle.append(watch)
    ready.set()
    assert done.wait(PATIENCE)
    watch.close()
    watch.close()


def test_a_watch_ends_with_its_platform() -> None:
    platform = LCPlatform("mock")
    platform.configuration.create_configuration("shop", "test", data={})
    heard = Heard()
    watch = platform.configuration.watch("shop", "test", heard)
    heard.next()
    platform.close()
    soon(lambda: watch.last_error is not None)
    watch.close()


@pytest.mark.parametrize("colour", ["blocking", "async"])
def test_a_watch_outlives_its_server_and_misses_nothing_that_is_newest(colour: str) -> None:
    clock = ManualClock()
    heard = Heard()
    with LCPlatform("mock") as behind:
        configuration = behind.configuration
        configuration.create_configuration("shop", "test", data={"limit": 1})
        with Server(behind, LOOPBACK) as server:
            endpoint = server.endpoint
            client = ExitStack()
            platform = client.enter_context(
                opened(colour, {"provider": "grpc", "endpoint": endpoint})
            )
            watch = platform.configuration.watch("shop", "test", heard, clock=clock)
            assert heard.limit() == 1
        with client:
            clock.await_sleepers(1)
            assert watch.last_error is not None
            for limit in (2, 3, 4):
                configuration.update_configuration("shop", "test", data={"limit": limit})
            with Server(behind, ServerSettings(listen=endpoint, grace=0)):
                told = None
                until = time.monotonic() + PATIENCE
                while told != 4 and time.monotonic() < until:
                    clock.advance(30)
                    threading.Event().wait(0.05)
                    told = None if heard.silent else heard.limit()
                assert told == 4  # and not 2 and 3, which were past when it came back
                assert heard.silent
                watch.close()


# --- live views


def test_a_live_view_shows_a_change_at_once(site: Site) -> None:
    with site.live() as live:
        assert live.value == Json({"limit": 1})
        version = site.writer.update_configuration("shop", "test", data={"limit": 2}).version
        soon(lambda: live.value == Json({"limit": 2}))
        assert live.version == version
        assert live.last_error is None
        assert live.age == timedelta()


def test_a_live_view_is_read_by_path_and_type(site: Site) -> None:
    data = {"limits": {"rate": 5}, "hosts": ["a", "b"]}
    site.writer.update_configuration("shop", "test", data=data)
    with site.live() as live:
        assert live.get("/limits/rate") == Json(5)
        assert live.get("/limits/rate", as_type=int) == 5
        assert live.get("/hosts", as_type=list[str]) == ["a", "b"]
        assert live.get("/limits/burst", as_type=int, default=9) == 9
        with pytest.raises(ResourceNotFoundError):
            live.get("/limits/burst")
        with pytest.raises(ValidationError):
            live.get("/hosts", as_type=int)


def test_a_refresh_that_fails_keeps_the_last_good_value_and_says_so(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.fail("watch_configuration", times=100, error="unsupported")
    with site.live() as live:
        site.clock.await_sleepers(1)
        site.writer.update_configuration("shop", "test", data={"limit": 2})
        site.fail("get_configuration", times=6)  # two refreshes of three attempts each
        site.clock.advance(REFRESH)
        soon(lambda: live.last_error is not None)
        assert isinstance(live.last_error, ServiceUnavailableError)
        assert live.value == Json({"limit": 1})
        assert live.age == REFRESH
        site.clock.await_sleepers(1)
        site.clock.advance(1)
        soon(lambda: caplog.text.count("a refresh failed") == 2)
        site.clock.await_sleepers(1)
        assert live.last_error is not None
        site.clock.advance(2)
        soon(lambda: live.value == Json({"limit": 2}))
        assert live.last_error is None
        # The pause is shorter by chance, so the refresh may be asked for while the clock is on its way.
        assert live.age < timedelta(seconds=2)


def test_where_nothing_is_told_of_changes_the_refreshes_find_them(site: Site) -> None:
    site.fail("watch_configuration", times=100, error="unsupported")
    with site.live() as live:
        site.clock.await_sleepers(1)
        site.writer.update_configuration("shop", "test", data={"limit": 2})
        site.clock.advance(REFRESH - timedelta(seconds=1))
        assert live.value == Json({"limit": 1})
        assert live.age == REFRESH - timedelta(seconds=1)
        site.clock.advance(1)
        soon(lambda: live.value == Json({"limit": 2}))


def test_a_refresh_that_finds_nothing_new_confirms_what_is_there(site: Site) -> None:
    with site.live() as live:
        before = live.state
        site.clock.await_sleepers(1)
        site.clock.advance(REFRESH)
        soon(lambda: live.age == timedelta())
        assert live.state.value is before.value
        assert live.state.confirmed == REFRESH.total_seconds()


def test_a_deleted_configuration_stays_in_view_with_the_reason(site: Site) -> None:
    with site.live() as live:
        site.writer.delete_configuration("shop", "test")
        soon(lambda: isinstance(live.last_error, ResourceNotFoundError))
        assert live.value == Json({"limit": 1})
        site.writer.restore_configuration("shop", "test")
        site.clock.advance(1)  # the watch may have to look again
        soon(lambda: live.last_error is None)
        assert live.value == Json({"limit": 1})


def test_the_first_read_of_a_live_view_fails_if_there_is_nothing(site: Site) -> None:
    with pytest.raises(ResourceNotFoundError):
        site.watcher.live("bank", "test", clock=site.clock)


def test_a_refresh_that_never_comes_is_refused(site: Site) -> None:
    with pytest.raises(ValidationError) as caught:
        site.watcher.live("shop", "test", refresh=timedelta(), clock=site.clock)
    assert caught.value.violations[0].field == "refresh"


def test_a_live_view_that_is_closed_shows_what_it_had(site: Site) -> None:
    live = site.live()
    live.close()
    live.close()
    site.writer.update_configuration("shop", "test", data={"limit": 2})
    assert live.value == Json({"limit": 1})
    assert not [
        it for it in threading.enumerate() if it.name in {"lcplatform-live", "lcplatform-watch"}
    ]


def test_a_value_and_its_version_belong_together_whoever_looks_when(site: Site) -> None:
    versions = {site.writer.get_configuration("shop", "test").version: 1}
    seen: list[tuple[str, int]] = []
    over = threading.Event()
    with site.live() as live:

        def look() -> None:
            while not over.wait(0.001):
                state = live.state
                seen.append((state.version, state.value.value["limit"]))

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        newest = ""
        for limit in range(2, 60):
            newest = site.writer.update_configuration("shop", "test", data={"limit": limit}).version
            versions[newest] = limit
        soon(lambda: live.version == newest)
        over.set()
        for thread in threads:
            thread.join()
    assert {(version, limit) for version, limit in seen} <= set(versions.items())
    each = [limit for _, limit in seen[:: len(seen) // 100 + 1]]
    assert len(each) > 1

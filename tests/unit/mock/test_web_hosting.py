"""Simulated applications, whose time a test moves, and functions that serve in the place of processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from typing_extensions import override

from lcplatform import AsyncLCPlatform, CallOptions, LCPlatform, PlatformSettings
from lcplatform.errors import (
    ConflictError,
    DeadlineExceededError,
    LCPlatformError,
    PreconditionFailedError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform.web_hosting import Application, ApplicationStatus, WebHosting
from lcplatform_mock.application_work import ApplicationWork
from lcplatform_mock.applications import MAX_REVISIONS
from lcplatform_mock.fleet import Fleet, Plan, Watcher
from lcplatform_mock.guardian import Guardian
from lcplatform_mock.hosting import WebHostingSettings
from lcplatform_mock.logbook import LONGEST_LINE, LogBook
from lcplatform_mock.test_site import serve
from lcplatform_runtime.clock import SYSTEM
from lcplatform_runtime.testing.clock import ManualClock
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings

SECOND = timedelta(seconds=1)


@pytest.fixture
def hosting(platform: LCPlatform) -> WebHosting:
    return platform.web_hosting


def told(hosting: WebHosting, made: Application) -> Application:
    return hosting.get_application(made.application_id).application


def running(platform: LCPlatform, name: str = "shop", **more: Any) -> Application:
    made = platform.web_hosting.deploy_application(name, image="shop:1", **more).application
    platform.control.advance_clock(SECOND)
    return told(platform.web_hosting, made)


def page(url: str | None) -> str:
    assert url is not None
    with urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def status_of(url: str | None) -> int:
    try:
        page(url)
    except HTTPError as error:
        with error:
            return error.code
    return 200


def test_a_simulated_application_starts_by_the_clock(platform: LCPlatform) -> None:
    hosting = platform.web_hosting
    made = hosting.deploy_application("shop", image="shop:1").application
    platform.control.advance_clock(SECOND * 0.9)
    assert told(hosting, made).status is ApplicationStatus.CREATING
    assert status_of(made.url) == 503
    platform.control.advance_clock(SECOND * 0.1)
    assert told(hosting, made).status is ApplicationStatus.RUNNING
    assert "not registered" in page(made.url)


def test_how_long_it_takes_can_be_chosen(clock: ManualClock) -> None:
    with LCPlatform("mock", clock=clock, web_hosting={"start_time": 60}) as platform:
        assert running(platform).status is ApplicationStatus.CREATING
        platform.control.advance_clock(timedelta(seconds=59))
        (made,) = platform.web_hosting.iter_applications()
        assert made.status is ApplicationStatus.RUNNING


CHANGES: Mapping[str, Callable[[WebHosting, str], object]] = {
    "update": lambda hosting, it: hosting.update_application(it, port=1234),
    "scale": lambda hosting, it: hosting.scale_application(it, max_instances=3),
    "rollback": lambda hosting, it: hosting.rollback_application(it),
    "pause": lambda hosting, it: hosting.pause_application(it),
    "resume": lambda hosting, it: hosting.resume_application(it),
    "delete": lambda hosting, it: hosting.delete_application(it),
}


def outcome(change: Callable[[], object]) -> str:
    try:
        change()
    except PreconditionFailedError:
        return "refused"
    return "taken"


@pytest.mark.parametrize("change", CHANGES)
def test_no_change_is_taken_while_another_is_under_way(hosting: WebHosting, change: str) -> None:
    made = hosting.deploy_application("shop", image="shop:1").application
    assert outcome(lambda: CHANGES[change](hosting, made.application_id)) == "refused"
    assert told(hosting, made) == made


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("update", "refused"),
        ("scale", "refused"),
        ("rollback", "refused"),
        ("pause", "taken"),
        ("resume", "taken"),
        ("delete", "taken"),
    ],
)
def test_a_stopped_application_takes_what_its_status_allows(
    platform: LCPlatform, change: str, expected: str
) -> None:
    made = running(platform)
    platform.web_hosting.pause_application(made.application_id)
    platform.control.advance_clock(SECOND)
    assert told(platform.web_hosting, made).status is ApplicationStatus.STOPPED
    taken = outcome(lambda: CHANGES[change](platform.web_hosting, made.application_id))
    assert taken == expected


def test_what_is_being_deleted_goes_on_being_deleted(platform: LCPlatform) -> None:
    made = running(platform)
    first = platform.web_hosting.delete_application(made.application_id).application
    assert first.status is ApplicationStatus.DELETING
    platform.control.advance_clock(SECOND)
    assert not platform.web_hosting.exists(made.application_id)


def test_old_revisions_are_forgotten_and_the_one_in_place_is_not(platform: LCPlatform) -> None:
    made = running(platform)
    hosting = platform.web_hosting
    for number in range(MAX_REVISIONS + 5):
        hosting.update_application(made.application_id, port=1000 + number)
        platform.control.advance_clock(SECOND)
    kept = list(hosting.iter_deployments(made.application_id))
    assert len(kept) == MAX_REVISIONS
    assert kept[0].revision == told(hosting, made).revision


def test_etags_tell_settings_apart_and_not_statuses(platform: LCPlatform) -> None:
    made = running(platform)
    hosting = platform.web_hosting
    hosting.pause_application(made.application_id, if_match=made.etag)
    platform.control.advance_clock(SECOND)
    assert told(hosting, made).etag == made.etag
    hosting.resume_application(made.application_id, if_match=made.etag)
    platform.control.advance_clock(SECOND)
    changed = hosting.scale_application(made.application_id, max_instances=2, if_match=made.etag)
    platform.control.advance_clock(SECOND)
    with pytest.raises(ConflictError):
        hosting.scale_application(made.application_id, max_instances=3, if_match=made.etag)
    assert changed.application.etag != made.etag


def test_a_snapshot_brings_back_what_was_under_way(platform: LCPlatform) -> None:
    hosting = platform.web_hosting
    made = hosting.deploy_application("shop", image="shop:1").application
    snapshot = platform.control.take_snapshot().snapshot_id
    platform.control.advance_clock(SECOND)
    platform.control.restore_snapshot(snapshot)
    assert told(hosting, made).status is ApplicationStatus.CREATING
    platform.control.advance_clock(2 * SECOND)
    assert told(hosting, made).status is ApplicationStatus.RUNNING


def test_the_mock_does_not_scale_to_zero(hosting: WebHosting) -> None:
    with pytest.raises(UnsupportedError, match="scale to zero"):
        hosting.deploy_application("shop", image="shop:1", min_instances=0)
    assert not list(hosting.iter_applications())


def test_a_value_with_a_nul_is_refused(hosting: WebHosting) -> None:
    with pytest.raises(ValidationError, match=r"environment\.A"):
        hosting.deploy_application("shop", image="shop:1", environment={"A": "a\0b"})


# --- functions in the place of processes


def hello(environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI application."""
    environ["wsgi.errors"].write(f"asked for {environ['PATH_INFO']}\n")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["lcplatform.environment"].get("GREETING", "hello").encode()]


def returns(port: int, environment: Mapping[str, str], stop: threading.Event) -> None:
    """It ends at once."""


def test_a_wsgi_application_can_stand_for_an_image() -> None:
    with LCPlatform("mock", web_hosting={"images": {"hello": hello}}) as platform:
        made = platform.web_hosting.deploy_application(
            "hello", image="hello", environment={"GREETING": "good evening"}
        ).application
        platform.web_hosting.wait_until_running(made.application_id)
        assert page(made.url) == "good evening"
        logs = platform.web_hosting.get_logs(made.application_id)
        assert any(entry.message == "asked for /" for one in logs for entry in one.entries)


def test_a_function_that_returns_has_failed() -> None:
    with LCPlatform("mock", web_hosting={"images": {"none": returns}}) as platform:
        made = platform.web_hosting.deploy_application("none", image="none").application
        with pytest.raises(PreconditionFailedError, match="returned before it was healthy"):
            platform.web_hosting.wait_until_running(made.application_id)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [""],
        ["a\0b"],
        [1],
        "python app.py",
        7,
        None,
        lambda: None,
        lambda one: None,
        {"argv": []},
        {"argv": ["a"], "takes_command": True},
        {"arguments": ["a"]},
    ],
)
def test_what_nothing_could_run_is_no_image(wrong: object) -> None:
    with pytest.raises(ValidationError, match=r"web_hosting\.images"):
        LCPlatform("mock", web_hosting={"images": {"shop": wrong}})


@pytest.mark.parametrize(
    "wrong", [{"grace": -1}, {"start_timeout": 0}, {"log_lines": 0}, {"imgaes": {}}]
)
def test_settings_of_no_use_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=f"web_hosting.{next(iter(wrong))}"):
        LCPlatform("mock", web_hosting=wrong)


# --- fleets


class Unwatched(Watcher):
    """Nobody who is interested."""

    @override
    def ready(self, ports: tuple[int, ...], /) -> None: ...

    @override
    def drain(self, port: int, seconds: float, /) -> None: ...

    @override
    def troubled(self, reason: str | None, /) -> None: ...

    @override
    def failed(self, reason: str, /) -> None: ...


def test_a_fleet_may_be_stopped_just_when_it_begins_to_watch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = Plan(revision="r1", program=serve, health_check_path="/", environment=dict)
    fleet = Fleet(plan, WebHostingSettings(), Guardian(), LogBook(SYSTEM.now, 9), Unwatched())
    begin = threading.Thread.start

    def stopped_before(thread: threading.Thread) -> None:
        if thread.name == "lcplatform-mock-fleet":
            fleet.stop()
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", stopped_before)
    fleet.start(1)
    fleet.stop()
    assert fleet.ports == ()


# --- logs


def test_a_book_keeps_the_last_lines_and_cuts_long_ones() -> None:
    book = LogBook(SYSTEM.now, 3)
    book.write("one\ntwo\r\nthree\n")
    book.write("x" * (LONGEST_LINE + 1))
    ((*_, before, last),) = book.read(follow=False)
    assert [len(before.message), len(last.message)] == [LONGEST_LINE, 1]
    assert [len(lines) for lines in book.read(follow=False)] == [3]


def test_whoever_follows_a_book_may_have_a_deadline() -> None:
    hosting = {"start_time": 0}
    with LCPlatform("mock", web_hosting=hosting) as platform:
        made = platform.web_hosting.deploy_application("shop", image="any").application
        soon = CallOptions(deadline=timedelta(seconds=0.3))
        with pytest.raises(DeadlineExceededError, match="more was written"):
            list(platform.web_hosting.get_logs(made.application_id, follow=True, options=soon))


def test_whoever_follows_a_book_is_told_that_the_server_stops() -> None:
    settings = ServerSettings(listen="127.0.0.1:0", grace=300)
    with LCPlatform("mock") as platform:
        made = platform.web_hosting.deploy_application("shop", image="any").application
        server = Server(platform, settings).start()
        with LCPlatform("grpc", endpoint=server.endpoint) as client:
            logs = client.web_hosting.get_logs(made.application_id, follow=True)
            next(logs)
            server.stop()
            with pytest.raises(ServiceUnavailableError, match="stopping"):
                next(logs)


def test_whoever_follows_a_book_is_told_of_its_end() -> None:
    book = LogBook(SYSTEM.now, 3)
    seen: list[str] = []
    reader = threading.Thread(
        target=lambda: seen.extend(it.message for lines in book.read(follow=True) for it in lines)
    )
    reader.start()
    book.write("one")
    book.close()
    reader.join(10)
    assert seen == ["one"]


# --- bindings, as an application reads them


def test_bindings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PROVIDER": "mock",
        "BINDINGS__INBOX__SERVICE": "queue",
        "BINDINGS__INBOX__RESOURCE": "17",
        "BINDINGS__INBOX__ACCESS": "read",
    }.items():
        monkeypatch.setenv(f"LCPLATFORM_{name}", value)
    with LCPlatform.from_env() as platform:
        assert platform.bindings["inbox"].resource == "17"
        assert platform.bindings["inbox"].service == "queue"


async def _bound(settings: PlatformSettings) -> str | None:
    async with AsyncLCPlatform(settings=settings) as platform:
        return platform.bindings["uploads"].resource


def test_bindings_are_read_from_settings_in_both_colours() -> None:
    import asyncio

    given: dict[str, Any] = {"provider": "mock", "bindings": {"uploads": "shop-uploads"}}
    settings = PlatformSettings(**given)
    assert asyncio.run(_bound(settings)) == "shop-uploads"
    with LCPlatform(settings=settings) as platform:
        assert platform.bindings["uploads"].resource == "shop-uploads"
        with pytest.raises(KeyError):
            platform.bindings["database"]


def test_a_binding_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LCPLATFORM_PROVIDER", "mock")
    monkeypatch.setenv("LCPLATFORM_BINDINGS__INBOX__RESUORCE", "orders")
    with pytest.raises(LCPlatformError, match="bindings"):
        LCPlatform.from_env()


def test_nothing_changes_while_applications_are_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LCPlatform("mock", state=tmp_path, clock=ManualClock()) as platform:
        for name in ("first", "second"):
            platform.web_hosting.deploy_application(name, image="shop/site:1")
    held: list[bool] = []
    monkeypatch.setattr(
        ApplicationWork, "_take_up", lambda self, site: held.append(self._lock.locked())
    )
    with LCPlatform("mock", state=tmp_path, clock=ManualClock()):
        pass
    assert held == [True, True]

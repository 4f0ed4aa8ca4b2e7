"""Event buses that are kept: what was acknowledged outlives the process, and what was on its way goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

from lcplatform import LCPlatform
from lcplatform.event_bus.models import (
    CreateArchiveRequest,
    CreateEventBusRequest,
    Destination,
    FunctionTarget,
    HttpTarget,
    InputTransform,
    LogTarget,
    QueueTarget,
    StartReplayRequest,
    TargetRetry,
)
from lcplatform_mock.event_bus import MockEventBus
from lcplatform_mock.event_settings import EventBusSettings, EventFunction
from lcplatform_mock.settings import MockSettings
from lcplatform_mock.world import World
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.receiver import receiving

BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
END = datetime(2100, 1, 1, tzinfo=UTC)


def kept(
    folder: Path, clock: ManualClock | None = None, function: EventFunction | None = None
) -> LCPlatform:
    functions = {} if function is None else {"f": function}
    return LCPlatform(
        "mock",
        state=folder,
        clock=clock or ManualClock(),
        event_bus=EventBusSettings(functions=functions),
    )


def advance(platform: LCPlatform, seconds: float = 0) -> None:
    platform.control.advance_clock(timedelta(seconds=seconds))


def ids(platform: LCPlatform, queue: str) -> list[str]:
    messages = platform.queue.receive_messages(queue, max_messages=10).messages
    return [it.body.value["id"] for it in messages if isinstance(it.body, Json)]


def test_everything_that_was_made_is_there_again(tmp_path: Path) -> None:
    with kept(tmp_path) as platform:
        events = platform.event_bus
        platform.queue.create_queue("letters")
        platform.queue.create_queue("orders", fifo=True)
        events.create_event_bus("bus")
        events.create_event_bus("gone")
        events.delete_event_bus("gone")
        events.create_rule("bus", "all", pattern={"type": ["a"]}, description="first")
        events.update_rule("bus", "all", pattern={"source": [{"prefix": "/o"}]}, enabled=True)
        events.create_rule("bus", "gone", pattern={"type": ["a"]})
        events.add_target("bus", "gone", target_id="log", target=LogTarget())
        events.delete_rule("bus", "gone")
        places: tuple[Destination, ...] = (
            HttpTarget(url="https://example.com", headers={"A": "b"}),
            QueueTarget(queue="orders", group_id="g"),
            LogTarget(log="audit"),
        )
        for number, place in enumerate(places):
            events.add_target(
                "bus",
                "all",
                target_id=f"{number}",
                target=place,
                retry=TargetRetry(max_retries=3, max_age=timedelta(hours=1)),
                dead_letter_queue="letters",
                transform=InputTransform(paths={"a": "$.a"}, template="<a>"),
            )
        events.add_target("bus", "all", target_id="gone", target=LogTarget())
        events.remove_target("bus", "all", target_id="gone")
        events.create_archive("bus", "all", retention=timedelta(days=3), pattern={"type": ["a"]})
        events.create_archive("bus", "gone")
        events.publish_event("bus", source="/elsewhere", type="a")
        events.delete_archive("bus", "gone")
        before = (
            events.list_event_buses(),
            events.list_rules("bus"),
            events.list_targets("bus", "all"),
            events.list_archives("bus"),
        )
    with kept(tmp_path) as platform:
        events = platform.event_bus
        assert before == (
            events.list_event_buses(),
            events.list_rules("bus"),
            events.list_targets("bus", "all"),
            events.list_archives("bus"),
        )


def test_rules_and_archives_go_on(tmp_path: Path) -> None:
    clock = ManualClock()
    with kept(tmp_path, clock) as platform:
        platform.queue.create_queue("orders")
        events = platform.event_bus
        events.create_event_bus("bus")
        events.create_archive("bus", "all")
        events.publish_event("bus", source="/orders", type="placed", id="1", data={"a": "ä"})
        events.create_rule("bus", "all", pattern={"data": {"a": [{"prefix": "ä"}]}})
        events.add_target("bus", "all", target_id="queue", target=QueueTarget(queue="orders"))
    with kept(tmp_path, clock) as platform:
        events = platform.event_bus
        events.publish_event("bus", source="/orders", type="placed", id="2", data={"a": "äb"})
        assert ids(platform, "orders") == ["2"]
        replay = events.start_replay("bus", "all", since=BEGIN, until=END).replay
        advance(platform)
        assert ids(platform, "orders") == ["1", "2"]
    with kept(tmp_path, clock) as platform:
        done = platform.event_bus.get_replay(replay.replay_id).replay
        assert done.status.value == "completed"
        [archive] = platform.event_bus.list_archives("bus").archives
        assert archive.events == 2


def test_what_was_on_its_way_goes_on_in_its_order(tmp_path: Path) -> None:
    clock = ManualClock()
    calls: list[str] = []

    def fails(_: Json) -> None:
        raise RuntimeError

    def works(event: Json) -> None:
        calls.append(event.value["id"])

    with kept(tmp_path, clock, fails) as platform:
        events = platform.event_bus
        events.create_event_bus("bus")
        events.create_rule("bus", "all", pattern={"source": ["/orders"]})
        events.add_target("bus", "all", target_id="f", target=FunctionTarget(function="f"))
        for number in range(3):
            events.publish_event(
                "bus", source="/orders", type="placed", id=f"{number}", ordering_key="a"
            )
        advance(platform)
    with kept(tmp_path, clock, works) as platform:
        advance(platform, 2)
        assert calls == ["0", "1", "2"]
    with kept(tmp_path, clock, works) as platform:
        advance(platform, 3600)
        assert calls == ["0", "1", "2"]


def test_a_function_that_is_not_there_after_a_restart_is_waited_for(tmp_path: Path) -> None:
    clock = ManualClock()
    calls: list[Json] = []
    with kept(tmp_path, clock, calls.append) as platform:
        events = platform.event_bus
        events.create_event_bus("bus")
        events.create_rule("bus", "all", pattern={"source": ["/orders"]})
        events.add_target("bus", "all", target_id="f", target=FunctionTarget(function="f"))
    with kept(tmp_path, clock) as platform:
        platform.event_bus.publish_event("bus", source="/orders", type="placed")
        advance(platform, 10)
    with kept(tmp_path, clock, calls.append) as platform:
        advance(platform, 60)
        assert len(calls) == 1


def test_after_a_long_time_an_event_is_too_old(tmp_path: Path) -> None:
    clock = ManualClock()
    with receiving() as receiver, kept(tmp_path, clock) as platform:
        receiver.answers(503)
        events = platform.event_bus
        platform.queue.create_queue("letters")
        events.create_event_bus("bus")
        events.create_rule("bus", "all", pattern={"source": ["/orders"]})
        events.add_target(
            "bus",
            "all",
            target_id="hook",
            target=HttpTarget(url=receiver.url),
            dead_letter_queue="letters",
        )
        events.publish_event("bus", source="/orders", type="placed", id="1")
        advance(platform)
    clock.advance(timedelta(days=2))
    with kept(tmp_path, clock) as platform:
        advance(platform)
        [letter] = platform.queue.receive_messages("letters").messages
        assert letter.attributes["reason"] == "max_age"


KILLED = """
import os, signal, sys
from lcplatform import LCPlatform
from lcplatform.event_bus.models import HttpTarget, QueueTarget

folder, url = sys.argv[1:]
platform = LCPlatform("mock", state=folder)
events = platform.event_bus
platform.queue.create_queue("orders")
events.create_event_bus("bus")
events.create_archive("bus", "all")
events.create_rule("bus", "all", pattern={"source": ["/orders"]})
events.add_target("bus", "all", target_id="hook", target=HttpTarget(url=url))
events.add_target("bus", "all", target_id="queue", target=QueueTarget(queue="orders"))
for number in range(5):
    events.publish_event("bus", source="/orders", type="placed", id=f"{number}")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_acknowledged_arrives_although_the_process_is_killed(tmp_path: Path) -> None:
    with receiving() as receiver:
        receiver.answers(503)
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(tmp_path), receiver.url],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        receiver.answers(204)
        receiver.received.clear()
        with LCPlatform("mock", state=tmp_path) as platform:
            advance(platform, 600)
            found = {it.body.partition(b'"id":"')[2][:1] for it in receiver.received}
            assert found == {b"0", b"1", b"2", b"3", b"4"}
            assert sorted(ids(platform, "orders")) == ["0", "1", "2", "3", "4"]
            [archive] = platform.event_bus.list_archives("bus").archives
            assert archive.events == 5
        receiver.received.clear()
        with LCPlatform("mock", state=tmp_path) as platform:
            advance(platform, 3600)
            assert receiver.received == []


def test_no_secret_is_written_down(tmp_path: Path) -> None:
    with receiving() as receiver, kept(tmp_path) as platform:
        receiver.answers(503)
        platform.secrets.create_secret("token", "a-word-that-nobody-knows")
        events = platform.event_bus
        events.create_event_bus("bus")
        events.create_rule("bus", "all", pattern={"source": ["/orders"]})
        place = HttpTarget(url=receiver.url, secret_headers={"Authorization": "token"})
        events.add_target("bus", "all", target_id="hook", target=place)
        events.publish_event("bus", source="/orders", type="placed")
        advance(platform)
        assert receiver.received[0].headers["authorization"] == "a-word-that-nobody-knows"
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"a-word-that-nobody-knows" not in file.read_bytes()


def test_a_replay_that_begins_while_others_are_taken_up_again_is_played_once() -> None:
    """What takes up the replays of an earlier life may come after the first call of this one."""
    world = World(MockSettings(clock=ManualClock()))
    events = MockEventBus(world)
    events.create_event_bus(CreateEventBusRequest(name="bus"))
    events.create_archive(CreateArchiveRequest(bus="bus", name="all"))
    begun = Mock(spec=world.agenda)
    world.agenda = begun
    events.start_replay(StartReplayRequest(bus="bus", archive="all", since=BEGIN, until=END))
    events._resume(events._life)
    assert begun.soon.call_count == 1
    events._moved()
    events._resume(events._life)
    assert begun.soon.call_count == 3, "what takes it up, and the replay itself"

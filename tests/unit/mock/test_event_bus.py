"""Event buses: what targets get, what becomes of what they refuse, and in which order."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import (
    QuotaExceededError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.event_bus.client import EventBus
from lcplatform.event_bus.models import (
    Destination,
    Event,
    FunctionTarget,
    InputTransform,
    LogTarget,
    QueueTarget,
    TargetRetry,
    TopicTarget,
)
from lcplatform.notification.models import DeliveryProtocol
from lcplatform.queue.client import Queue
from lcplatform.queue.models import Message
from lcplatform.type.models import ErrorCode
from lcplatform_mock.event_transforms import transform
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.race import RUNNERS, race

ONCE = TargetRetry(max_retries=0)


class Functions:
    """Functions that targets call, and what they were called with."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.problem: Exception | None = None

    def __call__(self, event: Json) -> None:
        self.calls.append(event.value)
        if self.problem is not None:
            raise self.problem


@pytest.fixture
def function() -> Functions:
    return Functions()


@pytest.fixture
def platform(clock: ManualClock, function: Functions) -> Iterator[LCPlatform]:
    with LCPlatform("mock", clock=clock, event_bus={"functions": {"f": function}}) as made:
        yield made


@pytest.fixture
def events(platform: LCPlatform) -> EventBus:
    made = platform.event_bus
    made.create_event_bus("bus")
    made.create_rule("bus", "all", pattern={"source": ["/orders"]})
    return made


def target(
    events: EventBus,
    place: Destination,
    *,
    transform: InputTransform | None = None,
    retry: TargetRetry | None = None,
    letters: str | None = None,
    name: str = "target",
) -> None:
    events.add_target(
        "bus",
        "all",
        target_id=name,
        target=place,
        transform=transform,
        retry=retry,
        dead_letter_queue=letters,
    )


def publish(events: EventBus, number: int = 1, **more: Any) -> None:
    events.publish_event(
        "bus", source="/orders", type="placed", data={"order": number}, id=f"{number}", **more
    )


def received(queues: Queue, queue: str) -> list[Message]:
    """Everything that is in a queue now."""
    found: list[Message] = []
    while page := queues.receive_messages(queue, max_messages=10).messages:
        found += page
    return found


def ids(messages: list[Message]) -> list[str]:
    return [it.body.value["id"] for it in messages if isinstance(it.body, Json)]


def advance(platform: LCPlatform, seconds: float = 1) -> None:
    platform.control.advance_clock(timedelta(seconds=seconds))


# --- functions and logs


def test_a_function_gets_the_event(
    platform: LCPlatform, events: EventBus, function: Functions, clock: ManualClock
) -> None:
    target(events, FunctionTarget(function="f"))
    now = clock.now()
    publish(events)
    advance(platform)
    [event] = function.calls
    assert event["data"] == {"order": 1}
    assert event["time"] == now.isoformat().replace("+00:00", "Z")


def test_a_function_that_is_not_registered_is_no_target(events: EventBus) -> None:
    with pytest.raises(ResourceNotFoundError):
        target(events, FunctionTarget(function="g"))


def test_a_function_that_must_be_awaited_cannot_be_registered() -> None:
    async def function(event: Json) -> None: ...

    with pytest.raises(ValidationError, match=r"event_bus\.functions"):
        LCPlatform("mock", event_bus={"functions": {"f": function}})


def test_a_function_that_raises_is_called_again_ever_more_rarely(
    platform: LCPlatform, events: EventBus, function: Functions
) -> None:
    target(events, FunctionTarget(function="f"))
    function.problem = RuntimeError("not now")
    publish(events)
    advance(platform, 0)
    assert len(function.calls) == 1
    advance(platform, 1)
    assert len(function.calls) == 2
    advance(platform, 600)
    assert 8 < len(function.calls) < 20
    function.problem = None
    advance(platform, 600)
    count = len(function.calls)
    advance(platform, 86400)
    assert len(function.calls) == count


def test_a_log_gets_a_line_that_moves_no_cursor(
    events: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
    target(events, LogTarget(log="audit"))
    with caplog.at_level(logging.INFO, "lcplatform.mock.events"):
        events.publish_event("bus", source="/orders", type="placed", data={"a": "\x9b2J\u2028é"})
    [line] = [it.getMessage() for it in caplog.records if it.name == "lcplatform.mock.events"]
    assert line.startswith("audit: {")
    assert line.isascii()
    assert json.loads(line.removeprefix("audit: "))["data"] == {"a": "\x9b2J\u2028é"}


def test_a_log_without_a_name_has_that_of_its_rule(
    events: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
    target(events, LogTarget())
    with caplog.at_level(logging.INFO, "lcplatform.mock.events"):
        publish(events)
    assert any(it.getMessage().startswith("all: {") for it in caplog.records)


# --- queues


def test_publishing_is_answered_when_the_queues_have_the_event(
    events: EventBus, queues: Queue
) -> None:
    queues.create_queue("orders")
    target(events, QueueTarget(queue="orders"))
    publish(events)
    assert ids(received(queues, "orders")) == ["1"]


def test_a_queue_that_is_unavailable_gets_the_event_later(
    platform: LCPlatform, events: EventBus, queues: Queue
) -> None:
    queues.create_queue("orders")
    target(events, QueueTarget(queue="orders"))
    platform.control.inject_fault(
        "queue", "send_message", error=ErrorCode.SERVICE_UNAVAILABLE, times=2
    )
    publish(events)
    assert received(queues, "orders") == []
    advance(platform, 10)
    assert ids(received(queues, "orders")) == ["1"]


def test_a_queue_that_says_when_it_wants_to_be_asked_again_is_asked_then(
    platform: LCPlatform, events: EventBus, queues: Queue
) -> None:
    queues.create_queue("orders")
    target(events, QueueTarget(queue="orders"))
    platform.control.inject_fault(
        "queue",
        "send_message",
        error=ErrorCode.QUOTA_EXCEEDED,
        retry_after=timedelta(seconds=100),
    )
    publish(events)
    advance(platform, 99)
    assert received(queues, "orders") == []
    advance(platform, 2)
    assert ids(received(queues, "orders")) == ["1"]


def test_a_fifo_queue_gets_each_event_once_although_an_attempt_is_made_twice(
    platform: LCPlatform, events: EventBus, queues: Queue
) -> None:
    queues.create_queue("orders", fifo=True)
    target(events, QueueTarget(queue="orders"), name="one")
    target(events, QueueTarget(queue="orders", group_id="mine"), name="other")
    publish(events)
    publish(events)  # another event of the same id, and the same content
    found = received(queues, "orders")
    assert ids(found) == ["1"] * 4
    assert [it.group_id for it in found].count("mine") == 2


def test_an_event_that_is_too_large_for_a_queue_becomes_a_dead_letter(
    platform: LCPlatform, events: EventBus, queues: Queue
) -> None:
    queues.create_queue("small", max_message_size=1024)
    queues.create_queue("letters")
    target(events, QueueTarget(queue="small"), letters="letters")
    events.publish_event("bus", source="/orders", type="placed", data={"text": "x" * 2000})
    advance(platform)
    [letter] = received(queues, "letters")
    assert letter.attributes["reason"] == "refused"
    assert letter.attributes["attempts"] == "1"
    assert "1024" in letter.attributes["error"]


# --- giving up


def test_an_event_is_given_up_after_its_retries(
    platform: LCPlatform, events: EventBus, queues: Queue, function: Functions
) -> None:
    queues.create_queue("letters")
    target(
        events,
        FunctionTarget(function="f"),
        retry=TargetRetry(max_retries=2),
        letters="letters",
        transform=InputTransform(template='"changed"'),
    )
    function.problem = ValueError("a secret word")
    publish(events)
    advance(platform, 60)
    assert function.calls == ["changed"] * 3
    [letter] = received(queues, "letters")
    assert isinstance(letter.body, Json)
    assert letter.body.value["data"] == {"order": 1}  # the event, not what the transform made of it
    assert letter.attributes == {
        "bus": "bus",
        "rule": "all",
        "target": "target",
        "reason": "max_attempts",
        "error": "the function raised ValueError",
        "attempts": "3",
    }


def test_an_event_is_given_up_when_it_is_too_old(
    platform: LCPlatform, events: EventBus, queues: Queue, function: Functions
) -> None:
    queues.create_queue("letters")
    retry = TargetRetry(max_age=timedelta(seconds=60))
    target(events, FunctionTarget(function="f"), retry=retry, letters="letters")
    function.problem = RuntimeError()
    publish(events)
    advance(platform, 59)
    assert received(queues, "letters") == []
    advance(platform, 2)
    [letter] = received(queues, "letters")
    assert letter.attributes["reason"] == "max_age"
    count = len(function.calls)
    advance(platform, 3600)
    assert len(function.calls) == count


def test_a_dead_letter_is_tried_again_until_its_queue_takes_it(
    platform: LCPlatform, events: EventBus, queues: Queue, function: Functions
) -> None:
    queues.create_queue("letters")
    target(events, FunctionTarget(function="f"), retry=ONCE, letters="letters")
    function.problem = RuntimeError()
    platform.control.inject_fault(
        "queue", "send_message", error=ErrorCode.SERVICE_UNAVAILABLE, times=3
    )
    publish(events)
    advance(platform, 60)
    assert ids(received(queues, "letters")) == ["1"]


def test_what_is_lost_is_told(
    platform: LCPlatform,
    events: EventBus,
    queues: Queue,
    function: Functions,
    caplog: pytest.LogCaptureFixture,
) -> None:
    target(events, FunctionTarget(function="f"), retry=ONCE)
    function.problem = RuntimeError()
    publish(events, 17)
    advance(platform)
    assert any("event 17 of bus bus did not reach target" in it.message for it in caplog.records)
    queues.create_queue("letters")
    target(events, FunctionTarget(function="f"), retry=ONCE, letters="letters", name="other")
    queues.delete_queue("letters")
    caplog.clear()
    publish(events, 18)
    advance(platform)
    assert any("event 18" in it.message and "dead-letter" in it.message for it in caplog.records)


def test_what_waits_for_a_target_is_tried_although_the_target_is_removed(
    platform: LCPlatform, events: EventBus, function: Functions
) -> None:
    target(events, FunctionTarget(function="f"))
    function.problem = RuntimeError()
    publish(events)
    advance(platform, 0)
    events.remove_target("bus", "all", target_id="target")
    function.problem = None
    advance(platform, 60)
    assert len(function.calls) == 2


def test_a_failing_target_holds_up_no_other(
    platform: LCPlatform, events: EventBus, queues: Queue, function: Functions
) -> None:
    queues.create_queue("orders")
    target(events, FunctionTarget(function="f"), name="a-failing")
    target(events, QueueTarget(queue="orders"), name="b-fine")
    function.problem = RuntimeError()
    publish(events)
    assert ids(received(queues, "orders")) == ["1"]


# --- order


def test_events_of_one_key_wait_for_each_other_and_others_do_not(
    platform: LCPlatform, events: EventBus, function: Functions
) -> None:
    target(events, FunctionTarget(function="f"))
    function.problem = RuntimeError()
    for number in (1, 2, 3):
        publish(events, number, ordering_key="a")
    publish(events, 4, ordering_key="b")
    publish(events, 5)
    advance(platform, 0)
    assert sorted(it["id"] for it in function.calls) == ["1", "4", "5"]
    function.problem = None
    function.calls.clear()
    advance(platform, 2)
    assert [it["id"] for it in function.calls if it["id"] in {"1", "2", "3"}] == ["1", "2", "3"]


def test_events_of_one_key_stay_in_their_order_although_their_queue_is_unavailable(
    platform: LCPlatform, events: EventBus, queues: Queue
) -> None:
    queues.create_queue("orders")
    target(events, QueueTarget(queue="orders"))
    platform.control.inject_fault("queue", "send_message", error=ErrorCode.SERVICE_UNAVAILABLE)
    for number in (1, 2):
        publish(events, number, ordering_key="a")
    advance(platform, 10)
    assert ids(received(queues, "orders")) == ["1", "2"]


def test_what_is_given_up_holds_up_no_longer(
    platform: LCPlatform, events: EventBus, function: Functions
) -> None:
    target(events, FunctionTarget(function="f"), retry=TargetRetry(max_retries=1))
    function.problem = RuntimeError()
    for number in (1, 2):
        publish(events, number, ordering_key="a")
    advance(platform, 1)
    function.problem = None
    advance(platform, 1)
    assert [it["id"] for it in function.calls] == ["1", "1", "2", "2"]


# --- transforms


def test_a_transform_puts_values_where_their_names_stand() -> None:
    made = transform(
        InputTransform(
            paths={"all": "$", "it": "$['data'].a", "odd": '$.data["a b"][1]', "no": "$.x[0].y"},
            template=r'{"<it>": [<it>, <odd>, <no>, "<it>-<odd>-<no>-<b>", "\"<it>\""], "all": <all>}',
        )
    )
    event = Json({"data": {"a": 'q"\\', "a b": [1, {"c": [2]}]}})
    assert made.apply(event).value == {
        'q"\\': ['q"\\', {"c": [2]}, None, 'q"\\-{"c":[2]}--<b>', '"q"\\"'],
        "all": event.value,
    }


@pytest.mark.parametrize(
    ("template", "paths", "field"),
    [
        ("", {"a": "$.a"}, "template"),
        ("<b>", {"a": "$.a"}, "transform.template"),
        ('{"a": <a>', {"a": "$.a"}, "transform.template"),
        ('"<a>', {"a": "$.a"}, "transform.template"),
        ("<a>", {"a": "$a"}, "transform.paths.a"),
        ("<a>", {"a": "$.a[b]"}, "transform.paths.a"),
        ("<a>", {"a": "$.a[01]"}, "transform.paths.a"),
        ("<a>", {"a": "$.."}, "transform.paths.a"),
        ("<a>", {"a": "$[*]"}, "transform.paths.a"),
    ],
)
def test_what_is_no_transform_is_refused(
    template: str, paths: dict[str, str], field: str, events: EventBus
) -> None:
    with pytest.raises(Exception, match=field.replace(".", r"\.")):
        target(events, LogTarget(), transform=InputTransform(paths=paths, template=template))


# --- limits


def test_a_rule_has_no_more_targets_than_the_limit_says(events: EventBus) -> None:
    for number in range(5):
        target(events, LogTarget(), name=f"{number}")
    with pytest.raises(QuotaExceededError) as caught:
        target(events, LogTarget(), name="more")
    assert not caught.value.retryable


def test_an_entry_that_is_too_large_fails_alone_and_a_batch_that_is_fails_whole(
    events: EventBus,
) -> None:
    small = Event(source="/orders", type="placed")
    large = Event(source="/orders", type="placed", data=Json({"a": "x" * 240 * 1024}))
    answer = events.publish_events("bus", [small, large])
    assert [it.index for it in answer.successful] == [0]
    assert [(it.index, it.code.value) for it in answer.failed] == [(1, "validation")]
    nearly = Event(source="/orders", type="placed", data=Json({"a": "x" * 230 * 1024}))
    with pytest.raises(ValidationError, match="together"):
        events.publish_events("bus", [nearly] * 5)


# --- topics


def test_a_topic_gets_the_event_before_publishing_is_answered(
    platform: LCPlatform, events: EventBus, queues: Queue
) -> None:
    queues.create_queue("orders")
    platform.notification.create_topic("topic")
    platform.notification.subscribe("topic", protocol=DeliveryProtocol.QUEUE, endpoint="orders")
    target(events, TopicTarget(topic="topic"))
    publish(events)
    assert ids(received(queues, "orders")) == ["1"]


def test_a_fifo_topic_gets_each_event_in_the_group_of_its_ordering_key(
    platform: LCPlatform, events: EventBus, queues: Queue
) -> None:
    queues.create_queue("orders", fifo=True)
    platform.notification.create_topic("topic", fifo=True)
    platform.notification.subscribe("topic", protocol=DeliveryProtocol.QUEUE, endpoint="orders")
    target(events, TopicTarget(topic="topic"))
    publish(events, 1, ordering_key="17")
    publish(events, 1, ordering_key="17")
    publish(events, 2)
    advance(platform)
    found = received(queues, "orders")
    assert sorted((it.group_id or "", *ids([it])) for it in found) == [
        ("17", "1"),
        ("17", "1"),
        ("events", "2"),
    ]


def test_a_topic_that_is_gone_makes_dead_letters(
    platform: LCPlatform, events: EventBus, queues: Queue
) -> None:
    queues.create_queue("letters")
    with pytest.raises(ResourceNotFoundError):
        target(events, TopicTarget(topic="topic"))
    platform.notification.create_topic("topic")
    target(events, TopicTarget(topic="topic"), letters="letters")
    platform.notification.delete_topic("topic")
    publish(events)
    advance(platform)
    [letter] = received(queues, "letters")
    assert letter.attributes["reason"] == "refused"


# --- archives


def test_an_archive_counts_its_events(events: EventBus, platform: LCPlatform) -> None:
    events.create_archive("bus", "orders", pattern={"type": ["placed"]})
    events.create_archive("bus", "all", retention=timedelta(days=1))
    publish(events)
    events.publish_event("bus", source="/orders", type="paid")
    counts = {it.name: it.events for it in events.list_archives("bus").archives}
    assert counts == {"orders": 1, "all": 2}
    advance(platform, 86400)
    counts = {it.name: it.events for it in events.list_archives("bus").archives}
    assert counts == {"orders": 1, "all": 0}


def replayed(platform: LCPlatform, events: EventBus, archive: str = "all") -> str:
    replay = events.start_replay(
        "bus",
        archive,
        since=datetime(2000, 1, 1, tzinfo=UTC),
        until=datetime(2100, 1, 1, tzinfo=UTC),
    ).replay
    assert replay.status.value == "starting"
    advance(platform, 0)
    return replay.replay_id


def test_a_replay_of_many_events_delivers_each_of_them_once_and_archives_none(
    platform: LCPlatform, events: EventBus, queues: Queue
) -> None:
    queues.create_queue("orders")
    events.create_archive("bus", "all")
    for number in range(250):
        publish(events, number)
    target(events, QueueTarget(queue="orders"))
    replay = replayed(platform, events)
    assert events.get_replay(replay).replay.status.value == "completed"
    assert ids(received(queues, "orders")) == [str(it) for it in range(250)]
    [archive] = events.list_archives("bus").archives
    assert archive.events == 250


def test_a_replay_goes_to_the_archive_that_it_was_started_on(
    platform: LCPlatform, events: EventBus, queues: Queue, clock: ManualClock
) -> None:
    replay = held_up(platform, events, queues)
    events.delete_archive("bus", "all")
    events.create_archive("bus", "all")
    clock.advance(timedelta(seconds=10))
    advance(platform, 0)
    failed = events.get_replay(replay).replay
    assert (failed.status.value, failed.reason) == ("failed", "the archive is deleted")
    assert failed.completed_at == clock.now()
    assert len(received(queues, "orders")) == 100


def test_a_replay_that_is_cancelled_delivers_no_more(
    platform: LCPlatform, events: EventBus, queues: Queue, clock: ManualClock
) -> None:
    replay = held_up(platform, events, queues)
    assert events.cancel_replay(replay).replay.status.value == "cancelled"
    clock.advance(timedelta(seconds=10))
    advance(platform, 0)
    assert events.get_replay(replay).replay.status.value == "cancelled"
    assert len(received(queues, "orders")) == 100


def held_up(platform: LCPlatform, events: EventBus, queues: Queue) -> str:
    """A replay of 150 events that runs, and whose first delivery takes ten seconds."""
    queues.create_queue("orders")
    events.create_archive("bus", "all")
    for number in range(150):
        publish(events, number)
    target(events, QueueTarget(queue="orders"))
    platform.control.inject_fault("queue", "send_message", latency=timedelta(seconds=10))
    replay = events.start_replay(
        "bus", "all", since=datetime(2000, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC)
    ).replay.replay_id
    patience = time.monotonic() + 30
    while events.get_replay(replay).replay.status.value != "running":
        assert time.monotonic() < patience
    return replay


# --- several at once


def test_one_of_many_creates_a_rule_and_all_their_events_arrive(
    events: EventBus, queues: Queue
) -> None:
    queues.create_queue("orders")
    target(events, QueueTarget(queue="orders"))

    def run(number: int) -> object:
        for one in range(20):
            publish(events, number * 100 + one)
        return events.create_rule("bus", "raced", pattern={"type": ["a"]})

    outcomes = race(run)
    assert len([it for it in outcomes if not isinstance(it, Exception)]) == 1
    found = ids(received(queues, "orders"))
    assert sorted(found) == sorted(
        str(number * 100 + one) for number in range(RUNNERS) for one in range(20)
    )


def test_rules_come_and_go_while_events_are_published(events: EventBus, queues: Queue) -> None:
    queues.create_queue("orders")
    target(events, QueueTarget(queue="orders"))

    def run(number: int) -> None:
        for one in range(20):
            if number % 2:
                name = f"{number}-{one}"
                events.create_rule(
                    "bus", name, pattern={"data": {"order": [{"numeric": [">", one]}]}}
                )
                events.update_rule("bus", name, pattern={"type": [{"prefix": "pl"}]})
                events.delete_rule("bus", name)
            else:
                publish(events, number * 100 + one)

    assert not [it for it in race(run) if it is not None]
    assert len(received(queues, "orders")) == RUNNERS // 2 * 20


# --- snapshots


def test_a_snapshot_brings_back_rules_and_what_was_on_its_way(
    platform: LCPlatform, events: EventBus, function: Functions
) -> None:
    target(events, FunctionTarget(function="f"))
    function.problem = RuntimeError()
    publish(events, ordering_key="a")
    publish(events, 2, ordering_key="a")
    advance(platform, 0)
    snapshot = platform.control.take_snapshot().snapshot_id
    events.delete_rule("bus", "all")
    events.create_rule("bus", "other", pattern={"type": ["x"]})
    function.problem = None
    advance(platform, 60)
    assert [it["id"] for it in function.calls] == ["1", "1", "2"]
    function.calls.clear()
    platform.control.restore_snapshot(snapshot)
    advance(platform, 60)
    assert [it["id"] for it in function.calls] == ["1", "2"]
    assert [it.name for it in events.list_rules("bus").rules] == ["all"]
    publish(events, 3)
    advance(platform, 0)
    assert function.calls[-1]["id"] == "3"


def test_events_of_one_key_published_by_many_stay_in_the_order_of_each(
    platform: LCPlatform, events: EventBus, function: Functions
) -> None:
    target(events, FunctionTarget(function="f"))

    def run(number: int) -> None:
        for one in range(10):
            publish(events, number * 100 + one, ordering_key="a")

    assert not [it for it in race(run) if it is not None]
    advance(platform, 1)
    found = [int(it["id"]) for it in function.calls]
    assert len(found) == RUNNERS * 10
    for number in range(RUNNERS):
        mine = [it for it in found if it // 100 == number]
        assert mine == sorted(mine)

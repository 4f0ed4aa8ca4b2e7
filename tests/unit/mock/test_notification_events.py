"""Events that a rule brings to a topic, and on from there to its subscribers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import ResourceNotFoundError
from lcplatform.event_bus.models import TopicTarget
from lcplatform.notification.models import DeliveryProtocol
from lcplatform.queue.models import Message
from lcplatform.type.models import ErrorCode
from lcplatform_runtime.json_value import Json
from tests.unit.mock.receiver import receiving


def wire(platform: LCPlatform, *, fifo: bool = False) -> None:
    """A rule that takes everything to a topic with one queue, and what it cannot take to another queue."""
    platform.queue.create_queue("inbox", fifo=fifo)
    platform.queue.create_queue("letters")
    platform.notification.create_topic("orders", fifo=fifo)
    platform.notification.subscribe("orders", protocol=DeliveryProtocol.QUEUE, endpoint="inbox")
    events = platform.event_bus
    events.create_event_bus("bus")
    events.create_rule("bus", "all", pattern={"source": ["/orders"]})
    events.add_target(
        "bus",
        "all",
        target_id="topic",
        target=TopicTarget(topic="orders"),
        dead_letter_queue="letters",
    )


def publish(platform: LCPlatform, number: int) -> None:
    platform.event_bus.publish_event(
        "bus", source="/orders", type="placed", data={"order": number}, id=f"{number}"
    )


def told(messages: tuple[Message, ...]) -> list[object]:
    """The identities of the events in messages."""
    return [it.body.value["id"] for it in messages if isinstance(it.body, Json)]


@pytest.mark.parametrize("fifo", [False, True])
def test_an_event_reaches_the_queues_of_a_topic(platform: LCPlatform, fifo: bool) -> None:
    wire(platform, fifo=fifo)
    for number in range(10):
        publish(platform, number)
    messages = platform.queue.receive_messages("inbox", max_messages=10).messages
    assert told(messages) == [f"{number}" for number in range(10)]


def test_events_of_a_group_keep_their_order_while_the_queue_of_a_topic_is_unavailable(
    platform: LCPlatform,
) -> None:
    wire(platform, fifo=True)
    platform.control.inject_fault(
        "queue", "send_message", error=ErrorCode.SERVICE_UNAVAILABLE, times=3
    )
    for number in range(5):
        publish(platform, number)
    platform.control.advance_clock(timedelta(minutes=1))
    messages = platform.queue.receive_messages("inbox", max_messages=10).messages
    assert told(messages) == ["0", "1", "2", "3", "4"]


def test_an_event_reaches_a_webhook_and_a_mailbox_of_a_topic(platform: LCPlatform) -> None:
    wire(platform)
    notification = platform.notification
    with receiving() as receiver:
        for protocol, endpoint in (
            (DeliveryProtocol.HTTP, receiver.url),
            (DeliveryProtocol.EMAIL, "kim@example.com"),
        ):
            notification.subscribe("orders", protocol=protocol, endpoint=endpoint)
        platform.control.advance_clock(timedelta())
        request = receiver.received.pop()
        asked = notification.verify_webhook(request.headers, request.body).message.token
        for token in (asked, platform.control.list_outbox().messages[0].token):
            assert token is not None
            notification.confirm_subscription("orders", token)
        publish(platform, 7)
        platform.control.advance_clock(timedelta())
        request = receiver.received.pop()
    body = notification.verify_webhook(request.headers, request.body).message.body
    assert isinstance(body, Json)
    mail = platform.control.list_outbox().messages[0].text
    assert mail is not None
    for event in (body.value, Json.from_text(mail).value):
        assert isinstance(event, Mapping)
        assert (event["id"], event["data"]) == ("7", {"order": 7})


def test_a_topic_has_to_be_there_when_it_becomes_a_target(platform: LCPlatform) -> None:
    wire(platform)
    for number in range(150):  # more than one page of topics
        platform.notification.create_topic(f"topic-{number}")
    add = platform.event_bus.add_target
    add("bus", "all", target_id="last", target=TopicTarget(topic="topic-149"))
    with pytest.raises(ResourceNotFoundError):
        add("bus", "all", target_id="none", target=TopicTarget(topic="nothing"))

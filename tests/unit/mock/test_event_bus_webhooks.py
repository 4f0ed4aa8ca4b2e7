"""Events that are posted to a real server: how they are laid out, who may see what, and which answers are tried again."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from lcplatform import LCPlatform
from lcplatform.errors import ResourceNotFoundError, ValidationError
from lcplatform.event_bus.client import EventBus
from lcplatform.event_bus.models import HttpMode, HttpTarget, InputTransform, TargetRetry
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.receiver import Received, Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def events(platform: LCPlatform) -> EventBus:
    return bus_of(platform)


def bus_of(platform: LCPlatform) -> EventBus:
    made = platform.event_bus
    made.create_event_bus("bus")
    made.create_rule("bus", "all", pattern={"source": ["/orders"]})
    return made


def hook(
    events: EventBus,
    place: HttpTarget,
    *,
    transform: InputTransform | None = None,
    retry: TargetRetry | None = None,
    letters: str | None = None,
) -> None:
    events.add_target(
        "bus",
        "all",
        target_id="hook",
        target=place,
        transform=transform,
        retry=retry,
        dead_letter_queue=letters,
    )


def publish(events: EventBus) -> None:
    events.publish_event(
        "bus",
        source="/orders",
        type="placed",
        subject='a "näive" 5%',
        id="1",
        data={"order": 1},
        metadata={"tenant": "blue"},
    )


def advance(platform: LCPlatform, seconds: float = 0) -> None:
    platform.control.advance_clock(timedelta(seconds=seconds))


def test_an_event_is_posted_whole(
    platform: LCPlatform, events: EventBus, receiver: Receiver, clock: ManualClock
) -> None:
    hook(events, HttpTarget(url=f"{receiver.url}/hook?a=b", headers={"X-Own": "mine"}))
    publish(events)
    advance(platform)
    [got] = receiver.received
    assert got.path == "/hook?a=b"
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert got.headers["x-own"] == "mine"
    assert json.loads(got.body) == {
        "specversion": "1.0",
        "id": "1",
        "source": "/orders",
        "type": "placed",
        "subject": 'a "näive" 5%',
        "time": clock.now().isoformat().replace("+00:00", "Z"),
        "tenant": "blue",
        "datacontenttype": "application/json",
        "data": {"order": 1},
    }


def test_in_binary_mode_the_data_is_the_body_and_the_rest_are_headers(
    platform: LCPlatform, events: EventBus, receiver: Receiver
) -> None:
    hook(events, HttpTarget(url=receiver.url, mode=HttpMode.BINARY))
    publish(events)
    advance(platform)
    [got] = receiver.received
    assert json.loads(got.body) == {"order": 1}
    assert got.headers["content-type"] == "application/json"
    assert {name: value for name, value in got.headers.items() if name.startswith("ce-")} == {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/orders",
        "ce-type": "placed",
        "ce-subject": "a%20%22n%C3%A4ive%22%205%25",  # HTTP Protocol Binding, section 3.1.3.2
        "ce-time": got.headers["ce-time"],
        "ce-tenant": "blue",
    }


@pytest.mark.parametrize("mode", [HttpMode.BINARY, HttpMode.STRUCTURED])
def test_of_a_transformed_event_the_result_is_the_body(
    platform: LCPlatform, events: EventBus, receiver: Receiver, mode: HttpMode
) -> None:
    shape = InputTransform(paths={"order": "$.data.order"}, template='{"is": <order>}')
    hook(events, HttpTarget(url=receiver.url, mode=mode), transform=shape)
    publish(events)
    advance(platform)
    [got] = receiver.received
    assert got.body == b'{"is": 1}'
    assert got.headers["content-type"] == "application/json"
    assert ("ce-id" in got.headers) is (mode is HttpMode.BINARY)


def test_an_event_without_data_has_an_empty_body_in_binary_mode(
    platform: LCPlatform, events: EventBus, receiver: Receiver
) -> None:
    hook(events, HttpTarget(url=receiver.url, mode=HttpMode.BINARY))
    events.publish_event("bus", source="/orders", type="ping")
    advance(platform)
    assert receiver.received[0].body == b""


# --- secrets


def test_a_header_that_is_a_secret_is_read_for_each_delivery_and_shown_nowhere(
    platform: LCPlatform,
    events: EventBus,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    platform.secrets.create_secret("token", "old-word")
    hook(events, HttpTarget(url=receiver.url, secret_headers={"Authorization": "token"}))
    receiver.answers(401, 204)
    publish(events)
    advance(platform)
    platform.secrets.put_secret_value("token", "new-word")
    advance(platform, 2)
    assert [it.headers["authorization"] for it in receiver.received] == ["old-word", "new-word"]
    assert "old-word" not in repr(events.list_targets("bus", "all"))
    assert "old-word" not in caplog.text


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        ({"Host": "elsewhere"}, {}),
        ({"content-length": "1"}, {}),
        ({"CE-id": "2"}, {}),
        ({}, {"Transfer-Encoding": "token"}),
        ({"A": "1", "a": "2"}, {}),
        ({"Authorization": "1"}, {"authorization": "token"}),
    ],
)
def test_headers_that_are_not_the_callers_are_refused(
    headers: dict[str, str], secrets: dict[str, str], platform: LCPlatform, events: EventBus
) -> None:
    platform.secrets.create_secret("token", "word")
    with pytest.raises(ValidationError, match="headers"):
        hook(events, HttpTarget(url="http://example.com", headers=headers, secret_headers=secrets))


def test_a_secret_that_is_no_text_is_no_header(platform: LCPlatform, events: EventBus) -> None:
    platform.secrets.create_secret("token", {"a": 1})
    with pytest.raises(ValidationError, match="secret_headers"):
        hook(events, HttpTarget(url="http://example.com", secret_headers={"A": "token"}))
    with pytest.raises(ResourceNotFoundError):
        hook(events, HttpTarget(url="http://example.com", secret_headers={"A": "other"}))


# --- answers


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 410])
def test_what_will_not_change_is_not_tried_again(
    platform: LCPlatform, events: EventBus, receiver: Receiver, status: int
) -> None:
    platform.queue.create_queue("letters")
    hook(events, HttpTarget(url=receiver.url), letters="letters")
    receiver.answers(status)
    publish(events)
    advance(platform, 3600)
    assert len(receiver.received) == 1
    [letter] = platform.queue.receive_messages("letters").messages
    assert isinstance(letter.body, Json)
    assert letter.body.value["id"] == "1"
    assert letter.attributes["reason"] == "refused"
    assert str(status) in letter.attributes["error"]


@pytest.mark.parametrize("status", [401, 408, 409, 425, 429, 500, 503])
def test_what_may_pass_is_tried_again(
    platform: LCPlatform, events: EventBus, receiver: Receiver, status: int
) -> None:
    hook(events, HttpTarget(url=receiver.url))
    receiver.answers(status, status, 200)
    publish(events)
    advance(platform, 3600)
    assert len(receiver.received) == 3


def test_a_receiver_says_when_it_wants_to_be_asked_again(
    platform: LCPlatform, events: EventBus, receiver: Receiver
) -> None:
    def answer(_: Received) -> tuple[int, Mapping[str, str]]:
        return (503, {"Retry-After": "100"}) if len(receiver.received) == 1 else (204, {})

    receiver.answer = answer
    hook(events, HttpTarget(url=receiver.url))
    publish(events)
    advance(platform, 99)
    assert len(receiver.received) == 1
    advance(platform, 2)
    assert len(receiver.received) == 2


def test_nobody_listens_and_the_event_becomes_a_dead_letter(
    platform: LCPlatform, events: EventBus
) -> None:
    platform.queue.create_queue("letters")
    with receiving() as gone:
        url = gone.url
    hook(events, HttpTarget(url=url), retry=TargetRetry(max_retries=1), letters="letters")
    publish(events)
    advance(platform, 10)
    [letter] = platform.queue.receive_messages("letters").messages
    assert letter.attributes["attempts"] == "2"
    assert letter.attributes["reason"] == "max_attempts"


def test_a_certificate_is_held_against_those_that_are_trusted(
    clock: ManualClock, tmp_path: Path
) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "trusted.pem"
    authority.cert_pem.write_to_path(str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with receiving(context) as receiver:
        for options, count in (({}, 0), ({"webhook_trust": trusted}, 1)):
            with LCPlatform("mock", clock=clock, event_bus=options) as platform:
                events = bus_of(platform)
                hook(events, HttpTarget(url=receiver.url), retry=TargetRetry(max_retries=0))
                publish(events)
                advance(platform)
                assert len(receiver.received) == count


def test_a_slow_receiver_holds_up_nobody_who_publishes(
    platform: LCPlatform, events: EventBus, receiver: Receiver
) -> None:
    go_on = threading.Event()

    def answer(_: Received) -> tuple[int, Mapping[str, str]]:
        go_on.wait(4)
        return 204, {}

    receiver.answer = answer
    hook(events, HttpTarget(url=receiver.url))
    for _ in range(3):
        publish(events)
    go_on.set()
    advance(platform)
    assert len(receiver.received) == 3

"""Webhooks over real HTTP: asked to confirm, signed, tried again, given up, and never sent what is not for them."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from lcplatform import Json, LCPlatform, verify_webhook
from lcplatform.errors import AuthenticationError, ValidationError
from lcplatform.notification.models import (
    DeliveryProtocol,
    DeliveryStatus,
    Subscription,
    SubscriptionStatus,
    WebhookKind,
    WebhookMessage,
)
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.receiver import Received, Receiver, receiving

HTTP, HTTPS = DeliveryProtocol.HTTP, DeliveryProtocol.HTTPS


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def news(platform: LCPlatform) -> LCPlatform:
    platform.notification.create_topic("news")
    return platform


def settle(platform: LCPlatform, **by: float) -> None:
    platform.control.advance_clock(timedelta(**by))


def read(platform: LCPlatform, request: Received) -> WebhookMessage:
    return platform.notification.verify_webhook(request.headers, request.body).message


def subscribe(
    platform: LCPlatform,
    receiver: Receiver,
    *,
    dead_letter_queue: str | None = None,
    max_retries: int | None = None,
) -> Subscription:
    """Subscribes the receiver, which confirms."""
    platform.notification.subscribe(
        "news",
        protocol=HTTP,
        endpoint=f"{receiver.url}/hook",
        dead_letter_queue=dead_letter_queue,
        max_retries=max_retries,
    )
    settle(platform)
    token = read(platform, receiver.received.pop()).token
    assert token is not None
    return platform.notification.confirm_subscription("news", token).subscription


def status(platform: LCPlatform, message_id: str) -> tuple[DeliveryStatus, str | None]:
    [delivery] = platform.notification.get_delivery_status(message_id).deliveries
    return delivery.status, delivery.reason


# --- confirmation


def test_a_webhook_is_asked_to_confirm_and_gets_nothing_before(
    news: LCPlatform, receiver: Receiver, clock: ManualClock
) -> None:
    url = f"{receiver.url}/hook?a=b"
    made = news.notification.subscribe("news", protocol=HTTP, endpoint=url).subscription
    assert made.status is SubscriptionStatus.PENDING
    news.notification.publish_message("news", "early")
    settle(news)
    [request] = receiver.received
    assert request.path == "/hook?a=b"
    said = read(news, request)
    assert (said.kind, said.topic, said.body) == (WebhookKind.CONFIRMATION, "news", None)
    assert said.subscription_id == made.subscription_id
    assert said.token is not None
    assert said.token not in repr(said)
    news.notification.confirm_subscription("news", said.token)
    message = news.notification.publish_message(
        "news", {"n": 9007199254740993}, subject="One", attributes={"a": "b"}
    ).message_id
    settle(news)
    [_, request] = receiver.received
    assert read(news, request) == WebhookMessage(
        kind=WebhookKind.MESSAGE,
        topic="news",
        subscription_id=made.subscription_id,
        message_id=message,
        published_at=clock.now(),
        body=Json({"n": 9007199254740993}),
        subject="One",
        attributes={"a": "b"},
    )
    assert status(news, message) == (DeliveryStatus.DELIVERED, None)


def test_the_request_for_confirmation_is_tried_again_too(
    news: LCPlatform, receiver: Receiver
) -> None:
    receiver.answers(500, 503, 204)
    subscribe_to = news.notification.subscribe
    subscribe_to("news", protocol=HTTP, endpoint=f"{receiver.url}/hook")
    settle(news, minutes=1)
    assert len(receiver.received) == 3
    tokens = {read(news, it).token for it in receiver.received[2:]}
    [token] = tokens
    assert token is not None
    news.notification.confirm_subscription("news", token)


# --- signatures


def test_whoever_has_the_public_key_can_check_for_itself(
    news: LCPlatform, receiver: Receiver, clock: ManualClock
) -> None:
    subscription = subscribe(news, receiver)
    assert subscription.public_key is not None
    message = news.notification.publish_message("news", "x").message_id
    settle(news)
    [request] = receiver.received
    said = verify_webhook(request.headers, request.body, subscription.public_key, clock=clock)
    assert said.value == json.loads(request.body)
    assert said.value["kind"] == "WEBHOOK_KIND_MESSAGE"  # ProtoJSON
    assert said.value["body"] == {"text": "x"}
    assert request.headers["webhook-id"] == message
    assert request.headers["content-type"] == "application/json"


def test_what_was_forged_changed_or_replayed_is_not_believed(
    news: LCPlatform, receiver: Receiver, clock: ManualClock
) -> None:
    subscribe(news, receiver)
    news.notification.publish_message("news", "x")
    settle(news)
    [request] = receiver.received
    verify = news.notification.verify_webhook
    forged: list[Callable[[], object]] = [
        lambda: verify(request.headers, request.body.replace(b'"x"', b'"y"')),
        lambda: verify({**request.headers, "webhook-id": "another"}, request.body),
        lambda: verify({"content-type": "application/json"}, request.body),
    ]
    for call in forged:
        with pytest.raises(AuthenticationError):
            call()
    with LCPlatform("mock", clock=clock) as another, pytest.raises(AuthenticationError):
        another.notification.verify_webhook(request.headers, request.body)
    clock.advance(timedelta(minutes=5))
    verify(request.headers, request.body)
    clock.advance(1)
    with pytest.raises(AuthenticationError, match="replay"):
        verify(request.headers, request.body)


# --- retries


def test_a_webhook_that_fails_is_tried_again_with_the_same_identity(
    news: LCPlatform, receiver: Receiver
) -> None:
    subscribe(news, receiver)
    receiver.answers(500, 429, 503, 200)
    message = news.notification.publish_message("news", "x").message_id
    settle(news)
    assert status(news, message) == (DeliveryStatus.RETRYING, "HTTP 500")
    settle(news, seconds=30)
    assert status(news, message) == (DeliveryStatus.DELIVERED, None)
    assert len(receiver.received) == 4
    assert {it.headers["webhook-id"] for it in receiver.received} == {message}
    times = [int(it.headers["webhook-timestamp"]) for it in receiver.received]
    assert times == sorted(times)
    assert times[0] < times[-1]
    read(news, receiver.received[-1])


def test_a_receiver_says_when_it_wants_to_be_asked_again(
    news: LCPlatform, receiver: Receiver
) -> None:
    subscribe(news, receiver)
    receiver.answer = lambda _: (503, {"Retry-After": "120"})
    message = news.notification.publish_message("news", "x").message_id
    settle(news, seconds=119)
    assert len(receiver.received) == 1
    receiver.answers(200)
    settle(news, seconds=2)
    assert status(news, message)[0] is DeliveryStatus.DELIVERED


@pytest.mark.parametrize("answer", [400, 403, 404, 410, 301, 307])
def test_a_webhook_that_will_never_take_a_message_is_not_asked_again(
    news: LCPlatform, receiver: Receiver, answer: int
) -> None:
    news.queue.create_queue("letters")
    subscribe(news, receiver, dead_letter_queue="letters")
    receiver.answers(answer)
    message = news.notification.publish_message("news", {"n": 1}, attributes={"a": "b"}).message_id
    settle(news, hours=2)
    assert len(receiver.received) == 1
    became, reason = status(news, message)
    assert became is DeliveryStatus.FAILED
    assert reason is not None
    assert f"{answer}" in reason
    [letter] = news.queue.receive_messages("letters").messages
    assert (letter.body, letter.attributes) == (Json({"n": 1}), {"a": "b"})


@pytest.mark.parametrize(("max_retries", "attempts"), [(0, 1), (2, 3), (None, 11)])
def test_retries_come_to_an_end_and_leave_a_dead_letter(
    news: LCPlatform, receiver: Receiver, max_retries: int | None, attempts: int
) -> None:
    news.queue.create_queue("letters")
    subscription = subscribe(news, receiver, max_retries=max_retries, dead_letter_queue="letters")
    assert subscription.max_retries == max_retries
    receiver.answers(500)
    message = news.notification.publish_message("news", "x").message_id
    settle(news, hours=20)
    assert len(receiver.received) == attempts
    assert status(news, message) == (DeliveryStatus.FAILED, "HTTP 500")
    assert len(news.queue.receive_messages("letters").messages) == 1


def test_a_receiver_that_is_not_there_gets_its_message_when_it_is(
    news: LCPlatform, clock: ManualClock
) -> None:
    with receiving() as first:
        port = int(first.url.rpartition(":")[2])
        subscribe(news, first)
    message = news.notification.publish_message("news", "x").message_id
    settle(news)
    assert status(news, message)[0] is DeliveryStatus.RETRYING
    with receiving(port=port) as again:
        settle(news, minutes=1)
        assert len(again.received) == 1
    assert status(news, message)[0] is DeliveryStatus.DELIVERED


def test_who_unsubscribed_gets_nothing_of_what_was_on_its_way(
    news: LCPlatform, receiver: Receiver
) -> None:
    subscription = subscribe(news, receiver)
    receiver.answers(500)
    message = news.notification.publish_message("news", "x").message_id
    settle(news)
    news.notification.unsubscribe(subscription.subscription_id)
    settle(news, hours=20)
    assert len(receiver.received) == 1
    assert status(news, message) == (DeliveryStatus.FAILED, "the subscription has ended")


def test_one_webhook_that_is_down_holds_up_no_other(news: LCPlatform, receiver: Receiver) -> None:
    subscribe(news, receiver)
    with receiving() as down:
        subscribe(news, down)
        down.answers(500)
        for _ in range(5):
            news.notification.publish_message("news", "x")
        settle(news)
        assert len(receiver.received) == 5


# --- URLs and certificates


@pytest.mark.parametrize(
    "url",
    [
        "http://user:canary@127.0.0.1/hook",
        "ftp://127.0.0.1/hook",
        "//127.0.0.1/hook",
        "http:///hook",
        "http://127.0.0.1:0/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX-Own: 1",
        "https://127.0.0.1/hook",
    ],
)
def test_what_is_no_url_of_the_protocol_is_refused(news: LCPlatform, url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        news.notification.subscribe("news", protocol=HTTP, endpoint=url)
    assert caught.value.violations[0].field == "endpoint"
    assert "canary" not in str(caught.value)


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    for trust, came in ((None, 0), (trusted, 1)):
        settings = {"webhook_trust": trust}
        with (
            receiving(context) as receiver,
            LCPlatform("mock", clock=ManualClock(), notification=settings) as platform,
        ):
            platform.notification.create_topic("news")
            platform.notification.subscribe("news", protocol=HTTPS, endpoint=receiver.url)
            settle(platform)
            assert len(receiver.received) == came


# --- real time


def test_a_message_reaches_a_webhook_within_a_second() -> None:
    with LCPlatform("mock") as platform, receiving() as receiver:
        platform.notification.create_topic("news")
        subscribe(platform, receiver)
        began = time.monotonic()
        platform.notification.publish_message("news", "x")
        while not receiver.received:
            assert time.monotonic() < began + 1
            time.sleep(0.001)

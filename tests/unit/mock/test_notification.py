"""What notifications do besides the contract: who is asked to confirm, what people are sent, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from lcplatform import Json, LCPlatform
from lcplatform.errors import (
    LCPlatformError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.notification.client import Notification
from lcplatform.notification.models import (
    Attachment,
    DeliveryProtocol,
    DeliveryStatus,
    DevicePlatform,
    PublishMessagesEntry,
    SubscriptionStatus,
)
from lcplatform.testing.models import OutboxKind, OutboxMessage
from lcplatform.type.models import ErrorCode
from lcplatform_mock import outbox
from lcplatform_mock.publishing import LIMITS
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.race import race

EMAIL, SMS, QUEUE, PUSH = (
    DeliveryProtocol.EMAIL,
    DeliveryProtocol.SMS,
    DeliveryProtocol.QUEUE,
    DeliveryProtocol.PUSH,
)


@pytest.fixture
def notification(platform: LCPlatform) -> Notification:
    return platform.notification


def advance(platform: LCPlatform, **by: float) -> None:
    platform.control.advance_clock(timedelta(**by))


def sent(platform: LCPlatform, recipient: str | None = None) -> list[OutboxMessage]:
    """What is in the outbox, the newest first."""
    return list(platform.control.iter_outbox(recipient=recipient))


def token_for(platform: LCPlatform, recipient: str) -> str:
    token = sent(platform, recipient)[0].token
    assert token is not None
    return token


def statuses(platform: LCPlatform, message_id: str) -> dict[str, tuple[DeliveryStatus, str | None]]:
    deliveries = platform.notification.get_delivery_status(message_id).deliveries
    return {it.recipient: (it.status, it.reason) for it in deliveries}


def bodies(platform: LCPlatform, queue: str) -> list[object]:
    """All that can be received from a queue, which is deleted."""
    found: list[object] = []
    while messages := platform.queue.receive_messages(queue, max_messages=10).messages:
        for it in messages:
            found.append(it.body)
            platform.queue.delete_message(queue, it.receipt_handle)
    return found


# --- subscribers who are people


@pytest.mark.parametrize(
    ("protocol", "endpoint"), [(EMAIL, "kim@example.com"), (SMS, "+12025550100")]
)
def test_people_get_nothing_before_they_confirm(
    platform: LCPlatform, protocol: DeliveryProtocol, endpoint: str
) -> None:
    notification = platform.notification
    notification.create_topic("news")
    there = notification.subscribe("news", protocol=protocol, endpoint=endpoint).subscription
    assert (there.status, there.public_key) == (SubscriptionStatus.PENDING, None)
    early = notification.publish_message("news", "early").message_id
    [invitation] = sent(platform)
    token = token_for(platform, endpoint)
    assert token in (invitation.text or "")
    assert (invitation.topic, invitation.to) == ("news", (endpoint,))
    assert token not in repr(invitation)
    assert statuses(platform, early) == {}

    confirmed = notification.confirm_subscription("news", token).subscription
    assert confirmed.status is SubscriptionStatus.CONFIRMED
    assert notification.confirm_subscription("news", token).subscription == confirmed  # idempotent
    late = notification.publish_message("news", {"n": 1}, subject="One").message_id
    [message, _] = sent(platform)
    assert (message.message_id, message.text, message.token) == (late, '{"n":1}', None)
    assert message.subject == ("One" if protocol is EMAIL else None)
    assert statuses(platform, late) == {endpoint: (DeliveryStatus.DELIVERED, None)}


def test_subscribing_again_sends_the_invitation_again(platform: LCPlatform) -> None:
    notification = platform.notification
    notification.create_topic("news")
    first = notification.subscribe("news", protocol=EMAIL, endpoint="kim@example.com")
    assert notification.subscribe("news", protocol=EMAIL, endpoint="kim@example.com") == first
    tokens = {it.token for it in sent(platform)}
    assert len(sent(platform)) == 2
    for token in tokens:
        assert token is not None
        notification.confirm_subscription("news", token)


def test_a_token_is_good_for_its_topic_and_for_three_days(
    platform: LCPlatform, clock: ManualClock
) -> None:
    notification = platform.notification
    for topic in ("news", "other"):
        notification.create_topic(topic)
    notification.subscribe("news", protocol=EMAIL, endpoint="kim@example.com")
    token = token_for(platform, "kim@example.com")
    for topic, wrong in (("other", token), ("news", token[:-1]), ("news", token.swapcase())):
        with pytest.raises(ValidationError) as caught:
            notification.confirm_subscription(topic, wrong)
        assert wrong not in str(caught.value)
    clock.advance(timedelta(days=3))
    with pytest.raises(ValidationError):
        notification.confirm_subscription("news", token)
    assert notification.list_subscriptions().subscriptions == ()


def test_who_unsubscribed_gets_nothing_any_more(platform: LCPlatform) -> None:
    notification = platform.notification
    notification.create_topic("news")
    it = notification.subscribe("news", protocol=EMAIL, endpoint="deferred@simulator.test")
    advance(platform, seconds=5)  # the invitation too is taken in the end
    notification.confirm_subscription("news", token_for(platform, "deferred@simulator.test"))
    message = notification.publish_message("news", "x").message_id
    assert statuses(platform, message)["deferred@simulator.test"][0] is DeliveryStatus.RETRYING
    notification.unsubscribe(it.subscription.subscription_id)
    advance(platform, days=1)
    status, reason = statuses(platform, message)["deferred@simulator.test"]
    assert (status, reason) == (DeliveryStatus.FAILED, "the subscription has ended")
    assert statuses(platform, notification.publish_message("news", "y").message_id) == {}


def test_a_subscriber_who_cannot_be_reached_leaves_a_dead_letter(platform: LCPlatform) -> None:
    notification = platform.notification
    notification.create_topic("news")
    platform.queue.create_queue("letters")
    notification.subscribe(
        "news", protocol=EMAIL, endpoint="bounce@simulator.test", dead_letter_queue="letters"
    )
    notification.confirm_subscription("news", token_for(platform, "bounce@simulator.test"))
    message = notification.publish_message("news", {"n": 1}, attributes={"a": "b"}).message_id
    assert statuses(platform, message)["bounce@simulator.test"][0] is DeliveryStatus.FAILED
    [letter] = platform.queue.receive_messages("letters").messages
    assert (letter.body, letter.attributes) == (Json({"n": 1}), {"a": "b"})


def test_a_dead_letter_gets_to_its_queue_when_that_is_available(platform: LCPlatform) -> None:
    notification = platform.notification
    notification.create_topic("news")
    platform.queue.create_queue("letters")
    notification.subscribe(
        "news", protocol=EMAIL, endpoint="bounce@simulator.test", dead_letter_queue="letters"
    )
    notification.confirm_subscription("news", token_for(platform, "bounce@simulator.test"))
    platform.control.inject_fault(
        "queue", "send_message", error=ErrorCode.SERVICE_UNAVAILABLE, times=2
    )
    notification.publish_message("news", "x")
    assert bodies(platform, "letters") == []
    advance(platform, minutes=1)
    assert bodies(platform, "letters") == ["x"]


def test_a_topic_has_no_more_subscriptions_than_are_allowed(
    platform: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lcplatform_mock.notification.LIMITS", replace(LIMITS, max_subscriptions=1))
    notification = platform.notification
    notification.create_topic("news")
    notification.subscribe("news", protocol=SMS, endpoint="+12025550100")
    with pytest.raises(QuotaExceededError) as caught:
        notification.subscribe("news", protocol=SMS, endpoint="+12025550104")
    assert not caught.value.retryable
    notification.subscribe("news", protocol=SMS, endpoint="+12025550100")


def test_a_filter_policy_has_no_objects_in_it(platform: LCPlatform) -> None:
    platform.notification.create_topic("news")
    with pytest.raises(ValidationError) as caught:
        platform.notification.subscribe(
            "news",
            protocol=SMS,
            endpoint="+12025550100",
            filter_policy={"order": {"kind": ["paid"]}},
        )
    assert caught.value.violations[0].field == "filter_policy"


def test_a_dead_letter_that_is_lost_is_not_lost_in_silence(
    platform: LCPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    for queue in ("inbox", "letters"):
        platform.queue.create_queue(queue)
    platform.notification.create_topic("news")
    platform.notification.subscribe(
        "news", protocol=QUEUE, endpoint="inbox", dead_letter_queue="letters"
    )
    for queue in ("inbox", "letters"):
        platform.queue.delete_queue(queue)
    message = platform.notification.publish_message("news", "canary").message_id
    assert [it.message for it in caplog.records if message in it.message] != []
    assert "canary" not in caplog.text


# --- simulated recipients


@pytest.mark.parametrize(
    ("mailbox", "status", "reason"),
    [
        ("success", DeliveryStatus.DELIVERED, None),
        ("anybody", DeliveryStatus.DELIVERED, None),
        ("bounce", DeliveryStatus.FAILED, "550 5.1.1 there is no such mailbox"),
        ("bounce+7", DeliveryStatus.FAILED, "550 5.1.1 there is no such mailbox"),
        ("suppressed", DeliveryStatus.FAILED, "nothing is sent to this address any more"),
        ("complaint", DeliveryStatus.DELIVERED, "the recipient complained"),
    ],
)
def test_simulated_mailboxes_have_their_fates(
    platform: LCPlatform, mailbox: str, status: DeliveryStatus, reason: str | None
) -> None:
    address = f"{mailbox}@Simulator.test"
    message = platform.notification.send_email(
        to=["kim@example.com"], cc=[address], subject="s", text="t"
    ).message_id
    assert statuses(platform, message) == {
        "kim@example.com": (DeliveryStatus.DELIVERED, None),
        address: (status, reason),
    }


def test_what_is_deferred_is_tried_again(platform: LCPlatform, clock: ManualClock) -> None:
    notification = platform.notification
    device = notification.register_device(
        "simulator-deferred", platform=DevicePlatform.WEB, application="app"
    ).device_id
    messages = {
        "deferred@simulator.test": notification.send_email(
            to=["deferred@simulator.test"], subject="s", text="t"
        ).message_id,
        "+12025550103": notification.send_sms("+12025550103", "t").message_id,
        device: notification.send_push(device, body="t").message_id,
    }
    for recipient, message in messages.items():
        assert statuses(platform, message)[recipient][0] is DeliveryStatus.RETRYING
    advance(platform, seconds=2)
    for recipient, message in messages.items():
        assert statuses(platform, message) == {recipient: (DeliveryStatus.DELIVERED, None)}


def test_numbers_that_fail_say_why_and_those_that_opted_out_are_refused(
    platform: LCPlatform,
) -> None:
    message = platform.notification.send_sms("+12025550101", "t").message_id
    assert statuses(platform, message) == {
        "+12025550101": (DeliveryStatus.FAILED, "the telephone cannot be reached")
    }
    with pytest.raises(PreconditionFailedError):
        platform.notification.send_sms("+12025550102", "t")
    assert sent(platform, "+12025550102") == []


def test_a_device_whose_token_is_no_longer_good_is_disabled_until_it_is_registered_anew(
    platform: LCPlatform,
) -> None:
    notification = platform.notification

    def register() -> str:
        return notification.register_device(
            "simulator-unregistered", platform=DevicePlatform.IOS, application="app"
        ).device_id

    device = register()
    message = notification.send_push(device, title="t").message_id
    assert statuses(platform, message)[device][0] is DeliveryStatus.FAILED
    with pytest.raises(PreconditionFailedError):
        notification.send_push(device, title="t")
    assert register() == device
    notification.send_push(device, title="t")


def test_a_device_gets_what_its_topics_are_sent_until_its_token_is_no_longer_good(
    platform: LCPlatform,
) -> None:
    notification = platform.notification
    notification.create_topic("news")
    platform.queue.create_queue("letters")
    good, gone = (
        notification.register_device(
            token, platform=DevicePlatform.ANDROID, application="app"
        ).device_id
        for token in ("t", "simulator-unregistered")
    )
    for device in (good, gone):
        notification.subscribe("news", protocol=PUSH, endpoint=device, dead_letter_queue="letters")
    for reason in (
        "the token of the device is no longer good",
        "the token of the device is no longer good: register it anew",
    ):
        message = notification.publish_message("news", {"n": 1}, subject="Hello").message_id
        assert statuses(platform, message) == {
            good: (DeliveryStatus.DELIVERED, None),
            gone: (DeliveryStatus.FAILED, reason),
        }
        [push] = sent(platform, good)[:1]
        assert (push.message_id, push.topic) == (message, "news")
        assert (push.subject, push.text) == ("Hello", '{"n":1}')
    assert bodies(platform, "letters") == [Json({"n": 1}), Json({"n": 1})]
    assert len(sent(platform, gone)) == 1  # what was tried, before it was known


# --- the outbox


def test_the_outbox_shows_what_was_sent(platform: LCPlatform, clock: ManualClock) -> None:
    notification = platform.notification
    device = notification.register_device(
        "t", platform=DevicePlatform.ANDROID, application="app"
    ).device_id
    mail = notification.send_email(
        to=["kim@example.com"],
        bcc=["max@example.com"],
        subject="Grüße",
        text="Hallo",
        html="<p>Hallo</p>",
        reply_to=["office@example.com"],
        attachments=[Attachment(filename="a.txt", data=b"\x00\xff")],
    ).message_id
    clock.advance(1)
    sms = notification.send_sms("+12025550100", "Hi", sender_id="ACME").message_id
    push = notification.send_push(device, title="T", body="B", data={"k": "v"}).message_id

    assert [it.message_id for it in sent(platform)] == [push, sms, mail]
    [shown] = platform.control.list_outbox(kind=OutboxKind.EMAIL).messages
    assert (shown.to, shown.bcc, shown.sender) == (
        ("kim@example.com",),
        ("max@example.com",),
        "no-reply@example.com",
    )
    assert (shown.subject, shown.text, shown.html) == ("Grüße", "Hallo", "<p>Hallo</p>")
    [file] = shown.attachments
    assert (file.filename, file.content_type, file.size, file.data) == (
        "a.txt",
        "application/octet-stream",
        2,
        b"\x00\xff",
    )
    [text] = platform.control.list_outbox(kind=OutboxKind.SMS).messages
    assert (text.to, text.text, text.sender) == (("+12025550100",), "Hi", "ACME")
    [pushed] = platform.control.list_outbox(recipient=device).messages
    assert (pushed.subject, pushed.text, pushed.data) == ("T", "B", {"k": "v"})
    assert [it.message_id for it in sent(platform, "max@example.com")] == [mail]


def test_the_outbox_is_read_page_by_page_while_more_is_sent(platform: LCPlatform) -> None:
    send = platform.notification.send_sms
    for number in range(5):
        send("+12025550100", f"{number}")
    first = platform.control.list_outbox(page_size=2)
    send("+12025550100", "new")
    rest = platform.control.list_outbox(page_size=3, page_token=first.next_page_token)
    texts = [it.text for it in (*first.messages, *rest.messages)]
    assert texts == ["4", "3", "2", "1", "0"]
    assert rest.next_page_token == ""


def test_the_outbox_forgets_the_oldest(
    platform: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MESSAGES", 3)
    monkeypatch.setattr(outbox, "BYTES", 25)
    for number in range(4):
        platform.notification.send_email(
            to=["kim@example.com"],
            subject=f"{number}",
            text="t",
            attachments=[Attachment(filename="f", data=bytes(10))],
        )
    kept = sent(platform)
    assert [it.subject for it in kept] == ["3", "2", "1"]
    assert [it.attachments[0].data for it in kept] == [bytes(10), bytes(10), None]
    assert [it.attachments[0].size for it in kept] == [10, 10, 10]


# --- e-mail that is refused


def test_an_email_for_too_many_or_of_too_much_is_refused(notification: Notification) -> None:
    many = [f"{number}@example.com" for number in range(51)]
    refused: list[tuple[str, Callable[[], object]]] = [
        ("to", lambda: notification.send_email(to=many, subject="s", text="t")),
        (
            "to",
            lambda: notification.send_email(to=many[:26], bcc=many[26:], subject="s", text="t"),
        ),
        (
            "attachments",
            lambda: notification.send_email(
                to=many[:1],
                subject="s",
                text="t",
                attachments=[Attachment(filename="f", data=bytes(8 * 1024**2))],
            ),
        ),
        (
            "attachments",
            lambda: notification.send_email(
                to=many[:1],
                subject="s",
                text="t",
                attachments=[Attachment(filename="f", content_type="Multipart/mixed", data=b"--x")],
            ),
        ),
    ]
    for field, call in refused:
        with pytest.raises(ValidationError) as caught:
            call()
        assert caught.value.violations[0].field == field
    notification.send_email(to=many[:50], cc=many[:50], subject="s", text="t")


@pytest.mark.parametrize("content_type", ["Multipart/mixed", "message/rfc822"])
def test_what_is_no_file_is_not_attached(notification: Notification, content_type: str) -> None:
    file = Attachment(filename="f", content_type=content_type, data=b"--x")
    with pytest.raises(ValidationError) as caught:
        notification.send_email(to=["kim@example.com"], subject="s", text="t", attachments=[file])
    assert caught.value.violations[0].field == "attachments"


def test_senders_can_be_limited_to_those_that_are_verified() -> None:
    settings = {"sender": "us@example.com", "senders": ["kim@example.com"]}
    with LCPlatform("mock", notification=settings) as platform:
        send = platform.notification.send_email
        for good in (None, "us@example.com", "kim@example.com"):
            send(to=["a@example.com"], sender=good, subject="s", text="t")
        with pytest.raises(PreconditionFailedError):
            send(to=["a@example.com"], sender="lee@example.com", subject="s", text="t")


@pytest.mark.parametrize(
    ("option", "wrong"),
    [
        ("notification.smtp.address", {"smtp": {"address": "mail.example.com"}}),
        ("notification.smtp", {"smtp": {"address": "127.0.0.1:25", "user": "u"}}),
        (
            "notification.smtp",
            {"smtp": {"address": "mail.example.com:25", "user": "u", "password": "canary"}},
        ),
        (
            "notification.smtp",
            {"smtp": {"address": "127.0.0.1.example.com:25", "user": "u", "password": "canary"}},
        ),
        ("notification.smtp", {"smtp": {"address": "127.0.0.1:0"}}),
        ("notification.smtp", {"smtp": {"address": "127.0.0.1:65536"}}),
        ("notification.smtp.trust", {"smtp": {"address": "127.0.0.1:25", "trust": "/none"}}),
        ("notification.webhook_trust", {"webhook_trust": "/none"}),
        ("notification.sender", {"sender": "nobody"}),
        ("notification.webhook_retries", {"webhook_retries": -1}),
        ("notification.unknown", {"unknown": 1}),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(option: str, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught, LCPlatform("mock", notification=wrong) as made:
        made.describe()
    assert [it.field for it in caught.value.violations] == [option]
    assert "canary" not in str(caught.value)


# --- batches


def test_each_entry_of_a_batch_is_held_against_the_limits(notification: Notification) -> None:
    notification.create_topic("news")
    many = {f"a{number}": "x" for number in range(10)}
    answer = notification.publish_messages(
        "news",
        [
            PublishMessagesEntry(body="fits"),
            PublishMessagesEntry(body="too many attributes", attributes=many),
            PublishMessagesEntry(body="fits too"),
        ],
    )
    assert [it.index for it in answer.successful] == [0, 2]
    assert [(it.index, it.code) for it in answer.failed] == [(1, ErrorCode.VALIDATION)]
    half = PublishMessagesEntry(body="x" * 131_073)
    with pytest.raises(ValidationError):
        notification.publish_messages("news", [half, half])


def test_a_message_is_measured_with_its_attributes(notification: Notification) -> None:
    notification.create_topic("news")
    notification.publish_message("news", "ü" * 131_070, attributes={"ab": "cd"})
    with pytest.raises(ValidationError):
        notification.publish_message("news", "ü" * 131_071, attributes={"ab": "cd"})


# --- how long things are known


@pytest.mark.parametrize(
    "send",
    [
        lambda it: it.publish_message("news", "x"),
        lambda it: it.send_sms("+12025550100", "x"),
        lambda it: it.send_email(to=["kim@example.com"], subject="s", text="x"),
    ],
)
def test_what_became_of_a_message_is_known_for_a_day(
    platform: LCPlatform, clock: ManualClock, send: Callable[[Notification], Any]
) -> None:
    notification = platform.notification
    notification.create_topic("news")
    old = send(notification).message_id
    clock.advance(timedelta(days=1))
    send(notification)
    notification.get_delivery_status(old)
    clock.advance(1)
    send(notification)
    with pytest.raises(ResourceNotFoundError):
        notification.get_delivery_status(old)


# --- queues that fail for a while


def test_a_queue_that_is_unavailable_gets_its_message_later(platform: LCPlatform) -> None:
    notification = platform.notification
    notification.create_topic("news")
    platform.queue.create_queue("inbox")
    notification.subscribe("news", protocol=QUEUE, endpoint="inbox")
    platform.control.inject_fault(
        "queue", "send_message", error=ErrorCode.SERVICE_UNAVAILABLE, times=3
    )
    message = notification.publish_message("news", "x").message_id
    assert statuses(platform, message)["inbox"][0] is DeliveryStatus.RETRYING
    assert bodies(platform, "inbox") == []
    advance(platform, minutes=1)
    assert statuses(platform, message) == {"inbox": (DeliveryStatus.DELIVERED, None)}
    assert bodies(platform, "inbox") == ["x"]


def test_messages_of_a_group_wait_for_the_one_that_has_not_arrived(platform: LCPlatform) -> None:
    notification = platform.notification
    notification.create_topic("ledger", fifo=True)
    platform.queue.create_queue("inbox", fifo=True)
    notification.subscribe("ledger", protocol=QUEUE, endpoint="inbox")
    platform.control.inject_fault(
        "queue", "send_message", error=ErrorCode.SERVICE_UNAVAILABLE, times=2
    )
    for number in range(4):
        notification.publish_message("ledger", f"a{number}", group_id="a")
    platform.control.clear_faults()
    platform.control.inject_fault("queue", "send_message", error=ErrorCode.QUOTA_EXCEEDED)
    last = notification.publish_message("ledger", "a4", group_id="a").message_id
    notification.publish_message("ledger", "b0", group_id="b")
    assert statuses(platform, last)["inbox"][0] is DeliveryStatus.ACCEPTED
    advance(platform, minutes=5)
    found = bodies(platform, "inbox")
    assert [it for it in found if str(it).startswith("a")] == ["a0", "a1", "a2", "a3", "a4"]
    assert "b0" in found


def test_a_group_keeps_its_order_however_many_publish() -> None:
    """Each group has one order, the same for every queue, and each thread finds its own messages in theirs."""
    with LCPlatform("mock") as platform:
        notification = platform.notification
        notification.create_topic("ledger", fifo=True)
        for queue in ("one", "two"):
            platform.queue.create_queue(queue, fifo=True)
            notification.subscribe("ledger", protocol=QUEUE, endpoint=queue)
        platform.control.inject_fault(
            "queue", "send_message", latency=timedelta(microseconds=200), times=800
        )

        def publish(number: int) -> list[str]:
            for step in range(25):
                for group in (f"own-{number}", "all"):
                    notification.publish_message(
                        "ledger", f"{group} {number} {step}", group_id=group
                    )
            return []

        assert race(publish) == [[]] * 8
        everything = {}
        for queue in ("one", "two"):
            found = [str(it) for it in bodies(platform, queue)]
            assert len(found) == 400
            for number in range(8):
                own = [it for it in found if it.startswith(f"own-{number} ")]
                assert own == [f"own-{number} {number} {step}" for step in range(25)]
            everything[queue] = [it for it in found if it.startswith("all")]
        assert everything["one"] == everything["two"]


def test_a_duplicate_is_the_message_that_it_repeats_and_reaches_nobody(
    platform: LCPlatform,
) -> None:
    notification = platform.notification
    notification.create_topic("ledger", fifo=True)
    for queue in ("one", "late"):
        platform.queue.create_queue(queue, fifo=True)
    notification.subscribe("ledger", protocol=QUEUE, endpoint="one")
    first = notification.publish_message("ledger", "x", group_id="a")
    notification.subscribe("ledger", protocol=QUEUE, endpoint="late")
    assert notification.publish_message("ledger", "x", group_id="a") == first
    assert notification.publish_message("ledger", {"x": 1}, group_id="a") != first
    assert bodies(platform, "late") == [Json({"x": 1})]


@pytest.fixture
def hard() -> Iterator[LCPlatform]:
    clock = ManualClock(self_advancing=True)
    with LCPlatform(
        "mock",
        clock=clock,
        seed=11,
        adversarial={"duplicates": 0, "errors": 0.3, "lost_answers": 0.2},
    ) as made:
        yield made


def insist(call: Callable[[], object]) -> None:
    for _ in range(100):
        try:
            call()
        except LCPlatformError as error:
            if not error.retryable:
                return
        else:
            return
    raise AssertionError("it never succeeded")


def test_in_adversity_nothing_is_lost_and_groups_keep_their_order(hard: LCPlatform) -> None:
    insist(lambda: hard.notification.create_topic("ledger", fifo=True))
    insist(lambda: hard.queue.create_queue("inbox", fifo=True))
    insist(lambda: hard.notification.subscribe("ledger", protocol=QUEUE, endpoint="inbox"))
    for number in range(60):
        publish = partial(
            hard.notification.publish_message,
            "ledger",
            f"{number}",
            group_id=f"{number % 3}",
            deduplication_id=f"{number}",
        )
        insist(publish)
    hard.control.advance_clock(timedelta(minutes=4))
    found: list[int] = []

    def receive() -> None:
        while messages := hard.queue.receive_messages("inbox", max_messages=10).messages:
            for it in messages:
                if int(str(it.body)) not in found:
                    found.append(int(str(it.body)))
                insist(lambda: hard.queue.delete_message("inbox", it.receipt_handle))  # noqa: B023

    for _ in range(20):
        insist(receive)
        hard.control.advance_clock(timedelta(minutes=1))
    assert sorted(found) == list(range(60))
    for group in range(3):
        own = [it for it in found if it % 3 == group]
        assert own == sorted(own)

"""What ministack really delivers: to webhooks and to mailboxes. What arrives there is what SNS and SES send."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

from lcplatform import LCPlatform
from lcplatform.notification.models import DeliveryProtocol, SubscriptionStatus
from lcplatform_runtime.errors import AuthenticationError
from tests.conformance import accounts
from tests.emulators import start_ministack
from tests.unit.aws.stub import Answer, Asked, Stub
from tests.unit.mock.mailbox import Mailbox, receiving_mail


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with receiving_mail() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def delivering(mailbox: Mailbox) -> Iterator[LCPlatform]:
    with start_ministack({"SMTP_HOST": mailbox.address}) as emulator:
        accounts.notification(emulator.url)
        with LCPlatform(
            "aws",
            endpoint_url=emulator.url,
            region="us-east-1",
            access_key_id="testing",
            secret_access_key="testing",
            notification={"sender": "platform@example.com"},
        ) as platform:
            yield platform


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end, "it did not arrive"
        time.sleep(0.02)


def test_a_webhook_is_asked_confirms_and_gets_messages(delivering: LCPlatform, stub: Stub) -> None:
    stub.otherwise = lambda asked: Answer(200)
    notification = delivering.notification
    notification.create_topic("news")
    url = f"{stub.url}/hook"

    def subscribe() -> SubscriptionStatus:
        made = notification.subscribe("news", protocol=DeliveryProtocol.HTTP, endpoint=url)
        return made.subscription.status

    def posts() -> list[Asked]:
        return [it for it in list(stub.asked) if it.path == "/hook"]

    assert subscribe() is SubscriptionStatus.PENDING
    notification.publish_message("news", "too early")
    _until(lambda: len(posts()) == 1)
    token = json.loads(posts()[0].body)["Token"]
    confirmed = notification.confirm_subscription("news", token).subscription
    assert (confirmed.endpoint, confirmed.status) == (url, SubscriptionStatus.CONFIRMED)
    assert subscribe() is SubscriptionStatus.CONFIRMED
    message = notification.publish_message("news", "hello", subject="Hi").message_id
    _until(lambda: len(posts()) == 2)
    said = json.loads(posts()[1].body)
    assert (said["Message"], said["Subject"], said["MessageId"]) == ("hello", "Hi", message)
    # The emulator's signature is none.
    with pytest.raises(AuthenticationError):
        notification.verify_webhook(dict(posts()[1].headers), posts()[1].body)
    notification.unsubscribe(confirmed.subscription_id)
    assert notification.list_subscriptions(topic="news").subscriptions == ()


def test_an_e_mail_arrives_once_at_each(delivering: LCPlatform, mailbox: Mailbox) -> None:
    delivering.notification.send_email(
        to=["kim@example.com"],
        cc=["lee@example.com", "kim@example.com"],
        bcc=["max@example.com"],
        subject="Grüße",
        text="Hello",
        html="<p>Hello</p>",
    )
    _until(lambda: len(mailbox.taken) == 1)
    [taken] = mailbox.taken
    assert taken.sender == "platform@example.com"
    assert taken.recipients == ["kim@example.com", "lee@example.com", "max@example.com"]
    assert taken.message["Subject"] == "Grüße"
    assert "max@example.com" not in taken.raw.decode()


def test_a_filter_policy_may_ask_for_what_is_absent_of_a_message_without_attributes(
    delivering: LCPlatform,
) -> None:
    """SNS lets nothing through such a policy that has no attributes at all, so ours have one."""
    from lcplatform import Json

    delivering.notification.create_topic("plain")
    delivering.queue.create_queue("plain")
    delivering.notification.subscribe(
        "plain",
        protocol=DeliveryProtocol.QUEUE,
        endpoint="plain",
        filter_policy=Json({"test": [{"exists": False}]}),
    )
    delivering.notification.publish_message("plain", "wanted")
    [message] = delivering.queue.receive_messages("plain").messages
    assert (message.body, message.attributes) == ("wanted", {})

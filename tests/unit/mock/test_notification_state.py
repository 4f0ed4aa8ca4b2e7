"""Notifications across restarts, crashes and snapshots: what was on its way goes on, and nothing arrives that should not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lcplatform import Json, LCPlatform
from lcplatform.errors import ResourceNotFoundError
from lcplatform.notification.models import (
    Attachment,
    DeliveryProtocol,
    DeliveryStatus,
    DevicePlatform,
    SubscriptionStatus,
)
from lcplatform.testing.models import OutboxKind
from lcplatform.type.models import ErrorCode
from lcplatform_mock.couriers import Couriers
from lcplatform_mock.retrying import Failure
from lcplatform_mock.topics import Pending
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.mailbox import receiving_mail
from tests.unit.mock.receiver import Receiver, receiving

HTTP, EMAIL, QUEUE = DeliveryProtocol.HTTP, DeliveryProtocol.EMAIL, DeliveryProtocol.QUEUE


class Home:
    """A platform that is closed and opened again, with a clock that goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()

    @contextmanager
    def life(self, **options: Any) -> Iterator[LCPlatform]:  # whatever the mock takes
        with LCPlatform("mock", state=self.folder, clock=self.clock, **options) as platform:
            yield platform


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "state")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def settle(platform: LCPlatform, **by: float) -> None:
    platform.control.advance_clock(timedelta(**by))


def statuses(platform: LCPlatform, message_id: str) -> dict[str, tuple[DeliveryStatus, str | None]]:
    deliveries = platform.notification.get_delivery_status(message_id).deliveries
    return {it.recipient: (it.status, it.reason) for it in deliveries}


def subscribe(platform: LCPlatform, receiver: Receiver) -> str:
    """Subscribes the receiver, which confirms. Answers the key of the platform."""
    platform.notification.subscribe("news", protocol=HTTP, endpoint=receiver.url)
    settle(platform)
    request = receiver.received.pop()
    token = platform.notification.verify_webhook(request.headers, request.body).message.token
    assert token is not None
    key = platform.notification.confirm_subscription("news", token).subscription.public_key
    assert key is not None
    return key


# --- restarts


def test_everything_is_there_after_a_restart(home: Home) -> None:
    with home.life() as platform:
        notification = platform.notification
        notification.create_topic("news")
        notification.create_topic("ledger", fifo=True)
        platform.queue.create_queue("inbox")
        platform.queue.create_queue("letters")
        notification.subscribe(
            "news",
            protocol=QUEUE,
            endpoint="inbox",
            filter_policy={"kind": ["paid"]},
            dead_letter_queue="letters",
        )
        notification.subscribe("news", protocol=EMAIL, endpoint="kim@example.com")
        token = platform.control.list_outbox().messages[0].token
        device = notification.register_device(
            "t", platform=DevicePlatform.IOS, application="app"
        ).device_id
        message = notification.publish_message(
            "news", {"n": 1}, attributes={"kind": "paid"}
        ).message_id
        notification.send_email(
            to=["kim@example.com"],
            subject="s",
            text="t",
            attachments=[Attachment(filename="f", data=b"\x00\xff")],
        )
        before = (
            notification.list_topics(),
            notification.list_subscriptions(),
            notification.get_delivery_status(message),
            platform.control.list_outbox(),
        )
    with home.life() as platform:
        notification = platform.notification
        assert before == (
            notification.list_topics(),
            notification.list_subscriptions(),
            notification.get_delivery_status(message),
            platform.control.list_outbox(),
        )
        assert token is not None
        confirmed = notification.confirm_subscription("news", token).subscription
        assert confirmed.status is SubscriptionStatus.CONFIRMED
        notification.send_push(device, body="b")
        for kind in ("paid", "lost"):
            notification.publish_message("news", kind, attributes={"kind": kind})
        found = platform.queue.receive_messages("inbox", max_messages=10).messages
        assert [it.body for it in found] == [Json({"n": 1}), "paid"]


def test_what_was_deleted_stays_deleted(home: Home) -> None:
    with home.life() as platform:
        notification = platform.notification
        for topic in ("news", "old"):
            notification.create_topic(topic)
            platform.queue.create_queue(topic)
        kept = notification.subscribe("news", protocol=QUEUE, endpoint="news").subscription
        gone = notification.subscribe("news", protocol=QUEUE, endpoint="old").subscription
        notification.subscribe("old", protocol=QUEUE, endpoint="old")
        notification.unsubscribe(gone.subscription_id)
        notification.delete_topic("old")
        device = notification.register_device(
            "t", platform=DevicePlatform.IOS, application="app"
        ).device_id
        notification.unregister_device(device)
        forgotten = notification.publish_message("news", "x").message_id
        home.clock.advance(timedelta(days=1, seconds=1))
        notification.publish_message("news", "y")
    with home.life() as platform:
        notification = platform.notification
        assert [it.name for it in notification.list_topics().topics] == ["news"]
        assert notification.list_subscriptions().subscriptions == (kept,)
        with pytest.raises(ResourceNotFoundError):
            notification.send_push(device, body="b")
        with pytest.raises(ResourceNotFoundError):
            notification.get_delivery_status(forgotten)


def test_a_fifo_topic_knows_its_duplicates_after_a_restart(home: Home) -> None:
    with home.life() as platform:
        platform.notification.create_topic("ledger", fifo=True)
        platform.queue.create_queue("inbox", fifo=True)
        platform.notification.subscribe("ledger", protocol=QUEUE, endpoint="inbox")
        first = platform.notification.publish_message("ledger", "x", group_id="a").message_id
        home.clock.advance(299)
    with home.life() as platform:
        publish = platform.notification.publish_message
        assert publish("ledger", "x", group_id="a").message_id == first
        home.clock.advance(1)
        assert publish("ledger", "x", group_id="a").message_id != first


def test_a_webhook_gets_after_a_restart_what_was_on_its_way(home: Home, receiver: Receiver) -> None:
    with home.life() as platform:
        platform.notification.create_topic("news")
        key = subscribe(platform, receiver)
        receiver.answers(500)
        message = platform.notification.publish_message("news", {"n": 1}).message_id
        settle(platform, seconds=2)
        tried = len(receiver.received)
        assert tried > 1
    receiver.answers(200)
    with home.life() as platform:
        settle(platform, minutes=1)
        assert statuses(platform, message)[receiver.url] == (DeliveryStatus.DELIVERED, None)
        assert len(receiver.received) == tried + 1
        said = platform.notification.verify_webhook(
            receiver.received[-1].headers, receiver.received[-1].body
        ).message
        assert (said.message_id, said.body) == (message, Json({"n": 1}))
        [subscription] = platform.notification.list_subscriptions().subscriptions
        assert subscription.public_key == key


def test_attempts_are_counted_across_restarts(home: Home, receiver: Receiver) -> None:
    options = {"notification": {"webhook_retries": 3}}
    with home.life(**options) as platform:
        platform.notification.create_topic("news")
        subscribe(platform, receiver)
        receiver.answers(500)
        message = platform.notification.publish_message("news", "x").message_id
        settle(platform)
    for _ in range(5):
        with home.life(**options) as platform:
            settle(platform, seconds=30)
    with home.life(**options) as platform:
        assert statuses(platform, message)[receiver.url] == (DeliveryStatus.FAILED, "HTTP 500")
    assert len(receiver.received) == 4


def test_a_group_goes_on_in_its_order_after_a_restart(home: Home) -> None:
    with home.life() as platform:
        platform.notification.create_topic("ledger", fifo=True)
        platform.queue.create_queue("inbox", fifo=True)
        platform.notification.subscribe("ledger", protocol=QUEUE, endpoint="inbox")
        platform.control.inject_fault(
            "queue", "send_message", error=ErrorCode.SERVICE_UNAVAILABLE, times=3
        )
        for number in range(5):
            platform.notification.publish_message("ledger", f"{number}", group_id="a")
        assert platform.queue.receive_messages("inbox").messages == ()
    with home.life() as platform:
        settle(platform, minutes=1)
        found = platform.queue.receive_messages("inbox", max_messages=10).messages
        assert [it.body for it in found] == ["0", "1", "2", "3", "4"]


def test_an_email_goes_on_for_those_who_have_not_got_it(home: Home) -> None:
    with receiving_mail() as mailbox:
        options = {"notification": {"smtp": {"address": mailbox.address}}}
        mailbox.refusals["busy@example.com"] = ["451 later"]
        with home.life(**options) as platform:
            message = platform.notification.send_email(
                to=["kim@example.com", "busy@example.com"],
                bcc=["max@example.com"],
                subject="s",
                html="<p>x</p>",
                attachments=[Attachment(filename="f", data=b"\x00\xff")],
            ).message_id
            settle(platform)
        del mailbox.refusals["busy@example.com"]
        with home.life(**options) as platform:
            settle(platform, minutes=1)
            assert {status for status, _ in statuses(platform, message).values()} == {
                DeliveryStatus.DELIVERED
            }
        assert [it.recipients for it in mailbox.taken] == [
            ["kim@example.com", "max@example.com"],
            ["busy@example.com"],
        ]
        [file] = mailbox.taken[1].message.iter_attachments()
        assert file.get_content() == b"\x00\xff"


def test_an_email_waits_where_there_is_no_server_any_more(home: Home) -> None:
    with receiving_mail() as mailbox:
        options = {"notification": {"smtp": {"address": mailbox.address}}}
        mailbox.refusals["kim@example.com"] = ["451 later"]
        with home.life(**options) as platform:
            message = platform.notification.send_email(
                to=["kim@example.com"], subject="s", text="t"
            ).message_id
            settle(platform)
        del mailbox.refusals["kim@example.com"]
        with home.life() as platform:
            settle(platform, minutes=1)
            assert statuses(platform, message)["kim@example.com"] == (
                DeliveryStatus.RETRYING,
                "no SMTP server is configured",
            )
        with home.life(**options) as platform:
            settle(platform, minutes=10)
            assert statuses(platform, message)["kim@example.com"][0] is DeliveryStatus.DELIVERED


def test_no_token_and_no_words_are_written_in_the_clear(home: Home, receiver: Receiver) -> None:
    receiver.answers(500)
    with home.life() as platform:
        notification = platform.notification
        notification.create_topic("news")
        notification.subscribe("news", protocol=EMAIL, endpoint="kim@example.com")
        token = platform.control.list_outbox().messages[0].token
        assert token is not None
        notification.subscribe("news", protocol=HTTP, endpoint=f"{receiver.url}/canary-91f2")
        notification.register_device("canary-91f2", platform=DevicePlatform.IOS, application="app")
        notification.send_sms("+12025550100", "canary-91f2")
        settle(platform)
        request = receiver.received[0]
        asked = notification.verify_webhook(request.headers, request.body).message.token
        assert asked is not None
        notification.confirm_subscription("news", asked)
        notification.publish_message("news", "canary-91f2")
        settle(platform)
    for path in home.folder.rglob("*"):
        if path.is_file():
            written = path.read_bytes()
            assert b"canary-91f2" not in written, path
            assert token.encode() not in written, path
            assert asked.encode() not in written, path


# --- a crash

_CHILD = """
import sys, time
from lcplatform import LCPlatform
from lcplatform.notification.models import DeliveryProtocol

folder, url = sys.argv[1:]
platform = LCPlatform("mock", state=folder)
notification = platform.notification
notification.create_topic("news")
platform.queue.create_queue("inbox")
notification.subscribe("news", protocol=DeliveryProtocol.QUEUE, endpoint="inbox")
notification.subscribe("news", protocol=DeliveryProtocol.HTTP, endpoint=url)
print("subscribed", flush=True)
token = sys.stdin.readline().strip()
notification.confirm_subscription("news", token)
number = 0
while True:
    print(notification.publish_message("news", f"{number}").message_id, flush=True)
    number += 1
"""


def test_a_process_that_is_killed_loses_nothing_that_was_acknowledged(
    tmp_path: Path, receiver: Receiver
) -> None:
    folder = tmp_path / "state"
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(folder), receiver.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "subscribed\n"
        while not receiver.received:
            time.sleep(0.01)
        token = Json.from_text(receiver.received.pop().body.decode()).value["token"]
        receiver.answers(503)
        print(token, file=child.stdin, flush=True)
        acknowledged = [child.stdout.readline().strip() for _ in range(50)]
        child.send_signal(signal.SIGKILL)
        child.wait()
    receiver.received.clear()
    receiver.answers(200)
    with LCPlatform("mock", state=folder) as platform:
        platform.control.advance_clock(timedelta(minutes=10))
        came = {it.headers["webhook-id"] for it in receiver.received}
        assert came >= set(acknowledged)
        for message in acknowledged:
            assert {status for status, _ in statuses(platform, message).values()} == {
                DeliveryStatus.DELIVERED
            }
        found = set()
        while messages := platform.queue.receive_messages("inbox", max_messages=10).messages:
            found |= {it.body for it in messages}
        assert found >= {f"{number}" for number in range(50)}


def test_what_could_not_be_delivered_is_not_lost_if_a_crash_comes_before_it_is_a_dead_letter(
    home: Home, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = home.folder.with_name("crashed")
    bury = Couriers.to_queue

    def to_queue(self: Couriers, pending: Pending) -> Failure | None:
        if not crashed.exists():
            self._world.flush()  # as any other call may
            shutil.copytree(home.folder, crashed)
        return bury(self, pending)

    with home.life() as platform:
        platform.notification.create_topic("news")
        platform.queue.create_queue("letters")
        platform.notification.subscribe(
            "news", protocol=HTTP, endpoint=receiver.url, dead_letter_queue="letters"
        )
        settle(platform)
        request = receiver.received.pop()
        token = platform.notification.verify_webhook(request.headers, request.body).message.token
        assert token is not None
        platform.notification.confirm_subscription("news", token)
        receiver.answers(410)
        monkeypatch.setattr(Couriers, "to_queue", to_queue)
        platform.notification.publish_message("news", "x")
        settle(platform)
        assert len(platform.queue.receive_messages("letters").messages) == 1
    with LCPlatform("mock", state=crashed, clock=home.clock) as platform:
        settle(platform, minutes=1)
        [letter] = platform.queue.receive_messages("letters").messages
        assert letter.body == "x"


# --- snapshots


def test_a_snapshot_brings_back_what_was_on_its_way(
    platform: LCPlatform, receiver: Receiver
) -> None:
    notification = platform.notification
    notification.create_topic("news")
    subscribe(platform, receiver)
    receiver.answers(500)
    message = notification.publish_message("news", "x").message_id
    settle(platform)
    name = platform.control.take_snapshot().snapshot_id
    for _ in range(2):  # a snapshot can be used again
        receiver.answers(200)
        settle(platform, minutes=1)
        assert statuses(platform, message)[receiver.url][0] is DeliveryStatus.DELIVERED
        notification.send_sms("+12025550100", "x")
        notification.delete_topic("news")
        receiver.answers(500)
        platform.control.restore_snapshot(name)
        settle(platform)
        assert statuses(platform, message)[receiver.url][0] is DeliveryStatus.RETRYING
        assert platform.control.list_outbox().messages == ()
        assert len(notification.list_subscriptions().subscriptions) == 1


def test_what_was_sent_after_a_snapshot_is_not_brought_once_it_is_restored(
    platform: LCPlatform, receiver: Receiver
) -> None:
    notification = platform.notification
    notification.create_topic("news")
    subscribe(platform, receiver)
    name = platform.control.take_snapshot().snapshot_id
    receiver.answers(500)
    message = notification.publish_message("news", "x").message_id
    settle(platform)
    platform.control.restore_snapshot(name)
    receiver.received.clear()
    settle(platform, hours=20)
    assert receiver.received == []
    with pytest.raises(ResourceNotFoundError):
        notification.get_delivery_status(message)


def test_a_restored_snapshot_is_what_is_kept(home: Home, receiver: Receiver) -> None:
    with home.life() as platform:
        platform.notification.create_topic("news")
        subscribe(platform, receiver)
        device = platform.notification.register_device(
            "t", platform=DevicePlatform.WEB, application="app"
        ).device_id
        receiver.answers(500)
        message = platform.notification.publish_message("news", "x").message_id
        settle(platform)
        platform.notification.send_sms("+12025550100", "kept")
        name = platform.control.take_snapshot().snapshot_id
        platform.notification.delete_topic("news")
        platform.notification.unregister_device(device)
        platform.notification.send_sms("+12025550100", "lost")
        platform.control.restore_snapshot(name)
    receiver.answers(200)
    with home.life() as platform:
        settle(platform, minutes=1)
        assert statuses(platform, message)[receiver.url] == (DeliveryStatus.DELIVERED, None)
        platform.notification.send_push(device, body="b")
        platform.notification.unregister_device(device)
        assert [it.name for it in platform.notification.list_topics().topics] == ["news"]
        kept = platform.control.list_outbox(kind=OutboxKind.SMS).messages
        assert [it.text for it in kept] == ["kept"]

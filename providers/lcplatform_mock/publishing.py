"""How a message gets to the subscribers of a topic: to queues before publishing is answered, to others by couriers."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from typing import Final, TypeAlias

from lcplatform.notification.models import (
    DeliveryProtocol,
    DeliveryStatus,
    PublishMessageRequest,
    PublishMessageResponse,
    PublishMessagesEntry,
    PublishMessagesRequest,
    PublishMessagesResponse,
    PublishMessagesResult,
)
from lcplatform.notification.support import NotificationLimits
from lcplatform.type.models import BatchFailure
from lcplatform_mock.delivering import ACCEPTED, Errands
from lcplatform_mock.filter_policies import allows
from lcplatform_mock.mail import Mail
from lcplatform_mock.reaching import SMS_CHARACTERS, Reaching
from lcplatform_mock.ready import frozen
from lcplatform_mock.refusals import failure, missing
from lcplatform_mock.retrying import Failure
from lcplatform_mock.simulators import ARRIVES, Fate
from lcplatform_mock.topics import Channel, Letter, Pending, Sent, Subscriber, TopicRecord
from lcplatform_mock.world import World
from lcplatform_runtime.errors import LCPlatformError, invalid
from lcplatform_runtime.json_value import Json

# SNS's and SES's, with the attributes that a queue takes.
LIMITS: Final = NotificationLimits(
    max_message_bytes=256 * 1024,
    max_batch_entries=10,
    max_batch_bytes=256 * 1024,
    max_attributes=9,
    max_subscriptions=10_000,
    max_recipients=50,
    max_email_bytes=10 * 1024**2,
    max_sms_characters=SMS_CHARACTERS,
)

Published: TypeAlias = PublishMessageRequest | PublishMessagesEntry


class Publishing(Reaching):
    """Topics. What begins with an underscore is called under the lock, unless it says otherwise."""

    def __init__(self, world: World) -> None:
        self._orders: dict[str, threading.Lock] = {}
        super().__init__(world)

    def publish_message(self, request: PublishMessageRequest, /) -> PublishMessageResponse:
        """Publishes a message to every subscriber of a topic."""
        return PublishMessageResponse(message_id=self._publish(request.topic, request))

    def publish_messages(self, request: PublishMessagesRequest, /) -> PublishMessagesResponse:
        """Publishes several messages and reports on each."""
        if sum(map(_size, request.entries)) > LIMITS.max_batch_bytes:
            raise invalid("entries", f"at most {LIMITS.max_batch_bytes} bytes together")
        with self._lock:
            self._topic(request.topic)
        successful: list[PublishMessagesResult] = []
        failed: list[BatchFailure] = []
        for index, entry in enumerate(request.entries):
            try:
                if len(entry.attributes) > LIMITS.max_attributes:
                    raise invalid("attributes", f"at most {LIMITS.max_attributes}")
                name = self._publish(request.topic, entry)
            except LCPlatformError as error:
                failed.append(failure(index, error))
            else:
                successful.append(PublishMessagesResult(index=index, message_id=name))
        return PublishMessagesResponse(successful=tuple(successful), failed=tuple(failed))

    def _publish(self, name: str, message: Published) -> str:
        """Publishes one message, to a FIFO topic one after the other. Without the lock."""
        with self._lock:
            topic = self._topic(name)
            order = self._orders.setdefault(topic.id, threading.Lock()) if topic.fifo else None
        if order is None:
            return self._publish_once(name, message)
        with order:
            return self._publish_once(name, message)

    def _publish_once(self, name: str, message: Published) -> str:
        """Publishes one message, unless it is a duplicate. Without the lock."""
        errands = Errands()
        with self._lock:
            topic, now = self._topic(name), self._clock.now()
            _check(topic, message)
            content = (message.deduplication_id or _digest(message.body)) if topic.fifo else None
            if content is not None:
                known = self._state.duplicate(topic.id, content, now)
                if known is not None:
                    return known
            sent = Sent(self._name(), now, topic.id, content)
            queues = self._begin(topic, sent, message, errands)
        self._to_queues(sent, queues, message, errands)
        if content is not None:
            with (
                self._lock
            ):  # after it was sent: what a crash swallows is not taken for a duplicate
                self._state.remember(sent)
        self._run(errands)
        return sent.id

    def _begin(
        self, topic: TopicRecord, sent: Sent, message: Published, errands: Errands
    ) -> list[Subscriber]:
        """Begins to bring a message to its subscribers. Answers the queues among them, which come next."""
        self._take(sent)
        queues: list[Subscriber] = []
        for it in self._state.of_topic(topic.name):
            if not it.confirmed:
                continue
            if it.filter_policy is not None and not allows(it.filter_policy, message.attributes):
                continue
            if it.protocol is DeliveryProtocol.QUEUE:
                self._note(sent, it.endpoint, ACCEPTED, it.id)
                queues.append(it)
            else:
                self._send_to(it, sent, _letter(message), errands)
        if not queues:
            self._keep_sent(sent)
        return queues

    def _to_queues(
        self,
        sent: Sent,
        queues: list[Subscriber],
        message: Published,
        errands: Errands,
    ) -> None:
        """Sends a message to queues, and writes down what came of it. Without the lock."""
        if not queues:
            return
        attributes = frozen(message.attributes)
        failed: list[tuple[Subscriber, Failure]] = []
        for it in queues:
            if message.group_id is not None and self._waits(it, sent, message):
                continue
            failure = self._couriers.hand(
                it.endpoint, message.body, attributes, message.group_id, sent.deduplication_id
            )
            if failure is None:
                self._note(sent, it.endpoint, ARRIVES, it.id)
            else:
                failed.append((it, failure))
        for it, failure in failed:
            self._missed(it, sent, _letter(message, sent.deduplication_id), failure, errands)
        with self._lock:
            self._keep_sent(sent)

    def _waits(self, it: Subscriber, sent: Sent, message: Published) -> bool:
        """Whether the message waits for one before it of the same group, which has not arrived. Without the lock."""
        pending = self._for_queue(it, sent, _letter(message, sent.deduplication_id))
        with self._lock:
            waits = pending.lane in self._state.lanes
            if waits:
                self._put(pending)
        return waits

    def _missed(
        self, it: Subscriber, sent: Sent, letter: Letter, failure: Failure, errands: Errands
    ) -> None:
        """What follows from a queue that did not take a message. Without the lock."""
        if not failure.final:
            self._go_on(self._for_queue(it, sent, letter), failure)
            return
        with self._lock:
            self._note(sent, it.endpoint, Fate(DeliveryStatus.FAILED, failure.reason), it.id)
            dead = self._letter_for(it, sent.id, letter)
        errands.letters += [] if dead is None else [dead]

    def _for_queue(self, it: Subscriber, sent: Sent, letter: Letter) -> Pending:
        pending = self._pending(Channel.QUEUE, sent.id, it.endpoint)
        pending.subscription_id, pending.endpoint, pending.letter = it.id, it.endpoint, letter
        pending.lane = None if letter.group_id is None else f"{it.id}\n{letter.group_id}"
        return pending

    def _send_to(self, it: Subscriber, sent: Sent, letter: Letter, errands: Errands) -> None:
        """Sends a message to a subscriber that is no queue."""
        match it.protocol:
            case DeliveryProtocol.EMAIL:
                mail = Mail(
                    identity=sent.id,
                    at=sent.at,
                    sender=self._settings.sender,
                    to=(it.endpoint,),
                    subject=letter.subject or f"Message of topic {it.topic}",
                    text=letter.words,
                )
                self._mail(mail, errands, sent, subscriber=it, letter=letter)
            case DeliveryProtocol.SMS:
                fate = self._text(sent.id, it.endpoint, letter.words, topic=it.topic)
                self._meet(sent, it.endpoint, fate, errands, it, letter)
            case DeliveryProtocol.PUSH:
                device = self._state.devices[it.endpoint]
                fate = self._push(sent.id, device, letter.subject, letter.words, topic=it.topic)
                self._meet(sent, it.endpoint, fate, errands, it, letter)
            case _:
                self._note(sent, it.endpoint, ACCEPTED, it.id)
                pending = self._to_webhook(it, sent.id, errands)
                pending.letter = letter
                self._put(pending)

    def _to_webhook(self, it: Subscriber, sent_id: str, errands: Errands) -> Pending:
        pending = self._pending(Channel.WEBHOOK, sent_id, it.endpoint)
        pending.topic, pending.subscription_id, pending.endpoint = it.topic, it.id, it.endpoint
        errands.pending.append(pending)
        return pending

    def _topic(self, name: str) -> TopicRecord:
        topic = self._state.topics.get(name)
        if topic is None:
            raise missing("topic", name)
        return topic


def _check(topic: TopicRecord, message: Published) -> None:
    """Refuses what the topic does not take."""
    if _size(message) > LIMITS.max_message_bytes:
        raise invalid(
            "body",
            f"at most {LIMITS.max_message_bytes} bytes with its attributes (max_message_bytes)",
        )
    if topic.fifo:
        if message.group_id is None:
            raise invalid("group_id", "a group, since the topic is a FIFO topic")
        return
    if message.group_id is not None:
        raise invalid("group_id", "none, since the topic is no FIFO topic")
    if message.deduplication_id is not None:
        raise invalid("deduplication_id", "none, since the topic is no FIFO topic")


def _letter(message: Published, deduplication_id: str | None = None) -> Letter:
    body = message.body
    return Letter(
        text=body if isinstance(body, str) else None,
        json=body.text if isinstance(body, Json) else None,
        subject=message.subject,
        attributes=dict(message.attributes),
        group_id=message.group_id,
        deduplication_id=deduplication_id,
    )


def _digest(body: str | Json) -> str:
    """What two messages with the same content have in common."""
    kind, text = ("t", body) if isinstance(body, str) else ("j", body.text)
    return hashlib.sha256(f"{kind}{text}".encode()).hexdigest()


def _size(message: Published) -> int:
    """The bytes of a message: its body, and its attributes with their names."""
    body = message.body if isinstance(message.body, str) else message.body.text
    return _bytes(body) + _length(message.attributes)


def _length(attributes: Mapping[str, str]) -> int:
    return sum(_bytes(name) + _bytes(value) for name, value in attributes.items())


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())

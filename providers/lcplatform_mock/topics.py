"""Topics, subscriptions and devices, what was sent, and what is still on its way.

Nothing here takes a lock: whoever calls holds the service's.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from lcplatform.notification.models import (
    Delivery,
    DeliveryProtocol,
    DeliveryStatus,
    DevicePlatform,
    Subscription,
    SubscriptionStatus,
    Topic,
)
from lcplatform_mock.mail import Mail
from lcplatform_mock.outbox import Outbox
from lcplatform_mock.retrying import Progress
from lcplatform_runtime.json_value import Json

KNOWN_FOR: Final = timedelta(days=1)
"""How long it is known what became of a message."""

CONFIRMED_WITHIN: Final = timedelta(days=3)
"""How long a subscription waits to be confirmed."""

DUPLICATES_FOR: Final = timedelta(minutes=5)
"""How long a FIFO topic takes messages with the same deduplication id for one."""

WEBHOOKS: Final = frozenset({DeliveryProtocol.HTTP, DeliveryProtocol.HTTPS})


@dataclass(slots=True, kw_only=True)
class TopicRecord:
    """A topic.

    Attributes:
        id: tells it from another of the same name.
    """

    id: str
    name: str
    fifo: bool
    created_at: datetime

    def shown(self) -> Topic:
        """What callers are told."""
        return Topic(name=self.name, fifo=self.fifo, created_at=self.created_at)


@dataclass(slots=True, kw_only=True)
class Subscriber:
    """A subscription.

    Attributes:
        filter_policy: the text of the JSON object.
        confirmed: it gets messages.
        token: what confirms it, if it had or has to be.
        confirm_by: when it is gone unless it is confirmed.
    """

    id: str
    topic: str
    protocol: DeliveryProtocol
    endpoint: str
    filter_policy: str | None
    dead_letter_queue: str | None
    max_retries: int | None
    confirmed: bool
    token: str | None = field(default=None, repr=False)
    confirm_by: datetime | None = None

    def shown(self, public_key: str | None) -> Subscription:
        """What callers are told."""
        policy = self.filter_policy
        return Subscription(
            subscription_id=self.id,
            topic=self.topic,
            protocol=self.protocol,
            endpoint=self.endpoint,
            status=SubscriptionStatus.CONFIRMED if self.confirmed else SubscriptionStatus.PENDING,
            filter_policy=None if policy is None else Json.from_text(policy),
            dead_letter_queue=self.dead_letter_queue,
            max_retries=self.max_retries,
            public_key=public_key,
        )


@dataclass(slots=True, kw_only=True)
class Device:
    """A device that messages can be pushed to.

    Attributes:
        enabled: its token is good, as far as anybody knows.
    """

    id: str
    token: str = field(repr=False)
    platform: DevicePlatform
    application: str
    user_data: str | None
    enabled: bool = True


@dataclass(slots=True)
class Outcome:
    """What became of a message on its way to one recipient."""

    recipient: str
    status: DeliveryStatus
    reason: str | None
    updated_at: datetime

    def shown(self) -> Delivery:
        """What callers are told."""
        return Delivery(
            recipient=self.recipient,
            status=self.status,
            reason=self.reason,
            updated_at=self.updated_at,
        )


@dataclass(slots=True)
class Sent:
    """A message, and what became of it.

    Attributes:
        topic_id: the topic that it was published to, if it was.
        deduplication_id: on a FIFO topic, what tells duplicates.
        outcomes: by the recipient: the subscription of a topic, or the address.
    """

    id: str
    at: datetime
    topic_id: str | None = None
    deduplication_id: str | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What was published."""

    text: str | None = field(default=None, repr=False)
    json: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)
    attributes: dict[str, str] = field(default_factory=dict, repr=False)
    group_id: str | None = None
    deduplication_id: str | None = None

    @property
    def body(self) -> str | Json:
        """The content in the form in which it was given."""
        if self.json is not None:
            return Json.from_text(self.json)
        assert self.text is not None
        return self.text

    @property
    def words(self) -> str:
        """The content for a person to read."""
        return self.json or self.text or ""


class Channel(StrEnum):
    """How something gets to its recipient."""

    QUEUE = "queue"
    WEBHOOK = "webhook"
    MAIL = "mail"
    SIMULATED = "simulated"


@dataclass(slots=True, kw_only=True)
class Pending:
    """Something that is on its way, with all that it takes to bring it there.

    Attributes:
        recipients: whose outcomes depend on it.
        subscription_id: for whom it is, if for a subscriber.
        endpoint: the queue or the URL.
        token: what it asks to confirm, if it does.
        lane: what must arrive in order: each waits for the one before.
    """

    id: str
    message_id: str
    at: datetime
    channel: Channel
    progress: Progress
    recipients: list[str]
    topic: str | None = None
    subscription_id: str | None = None
    endpoint: str = ""
    letter: Letter | None = None
    mail: Mail | None = None
    token: str | None = field(default=None, repr=False)
    lane: str | None = None


@dataclass(slots=True)
class Board:
    """Everything that the notification service knows.

    Attributes:
        subscribers: the subscriptions by their identity, and in `by_topic` by their topic too.
        duplicates: by topic, what was published to a FIFO topic lately.
        pending: what is on its way, by its identity, in the order in which it was sent; and in `lanes` what must arrive in
            order.
    """

    topics: dict[str, TopicRecord] = field(default_factory=dict)
    subscribers: dict[str, Subscriber] = field(default_factory=dict)
    by_topic: dict[str, dict[str, Subscriber]] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    duplicates: dict[str, OrderedDict[str, tuple[str, datetime]]] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    lanes: dict[str, dict[str, Pending]] = field(default_factory=dict)
    outbox: Outbox = field(default_factory=Outbox)

    # --- subscriptions

    def subscribe(self, subscriber: Subscriber) -> None:
        """Takes a subscription."""
        self.subscribers[subscriber.id] = subscriber
        self.by_topic.setdefault(subscriber.topic, {})[subscriber.id] = subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Drops a subscription."""
        del self.subscribers[subscriber.id]
        del self.by_topic[subscriber.topic][subscriber.id]

    def of_topic(self, name: str) -> list[Subscriber]:
        """The subscriptions of a topic."""
        return list(self.by_topic.get(name, _NONE).values())

    def same(self, topic: str, protocol: DeliveryProtocol, endpoint: str) -> Subscriber | None:
        """The subscription of an endpoint, if it has one."""
        return next(
            (
                it
                for it in self.of_topic(topic)
                if it.endpoint == endpoint and it.protocol is protocol
            ),
            None,
        )

    def waiting_for(self, topic: str, token: str) -> Subscriber | None:
        """The subscription that a token confirms. Each is looked at, so that how long it takes tells nothing."""
        found = None
        for it in self.of_topic(topic):
            if it.token is not None and hmac.compare_digest(it.token.encode(), token.encode()):
                found = it
        return found

    def overdue(self, now: datetime) -> list[Subscriber]:
        """The subscriptions that nobody confirmed in time."""
        return [
            it
            for it in self.subscribers.values()
            if not it.confirmed and it.confirm_by is not None and it.confirm_by <= now
        ]

    # --- messages

    def old(self, now: datetime) -> list[Sent]:
        """Messages of which it need not be known any longer what became of them."""
        old = []
        for sent in self.sent.values():
            if sent.at + KNOWN_FOR >= now:
                break
            old.append(sent)
        return old

    def duplicate(self, topic_id: str, deduplication_id: str, now: datetime) -> str | None:
        """The message that was published before with the same deduplication id, if one was."""
        recent = self.duplicates.get(topic_id)
        if recent is None:
            return None
        while recent and next(iter(recent.values()))[1] + DUPLICATES_FOR <= now:
            recent.popitem(last=False)
        known = recent.get(deduplication_id)
        return None if known is None else known[0]

    def remember(self, sent: Sent) -> None:
        """Takes what a FIFO topic was sent for published."""
        if sent.topic_id is not None and sent.deduplication_id is not None:
            recent = self.duplicates.setdefault(sent.topic_id, OrderedDict())
            recent[sent.deduplication_id] = (sent.id, sent.at)

    # --- what is on its way

    def send(self, pending: Pending) -> bool:
        """Takes something on its way. Whether nothing before it in its lane is still on its own."""
        self.pending[pending.id] = pending
        if pending.lane is None:
            return True
        lane = self.lanes.setdefault(pending.lane, {})
        lane[pending.id] = pending
        return len(lane) == 1

    def end(self, pending: Pending) -> Pending | None:
        """It is on its way no longer. What can be brought now that waited for it."""
        del self.pending[pending.id]
        if pending.lane is None:
            return None
        lane = self.lanes[pending.lane]
        was_first = next(iter(lane)) == pending.id
        del lane[pending.id]
        if not lane:
            del self.lanes[pending.lane]
            return None
        return next(iter(lane.values())) if was_first else None

    def heads(self) -> list[Pending]:
        """What can be brought now: whatever waits for nothing before it."""
        return [
            it
            for it in self.pending.values()
            if it.lane is None or next(iter(self.lanes[it.lane])) == it.id
        ]


_NONE: Final[dict[str, Subscriber]] = {}

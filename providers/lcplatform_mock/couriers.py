"""Brings what is on its way to its recipients: one attempt for each way in which something is sent."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, Protocol

from lcplatform.notification.models import DeliveryStatus, WebhookKind, WebhookMessage
from lcplatform_mock import mail, webhook
from lcplatform_mock.notification_settings import NotificationSettings
from lcplatform_mock.ready import FrozenDict, frozen
from lcplatform_mock.retrying import Ended, Failure, Policy, Progress
from lcplatform_mock.signing import Signer
from lcplatform_mock.simulators import ARRIVES, Fate
from lcplatform_mock.topics import Channel, Pending
from lcplatform_mock.world import World
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.json_value import Json

_AGE: Final = timedelta(hours=23)
"""How long anything is tried: while it is known what became of it."""

_QUEUE: Final = Policy(max_retries=50, max_age=_AGE)
_MAIL: Final = Policy(max_retries=30, max_age=_AGE)
_SIMULATED: Final = Policy(max_retries=1, max_age=_AGE)


class Desk(Protocol):
    """Where it is written down what became of things."""

    def under_way(self, pending: Pending, /) -> bool:
        """Whether it is still to be brought."""
        ...

    def settle_some(self, pending: Pending, refused: Mapping[str, Failure], /) -> None:
        """Those who refused it stay its recipients, if they may take it later. The others have got it."""
        ...

    def postponed(self, pending: Pending, /) -> None:
        """It is tried again."""
        ...

    def ended(self, pending: Pending, fate: Fate, /) -> None:
        """It is on its way no longer, for all of its recipients that are left."""
        ...

    def max_retries(self, pending: Pending, /) -> int:
        """How often a webhook is tried again."""
        ...


class Couriers:
    """All of them."""

    def __init__(self, world: World, signer: Signer) -> None:
        self._world = world
        self._settings = world.settings.notification or NotificationSettings()
        self.signer = signer
        self.attempts: Mapping[Channel, Callable[[Pending, Desk], Failure | None]] = {
            Channel.QUEUE: lambda pending, _: self.to_queue(pending),
            Channel.WEBHOOK: lambda pending, _: self._to_webhook(pending),
            Channel.MAIL: self._to_mailboxes,
            Channel.SIMULATED: lambda pending, _: self._to_nobody(pending),
        }

    def hand(
        self,
        queue: str,
        body: str | Json,
        attributes: FrozenDict,
        group_id: str | None,
        deduplication_id: str | None,
    ) -> Failure | None:
        """Sends something to a queue. What the queue will never take fails for good."""
        try:
            self._world.services.queue().deliver(
                queue, body, attributes, group_id, deduplication_id
            )
        except LCPlatformError as error:
            return Failure(error.message, final=not error.retryable)
        return None

    def to_queue(self, pending: Pending) -> Failure | None:
        """The same for what is on its way."""
        letter = pending.letter
        assert letter is not None
        return self.hand(
            pending.endpoint,
            letter.body,
            frozen(letter.attributes),
            letter.group_id,
            letter.deduplication_id,
        )

    def _to_webhook(self, pending: Pending) -> Failure | None:
        body, now = payload(pending), self._world.clock.now()
        headers = {
            "Content-Type": "application/json",
            **self.signer.headers(pending.message_id, body, now),
        }
        came = webhook.post(pending.endpoint, body, headers, now=now, context=self._trust)
        if isinstance(came, webhook.Arrived):
            return None
        refused = came.status is not None and 300 <= came.status < 500 and came.status != 429
        return Failure(came.reason, final=refused, retry_after=came.retry_after)

    def _to_mailboxes(self, pending: Pending, desk: Desk) -> Failure | None:
        assert pending.mail is not None
        if (
            self._settings.smtp is None
        ):  # the state was taken up without the server that it began with
            return Failure("no SMTP server is configured")
        came = mail.deliver(pending.mail, pending.recipients, self._settings.smtp)
        if isinstance(came, Failure):
            return came
        if len(pending.recipients) == 1:
            return came.get(pending.recipients[0])
        desk.settle_some(pending, came)
        return next((it for it in came.values() if not it.final), None)

    def _to_nobody(self, pending: Pending) -> Failure | None:
        return None if pending.progress.attempts else Failure(pending.progress.reason)

    @cached_property
    def _trust(self) -> ssl.SSLContext | None:
        file = self._settings.webhook_trust
        return None if file is None else ssl.create_default_context(cafile=file)


class Course:
    """One thing on its way, as `Retries` brings it there."""

    def __init__(self, pending: Pending, desk: Desk, couriers: Couriers) -> None:
        self.policy = _policy(pending, desk)
        self.progress: Progress = pending.progress
        self._pending = pending
        self._desk = desk
        self._attempt = couriers.attempts[pending.channel]

    def attempt(self) -> Failure | None:
        """Tries once, unless nobody wants it any more."""
        if not self._desk.under_way(self._pending):
            return None
        return self._attempt(self._pending, self._desk)

    def arrived(self) -> None:
        """It is done."""
        self._desk.ended(self._pending, ARRIVES)

    def postponed(self) -> None:
        """It is tried again."""
        self._desk.postponed(self._pending)

    def given_up(self, why: Ended) -> None:
        """It is not tried any more."""
        self._desk.ended(self._pending, Fate(DeliveryStatus.FAILED, self.progress.reason))


def _policy(pending: Pending, desk: Desk) -> Policy:
    match pending.channel:
        case Channel.WEBHOOK:
            return Policy(max_retries=desk.max_retries(pending), max_age=_AGE)
        case Channel.MAIL:
            return _MAIL
        case Channel.SIMULATED:
            return _SIMULATED
        case Channel.QUEUE:
            return _QUEUE


def payload(pending: Pending) -> bytes:
    """What a webhook is sent: a WebhookMessage as ProtoJSON."""
    kind = "MESSAGE" if pending.token is None else "CONFIRMATION"
    message: dict[str, Any] = {  # JSON, of any depth
        "kind": f"WEBHOOK_KIND_{kind}",
        "topic": pending.topic,
        "subscriptionId": pending.subscription_id,
        "messageId": pending.message_id,
        "publishedAt": timestamp(pending.at),
    }
    letter = pending.letter
    if letter is not None:
        message["body"] = (
            {"text": letter.text} if letter.json is None else {"json": {"text": letter.json}}
        )
        if letter.subject is not None:
            message["subject"] = letter.subject
        if letter.attributes:
            message["attributes"] = letter.attributes
    if pending.token is not None:
        message["token"] = pending.token
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def read(said: Mapping[str, Any]) -> WebhookMessage:
    """What a webhook was sent, from the JSON that `payload` makes."""
    body = said.get("body")
    if body is not None:
        body = body["text"] if "text" in body else Json.from_text(body["json"]["text"])
    return WebhookMessage(
        kind=WebhookKind.CONFIRMATION if "token" in said else WebhookKind.MESSAGE,
        topic=said["topic"],
        subscription_id=said["subscriptionId"],
        message_id=said["messageId"],
        published_at=datetime.fromisoformat(said["publishedAt"]),
        body=body,
        subject=said.get("subject"),
        attributes=said.get("attributes", {}),
        token=said.get("token"),
    )


def timestamp(moment: datetime) -> str:
    """A time as ProtoJSON writes it."""
    return moment.isoformat().replace("+00:00", "Z")

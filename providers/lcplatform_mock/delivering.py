"""What the notification service does by itself: it brings what is on its way, and writes down what became of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from typing_extensions import override

from lcplatform.notification.models import DeliveryStatus
from lcplatform_mock.couriers import Couriers, Course
from lcplatform_mock.notification_settings import NotificationSettings
from lcplatform_mock.retrying import Failure, Progress, Retries
from lcplatform_mock.service import Service
from lcplatform_mock.signing import Signer
from lcplatform_mock.simulators import ARRIVES, Fate
from lcplatform_mock.topic_records import BoardTables
from lcplatform_mock.topics import Board, Channel, Letter, Outcome, Pending, Sent, Subscriber
from lcplatform_mock.world import World

_LOG: Final = logging.getLogger("lcplatform.mock")

ACCEPTED: Final = Fate(DeliveryStatus.ACCEPTED)
_UNSUBSCRIBED: Final = Fate(DeliveryStatus.FAILED, "the subscription has ended")


@dataclass(slots=True)
class Errands:
    """What is to be brought after the lock is free: by couriers, and to dead-letter queues."""

    pending: list[Pending] = field(default_factory=list)
    letters: list[Pending] = field(default_factory=list)


class Delivering(Service[Board]):
    """A board, and the couriers of what is pending on it. Methods that begin with an underscore are called under the lock,
    unless they say otherwise."""

    def __init__(self, world: World) -> None:
        super().__init__(world, Board())
        self._name = world.names()
        self._settings = world.settings.notification or NotificationSettings()
        self._tables = None if world.journal is None else BoardTables(world.journal)
        self._signer = Signer.new() if self._tables is None else self._tables.signer()
        self._couriers = Couriers(world, self._signer)
        self._retries = Retries(world)
        if self._tables is not None:
            self._state = self._tables.load(self._clock.now())
            self._launch(self._state.heads())

    # --- as couriers report it

    def under_way(self, pending: Pending, /) -> bool:
        """Whether it is still to be brought."""
        with self._lock:
            return self._state.pending.get(pending.id) is pending

    def max_retries(self, pending: Pending, /) -> int:
        """How often a webhook is tried again."""
        subscriber = self._state.subscribers.get(pending.subscription_id or "")
        if subscriber is None or subscriber.max_retries is None:
            return self._settings.webhook_retries
        return subscriber.max_retries

    def settle_some(self, pending: Pending, refused: Mapping[str, Failure], /) -> None:
        """Those who refused it stay its recipients, if they may take it later. The others have got it."""
        with self._lock:
            if self._state.pending.get(pending.id) is not pending:
                return
            for recipient in pending.recipients:
                failure = refused.get(recipient)
                if failure is None:
                    self._become(pending, ARRIVES, recipient)
                elif failure.final:
                    self._become(pending, Fate(DeliveryStatus.FAILED, failure.reason), recipient)
            pending.recipients = [
                it for it in pending.recipients if it in refused and not refused[it].final
            ]
            if self._tables is not None:
                self._tables.pending(pending)

    def postponed(self, pending: Pending, /) -> None:
        """It is tried again."""
        with self._lock:
            if self._state.pending.get(pending.id) is pending:
                fate = Fate(DeliveryStatus.RETRYING, pending.progress.reason)
                self._become(pending, fate, *pending.recipients)
                if self._tables is not None:
                    self._tables.progress(pending)

    def ended(self, pending: Pending, fate: Fate, /) -> None:
        """It is on its way no longer, for all of its recipients that are left. What waited for it goes on."""
        letter = None
        with self._lock:
            if self._state.pending.get(pending.id) is not pending:
                return
            self._become(pending, fate, *pending.recipients)
            if fate.status is DeliveryStatus.FAILED:
                letter = self._dead_letter(pending)
                if letter is not None:  # first, so that no crash comes between the two
                    self._put(letter)
                if not pending.recipients and pending.channel is Channel.QUEUE:
                    _lost(pending, fate.reason)
                if pending.token is not None:
                    _unasked(pending, fate.reason)
            following = self._end(pending)
        if letter is not None:
            self._bury(letter)
        if following is not None:
            self._launch([following])

    # --- on its way

    def _pending(self, channel: Channel, sent_id: str, *recipients: str) -> Pending:
        now = self._clock.now()
        return Pending(
            id=self._name(),
            message_id=sent_id,
            at=now,
            channel=channel,
            progress=Progress(since=now, due=now),
            recipients=list(recipients),
        )

    def _put(self, pending: Pending) -> None:
        """Puts something on its way."""
        if self._tables is not None:
            self._tables.pending(pending)
        self._state.send(pending)

    def _end(self, pending: Pending) -> Pending | None:
        """It is on its way no longer. Answers what waited for it and can be brought now."""
        if self._tables is not None:
            self._tables.not_pending(pending)
        return self._state.end(pending)

    def _withdraw(self, subscriber: Subscriber) -> None:
        """Nothing is brought to a subscription any more."""
        for pending in list(self._state.pending.values()):
            if pending.subscription_id == subscriber.id:
                self._become(pending, _UNSUBSCRIBED, *pending.recipients)
                self._end(pending)

    def _launch(self, pending: Iterable[Pending]) -> None:
        """Has it brought. With the lock or without."""
        for it in pending:
            self._retries.start(Course(it, self, self._couriers))

    def _run(self, errands: Errands) -> None:
        """Has everything brought. Without the lock."""
        for letter in errands.letters:
            self._bury(letter)
        self._launch(errands.pending)

    def _go_on(self, pending: Pending, failure: Failure) -> None:
        """Tries again to bring something to a queue, since the first attempt failed. Without the lock."""
        with self._lock:
            subscription = pending.subscription_id
            if subscription is not None and subscription not in self._state.subscribers:
                self._become(pending, _UNSUBSCRIBED, *pending.recipients)
                return
            self._put(pending)
        self._retries.failed(Course(pending, self, self._couriers), failure)

    # --- dead letters

    def _dead_letter(self, pending: Pending) -> Pending | None:
        """What goes to a dead-letter queue in place of something that did not arrive, if there is such a queue."""
        subscriber = self._state.subscribers.get(pending.subscription_id or "")
        if subscriber is None or pending.letter is None:
            return None
        return self._letter_for(subscriber, pending.message_id, pending.letter)

    def _letter_for(self, subscriber: Subscriber, sent_id: str, letter: Letter) -> Pending | None:
        if subscriber.dead_letter_queue is None:
            return None
        if letter.group_id is not None:  # several subscriptions may have one dead-letter queue
            letter = replace(letter, deduplication_id=f"{sent_id}-{subscriber.id}")
        dead = self._pending(Channel.QUEUE, sent_id)
        dead.endpoint, dead.letter = subscriber.dead_letter_queue, letter
        return dead

    def _bury(self, letter: Pending) -> None:
        """Brings something to a dead-letter queue. Without the lock."""
        failure = self._couriers.to_queue(letter)
        if failure is not None and not failure.final:
            self._go_on(letter, failure)
            return
        if failure is not None:
            _lost(letter, failure.reason)
        with self._lock:
            if letter.id in self._state.pending:
                self._end(letter)

    # --- what became of things

    def _become(self, pending: Pending, fate: Fate, *recipients: str) -> None:
        sent = self._state.sent.get(pending.message_id)
        if sent is None or not recipients:
            return
        for it in recipients:
            self._note(sent, it, fate, pending.subscription_id)
        self._keep_sent(sent)

    def _note(
        self, sent: Sent, recipient: str, fate: Fate, subscription_id: str | None = None
    ) -> None:
        sent.outcomes[subscription_id or recipient] = Outcome(
            recipient, fate.status, fate.reason, self._clock.now()
        )

    def _take(self, sent: Sent) -> None:
        """Knows a message from now on, and the oldest no longer."""
        for old in self._state.old(sent.at):
            del self._state.sent[old.id]
            if self._tables is not None:
                self._tables.not_sent(old)
        self._state.sent[sent.id] = sent

    def _keep_sent(self, sent: Sent) -> None:
        if self._tables is not None:
            self._tables.sent(sent)

    # --- the whole of it

    @override
    def _moved(self) -> None:
        self._retries.forget()
        self._launch(self._state.heads())

    @override
    def _keep(self) -> None:
        assert self._tables is not None
        self._tables.keep_all(self._state)


def _unasked(pending: Pending, reason: str | None) -> None:
    """Nobody can ask what became of a request for confirmation."""
    _LOG.warning(
        "the endpoint of subscription %s could not be asked to confirm: %s",
        pending.subscription_id,
        reason,
    )


def _lost(letter: Pending, reason: str | None) -> None:
    """Nothing is lost in silence."""
    _LOG.warning(
        "message %s could not be put into dead-letter queue %s: %s",
        letter.message_id,
        letter.endpoint,
        reason,
    )

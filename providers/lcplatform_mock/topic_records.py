"""The board of the notification service as it is written to the journal, and how it is taken up again."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lcplatform.testing.models import OutboxMessage
from lcplatform_mock.retrying import Progress
from lcplatform_mock.signing import Signer
from lcplatform_mock.topics import (
    DUPLICATES_FOR,
    Board,
    Device,
    Pending,
    Sent,
    Subscriber,
    TopicRecord,
)

if TYPE_CHECKING:
    from lcplatform_mock.journal import Journal

_KEY = "webhooks"


@dataclass(slots=True)
class KeyRecord:
    """The key that signs webhooks, in base64."""

    seed: str


class BoardTables:
    """The tables of the board. What holds a token, what people wrote to each
    other, or where they are reached is encrypted."""

    def __init__(self, journal: Journal) -> None:
        self._topics = journal.table("notification.topic", TopicRecord)
        self._subscribers = journal.table("notification.subscriber", Subscriber, sealed=True)
        self._devices = journal.table("notification.device", Device, sealed=True)
        self._sent = journal.table("notification.sent", Sent, sealed=True)
        self._pending = journal.table("notification.pending", Pending, sealed=True)
        self._progress = journal.table("notification.progress", Progress)
        self._outbox = journal.table("notification.outbox", OutboxMessage, sealed=True)
        self._keys = journal.table("notification.key", KeyRecord, sealed=True)

    def signer(self) -> Signer:
        """The key that signs webhooks, the same after a restart."""
        for _, record in self._keys.load():
            return Signer(b64decode(record.seed))
        signer = Signer.new()
        self._keys.put(_KEY, KeyRecord(b64encode(signer.seed).decode()))
        return signer

    def load(self, now: datetime) -> Board:
        """The board as it was kept."""
        board = Board(
            topics=dict(self._topics.load()),
            devices=dict(self._devices.load()),
            sent=dict(self._sent.load()),
        )
        for _, subscriber in self._subscribers.load():
            board.subscribe(subscriber)
        progress = dict(self._progress.load())
        for key, pending in self._pending.load():
            pending.progress = progress.get(key, pending.progress)
            board.send(pending)
        for sent in board.sent.values():
            if sent.at + DUPLICATES_FOR > now:
                board.remember(sent)
        for key, message in self._outbox.load():
            board.outbox.put(int(key), message)
        return board

    def keep_all(self, board: Board) -> None:
        """Keeps this board in place of what was kept."""
        tables = (
            self._topics,
            self._subscribers,
            self._devices,
            self._sent,
            self._pending,
            self._progress,
            self._outbox,
        )
        for table in tables:
            table.clear()
        for topic in board.topics.values():
            self.topic(topic)
        for subscriber in board.subscribers.values():
            self.subscriber(subscriber)
        for device in board.devices.values():
            self.device(device)
        for sent in board.sent.values():
            self.sent(sent)
        for pending in board.pending.values():
            self.pending(pending)
        self.outbox(board, board.outbox.numbers)

    def topic(self, topic: TopicRecord) -> None:
        """It is new."""
        self._topics.put(topic.name, topic)

    def no_topic(self, topic: TopicRecord) -> None:
        """It is gone."""
        self._topics.remove(topic.name)

    def subscriber(self, subscriber: Subscriber) -> None:
        """It is new, or has changed."""
        self._subscribers.put(subscriber.id, subscriber)

    def no_subscriber(self, subscriber: Subscriber) -> None:
        """It is gone."""
        self._subscribers.remove(subscriber.id)

    def device(self, device: Device) -> None:
        """It is new, or has changed."""
        self._devices.put(device.id, device)

    def no_device(self, device: Device) -> None:
        """It is gone."""
        self._devices.remove(device.id)

    def sent(self, sent: Sent) -> None:
        """It is new, or something became of it."""
        self._sent.put(sent.id, sent)

    def not_sent(self, sent: Sent) -> None:
        """It is forgotten."""
        self._sent.remove(sent.id)

    def pending(self, pending: Pending) -> None:
        """It is on its way."""
        self._pending.put(pending.id, pending)
        self.progress(pending)

    def progress(self, pending: Pending) -> None:
        """It was tried, and is tried again."""
        self._progress.put(pending.id, pending.progress)

    def not_pending(self, pending: Pending) -> None:
        """It has arrived or was given up."""
        self._pending.remove(pending.id)
        self._progress.remove(pending.id)

    def outbox(self, board: Board, numbers: Iterable[int]) -> None:
        """These messages are new, have changed or are gone."""
        for number in numbers:
            message = board.outbox.messages.get(number)
            if message is None:
                self._outbox.remove(f"{number}")
            else:
                self._outbox.put(f"{number}", message)

"""Queues and their messages as they are written to the journal, and how they are taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Self

from typing_extensions import override

from lcplatform.queue.models import SendMessageResponse
from lcplatform_mock.fifo import Fifo
from lcplatform_mock.kept import KeptContent
from lcplatform_mock.messages import Attributes, Entry, Keeper, Messages, State
from lcplatform_mock.ready import frozen
from lcplatform_mock.world import World

if TYPE_CHECKING:
    from lcplatform_mock.journal import Journal

# Receipts and numbers are set aside in such blocks, so that not each of them is a record.
_BLOCK: Final = 1000


@dataclass(slots=True, kw_only=True)
class QueueRecord:
    """A queue: its attributes, and which receipts and numbers are not given out again."""

    fifo: bool
    visibility_timeout: timedelta
    retention: timedelta
    delay: timedelta
    max_message_size: int
    dead_letter_queue: str | None
    max_receive_count: int | None
    etag: str
    stem: str
    given: int
    numbered: int

    @property
    def attributes(self) -> Attributes:
        """What was chosen for it."""
        return Attributes(**{name: getattr(self, name) for name in Attributes.__dataclass_fields__})


@dataclass(slots=True, kw_only=True)
class MessageRecord:
    """A message with its state. Moments are times of day."""

    id: str
    body: KeptContent = field(repr=False)
    attributes: dict[str, str] = field(repr=False)
    sent_at: datetime
    group_id: str | None
    deduplication_id: str | None
    state: State
    due: datetime
    lease_end: datetime
    handle: str
    received: int
    before: int
    source: str | None
    copied: bool

    @classmethod
    def of(cls, entry: Entry, wall: Callable[[float], datetime]) -> Self:
        """The record of a message."""
        same = {name: getattr(entry, name) for name in _SAME}
        return cls(
            **same,
            body=KeptContent.of(entry.body),
            attributes=dict(entry.attributes),
            due=wall(entry.due),
            lease_end=wall(entry.lease_end),
        )

    def entry(self, number: int, moment: Callable[[datetime], float]) -> Entry:
        """The message of a record."""
        same = {name: getattr(self, name) for name in _SAME}
        return Entry(
            **same,
            number=number,
            body=self.body.content,
            attributes=frozen(self.attributes),
            sent=moment(self.sent_at),
            due=moment(self.due),
            lease_end=moment(self.lease_end),
        )


_SAME: Final = (
    "id",
    "sent_at",
    "group_id",
    "deduplication_id",
    "state",
    "handle",
    "received",
    "before",
    "source",
    "copied",
)


@dataclass(slots=True, kw_only=True)
class AnswerRecord:
    """What was answered to a message, and until when a duplicate of it gets the same answer."""

    message_id: str
    sequence: str | None
    until: datetime


class QueueTables:
    """The tables of all queues."""

    def __init__(self, journal: Journal, world: World) -> None:
        self.world = world
        self.queues = journal.table("queue.queue", QueueRecord)
        self.messages = journal.table("queue.message", MessageRecord)
        self.answers = journal.table("queue.answer", AnswerRecord)

    def load(self, make: Callable[[str, QueueRecord], Messages]) -> Iterator[Messages]:
        """The queues that were kept, with their messages. `make` makes an empty one."""
        made = {name: make(name, record) for name, record in self.queues.load()}
        moment = self.world.moment
        entries = [
            (name, record.entry(int(number), moment))
            for (name, number), record in ((_split(key), it) for key, it in self.messages.load())
        ]
        # Who holds a message of a group has it before any that waits can be received.
        entries.sort(key=lambda it: (it[1].state is not State.HELD, it[1].number))
        for name, entry in entries:
            made[name].take_back(entry)
        for key, answer in self.answers.load():
            name, deduplication_id = _split(key)
            queue = made[name]
            assert isinstance(queue, Fifo)
            said = SendMessageResponse(message_id=answer.message_id, sequence=answer.sequence)
            queue.remember_until(deduplication_id, said, moment(answer.until))
        for queue in made.values():
            queue.keeper = QueueKeeper(self, queue)
            yield queue

    def clear(self) -> None:
        """Nothing is kept any more."""
        for table in (self.queues, self.messages, self.answers):
            table.clear()


class QueueKeeper(Keeper):
    """Keeps one queue. It belongs to the queue's place, not to its state."""

    def __init__(self, tables: QueueTables, queue: Messages) -> None:
        """Keeps nothing of it yet."""
        self._tables = tables
        self._name = queue.name
        self._given = queue.given
        self._numbered = queue.numbered

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def keep_all(self, queue: Messages) -> None:
        """Keeps the queue and all that is in it."""
        self.configured(queue)
        for entry in queue.entries():
            self.keep(entry)
        if isinstance(queue, Fifo):
            for deduplication_id, answer, until in queue.known():
                self.answered(deduplication_id, answer, until)

    def configured(self, queue: Messages) -> None:
        """The queue is new, or has other attributes."""
        attributes = queue.attributes
        record = QueueRecord(
            **{name: getattr(attributes, name) for name in Attributes.__dataclass_fields__},
            fifo=queue.fifo,
            etag=queue.etag,
            stem=queue.stem,
            given=self._given,
            numbered=self._numbered,
        )
        self._tables.queues.put(self._name, record)

    def removed(self, queue: Messages) -> None:
        """The queue is gone, and all that was in it."""
        self._tables.queues.remove(self._name)
        for entry in queue.entries():
            self.forget(entry)
        if isinstance(queue, Fifo):
            for deduplication_id, _, _ in queue.known():
                self.expired(deduplication_id)

    @override
    def counted(self, queue: Messages) -> None:
        if queue.given > self._given or queue.numbered > self._numbered:
            self._given = max(self._given, queue.given + _BLOCK)
            self._numbered = max(self._numbered, queue.numbered + _BLOCK)
            self.configured(queue)

    @override
    def keep(self, entry: Entry) -> None:
        record = MessageRecord.of(entry, self._tables.world.wall)
        self._tables.messages.put(f"{self._name}\n{entry.number}", record)

    @override
    def forget(self, entry: Entry) -> None:
        self._tables.messages.remove(f"{self._name}\n{entry.number}")

    @override
    def answered(self, deduplication_id: str, answer: SendMessageResponse, until: float) -> None:
        record = AnswerRecord(
            message_id=answer.message_id,
            sequence=answer.sequence,
            until=self._tables.world.wall(until),
        )
        self._tables.answers.put(f"{self._name}\n{deduplication_id}", record)

    @override
    def expired(self, deduplication_id: str) -> None:
        self._tables.answers.remove(f"{self._name}\n{deduplication_id}")


def _split(key: str) -> tuple[str, str]:
    name, _, rest = key.partition("\n")
    return name, rest

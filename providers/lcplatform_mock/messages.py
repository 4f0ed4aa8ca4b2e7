"""One queue: which messages wait, which are held or delayed, and what becomes of each as time passes.

Sending, receiving and deleting cost the same however many messages there are. Nothing here takes a lock: whoever calls
holds the service's.
"""

from __future__ import annotations

import heapq
import threading
from abc import ABC, abstractmethod
from bisect import insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from operator import attrgetter
from typing import Final, Protocol, Self

from typing_extensions import override

from lcplatform.queue.models import Message, SendMessageResponse
from lcplatform_mock.ready import FrozenDict
from lcplatform_mock.world import World
from lcplatform_runtime.errors import PreconditionFailedError, QuotaExceededError, invalid
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.trusted import trusted

INSTANT: Final = 1e-6
"""Seconds that make no difference: sums of times are not exact."""

IN_FLIGHT: Final = 120_000
"""How many messages of a queue may be held at once, as with SQS."""

LONGEST_LEASE: Final = 12 * 3600.0
"""How long a message may be held from its receipt on, however often that is extended, in seconds."""

DEDUPLICATION: Final = 300.0
"""For how many seconds a FIFO queue knows a duplicate."""

# Lists with entries that no longer count are cleared of them when they are so much longer than need be.
_SLACK: Final = 64

_message = trusted(Message)


class State(Enum):
    """Where a message is in its life."""

    WAITING = "waiting"
    HELD = "held"
    DELAYED = "delayed"
    GONE = "gone"


@dataclass(slots=True, eq=False, kw_only=True)
class Entry:
    """A message in a queue.

    Attributes:
        sent: when it was sent, on the clock's `monotonic`.
        number: where it stands among all messages of its queue.
        due: when its lease or its delay ends.
        lease_end: until when its lease may be extended.
        handle: the handle of its last receipt.
        received: how often it was received in this queue; `before` counts the queues before.
        source: the queue from which it was moved here as a dead letter.
        copied: whether there are two of it, as at-least-once delivery allows.
    """

    id: str
    body: str | bytes | Json = field(repr=False)
    attributes: FrozenDict = field(repr=False)
    sent_at: datetime
    sent: float
    group_id: str | None = None
    deduplication_id: str | None = None
    number: int = 0
    state: State = State.WAITING
    due: float = 0.0
    lease_end: float = 0.0
    handle: str = ""
    received: int = 0
    before: int = 0
    source: str | None = None
    copied: bool = False

    def message(self, handle: str, sequence: str | None) -> Message:
        """What a receiver sees."""
        return _message(
            id=self.id,
            receipt_handle=handle,
            body=self.body,
            attributes=self.attributes,
            sent_at=self.sent_at,
            receive_count=self.before + self.received,
            group_id=self.group_id,
            sequence=sequence,
            deduplication_id=self.deduplication_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What was chosen for a queue."""

    visibility_timeout: timedelta
    retention: timedelta
    delay: timedelta
    max_message_size: int
    dead_letter_queue: str | None
    max_receive_count: int | None


class Keeper(Protocol):
    """Keeps the messages of one queue across restarts."""

    def keep(self, entry: Entry) -> None:
        """The message is new, or is held or delayed otherwise than before."""
        ...

    def forget(self, entry: Entry) -> None:
        """The message is gone."""
        ...

    def counted(self, queue: Messages) -> None:
        """Another receipt or number was given out, which must not be given out again."""
        ...

    def answered(self, deduplication_id: str, answer: SendMessageResponse, until: float) -> None:
        """Duplicates of a message get this answer, until some moment."""
        ...

    def expired(self, deduplication_id: str) -> None:
        """They do so no longer."""
        ...


class Bell:
    """Wakes who waits for a message of one queue. It belongs to the queue's place, not to its state."""

    def __init__(self, lock: threading.Lock) -> None:
        self.condition = threading.Condition(lock)
        self.listeners = 0

    def ring(self) -> None:
        """Something came, or fell due, or the queue is gone."""
        if self.listeners:
            self.condition.notify_all()

    def ring_aloud(self) -> None:
        """The same for one who does not hold the lock."""
        with self.condition:
            self.condition.notify_all()

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self


class Messages(ABC):
    """The messages of one queue, whatever its order."""

    fifo: bool

    def __init__(self, name: str, attributes: Attributes, bell: Bell, etag: str, stem: str) -> None:
        self.name = name
        self.bell = bell
        self.stem = stem
        self.receipts: dict[str, Entry] = {}
        self.total = self.held = self.delayed = 0
        self._given = 0
        self._numbered = 0
        self._hidden: list[tuple[float, int, Entry]] = []
        self._by_age: deque[Entry] = deque()
        self.keeper: Keeper | None = None
        self.configure(attributes, etag)

    def configure(self, attributes: Attributes, etag: str) -> None:
        """Has other attributes from now on. They hold for messages that are there, too."""
        self.attributes = attributes
        self.etag = etag
        self.retention = attributes.retention.total_seconds()
        self.visibility = attributes.visibility_timeout.total_seconds()
        self.delay = attributes.delay.total_seconds()

    # --- what the order decides

    @abstractmethod
    def _wait(self, entry: Entry) -> None:
        """From now on the message waits to be received."""

    @abstractmethod
    def _next(self) -> Entry | None:
        """Takes the message that is received next, if any can be."""

    @abstractmethod
    def waiting(self) -> Iterator[Entry]:
        """The messages that wait, in the order in which they would be received."""

    def _received(self) -> None:  # noqa: B027  only groups mind
        """A call has received what it wanted."""

    @abstractmethod
    def _clear(self) -> None:
        """No message waits any more."""

    def sequence(self, entry: Entry) -> str | None:
        """The place in its group that is shown for a message."""
        return None

    def _check_deletable(self, entry: Entry) -> None:  # noqa: B027  only FIFO queues mind
        """Refuses a receipt handle that no longer gives the right to delete."""

    # --- sending

    def send(self, entry: Entry, delay: float, now: float) -> None:
        """Takes a new message."""
        self._admit(entry)
        self._by_age.append(entry)
        if delay > 0:
            self.delayed += 1
            entry.state = State.DELAYED
            self._hide(entry, now + delay)
        else:
            self._wait(entry)
        if self.keeper is not None:
            self.keeper.keep(entry)
        if self.bell.listeners:
            self.bell.ring()

    def take_back(self, entry: Entry) -> None:
        """Takes a message that was kept, with the state in which it was."""
        self.total += 1
        insort(self._by_age, entry, key=attrgetter("sent"))
        if entry.handle:
            self.receipts[entry.handle] = entry
        if entry.state is State.HELD:
            self.held += 1
        elif entry.state is State.DELAYED:
            self.delayed += 1
        if entry.state in _HIDDEN:
            self._hide(entry, entry.due)
        else:
            self._wait(entry)

    @property
    def given(self) -> int:
        """How many receipts it has given out."""
        return self._given

    @property
    def numbered(self) -> int:
        """How many messages it has taken."""
        return self._numbered

    def go_on(self, given: int, numbered: int) -> None:
        """Gives out no receipt and no number that may have been given out before."""
        self._given, self._numbered = given, numbered

    def entries(self) -> Iterator[Entry]:
        """All messages, whatever their state."""
        return (it for it in self._by_age if it.state is not State.GONE)

    def _save(self, entry: Entry) -> None:
        if self.keeper is not None:
            self.keeper.keep(entry)

    def bury(self, entry: Entry, source: str) -> None:
        """Takes a message that failed too often elsewhere. It keeps its identity and its age."""
        moved = replace(
            entry,
            state=State.WAITING,
            handle="",
            before=entry.before + entry.received,
            received=0,
            source=source,
        )
        self._admit(moved)
        insort(self._by_age, moved, key=attrgetter("sent"))
        self._wait(moved)
        self._save(moved)
        self.bell.ring()

    def _admit(self, entry: Entry) -> None:
        self._numbered += 1
        entry.number = self._numbered
        self.total += 1
        if self.keeper is not None:
            self.keeper.counted(self)

    # --- receiving

    def receive(
        self, most: int, timeout: float | None, now: float, grave: Messages | None, world: World
    ) -> list[Message]:
        """Messages that wait, held from now on. Those that failed too often move to `grave` instead."""
        self.settle(now)
        if self.held >= IN_FLIGHT:
            if self.fifo:
                return []
            raise QuotaExceededError(
                f"{self.held} messages of queue {self.name!r} are in flight: delete or give back some"
            )
        most_receipts = self.attributes.max_receive_count
        lease = self.visibility if timeout is None else timeout
        taken: list[Message] = []
        while len(taken) < most and (entry := self._next()) is not None:
            if grave is not None and most_receipts is not None and entry.received >= most_receipts:
                self._drop(entry)
                grave.bury(entry, self.name)
            else:
                taken.append(self._hold(entry, lease, now))
                self._perhaps_again(entry, world)
        self._received()
        return taken

    def _hold(self, entry: Entry, lease: float, now: float) -> Message:
        handle = self._receipt(entry)
        entry.received += 1
        entry.state = State.HELD
        entry.lease_end = now + LONGEST_LEASE
        self.held += 1
        self._hide(entry, now + lease)
        self._save(entry)
        return entry.message(handle, self.sequence(entry))

    def _perhaps_again(self, entry: Entry, world: World) -> None:
        """At least once can be twice: sometimes a copy of the message stays behind."""
        if world.adversity is None or self.fifo or entry.copied:
            return
        if world.chance(world.adversity.duplicates):
            entry.copied = True
            copy = replace(entry, state=State.WAITING, handle="")
            self._admit(copy)
            insort(self._by_age, copy, key=attrgetter("sent"))
            self._wait(copy)
            self._save(copy)

    def _receipt(self, entry: Entry) -> str:
        """A new handle for a message, which takes the place of the one before."""
        if entry.handle:
            del self.receipts[entry.handle]
        entry.handle = handle = self.new_handle()
        self.receipts[handle] = entry
        return handle

    def new_handle(self) -> str:
        """The handle of a receipt, recognizable as one of this queue's ever after."""
        self._given += 1
        if self.keeper is not None:
            self.keeper.counted(self)
        return f"{self.stem}{self._given:x}"

    # --- receipts

    def delete(self, handle: str) -> None:
        """Deletes a message by the handle of its last receipt.

        An older handle deletes nothing and is no error, as SQS has it: whoever received the message later owns it now.
        """
        entry = self._held_by(handle)
        if entry is not None:
            self._check_deletable(entry)
            self._drop(entry)

    def change_visibility(
        self, handle: str, timeout: float, now: float, *, renew: bool = False
    ) -> str:
        """Holds a message for so long from now on, and says by which handle: by another one if that is to be. The lease
        must not have ended."""
        entry = self._held_by(handle)
        if entry is None or entry.state is not State.HELD:
            raise PreconditionFailedError(
                "the message is not held by this receipt: its visibility timeout ended, or it is deleted"
            )
        if now + timeout > entry.lease_end + INSTANT:
            raise invalid(
                "visibility_timeout", "at most 12 hours from when the message was received"
            )
        if timeout > 0:
            self._hide(entry, now + timeout)
        else:
            self._show(entry)
            self.bell.ring()
        if renew:
            handle = self._receipt(entry)
        self._save(entry)
        return handle

    def _held_by(self, handle: str) -> Entry | None:
        entry = self.receipts.get(handle)
        if entry is None and not self._gave(handle):
            raise invalid("receipt_handle", "one that this queue gave out")
        return entry

    def _gave(self, handle: str) -> bool:
        if not handle.startswith(self.stem):
            return False
        try:
            number = int(handle[len(self.stem) :], 16)
        except ValueError:
            return False
        return 0 < number <= self._given and handle == f"{self.stem}{number:x}"

    # --- time

    def settle(self, now: float) -> None:
        """Does what has fallen due: leases and delays end, messages get too old."""
        now += INSTANT
        hidden = self._hidden
        while hidden and hidden[0][0] <= now:
            due, _, entry = heapq.heappop(hidden)
            if entry.due == due and entry.state in _HIDDEN:
                self._show(entry)
        by_age, oldest = self._by_age, now - self.retention
        while by_age and ((entry := by_age[0]).state is State.GONE or entry.sent <= oldest):
            by_age.popleft()
            if entry.state is not State.GONE:
                self._drop(entry)

    @property
    def next_due(self) -> float | None:
        """When perhaps another message can be received, if nobody sends any."""
        return self._hidden[0][0] if self._hidden else None

    def purge(self) -> None:
        """Deletes every message."""
        for entry in self.entries():
            self._forget(entry)
        self.receipts.clear()
        self._hidden.clear()
        self._by_age.clear()
        self.total = self.held = self.delayed = 0
        self._clear()

    def withdraw(self, entry: Entry) -> None:
        """Takes a message that waits out of the queue."""
        self._drop(entry)

    def _hide(self, entry: Entry, due: float) -> None:
        entry.due = due
        heapq.heappush(self._hidden, (due, entry.number, entry))
        if len(self._hidden) > 2 * (self.held + self.delayed) + _SLACK:
            self._hidden = [
                it for it in self._hidden if it[0] == it[2].due and it[2].state in _HIDDEN
            ]
            heapq.heapify(self._hidden)

    def _show(self, entry: Entry) -> None:
        """A hidden message waits from now on."""
        self._uncount(entry)
        entry.state = State.WAITING
        self._wait(entry)

    def _drop(self, entry: Entry) -> None:
        """The message is gone."""
        self._uncount(entry)
        self.total -= 1
        self._forget(entry)
        self.receipts.pop(entry.handle, None)
        if len(self._by_age) > 2 * self.total + _SLACK:
            self._by_age = deque(it for it in self._by_age if it.state is not State.GONE)

    def _forget(self, entry: Entry) -> None:
        entry.state = State.GONE
        if self.keeper is not None:
            self.keeper.forget(entry)

    def _uncount(self, entry: Entry) -> None:
        if entry.state is State.HELD:
            self.held -= 1
        elif entry.state is State.DELAYED:
            self.delayed -= 1


_HIDDEN: Final = frozenset({State.HELD, State.DELAYED})


class Standard(Messages):
    """Messages in no promised order: roughly as they came, or as chance has it."""

    fifo = False

    def __init__(
        self, name: str, attributes: Attributes, bell: Bell, etag: str, stem: str, world: World
    ) -> None:
        self._line: deque[Entry] = deque()
        self._world = world
        self._shuffled = world.adversity is not None and world.adversity.shuffle
        super().__init__(name, attributes, bell, etag, stem)

    @override
    def _wait(self, entry: Entry) -> None:
        self._line.append(entry)

    @override
    def _next(self) -> Entry | None:
        line = self._line
        if self._shuffled and line:
            line.rotate(self._world.random.randrange(len(line)))
        while line:
            entry = line.popleft()
            if entry.state is State.WAITING:
                return entry
        return None

    @override
    def waiting(self) -> Iterator[Entry]:
        return (it for it in self._line if it.state is State.WAITING)

    @override
    def _drop(self, entry: Entry) -> None:
        super()._drop(entry)
        waiting = self.total - self.held - self.delayed
        if len(self._line) > 2 * waiting + _SLACK:
            self._line = deque(it for it in self._line if it.state is State.WAITING)

    @override
    def _clear(self) -> None:
        self._line.clear()

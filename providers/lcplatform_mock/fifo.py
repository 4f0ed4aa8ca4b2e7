"""A queue that keeps the order of each message group and drops duplicates for five minutes."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from typing_extensions import override

from lcplatform.queue.models import Message, SendMessageResponse
from lcplatform_mock.messages import (
    DEDUPLICATION,
    INSTANT,
    Attributes,
    Bell,
    Entry,
    Messages,
    State,
)
from lcplatform_runtime.errors import invalid


@dataclass(slots=True, eq=False)
class Group:
    """The messages of one group that wait, in their order.

    Attributes:
        size: how many there are in all, with those that are held or delayed.
        held: how many are held. While there are any, the group rests.
        delayed_until: when the last delayed one falls due, so that no later one can overtake it.
        ready: whether the group stands in the line of groups from which messages can be received.
    """

    line: deque[Entry] = field(default_factory=deque)
    size: int = 0
    held: int = 0
    delayed_until: float = 0.0
    ready: bool = False


class Fifo(Messages):
    """Messages in the order of their groups. Of a group, only the messages that one call received are held at a time."""

    fifo = True

    def __init__(self, name: str, attributes: Attributes, bell: Bell, etag: str, stem: str) -> None:
        self._groups: dict[str, Group] = {}
        self._ready: deque[Group] = deque()
        self._known: dict[str, SendMessageResponse] = {}
        self._forgetting: deque[tuple[float, str]] = deque()
        super().__init__(name, attributes, bell, etag, stem)

    # --- duplicates

    def duplicate(self, deduplication_id: str, now: float) -> SendMessageResponse | None:
        """What was answered to the message that this one is a duplicate of."""
        while self._forgetting and self._forgetting[0][0] <= now + INSTANT:
            expired = self._forgetting.popleft()[1]
            del self._known[expired]
            if self.keeper is not None:
                self.keeper.expired(expired)
        return self._known.get(deduplication_id)

    def remember(self, deduplication_id: str, answer: SendMessageResponse, now: float) -> None:
        """Duplicates of a message get the same answer."""
        until = now + DEDUPLICATION
        self.remember_until(deduplication_id, answer, until)
        if self.keeper is not None:
            self.keeper.answered(deduplication_id, answer, until)

    def remember_until(
        self, deduplication_id: str, answer: SendMessageResponse, until: float
    ) -> None:
        """The same, until some moment."""
        self._known[deduplication_id] = answer
        self._forgetting.append((until, deduplication_id))

    # --- order

    @override
    def sequence(self, entry: Entry) -> str:
        return f"{entry.number:020d}"

    @override
    def send(self, entry: Entry, delay: float, now: float) -> None:
        group = self._group(entry)
        due = max(now + delay, group.delayed_until)
        if due > now:
            group.delayed_until = due
        super().send(entry, due - now, now)

    @override
    def take_back(self, entry: Entry) -> None:
        group = self._group(entry)
        group.size += 1
        if entry.state is State.HELD:
            group.held += 1
        elif entry.state is State.DELAYED:
            group.delayed_until = max(group.delayed_until, entry.due)
        super().take_back(entry)

    def known(self) -> Iterator[tuple[str, SendMessageResponse, float]]:
        """What was answered to which message, and until when its duplicates get the same."""
        for until, deduplication_id in self._forgetting:
            yield deduplication_id, self._known[deduplication_id], until

    @override
    def _admit(self, entry: Entry) -> None:
        super()._admit(entry)
        self._group(entry).size += 1

    @override
    def _wait(self, entry: Entry) -> None:
        group = self._group(entry)
        if not group.line or group.line[-1].number < entry.number:
            group.line.append(entry)
        else:  # it was held, and goes back to its place
            insort(group.line, entry, key=attrgetter("number"))
        self._line_up(group)

    @override
    def _next(self) -> Entry | None:
        while self._ready:
            group = self._ready[0]
            while group.line:
                entry = group.line.popleft()
                if entry.state is State.WAITING:
                    return entry
            self._leave()
        return None

    @override
    def _received(self) -> None:
        # Only the first group can have been left in the middle: the rest of it waits.
        if self._ready and self._ready[0].held:
            self._leave()

    @override
    def _hold(self, entry: Entry, lease: float, now: float) -> Message:
        self._group(entry).held += 1
        return super()._hold(entry, lease, now)

    @override
    def _uncount(self, entry: Entry) -> None:
        if entry.state is State.HELD:
            self._group(entry).held -= 1
        super()._uncount(entry)

    @override
    def _drop(self, entry: Entry) -> None:
        super()._drop(entry)
        group = self._group(entry)
        group.size -= 1
        if group.size:
            self._line_up(group)
        else:
            del self._groups[entry.group_id or ""]

    @override
    def _check_deletable(self, entry: Entry) -> None:
        # As SQS has it. On a standard queue the last handle stays good.
        if entry.state is not State.HELD:
            raise invalid("receipt_handle", "one whose visibility timeout has not ended")

    @override
    def waiting(self) -> Iterator[Entry]:
        for group in self._ready:
            yield from (it for it in group.line if it.state is State.WAITING)

    @override
    def _clear(self) -> None:
        self._groups.clear()
        self._ready.clear()

    def _group(self, entry: Entry) -> Group:
        assert entry.group_id is not None
        return self._groups.setdefault(entry.group_id, Group())

    def _line_up(self, group: Group) -> None:
        if group.line and not group.held and not group.ready:
            group.ready = True
            self._ready.append(group)

    def _leave(self) -> None:
        self._ready.popleft().ready = False

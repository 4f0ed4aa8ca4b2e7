"""What the mock knows of events: buses with their rules and archives, and what is on its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Self, TypeAlias

from lcplatform.event_bus.models import (
    Archive,
    Destination,
    EventBusInfo,
    FunctionTarget,
    HttpTarget,
    InputTransform,
    LogTarget,
    QueueTarget,
    Replay,
    ReplayStatus,
    Rule,
    Target,
    TargetRetry,
    TopicTarget,
)
from lcplatform_mock.retrying import Policy, Progress
from lcplatform_runtime.json_value import Json

if TYPE_CHECKING:
    from collections.abc import Iterator

FINAL = frozenset({ReplayStatus.COMPLETED, ReplayStatus.CANCELLED, ReplayStatus.FAILED})
"""A replay in one of these has ended."""


class _Shared:
    """What never changes is part of every snapshot as it is."""

    __slots__ = ()

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self


@dataclass(eq=False, slots=True)
class Published(_Shared):
    """An event that was taken. Nobody changes it; it is not frozen, since one is made for every publishing.

    Attributes:
        id: its id.
        body: the event in the JSON format of CloudEvents: what rules match and what targets get.
        at: when it was published.
        ordering_key: events with the same one stay in their order.
    """

    id: str
    body: Json = field(repr=False)
    at: datetime
    ordering_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A destination as it is kept: the one that is not absent."""

    queue: QueueTarget | None = None
    topic: TopicTarget | None = None
    http: HttpTarget | None = None
    function: FunctionTarget | None = None
    log: LogTarget | None = None

    @classmethod
    def of(cls, destination: Destination) -> Self:
        """The record of a destination."""
        match destination:
            case QueueTarget():
                return cls(queue=destination)
            case TopicTarget():
                return cls(topic=destination)
            case HttpTarget():
                return cls(http=destination)
            case FunctionTarget():
                return cls(function=destination)
            case LogTarget():
                return cls(log=destination)

    @property
    def destination(self) -> Destination:
        """The destination of a record."""
        there = self.queue or self.topic or self.http or self.function or self.log
        assert there is not None
        return there


@dataclass(frozen=True, kw_only=True)
class TargetRecord(_Shared):
    """A target of a rule.

    Attributes:
        uid: tells it from all others, those of other rules and earlier ones of the same name included.
        fifo: whether it is a queue or a topic that keeps the order of groups.
    """

    uid: str
    target_id: str
    place: Place
    transform: InputTransform | None
    retry: TargetRetry
    dead_letter_queue: str | None
    created_at: datetime
    fifo: bool = False

    @cached_property
    def destination(self) -> Destination:
        """Where events go."""
        return self.place.destination

    @cached_property
    def inline(self) -> bool:
        """Whether its place takes an event at once, so that nobody else need bring it there."""
        return isinstance(self.destination, QueueTarget | TopicTarget | LogTarget)

    @cached_property
    def policy(self) -> Policy:
        """How long an event is tried."""
        return Policy(self.retry.max_retries, self.retry.max_age)

    def shown(self) -> Target:
        """As it is answered."""
        return Target(
            target_id=self.target_id,
            destination=self.destination,
            transform=self.transform,
            retry=self.retry,
            dead_letter_queue=self.dead_letter_queue,
            created_at=self.created_at,
        )


@dataclass(eq=False, slots=True, kw_only=True)
class RuleRecord:
    """A rule. Its targets are records of their own."""

    uid: str
    bus: str
    name: str
    description: str | None
    pattern: Json
    enabled: bool
    created_at: datetime
    etag: str

    def shown(self) -> Rule:
        """As it is answered."""
        return Rule(
            name=self.name,
            description=self.description,
            pattern=self.pattern,
            enabled=self.enabled,
            created_at=self.created_at,
            etag=self.etag,
        )


@dataclass(eq=False, slots=True, kw_only=True)
class ArchiveRecord:
    """An archive. The events in it are records of their own."""

    uid: str
    bus: str
    name: str
    pattern: Json | None
    retention: timedelta | None
    created_at: datetime


@dataclass(eq=False, slots=True)
class RuleState:
    """A rule and its targets by their ids."""

    record: RuleRecord
    targets: dict[str, TargetRecord] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class ArchiveState:
    """An archive and the events in it.

    Attributes:
        events: by their numbers, which grow in the order of publication.
        first: no event in it has a smaller number.
        next: the number of the next event.
    """

    record: ArchiveRecord
    events: dict[int, Published] = field(default_factory=dict)
    first: int = 0
    next: int = 0

    def put(self, number: int, event: Published) -> None:
        """Keeps an event under its number, which is the greatest so far."""
        if not self.events:
            self.first = number
        self.events[number] = event
        self.next = number + 1

    def expired(self, now: datetime) -> Iterator[int]:
        """Drops what was kept long enough, and tells which numbers that was."""
        if self.record.retention is None:
            return
        while self.events:
            event = self.events.get(self.first)
            if event is not None:
                if event.at + self.record.retention > now:
                    return
                del self.events[self.first]
                yield self.first
            self.first += 1

    def shown(self) -> Archive:
        """As it is answered."""
        record = self.record
        return Archive(
            name=record.name,
            bus=record.bus,
            pattern=record.pattern,
            retention=record.retention,
            created_at=record.created_at,
            events=len(self.events),
        )


@dataclass(slots=True)
class BusRecord:
    """A bus. Its rules and archives are records of their own."""

    name: str
    created_at: datetime

    def shown(self) -> EventBusInfo:
        """As it is answered."""
        return EventBusInfo(name=self.name, created_at=self.created_at)


@dataclass(eq=False, slots=True)
class BusState:
    """A bus with its rules and archives by their names."""

    record: BusRecord
    rules: dict[str, RuleState] = field(default_factory=dict)
    archives: dict[str, ArchiveState] = field(default_factory=dict)


@dataclass(eq=False, slots=True, kw_only=True)
class ReplayRecord:
    """A replay.

    Attributes:
        archive_uid: the archive; another one of the same name is not meant.
        rules: only through these; through all where there are none.
        position: the number of the event in the archive that comes next.
        end: the number of the first event that came too late for it.
    """

    id: str
    bus: str
    archive: str
    archive_uid: str
    since: datetime
    until: datetime
    rules: tuple[str, ...]
    started_at: datetime
    position: int
    end: int
    status: ReplayStatus = ReplayStatus.STARTING
    reason: str | None = None
    completed_at: datetime | None = None

    def finish(self, status: ReplayStatus, now: datetime, reason: str | None = None) -> None:
        """It has ended."""
        self.status, self.completed_at, self.reason = status, now, reason

    def shown(self) -> Replay:
        """As it is answered."""
        return Replay(
            replay_id=self.id,
            archive=self.archive,
            bus=self.bus,
            status=self.status,
            reason=self.reason,
            since=self.since,
            until=self.until,
            started_at=self.started_at,
            completed_at=self.completed_at,
        )


Attributes: TypeAlias = dict[str, str]
"""What is told with a dead letter."""


@dataclass(eq=False, slots=True)
class Delivery:
    """An event for one target. While it is nothing else, whoever published the event brings it there, without a detour.

    Attributes:
        id: tells it from all others, also in a later life of the state.
        rule: through which rule it goes there.
    """

    id: str
    bus: str
    rule: str
    target: TargetRecord
    event: Published


@dataclass(eq=False, slots=True, kw_only=True)
class Pending(Delivery):
    """An event on its way to one target, since it has to wait, or did not arrive at once.

    Attributes:
        lane: it goes after those that were put into the same lane before; whenever it likes if it has none.
        letter: the attributes of a dead letter. If there are any, it is on its way to the target's dead-letter queue.
    """

    progress: Progress
    lane: str | None = None
    letter: Attributes | None = None


@dataclass(slots=True)
class State:
    """Everything.

    Attributes:
        pending: what is on its way, in the order in which it set out.
        lanes: the ids of what is on its way in each lane. The first of them is tried, the others wait for it.
    """

    buses: dict[str, BusState] = field(default_factory=dict)
    replays: dict[str, ReplayRecord] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    lanes: dict[str, list[str]] = field(default_factory=dict)

    def send(self, pending: Pending) -> bool:
        """Puts something on its way. Whether it can be tried at once."""
        self.pending[pending.id] = pending
        if pending.lane is None:
            return True
        lane = self.lanes.setdefault(pending.lane, [])
        lane.append(pending.id)
        return len(lane) == 1

    def end(self, pending: Pending) -> Pending | None:
        """It is on its way no longer. What can be tried in its place."""
        del self.pending[pending.id]
        if pending.lane is None:
            return None
        lane = self.lanes[pending.lane]
        lane.remove(pending.id)
        if lane:
            return self.pending[lane[0]]
        del self.lanes[pending.lane]
        return None

    def heads(self) -> Iterator[Pending]:
        """What can be tried."""
        for it in self.pending.values():
            if it.lane is None or self.lanes[it.lane][0] == it.id:
                yield it

"""How an event gets to the targets of the rules that it matches: at once where that can be done, else on the agenda."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

from typing_extensions import override

from lcplatform_mock.event_couriers import Couriers
from lcplatform_mock.event_journal import EventTables
from lcplatform_mock.event_records import (
    ArchiveState,
    Attributes,
    BusState,
    Delivery,
    Pending,
    Published,
    RuleState,
    State,
)
from lcplatform_mock.retrying import Ended, Failure, Policy, Progress, Retries
from lcplatform_mock.service import Service
from lcplatform_mock.world import World
from lcplatform_runtime.patterns.grammar import parse
from lcplatform_runtime.patterns.rules import Rules

_LOG: Final = logging.getLogger("lcplatform.mock")

Asking: TypeAlias = RuleState | ArchiveState
"""Who asks for events."""

_LETTERS: Final = Policy(max_retries=185, max_age=timedelta(days=1))
"""How long a dead letter is tried."""

_LONGEST: Final = 1000
"""Of what is told of an error in a dead letter, in characters."""


class Delivering(Service[State]):
    """Events on their way. What begins with an underscore is called under the lock, unless it says otherwise."""

    def __init__(self, world: World) -> None:
        self._tables = None if world.journal is None else EventTables(world.journal)
        super().__init__(world, State() if self._tables is None else self._tables.load())
        self._name = world.names()
        self._couriers = Couriers(world)
        self._retries = Retries(world)
        self._indexes: dict[str, Rules[Asking]] = {}
        self._life = 0
        self._started: set[str] = set()
        with self._lock:
            self._moved()

    # --- who gets an event

    def _index(self, bus: BusState) -> Rules[Asking]:
        """The patterns of a bus: those of the rules that are in force, and those of archives."""
        index = self._indexes.get(bus.record.name)
        if index is None:
            index = self._indexes[bus.record.name] = Rules()
            for rule in bus.rules.values():
                if rule.record.enabled:
                    index.add(rule, parse(rule.record.pattern))
            for archive in bus.archives.values():
                if archive.record.pattern is not None:
                    index.add(archive, parse(archive.record.pattern))
        return index

    def _accept(
        self, bus: BusState, event: Published, content: Mapping[str, object]
    ) -> list[Delivery]:
        """Takes a new event with this in it. Answers what is to be dispatched once the lock is released."""
        asking = self._index(bus).matching(content)
        for archive in bus.archives.values():
            if archive.record.pattern is None or archive in asking:
                self._archive(archive, event)
        return self._route(bus, event, event.at, asking)

    def _archive(self, archive: ArchiveState, event: Published) -> None:
        self._expire(archive, event.at)
        number = archive.next
        archive.put(number, event)
        if self._tables is not None:
            self._tables.archived(archive, number, event)

    def _expire(self, archive: ArchiveState, now: datetime) -> None:
        """Drops what an archive has kept long enough."""
        for number in archive.expired(now):
            if self._tables is not None:
                self._tables.no_archived(archive, number)

    def _route(
        self,
        bus: BusState,
        event: Published,
        since: datetime,
        asking: Iterable[Asking],
        only: tuple[str, ...] = (),
    ) -> list[Delivery]:
        """Puts an event on its way to every target of these rules, or of those among them that are named."""
        found: list[Delivery] = []
        for rule in asking:
            if not isinstance(rule, RuleState) or not rule.targets:
                continue
            record = rule.record
            if only and record.name not in only:
                continue
            for target in rule.targets.values():
                delivery = Delivery(self._name(), record.bus, record.name, target, event)
                if event.ordering_key is None and target.inline:
                    found.append(delivery)
                elif self._put(pending := _pending(delivery, since)):
                    found.append(pending)
        return found

    # --- on its way

    def _put(self, pending: Pending) -> bool:
        """Keeps what is on its way. Whether it can be tried now."""
        if self._tables is not None:
            self._tables.pending(pending)
        first = self._state.send(pending)
        if first:
            self._started.add(pending.id)
        return first

    def _dispatch(self, found: Iterable[Delivery], since: datetime) -> None:
        """Brings what can be brought at once, and starts the rest. Without the lock."""
        for delivery in found:
            if isinstance(delivery, Pending):
                self._start(delivery)
            elif (failure := self._couriers.attempt(delivery)) is not None:
                self._go_on(_pending(delivery, since), failure)

    def _start(self, pending: Pending) -> None:
        """Has it tried when it is due. With the lock or without, and once only."""
        self._retries.start(_Course(pending, self))

    def _go_on(self, pending: Pending, failure: Failure) -> None:
        """Tries again, since a first attempt failed. Without the lock."""
        with self._lock:
            self._put(pending)
        self._retries.failed(_Course(pending, self), failure)

    def attempt(self, pending: Pending) -> Failure | None:
        """Tries once."""
        return self._couriers.attempt(pending)

    def postponed(self, pending: Pending) -> None:
        """It is tried again."""
        with self._lock:
            if self._under_way(pending) and self._tables is not None:
                self._tables.pending(pending)

    def ended(self, pending: Pending) -> None:
        """It is on its way no longer. What waited for it goes on."""
        with self._lock:
            following = self._end(pending)
        if following is not None:
            self._start(following)

    def lost(self, pending: Pending, why: Ended) -> None:
        """It did not arrive. It becomes a dead letter, if its target has a queue for them."""
        letter = None
        with self._lock:
            if not self._under_way(pending):
                return
            if pending.letter is None and pending.target.dead_letter_queue is not None:
                letter = self._letter(pending, why)
                self._put(letter)  # before the other goes: of the two, one is always kept
            following = self._end(pending)
        if letter is None:
            _tell(pending, why)
        else:
            self._start(letter)
        if following is not None:
            self._start(following)

    def _letter(self, pending: Pending, why: Ended) -> Pending:
        now = self._clock.now()
        return Pending(
            self._name(),
            pending.bus,
            pending.rule,
            pending.target,
            pending.event,
            progress=Progress(now, now),
            letter=_attributes(pending, why),
        )

    def _under_way(self, pending: Pending) -> bool:
        """Whether it is part of the state, and not of one that was left."""
        return self._state.pending.get(pending.id) is pending

    def _end(self, pending: Pending) -> Pending | None:
        if not self._under_way(pending):
            return None
        self._started.discard(pending.id)
        if self._tables is not None:
            self._tables.not_pending(pending)
        following = self._state.end(pending)
        if following is not None:
            self._started.add(following.id)
        return following

    # --- the whole of it

    @override
    def _moved(self) -> None:
        """Works out anew what follows from the state, as soon as it is the one that stays."""
        self._life += 1
        self._retries.forget()
        self._started.clear()
        self._indexes.clear()
        if self._state.pending or self._state.replays:
            self._world.agenda.soon(partial(self._resume, self._life))

    def _resume(self, life: int) -> None:
        """Takes up what was under way. Without the lock."""
        with self._lock:
            if life != self._life:
                return
            for pending in [it for it in self._state.heads() if it.id not in self._started]:
                self._start(pending)
            self._resume_replays()

    def _resume_replays(self) -> None:
        """Takes up the replays that were under way."""

    @override
    def _keep(self) -> None:
        assert self._tables is not None
        self._tables.keep(self._state)


class _Course:
    """An event on its way, as `Retries` brings it to its target."""

    def __init__(self, pending: Pending, service: Delivering) -> None:
        self.policy = _LETTERS if pending.letter is not None else pending.target.policy
        self.progress = pending.progress
        self._pending = pending
        self._service = service

    def attempt(self) -> Failure | None:
        """Tries once."""
        return self._service.attempt(self._pending)

    def arrived(self) -> None:
        """It is done."""
        self._service.ended(self._pending)

    def postponed(self) -> None:
        """It is tried again."""
        self._service.postponed(self._pending)

    def given_up(self, why: Ended) -> None:
        """It is not tried any more."""
        self._service.lost(self._pending, why)


def _pending(delivery: Delivery, since: datetime) -> Pending:
    """A delivery that began then, to be kept until it is done."""
    key = delivery.event.ordering_key
    return Pending(
        delivery.id,
        delivery.bus,
        delivery.rule,
        delivery.target,
        delivery.event,
        progress=Progress(since, since),
        lane=None if key is None else f"{delivery.target.uid} {key}",
    )


def _attributes(pending: Pending, why: Ended) -> Attributes:
    """What a dead letter tells of the event that it is."""
    reason = pending.progress.reason[:_LONGEST]
    printable = "".join(it if it.isprintable() else " " for it in reason)
    return {
        "bus": pending.bus,
        "rule": pending.rule,
        "target": pending.target.target_id,
        "reason": why.value,
        "error": printable or "unknown",
        "attempts": str(pending.progress.attempts),
    }


def _tell(pending: Pending, why: Ended) -> None:
    """Nothing is lost in silence."""
    _LOG.error(
        "event %s of bus %s did not reach %s %s of rule %s (%s): %s",
        pending.event.id,
        pending.bus,
        "target" if pending.letter is None else "the dead-letter queue of target",
        pending.target.target_id,
        pending.rule,
        why.value,
        pending.progress.reason,
    )

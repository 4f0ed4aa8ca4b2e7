"""What the mock keeps of events across restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lcplatform_mock.event_records import (
    ArchiveRecord,
    ArchiveState,
    BusRecord,
    BusState,
    Pending,
    Published,
    ReplayRecord,
    RuleRecord,
    RuleState,
    State,
    TargetRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lcplatform_mock.journal import Journal


@dataclass(frozen=True, slots=True)
class Owned:
    """A target, and the rule that it belongs to."""

    rule: str
    target: TargetRecord


@dataclass(frozen=True, slots=True)
class Archived:
    """An event in an archive, and its number there."""

    archive: str
    number: int
    event: Published


class EventTables:
    """The records of one state directory. Whoever changes them holds the lock of the service."""

    def __init__(self, journal: Journal) -> None:
        self._buses = journal.table("event_bus.bus", BusRecord)
        self._rules = journal.table("event_bus.rule", RuleRecord)
        self._targets = journal.table("event_bus.target", Owned)
        self._archives = journal.table("event_bus.archive", ArchiveRecord)
        self._archived = journal.table("event_bus.archived", Archived)
        self._replays = journal.table("event_bus.replay", ReplayRecord)
        self._pending = journal.table("event_bus.pending", Pending)

    def load(self) -> State:
        """What was kept."""
        state = State()
        for name, bus in self._buses.load():
            state.buses[name] = BusState(bus)
        rules: dict[str, RuleState] = {}
        for uid, rule in self._rules.load():
            rules[uid] = state.buses[rule.bus].rules[rule.name] = RuleState(rule)
        for _, owned in self._targets.load():
            rules[owned.rule].targets[owned.target.target_id] = owned.target
        archives: dict[str, ArchiveState] = {}
        for uid, archive in self._archives.load():
            archives[uid] = state.buses[archive.bus].archives[archive.name] = ArchiveState(archive)
        for _, archived in self._archived.load():
            archives[archived.archive].put(archived.number, archived.event)
        state.replays.update(self._replays.load())
        for _, pending in self._pending.load():
            state.send(pending)
        return state

    def bus(self, it: BusState) -> None:
        """Keeps a bus."""
        self._buses.put(it.record.name, it.record)

    def no_bus(self, it: BusState, replays: Iterable[ReplayRecord]) -> None:
        """Keeps a bus no longer, nor the replays that it had."""
        self._buses.remove(it.record.name)
        for replay in replays:
            self._replays.remove(replay.id)

    def rule(self, it: RuleState) -> None:
        """Keeps a rule."""
        self._rules.put(it.record.uid, it.record)

    def no_rule(self, it: RuleState) -> None:
        """Keeps a rule no longer, nor its targets."""
        self._rules.remove(it.record.uid)
        for target in it.targets.values():
            self.no_target(target)

    def target(self, rule: RuleState, it: TargetRecord) -> None:
        """Keeps a target."""
        self._targets.put(it.uid, Owned(rule.record.uid, it))

    def no_target(self, it: TargetRecord) -> None:
        """Keeps a target no longer."""
        self._targets.remove(it.uid)

    def archive(self, it: ArchiveState) -> None:
        """Keeps an archive."""
        self._archives.put(it.record.uid, it.record)

    def no_archive(self, it: ArchiveState) -> None:
        """Keeps an archive no longer, nor the events in it."""
        self._archives.remove(it.record.uid)
        for number in it.events:
            self.no_archived(it, number)

    def archived(self, it: ArchiveState, number: int, event: Published) -> None:
        """Keeps an event in an archive."""
        uid = it.record.uid
        self._archived.put(f"{uid}/{number}", Archived(uid, number, event))

    def no_archived(self, it: ArchiveState, number: int) -> None:
        """Keeps an event in an archive no longer."""
        self._archived.remove(f"{it.record.uid}/{number}")

    def replay(self, it: ReplayRecord) -> None:
        """Keeps how far a replay has come."""
        self._replays.put(it.id, it)

    def pending(self, it: Pending) -> None:
        """Keeps what is on its way."""
        self._pending.put(it.id, it)

    def not_pending(self, it: Pending) -> None:
        """Keeps it no longer."""
        self._pending.remove(it.id)

    def keep(self, state: State) -> None:
        """Keeps this state, and nothing else."""
        for table in (
            self._buses,
            self._rules,
            self._targets,
            self._archives,
            self._archived,
            self._replays,
            self._pending,
        ):
            table.clear()
        for bus in state.buses.values():
            self.bus(bus)
            for rule in bus.rules.values():
                self.rule(rule)
                for target in rule.targets.values():
                    self.target(rule, target)
            for archive in bus.archives.values():
                self.archive(archive)
                for number, event in archive.events.items():
                    self.archived(archive, number, event)
        for replay in state.replays.values():
            self.replay(replay)
        for pending in state.pending.values():
            self.pending(pending)

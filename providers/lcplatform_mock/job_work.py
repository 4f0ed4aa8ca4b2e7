"""What Batch does by itself: attempts start, end and are ended, schedules submit (FR-007, FR-008, FR-010)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from typing_extensions import override

from lcplatform_mock.agenda import Ticket
from lcplatform_mock.batch_records import BatchTables
from lcplatform_mock.board import Board, Due, What
from lcplatform_mock.executions import Crew, Ended, Execution
from lcplatform_mock.guardian import Guardian
from lcplatform_mock.images import BatchSettings
from lcplatform_mock.jobs import Record
from lcplatform_mock.messages import Bell
from lcplatform_mock.schedules import Schedule
from lcplatform_mock.service import Service
from lcplatform_mock.starting import NotStartedError, attempt_of
from lcplatform_mock.world import World

_PUNCTUAL: Final = timedelta(seconds=1)


class JobWork(Service[Board]):
    """The work behind the operations of Batch. What falls due waits on the board; whoever passes lets it happen."""

    def __init__(self, world: World) -> None:
        super().__init__(world, Board())
        self._settings = world.settings.batch or BatchSettings()
        self._name = world.names()
        self._turn = threading.RLock()  # who has it lets happen what fell due
        self._bell = Bell(self._lock)
        self._guardian = Guardian()
        self._crew = Crew(self._settings.concurrency)
        self._idle: deque[tuple[str, int]] = deque()  # attempts that wait for a free thread
        self._ticket: Ticket | None = None
        self._ticket_due: datetime | None = None
        self._life = 0  # grows when the state is another: what ran before belongs to no job of it
        self._closed = False
        self._tables = None if world.journal is None else BatchTables(world.journal)
        if self._tables is not None:
            self._state = self._tables.load(self._clock.now())
            with self._lock:
                self._arm()

    @override
    def settle(self) -> None:
        """Lets happen what has fallen due by now, each thing at its moment and after those before it."""
        with self._lock:
            if not self._state.falls_due(self._clock.now()):
                return
        with self._turn:
            while (step := self._next_step()) is not None:
                step()

    @override
    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._bell.condition.notify_all()
        self._crew.close(self._settings.grace.total_seconds())
        self._guardian.close()

    @override
    def _moved(self) -> None:
        self._life += 1
        for name in self._crew.names:
            self._world.agenda.soon(partial(self._crew.stop, name))
        now = self._clock.now()
        for job_id in list(self._state.jobs):
            self._state.lose(job_id, now)
        self._idle.clear()
        self._changed()

    @override
    def _keep(self) -> None:
        if self._tables is not None:
            self._tables.keep(self._state)

    # --- an attempt, from its start to its end

    def _next_step(self) -> Callable[[], None] | None:
        """The next thing that is done without holding the lock. What is done under it has been done before."""
        with self._lock:
            while (due := self._state.pop(self._clock.now())) is not None:
                if due.what is What.START:
                    self._changed()
                    return partial(self._start, due)
                self._submit_scheduled(due)
            self._changed()
            return None

    def _start(self, due: Due) -> None:
        """Starts an attempt: resolves its secrets, finds what its image is, runs that."""
        with self._lock:
            record, life = self._state.awaits_start(due.key, due.attempt), self._life
        if record is None:
            self._pass_by()
            return
        try:
            attempt = attempt_of(
                record,
                due.attempt,
                self._settings,
                self._guardian,
                self._world.services.secrets().get_secret,
                partial(self._write, life, due.key, due.attempt),
            )
        except NotStartedError as problem:
            with self._lock:
                if life == self._life and self._state.start(due.key, due.attempt, None, due.moment):
                    self._state.end(due.key, due.attempt, Ended(None, str(problem)), due.moment)
            self._pass_by()
            return
        if isinstance(attempt, Execution):
            self._run(due, attempt, life)
            return
        with self._lock:
            if life == self._life:
                self._state.start(due.key, due.attempt, attempt, due.moment)
                self._changed()

    def _run(self, due: Due, execution: Execution, life: int) -> None:
        """Runs an attempt for real, or lets it wait until there is room."""
        with self._lock:
            record = self._state.awaits_start(due.key, due.attempt)
            wanted = record is not None and life == self._life and not self._closed
            if record is not None and wanted and not self._crew.take():
                self._idle.append((due.key, due.attempt))
                self._state.hold(record, "it waits for others to end")
                return
            if wanted:
                self._state.start(due.key, due.attempt, None, self._clock.now())
                name = _name_of(life, due.key, due.attempt)
                done = partial(self._done, life, due.key, due.attempt)
                self._crew.start(name, execution, done)  # from now on it can be ended
                self._changed()
        if not wanted:
            self._pass_by()

    def _done(self, life: int, job_id: str, attempt: int, ended: Ended) -> None:
        """An execution is over. Whoever waits for room may start."""
        with self._lock:
            if self._closed:
                return
            if life == self._life:
                self._state.end(job_id, attempt, ended, self._clock.now())
        self._pass_by()
        self.settle()
        self._world.flush()

    def _pass_by(self) -> None:
        """There may be room that nobody takes: the first of those that wait for it and are still wanted is to start."""
        with self._lock:
            while self._idle and self._crew.free:
                job_id, attempt = self._idle.popleft()
                if self._state.awaits_start(job_id, attempt) is not None:
                    self._state.push(self._clock.now(), What.START, job_id, attempt)
                    break
            self._changed()

    def _write(self, life: int, job_id: str, attempt: int, line: str) -> None:
        with self._lock:
            if life == self._life and not self._closed:
                self._state.write(job_id, attempt, line, self._clock.now())
                self._bell.ring()

    # --- schedules. The lock is held.

    def _submit_scheduled(self, due: Due) -> None:
        """A schedule submits its job. Times that were missed are made up for by this one."""
        schedule = self._state.schedules.get(due.key)
        if schedule is None or schedule.next_run != due.moment:
            return
        now = self._clock.now()
        at = due.moment if now - due.moment < _PUNCTUAL else now
        record = Record(
            job_id=self._name(),
            name=schedule.name,
            template=schedule.job,
            created_at=at,
            schedule=schedule.name,
        )
        self._state.add(record)  # first: what is written half is a job too many, and none too few
        schedule.last_run = at
        self._plan(schedule, at)

    def _plan(self, schedule: Schedule, now: datetime | None = None) -> None:
        """Puts a schedule in its place, and finds its next time."""
        schedule.plan(self._clock.now() if now is None else now)
        self._state.schedules[schedule.name] = schedule
        if schedule.next_run is not None:
            self._state.push(schedule.next_run, What.SUBMIT, schedule.name)
        if self._tables is not None:
            self._tables.put_schedule(schedule)
        self._arm()

    # --- after changes. The lock is held.

    def _changed(self) -> None:
        """After every change: ends what is to be ended, wakes who listens, and sees to what falls due next."""
        for job_id, attempt in self._state.over:
            name = _name_of(self._life, job_id, attempt)
            self._world.agenda.soon(partial(self._crew.stop, name))
        self._state.over.clear()
        self._bell.ring()
        self._arm()

    def _arm(self) -> None:
        due = self._state.next_due
        if due is None or self._closed:
            return
        if self._ticket is not None:
            if self._ticket_due is not None and self._ticket_due <= due:
                return
            self._ticket.cancel()
        self._ticket_due = due
        self._ticket = self._world.agenda.at(self._world.moment(due), self._wake)

    def _wake(self) -> None:
        with self._lock:
            self._ticket = self._ticket_due = None
        self.settle()
        with self._lock:
            self._arm()


def _name_of(life: int, job_id: str, attempt: int) -> str:
    return f"{life}/{job_id}/{attempt}"

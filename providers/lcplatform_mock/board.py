"""What becomes of jobs: a state machine without threads, which says what falls due when."""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple, Protocol

from lcplatform.batch.models import JobStatus
from lcplatform_mock.agenda import INSTANT
from lcplatform_mock.executions import Ended
from lcplatform_mock.images import Simulated
from lcplatform_mock.jobs import Attempt, Copies, Line, Plan, Record
from lcplatform_mock.schedules import Schedule

KEPT: Final = timedelta(days=7)
"""How long a job is kept that has ended."""

MAX_LINES: Final = 20_000
"""The lines that are kept of one job."""

_ALMOST: Final = timedelta(seconds=2 * INSTANT)
_LOST: Final = Ended(None, "it was lost: the platform ended while it ran")


class What(Enum):
    """What falls due."""

    START = "an attempt starts"
    END = "a simulated attempt ends"
    TIMEOUT = "an attempt has run for too long"
    BREAK = "a job that this one waits for did not succeed"
    FORGET = "a job is kept no longer"
    SUBMIT = "a schedule submits"


class Due(NamedTuple):
    """Something that falls due: of an attempt, counted from 1, where it is about one."""

    moment: datetime
    order: int
    what: What
    key: str
    attempt: int


class Keeper(Protocol):
    """Keeps what changes across restarts."""

    def put_job(self, record: Record, /) -> None: ...

    def put_line(self, job_id: str, number: int, line: Line, /) -> None: ...

    def forget(self, job_id: str, lines: int, /) -> None: ...


@dataclass(slots=True)
class Board:
    """All jobs and schedules, and what falls due. Whoever uses it holds the lock of the service.

    Attributes:
        jobs: the jobs by their identity, copies of array jobs among them.
        copies: the copies of each array job.
        listed: the identities of all jobs that are no copies, in the order in which they were submitted.
        keys: the job that came with each idempotency key.
        lines: what each job wrote.
        schedules: the schedules by name.
        over: attempts that ended before what runs in them did, which is to be stopped.
        keeper: what keeps changes, if anything does.
    """

    jobs: dict[str, Record] = field(default_factory=dict)
    copies: dict[str, Copies] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[Line]] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    over: list[tuple[str, int]] = field(default_factory=list)
    keeper: Keeper | None = None
    _dependents: dict[str, list[str]] = field(default_factory=dict)
    _due: list[Due] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)

    # --- what falls due

    def push(self, moment: datetime, what: What, key: str, attempt: int = 0) -> None:
        """Something falls due."""
        heapq.heappush(self._due, Due(moment, next(self._order), what, key, attempt))

    @property
    def next_due(self) -> datetime | None:
        """When the next thing falls due."""
        return self._due[0].moment if self._due else None

    def falls_due(self, now: datetime) -> bool:
        """Whether something has fallen due."""
        return bool(self._due) and self._due[0].moment <= now + _ALMOST

    def pop(self, now: datetime) -> Due | None:
        """The next thing that has fallen due. Jobs that are kept no longer are forgotten on the way there, and so on: what
        is left is to be done by who asks."""
        while self.falls_due(now):
            due = heapq.heappop(self._due)
            match due.what:
                case What.START | What.SUBMIT:
                    return due
                case What.FORGET:
                    self._forget(due.key)
                case _:
                    self._happen(due)
        return None

    def _happen(self, due: Due) -> None:
        record = self.jobs.get(due.key)
        if record is None or record.ended:
            return
        if due.what is What.BREAK:
            self._finish(record, JobStatus.FAILED, self._broken(record), due.moment)
        elif record.running is None or len(record.attempts) != due.attempt:
            return
        elif due.what is What.TIMEOUT:
            self._time_out(record, due.moment)
        elif record.plan is not None:
            self.end(due.key, due.attempt, Ended(record.plan.exit_code), due.moment)

    # --- the life of a job

    def add(self, record: Record) -> None:
        """Takes a job, and makes its copies if it is an array job."""
        self._enter(record)
        self._copy(record)
        if not record.waits_for:
            self._ready(record, record.created_at)
        elif any(self._failed(it) for it in record.waits_for):
            self.push(record.created_at, What.BREAK, record.job_id)

    def awaits_start(self, job_id: str, attempt: int) -> Record | None:
        """The job, if this attempt of it is to start."""
        record = self.jobs.get(job_id)
        waits = record is not None and record.status is JobStatus.PENDING
        return (
            record if waits and record is not None and len(record.attempts) == attempt - 1 else None
        )

    def start(self, job_id: str, attempt: int, outcome: Simulated | None, at: datetime) -> bool:
        """Starts an attempt, unless it is no longer wanted. With an outcome, it ends by itself."""
        record = self.awaits_start(job_id, attempt)
        if record is None:
            return False
        record.attempts.append(Attempt(at))
        record.started_at = record.started_at or at
        record.simulated = outcome is not None
        record.plan = None
        limit = at + record.template.timeout
        if outcome is not None and at + outcome.duration <= limit:
            record.plan = Plan(at + outcome.duration, outcome.exit_code_of(attempt))
            self.push(record.plan.ends_at, What.END, job_id, attempt)
        else:
            self.push(limit, What.TIMEOUT, job_id, attempt)
        self._set(record, JobStatus.RUNNING, None, at)
        for line in () if outcome is None else outcome.lines:
            self.write(job_id, attempt, line, at)
        return True

    def end(self, job_id: str, attempt: int, ended: Ended, at: datetime) -> None:
        """An attempt ended by itself. What comes late counts no longer."""
        record = self.jobs.get(job_id)
        if record is None or record.running is None or len(record.attempts) != attempt:
            return
        last = record.running
        last.completed_at, last.exit_code, last.reason = at, ended.exit_code, ended.reason
        if ended.exit_code == 0:
            self._finish(record, JobStatus.SUCCEEDED, None, at)
        elif attempt < record.template.max_attempts:
            told = f"attempt {attempt} of {record.template.max_attempts} failed: {last.told}"
            self._set(record, JobStatus.PENDING, told, at)
            self.push(at, What.START, job_id, attempt + 1)
        else:
            after = f" (after {attempt} attempts)" if attempt > 1 else ""
            self._finish(record, JobStatus.FAILED, f"{last.told}{after}", at)

    def hold(self, record: Record, reason: str) -> None:
        """It stays pending for a while."""
        self._set(record, JobStatus.PENDING, reason, record.created_at)

    def cancel(self, record: Record, reason: str, at: datetime) -> None:
        """Ends a job by a caller's wish, and its copies. One that has ended stays as it is."""
        if record.ended:
            return
        self._break_off(record, reason, at)
        self._finish(record, JobStatus.CANCELLED, reason, at)

    def lose(self, job_id: str, at: datetime) -> None:
        """What ran in its attempt is gone."""
        record = self.jobs[job_id]
        if record.running is not None and not record.simulated:
            self.end(job_id, len(record.attempts), _LOST, at)

    def write(self, job_id: str, attempt: int, message: str, at: datetime) -> None:
        """Takes a line of a job's. Beyond a great many, it only says that there were more."""
        lines = self.lines.setdefault(job_id, [])
        if job_id not in self.jobs or len(lines) > MAX_LINES:
            return
        told = message if len(lines) < MAX_LINES else f"only the first {MAX_LINES} lines are kept"
        line = Line(at, told, attempt)
        lines.append(line)
        if self.keeper is not None:
            self.keeper.put_line(job_id, len(lines) - 1, line)

    # --- taking up what was kept

    def take_up(self, record: Record) -> None:
        """Takes a job as it was kept. An array job comes before its copies, and a job after those that it waits for."""
        self._enter(record, put=False)

    def go_on(self, now: datetime) -> None:
        """Everything was taken up: what is to come of it falls due.

        The end of a process may have cut off what several records tell together, so what can be told from one of them is
        not taken from another.
        """
        for record in list(self.jobs.values()):
            self._complete(record, now)
        for record in list(self.jobs.values()):
            number = len(record.attempts)
            if record.completed_at is not None:
                if record.parent is None:
                    self.push(record.completed_at + KEPT, What.FORGET, record.job_id)
            elif record.running is None:
                self._wait_on(record, now)
            elif record.plan is not None:
                self.push(record.plan.ends_at, What.END, record.job_id, number)
            elif record.simulated:
                limit = record.running.started_at + record.template.timeout
                self.push(limit, What.TIMEOUT, record.job_id, number)
            else:
                self.lose(record.job_id, now)
        for schedule in self.schedules.values():
            if schedule.next_run is not None:
                self.push(schedule.next_run, What.SUBMIT, schedule.name)

    def _complete(self, record: Record, now: datetime) -> None:
        record.waits_for = [it for it in record.waits_for if not self._succeeded(it)]
        if record.is_array:
            self._copy(record)
            self._follow(record, now)
            if record.ended:
                self._end_copies(record, now)

    def _wait_on(self, record: Record, now: datetime) -> None:
        parent = self.jobs.get(record.parent) if record.parent is not None else None
        if any(self._failed(it) for it in record.waits_for):
            self.push(now, What.BREAK, record.job_id)
        elif not record.is_array and not record.waits_for and not (parent and parent.waits_for):
            self.push(now, What.START, record.job_id, len(record.attempts) + 1)

    # --- the same for all

    def _enter(self, record: Record, *, put: bool = True) -> None:
        self.jobs[record.job_id] = record
        if record.parent is None:
            insort(self.listed, record.job_id)
        else:
            copies = self.copies[record.parent]
            copies.job_ids.append(record.job_id)
            copies.count(record.status, 1)
        if record.is_array:
            self.copies[record.job_id] = Copies()
        if record.asked is not None and record.asked.idempotency_key is not None:
            self.keys[record.asked.idempotency_key] = record.job_id
        for it in record.waits_for:
            self._dependents.setdefault(it, []).append(record.job_id)
        if put and self.keeper is not None:
            self.keeper.put_job(record)

    def _copy(self, record: Record) -> None:
        """Makes the copies of an array job that there are not yet."""
        size = record.template.array_size
        if size is None:
            return
        template = record.template.model_copy(update={"array_size": None})
        for index in range(len(self.copies[record.job_id].job_ids), size):
            copy = Record(
                job_id=f"{record.job_id}:{index}",
                name=record.name,
                template=template,
                created_at=record.created_at,
                schedule=record.schedule,
                parent=record.job_id,
                index=index,
            )
            self._enter(copy)

    def _ready(self, record: Record, at: datetime) -> None:
        """Nothing is in the way of the first attempt any more."""
        copies = self.copies.get(record.job_id)
        for job_id in (record.job_id,) if copies is None else copies.job_ids:
            self.push(at, What.START, job_id, 1)

    def _succeeded(self, job_id: str) -> bool:
        record = self.jobs.get(job_id)
        return record is not None and record.succeeded

    def _failed(self, job_id: str) -> bool:
        """Whether a job never will have succeeded."""
        record = self.jobs.get(job_id)
        return record is None or (record.ended and record.status is not JobStatus.SUCCEEDED)

    def _broken(self, record: Record) -> str:
        job_id = next(it for it in record.waits_for if self._failed(it))
        cause = self.jobs.get(job_id)
        how = "is gone" if cause is None else f"ended in status {cause.status.value}"
        return f"job {job_id}, on which it depends, {how}"

    def _time_out(self, record: Record, at: datetime) -> None:
        limit = record.template.timeout
        self._break_off(record, f"it ran for longer than {limit}", at)
        self._finish(
            record,
            JobStatus.TIMEOUT,
            f"attempt {len(record.attempts)} ran for longer than {limit}",
            at,
        )

    def _break_off(self, record: Record, reason: str, at: datetime) -> None:
        """Ends the attempt that runs, if one does."""
        if record.running is not None:
            if not record.simulated:
                self.over.append((record.job_id, len(record.attempts)))
            record.running.reason = reason
            record.running.completed_at = at

    def _finish(self, record: Record, status: JobStatus, reason: str | None, at: datetime) -> None:
        record.completed_at = at
        self._set(record, status, reason, at)
        if record.parent is None:
            self.push(at + KEPT, What.FORGET, record.job_id)
        for job_id in self._dependents.pop(record.job_id, ()):
            self._tell(self.jobs[job_id], record, at)
        self._end_copies(record, at)

    def _end_copies(self, record: Record, at: datetime) -> None:
        copies = self.copies.get(record.job_id)
        for job_id in () if copies is None else copies.job_ids:
            copy = self.jobs[job_id]
            if not copy.ended:
                self._break_off(copy, record.reason or "", at)
                self._finish(copy, record.status, record.reason, at)

    def _tell(self, dependent: Record, cause: Record, at: datetime) -> None:
        """A job is told that one of those that it waits for has ended."""
        if dependent.ended:
            return
        if cause.status is not JobStatus.SUCCEEDED:
            self.push(at, What.BREAK, dependent.job_id)
            return
        dependent.waits_for.remove(cause.job_id)
        if self.keeper is not None:
            self.keeper.put_job(dependent)
        if not dependent.waits_for:
            self._ready(dependent, at)

    def _set(self, record: Record, status: JobStatus, reason: str | None, at: datetime) -> None:
        before, record.status, record.reason = record.status, status, reason
        if self.keeper is not None:
            self.keeper.put_job(record)
        if record.parent is not None:
            self.copies[record.parent].count(before, -1)
            self.copies[record.parent].count(status, 1)
            self._follow(self.jobs[record.parent], at)

    def _follow(self, parent: Record, at: datetime) -> None:
        """An array job stands where its copies do."""
        if parent.ended:
            return
        copies = self.copies[parent.job_id]
        if copies.all_ended:
            size = len(copies.job_ids)
            told = f"{copies.failed} of {size} copies did not succeed" if copies.failed else None
            self._finish(
                parent, JobStatus.FAILED if copies.failed else JobStatus.SUCCEEDED, told, at
            )
        elif parent.status is JobStatus.PENDING and copies.counts.get(JobStatus.RUNNING):
            parent.started_at = at
            self._set(parent, JobStatus.RUNNING, None, at)

    def _forget(self, job_id: str) -> None:
        copies = self.copies.pop(job_id, None)
        for gone in (job_id, *(() if copies is None else copies.job_ids)):
            record = self.jobs.pop(gone, None)
            if record is None:
                continue
            lines = self.lines.pop(gone, [])
            key = None if record.asked is None else record.asked.idempotency_key
            if key is not None and self.keys.get(key) == gone:
                del self.keys[key]
            if self.keeper is not None:
                self.keeper.forget(gone, len(lines))
        place = bisect_left(self.listed, job_id)
        if self.listed[place : place + 1] == [job_id]:
            del self.listed[place]

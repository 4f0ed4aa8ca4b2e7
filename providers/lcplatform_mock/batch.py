"""Batch on this machine (FR-006 to FR-010): jobs run what was registered for their image, and nothing else."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from typing_extensions import override

from lcplatform.batch.driver import BatchDriver
from lcplatform.batch.models import (
    CreateScheduleRequest,
    CreateScheduleResponse,
    DeleteScheduleRequest,
    DeleteScheduleResponse,
    GetJobLogsRequest,
    GetJobLogsResponse,
    GetJobRequest,
    GetJobResponse,
    GetScheduleRequest,
    GetScheduleResponse,
    Job,
    JobTemplate,
    ListJobsRequest,
    ListJobsResponse,
    ListSchedulesRequest,
    ListSchedulesResponse,
    SubmitJobRequest,
    SubmitJobResponse,
    TerminateJobRequest,
    TerminateJobResponse,
    UpdateScheduleRequest,
    UpdateScheduleResponse,
)
from lcplatform_mock.agenda import Ticket
from lcplatform_mock.batch_records import BatchTables
from lcplatform_mock.batch_rules import LIMITS, SUPPORT, check_secrets, checked, template_of
from lcplatform_mock.board import Board, Due, What
from lcplatform_mock.cron import Cron
from lcplatform_mock.executions import Crew, Ended, Execution
from lcplatform_mock.gate import gated
from lcplatform_mock.jobs import Line, Record
from lcplatform_mock.listing import names_page
from lcplatform_mock.messages import Bell
from lcplatform_mock.ready import trusted
from lcplatform_mock.refusals import missing, stale
from lcplatform_mock.schedules import Schedule
from lcplatform_mock.service import Service
from lcplatform_mock.starting import NotStartedError, attempt_of
from lcplatform_mock.waiting import patience
from lcplatform_mock.world import World
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    PreconditionFailedError,
    QuotaExceededError,
)
from lcplatform_runtime.support import Support

_KEY_IS_GOOD_FOR: Final = timedelta(days=1)
_PUNCTUAL: Final = timedelta(seconds=1)
_BLOCK: Final = 100
"""Lines in one answer."""

_got = trusted(GetJobResponse)
_submitted = trusted(SubmitJobResponse)


@gated(BatchDriver)
class MockBatch(Service[Board], BatchDriver):
    """Jobs that run here, in threads and processes of their own, or that only come to an outcome on the mock's clock."""

    def __init__(self, world: World) -> None:
        super().__init__(world, Board())
        self._settings = world.settings.batch
        self._name = world.names()
        self._turn = threading.RLock()  # who has it lets happen what fell due
        self._bell = Bell(self._lock)
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

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    # --- jobs

    @override
    def submit_job(self, request: SubmitJobRequest, /) -> SubmitJobResponse:
        template = template_of(request)
        if request.secrets and self._submitted_before(request) is None:
            check_secrets(template, self._world.services.secrets().describe_secret)
        with self._lock:
            again = self._submitted_before(request)
            if again is not None:
                return _submitted(job=self._job(again))
            board = self._state
            for job_id in request.depends_on:
                self._record(job_id)
            depends_on = tuple(dict.fromkeys(request.depends_on))
            record = Record(
                job_id=self._name(),
                name=request.name,
                template=template,
                created_at=self._clock.now(),
                depends_on=depends_on,
                waits_for=[it for it in depends_on if not board.jobs[it].succeeded],
                asked=None if request.idempotency_key is None else request,
            )
            board.add(record)
            self._changed()
            return _submitted(job=self._job(record))

    @override
    def get_job(self, request: GetJobRequest, /) -> GetJobResponse:
        self.settle()
        with self._lock:
            return _got(job=self._job(self._record(request.job_id)))

    @override
    def list_jobs(self, request: ListJobsRequest, /) -> ListJobsResponse:
        self.settle()
        with self._lock:
            found: list[Record] = []
            for record in self._listed(request):
                wanted = request.name in {None, record.name}
                if wanted and request.status in {None, record.status}:
                    found.append(record)
                    if len(found) > request.page_size:
                        break
            page = found[: request.page_size]
            more = len(found) > request.page_size
            return ListJobsResponse(
                jobs=tuple(it.summary() for it in page),
                next_page_token=page[-1].job_id if more else "",
            )

    @override
    def terminate_job(self, request: TerminateJobRequest, /) -> TerminateJobResponse:
        self.settle()
        with self._lock:
            record = self._record(request.job_id)
            self._state.cancel(record, request.reason, self._clock.now())
            self._changed()
            return TerminateJobResponse(job=self._job(record))

    @override
    def get_job_logs(self, request: GetJobLogsRequest, /) -> Iterator[GetJobLogsResponse]:
        told, ended = 0, False
        while not ended:
            self.settle()
            with self._lock:
                ended = self._record(request.job_id).ended or not request.follow
                lines = self._state.lines.get(request.job_id, [])[told:]
                if not lines and not ended:
                    if self._closed:
                        raise PreconditionFailedError("the platform is closed")
                    self._listen(patience("the job wrote something"))
            told += len(lines)
            yield from _answers(lines, request.attempt)

    # --- schedules

    @override
    def create_schedule(self, request: CreateScheduleRequest, /) -> CreateScheduleResponse:
        job = self._checked(request.job)
        Cron(request.cron, request.time_zone)
        with self._lock:
            schedules = self._state.schedules
            if request.name in schedules:
                raise AlreadyExistsError(f"schedule {request.name!r} exists", resource=request.name)
            if len(schedules) >= LIMITS.max_schedules:
                raise QuotaExceededError(
                    f"at most {LIMITS.max_schedules} schedules", retryable=False
                )
            schedule = Schedule(
                name=request.name,
                cron=request.cron,
                time_zone=request.time_zone,
                job=job,
                description=request.description,
                enabled=request.enabled,
                created_at=self._clock.now(),
                etag=self._name(),
            )
            self._plan(schedule)
            return CreateScheduleResponse(schedule=schedule.info())

    @override
    def get_schedule(self, request: GetScheduleRequest, /) -> GetScheduleResponse:
        self.settle()
        with self._lock:
            return GetScheduleResponse(schedule=self._schedule(request.name).info())

    @override
    def list_schedules(self, request: ListSchedulesRequest, /) -> ListSchedulesResponse:
        self.settle()
        with self._lock:
            schedules = self._state.schedules
            names, token = names_page(sorted(schedules), "", request.page_size, request.page_token)
            found = tuple(schedules[name].info() for name in names)
        return ListSchedulesResponse(schedules=found, next_page_token=token)

    @override
    def update_schedule(self, request: UpdateScheduleRequest, /) -> UpdateScheduleResponse:
        self.settle()
        job = None if request.job is None else self._checked(request.job)
        with self._lock:
            before = self._schedule(request.name)
            if request.if_match is not None and request.if_match != before.etag:
                raise stale("schedule", request.name)
            after = replace(before, **_changes(request, job))
            Cron(after.cron, after.time_zone)
            if after != before:
                after.etag = self._name()
                self._plan(after)
            return UpdateScheduleResponse(schedule=after.info())

    @override
    def delete_schedule(self, request: DeleteScheduleRequest, /) -> DeleteScheduleResponse:
        self.settle()
        with self._lock:
            schedule = self._schedule(request.name)
            if request.if_match is not None and request.if_match != schedule.etag:
                raise stale("schedule", request.name)
            del self._state.schedules[request.name]
            if self._tables is not None:
                self._tables.remove_schedule(request.name)
        return DeleteScheduleResponse()

    # --- what happens by itself

    @override
    def settle(self) -> None:
        """Lets happen what has fallen due by now, each thing at its moment and after those before it."""
        with self._lock:
            if not self._state.falls_due(self._clock.now()):
                return
        with self._turn:
            while (step := self._next_step()) is not None:
                step()

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
            return
        try:
            attempt = attempt_of(
                record,
                due.attempt,
                self._settings,
                self._world.services.secrets().get_secret,
                partial(self._write, life, due.key, due.attempt),
            )
        except NotStartedError as problem:
            with self._lock:
                if life == self._life and self._state.start(due.key, due.attempt, None, due.moment):
                    self._state.end(due.key, due.attempt, Ended(None, str(problem)), due.moment)
                    self._changed()
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
            if record is None or life != self._life or self._closed:
                return
            if not self._crew.take():
                self._idle.append((due.key, due.attempt))
                self._state.hold(record, "it waits for others to end")
                return
            self._state.start(due.key, due.attempt, None, self._clock.now())
            self._changed()
        name = _name_of(life, due.key, due.attempt)
        self._crew.start(name, execution, partial(self._done, life, due.key, due.attempt))

    def _done(self, life: int, job_id: str, attempt: int, ended: Ended) -> None:
        """An execution is over. Whoever waits for room may start."""
        with self._lock:
            if self._closed:
                return
            if life == self._life:
                self._state.end(job_id, attempt, ended, self._clock.now())
            self._let_in()
            self._changed()
        self.settle()
        self._world.flush()

    def _let_in(self) -> None:
        """There is room: the first of those that wait for it and are still wanted is to start."""
        while self._idle:
            job_id, attempt = self._idle.popleft()
            if self._state.awaits_start(job_id, attempt) is not None:
                self._state.push(self._clock.now(), What.START, job_id, attempt)
                return

    def _write(self, life: int, job_id: str, attempt: int, line: str) -> None:
        with self._lock:
            if life == self._life and not self._closed:
                self._state.write(job_id, attempt, line, self._clock.now())
                self._bell.ring()

    def _submit_scheduled(self, due: Due) -> None:
        """A schedule submits its job. Times that were missed are made up for by this one."""
        schedule = self._state.schedules.get(due.key)
        if schedule is None or schedule.next_run != due.moment:
            return
        now = self._clock.now()
        at = due.moment if now - due.moment < _PUNCTUAL else now
        schedule.last_run = at
        self._plan(schedule, at)
        record = Record(
            job_id=self._name(),
            name=schedule.name,
            template=schedule.job,
            created_at=at,
            schedule=schedule.name,
        )
        self._state.add(record)

    @override
    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._bell.condition.notify_all()
        self._crew.close(self._settings.grace.total_seconds())

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

    # --- inside. The lock is held.

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

    def _listen(self, remaining: float) -> None:
        due = self._state.next_due
        if due is not None:
            remaining = min(remaining, max(0.0, (due - self._clock.now()).total_seconds()))
        cancellation = CANCELLATION.get()
        waking = (
            nullcontext() if cancellation is None else cancellation.waking(self._bell.ring_aloud)
        )
        self._bell.listeners += 1
        try:
            with waking:
                if self._closed or (cancellation is not None and cancellation.cancelled):
                    return
                self._clock.wait(self._bell.condition, None if math.isinf(remaining) else remaining)
        finally:
            self._bell.listeners -= 1

    def _job(self, record: Record) -> Job:
        copies = self._state.copies.get(record.job_id)
        return record.job(None if copies is None else copies.progress())

    def _record(self, job_id: str) -> Record:
        record = self._state.jobs.get(job_id)
        if record is None:
            raise missing("job", job_id)
        return record

    def _schedule(self, name: str) -> Schedule:
        schedule = self._state.schedules.get(name)
        if schedule is None:
            raise missing("schedule", name)
        return schedule

    def _plan(self, schedule: Schedule, now: datetime | None = None) -> None:
        """Puts a schedule in its place, and finds its next time."""
        schedule.plan(self._clock.now() if now is None else now)
        self._state.schedules[schedule.name] = schedule
        if schedule.next_run is not None:
            self._state.push(schedule.next_run, What.SUBMIT, schedule.name)
        if self._tables is not None:
            self._tables.put_schedule(schedule)
        self._arm()

    def _listed(self, request: ListJobsRequest) -> Iterator[Record]:
        """What comes after the last page, in the order of the listing."""
        jobs, after = self._state.jobs, request.page_token
        if request.parent_job_id is not None:
            copies = self._state.copies.get(request.parent_job_id)
            number = int(after.rpartition(":")[2]) + 1 if after else 0
            names = [] if copies is None else copies.job_ids[number:]
            yield from (jobs[it] for it in names)
            return
        listed = self._state.listed
        end = bisect_left(listed, after) if after else len(listed)
        yield from (jobs[listed[place]] for place in reversed(range(end)))

    # --- inside. The lock is not held.

    def _submitted_before(self, request: SubmitJobRequest) -> Record | None:
        """The job that this very call has submitted before."""
        key = request.idempotency_key
        job_id = None if key is None else self._state.keys.get(key)
        record = None if job_id is None else self._state.jobs.get(job_id)
        if record is None or self._clock.now() - record.created_at > _KEY_IS_GOOD_FOR:
            return None
        if record.asked != request:
            raise ConflictError("the idempotency key came with another job before")
        return record

    def _checked(self, template: JobTemplate) -> JobTemplate:
        """What a schedule may submit."""
        check_secrets(template, self._world.services.secrets().describe_secret, "job.")
        return checked(template)


def _answers(lines: list[Line], attempt: int | None) -> Iterator[GetJobLogsResponse]:
    entries = [it.entry() for it in lines if attempt in {None, it.attempt}]
    for start in range(0, len(entries), _BLOCK):
        yield GetJobLogsResponse(entries=tuple(entries[start : start + _BLOCK]))


def _changes(request: UpdateScheduleRequest, job: object) -> dict[str, Any]:
    """What an update sets, by the names of the schedule's fields."""
    given = {
        "cron": request.cron,
        "time_zone": request.time_zone,
        "job": job,
        "description": request.description,
        "enabled": request.enabled,
    }
    set_ = {name: value for name, value in given.items() if value is not None}
    return {**set_, **dict.fromkeys(request.clear, None)}


def _name_of(life: int, job_id: str, attempt: int) -> str:
    return f"{life}/{job_id}/{attempt}"

"""Batch on this machine (FR-006 to FR-010): jobs run what was registered for their image, and nothing else."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
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
from lcplatform_mock.batch_rules import LIMITS, SUPPORT, check_secrets, checked, template_of
from lcplatform_mock.gate import gated
from lcplatform_mock.job_work import JobWork
from lcplatform_mock.jobs import Line, Record
from lcplatform_mock.listing import names_page
from lcplatform_mock.refusals import missing, stale
from lcplatform_mock.schedules import Schedule
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.cron import Cron
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    PreconditionFailedError,
    QuotaExceededError,
)
from lcplatform_runtime.patience import patience
from lcplatform_runtime.support import Support
from lcplatform_runtime.trusted import trusted

_KEY_IS_GOOD_FOR: Final = timedelta(days=1)
_BLOCK: Final = 100
"""Lines in one answer."""

_got = trusted(GetJobResponse)
_submitted = trusted(SubmitJobResponse)


@gated(BatchDriver)
class MockBatch(JobWork, BatchDriver):
    """Jobs that run here, in threads and processes of their own, or that only come to an outcome on the mock's clock."""

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
            self._world.flush()  # what a reader was told is kept
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

    # --- inside. The lock is held.

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

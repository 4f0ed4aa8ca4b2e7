"""Jobs as they are kept: what was asked for, how each attempt went, where it stands (FR-009)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lcplatform.batch.models import (
    ArrayProgress,
    Job,
    JobAttempt,
    JobLogEntry,
    JobStatus,
    JobSummary,
    JobTemplate,
    SubmitJobRequest,
)
from lcplatform_runtime.trusted import trusted

FINAL: Final = frozenset(
    {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELLED}
)
"""The statuses in which a job stays."""

_job = trusted(Job)
_summary = trusted(JobSummary)
_entry = trusted(JobLogEntry)


@dataclass(slots=True)
class Attempt:
    """One attempt of a job."""

    started_at: datetime
    completed_at: datetime | None = None
    exit_code: int | None = None
    reason: str | None = None

    @property
    def told(self) -> str:
        """How it ended, in words."""
        return self.reason or f"exit code {self.exit_code}"


@dataclass(frozen=True, slots=True)
class Line:
    """Something that a job wrote."""

    time: datetime
    message: str
    attempt: int

    def entry(self) -> JobLogEntry:
        """The line as it is answered."""
        return _entry(time=self.time, message=self.message, attempt=self.attempt)


@dataclass(slots=True)
class Plan:
    """How a simulated attempt ends, which is settled when it starts."""

    ends_at: datetime
    exit_code: int


@dataclass(slots=True)
class Record:
    """A job. It is kept as it stands here."""

    job_id: str
    name: str
    template: JobTemplate
    created_at: datetime
    status: JobStatus = JobStatus.PENDING
    reason: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    depends_on: tuple[str, ...] = ()
    waits_for: list[str] = field(default_factory=list)
    schedule: str | None = None
    parent: str | None = None
    index: int | None = None
    simulated: bool = False
    """Whether its attempt is nothing but an outcome, which does not end with the process."""
    plan: Plan | None = None
    """How that attempt ends. None: by its time limit."""
    asked: SubmitJobRequest | None = None
    """The request, if it can be repeated by its idempotency key."""

    @property
    def ended(self) -> bool:
        """Whether it stays as it is."""
        return self.status in FINAL

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.status is JobStatus.SUCCEEDED

    @property
    def is_array(self) -> bool:
        """Whether it has copies, which run in its place."""
        return self.template.array_size is not None

    @property
    def running(self) -> Attempt | None:
        """The attempt that runs."""
        last = self.attempts[-1] if self.attempts else None
        return last if last is not None and last.completed_at is None else None

    def job(self, progress: ArrayProgress | None) -> Job:
        """The job as it is answered."""
        return _job(
            job_id=self.job_id,
            name=self.name,
            status=self.status,
            reason=self.reason,
            template=self.template,
            attempts=tuple(
                JobAttempt(
                    started_at=it.started_at,
                    completed_at=it.completed_at,
                    exit_code=it.exit_code,
                    reason=it.reason,
                )
                for it in self.attempts
            ),
            exit_code=next(
                (it.exit_code for it in reversed(self.attempts) if it.exit_code is not None), None
            ),
            created_at=self.created_at,
            started_at=self.started_at,
            completed_at=self.completed_at,
            depends_on=self.depends_on,
            schedule=self.schedule,
            array_progress=progress,
            parent_job_id=self.parent,
            array_index=self.index,
        )

    def summary(self) -> JobSummary:
        """What a listing tells of it."""
        return _summary(
            job_id=self.job_id,
            name=self.name,
            status=self.status,
            reason=self.reason,
            created_at=self.created_at,
            started_at=self.started_at,
            completed_at=self.completed_at,
        )


@dataclass(slots=True)
class Copies:
    """The copies of an array job, and how many stand where."""

    job_ids: list[str] = field(default_factory=list)
    counts: dict[JobStatus, int] = field(default_factory=dict)

    def count(self, status: JobStatus, by: int) -> None:
        """So many more copies stand there."""
        self.counts[status] = self.counts.get(status, 0) + by

    @property
    def all_ended(self) -> bool:
        """Whether all of them have."""
        return sum(self.counts.get(status, 0) for status in FINAL) == len(self.job_ids)

    @property
    def failed(self) -> int:
        """How many ended without success."""
        return sum(self.counts.get(status, 0) for status in FINAL - {JobStatus.SUCCEEDED})

    def progress(self) -> ArrayProgress:
        """How they stand, as it is answered."""
        return ArrayProgress(
            pending=self.counts.get(JobStatus.PENDING, 0),
            running=self.counts.get(JobStatus.RUNNING, 0),
            succeeded=self.counts.get(JobStatus.SUCCEEDED, 0),
            failed=self.failed,
        )

"""What tests of Batch ask again and again."""

from __future__ import annotations

import time
from datetime import timedelta

from lcplatform import CallOptions
from lcplatform.batch.client import Batch
from lcplatform.batch.models import Job, JobLogEntry

_PATIENCE = 60.0


def ended(batch: Batch, job_id: str) -> Job:
    """The job when it has ended. What it writes meanwhile is read to its end."""
    within = CallOptions(deadline=timedelta(seconds=_PATIENCE))
    for _ in batch.get_job_logs(job_id, follow=True, options=within):
        pass
    return batch.get_job(job_id).job


def entries(batch: Batch, job_id: str, attempt: int | None = None) -> list[JobLogEntry]:
    """What a job has written so far."""
    answers = batch.get_job_logs(job_id, attempt=attempt)
    return [entry for answer in answers for entry in answer.entries]


def written(batch: Batch, job_id: str, attempt: int | None = None) -> list[str]:
    """The lines that a job has written so far."""
    return [entry.message for entry in entries(batch, job_id, attempt)]


def await_no_room(batch: Batch, job_id: str) -> None:
    """Returns when a job has found that so many run already that it has to wait."""
    latest = time.monotonic() + _PATIENCE
    while batch.get_job(job_id).job.reason is None:
        assert time.monotonic() < latest, "there is room for it"

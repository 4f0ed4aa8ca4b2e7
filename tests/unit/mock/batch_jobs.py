"""What tests of Batch ask again and again."""

from __future__ import annotations

from lcplatform.batch.client import Batch
from lcplatform.batch.models import Job, JobLogEntry


def ended(batch: Batch, job_id: str) -> Job:
    """The job when it has ended. What it writes meanwhile is read to its end."""
    for _ in batch.get_job_logs(job_id, follow=True):
        pass
    return batch.get_job(job_id).job


def entries(batch: Batch, job_id: str, attempt: int | None = None) -> list[JobLogEntry]:
    """What a job has written so far."""
    answers = batch.get_job_logs(job_id, attempt=attempt)
    return [entry for answer in answers for entry in answer.entries]


def written(batch: Batch, job_id: str, attempt: int | None = None) -> list[str]:
    """The lines that a job has written so far."""
    return [entry.message for entry in entries(batch, job_id, attempt)]

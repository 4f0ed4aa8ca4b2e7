"""Schedules as they are kept (FR-008)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lcplatform.batch.models import JobTemplate
from lcplatform.batch.models import Schedule as ScheduleInfo
from lcplatform_runtime.cron import Cron


@dataclass(slots=True)
class Schedule:
    """A schedule. It is kept as it stands here."""

    name: str
    cron: str
    time_zone: str | None
    job: JobTemplate
    description: str | None
    enabled: bool
    created_at: datetime
    etag: str
    next_run: datetime | None = None
    last_run: datetime | None = None

    def plan(self, now: datetime) -> None:
        """Finds the next time that it submits, after this moment."""
        self.next_run = Cron(self.cron, self.time_zone).after(now) if self.enabled else None

    def info(self) -> ScheduleInfo:
        """The schedule as it is answered."""
        return ScheduleInfo(
            name=self.name,
            description=self.description,
            cron=self.cron,
            time_zone=self.time_zone or "UTC",
            job=self.job,
            enabled=self.enabled,
            next_run=self.next_run,
            last_run=self.last_run,
            created_at=self.created_at,
            etag=self.etag,
        )

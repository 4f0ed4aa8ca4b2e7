"""Schedules in the words of EventBridge Scheduler, and back.

The scheduler calls SubmitJob with what stands in the schedule's input, in which the parameters have capital letters. The cron
expression as it was given stands there too, as a parameter that no job uses: AWS has six fields and other numbers for days.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from cronsim import CronSim

from lcplatform.batch.models import JobTemplate
from lcplatform.batch.models import Schedule as ScheduleInfo
from lcplatform_aws.units import given
from lcplatform_runtime.cron import Cron, names_both_days
from lcplatform_runtime.errors import UnsupportedError, invalid

SUBMIT_JOB: Final = "arn:aws:scheduler:::aws-sdk:batch:submitJob"
"""The target that calls SubmitJob."""

CRON: Final = "lcplatform-cron"
"""The parameter in which the cron expression stands."""

_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FREE_FORM: Final = frozenset({"parameters", "Parameters"})
_PLACEHOLDER: Final = "<aws.scheduler."
_A_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What a schedule is, beside its name and when it was made."""

    cron: str
    time_zone: str | None
    job: JobTemplate
    description: str | None
    enabled: bool

    @property
    def etag(self) -> str:
        """The mark of the settings: the same settings have the same."""
        told = [self.cron, self.time_zone, self.job.model_dump(mode="json")]
        text = json.dumps([*told, self.description, self.enabled], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def check(self) -> None:
        """Whether EventBridge Scheduler can follow it.

        Raises:
            ValidationError: the times are none, or there is no such time zone.
            UnsupportedError: days of the month and of the week are named together.
        """
        Cron(self.cron, self.time_zone)
        if names_both_days(self.cron):
            raise UnsupportedError(
                "EventBridge Scheduler takes days of the month or days of the week, not both"
            )

    def parameters(self, submission: Mapping[str, Any], role: str) -> dict[str, Any]:
        """Those of CreateSchedule and UpdateSchedule, which replaces everything. `submission` is what the job is submitted
        with."""
        told = {**submission, "parameters": {**submission["parameters"], CRON: self.cron}}
        text = json.dumps(recased(told, str.upper))
        if _PLACEHOLDER in text:
            raise invalid("job", f"nothing with {_PLACEHOLDER}, which the scheduler replaces")
        return given(
            ScheduleExpression=expression(self.cron),
            ScheduleExpressionTimezone=self.time_zone or "UTC",
            Description=self.description,
            State="ENABLED" if self.enabled else "DISABLED",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": SUBMIT_JOB,
                "RoleArn": role,
                "Input": text,
                # A submission that fails is repeated until the next one is due: what was missed is made up for once.
                "RetryPolicy": {"MaximumEventAgeInSeconds": _interval(self)},
            },
        )

    def told(self, name: str, created_at: datetime, last_run: datetime | None) -> ScheduleInfo:
        """The schedule as callers see it."""
        times = Cron(self.cron, self.time_zone)
        return ScheduleInfo(
            name=name,
            description=self.description,
            cron=self.cron,
            time_zone=self.time_zone or "UTC",
            job=self.job,
            enabled=self.enabled,
            next_run=times.after(datetime.now(UTC)) if self.enabled else None,
            last_run=last_run,
            created_at=created_at,
            etag=self.etag,
        )


def submission_of(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the schedule that GetSchedule tells of submits; None if it is none of a platform's."""
    target = answer["Target"]
    if target["Arn"] != SUBMIT_JOB:
        return None
    found: dict[str, Any] = recased(json.loads(target["Input"]), str.lower)
    return found if CRON in found.get("parameters", {}) else None


def schedule_of(
    answer: Mapping[str, Any], submission: Mapping[str, Any], job: JobTemplate
) -> Schedule:
    """The schedule that GetSchedule tells of."""
    zone = answer.get("ScheduleExpressionTimezone", "UTC")
    return Schedule(
        cron=submission["parameters"][CRON],
        time_zone=None if zone == "UTC" else zone,
        job=job,
        description=answer.get("Description") or None,
        enabled=answer["State"] == "ENABLED",
    )


def recased(value: Any, case: Any) -> Any:
    """The value with the first letters of all names in another case, but for names that are the caller's."""
    match value:
        case dict():
            return {
                case(name[0]) + name[1:]: it if name in _FREE_FORM else recased(it, case)
                for name, it in value.items()
            }
        case list():
            return [recased(it, case) for it in value]
        case _:
            return value


# --- cron


def expression(cron: str) -> str:
    """AWS's expression of six fields for one of five: `0 3 * * MON-FRI` is `cron(0 3 ? * MON,TUE,WED,THU,FRI *)`.

    AWS counts the days of the week from 1 and wants a question mark for the days that do not count.
    """
    times = CronSim(cron, datetime(2000, 1, 1))  # noqa: DTZ001  only what it made of the fields counts
    days = {it % 7 for it in _numbers(times.weekdays)}
    by_week = len(days) < len(_DAYS)
    fields = (
        _field(_numbers(times.minutes), 0, 59),
        _field(_numbers(times.hours), 0, 23),
        "?" if by_week else _field(_numbers(times.days), 1, 31),
        _field(_numbers(times.months), 1, 12),
        ",".join(_DAYS[it] for it in sorted(days)) if by_week else "?",
        "*",
    )
    return f"cron({' '.join(fields)})"


def _numbers(found: Iterable[Any]) -> list[int]:
    return sorted(it for it in found if isinstance(it, int))


def _field(numbers: list[int], first: int, last: int) -> str:
    """A field in its shortest form that AWS documents: all, one that goes on in steps, or a list of ranges."""
    if len(numbers) == last - first + 1:
        return "*"
    steps = {after - before for before, after in pairwise(numbers)}
    if len(steps) == 1 and len(numbers) > 2 and numbers[-1] + min(steps) > last:
        return f"{numbers[0]}/{min(steps)}"
    ranges: list[list[int]] = []
    for it in numbers:
        if ranges and ranges[-1][-1] == it - 1:
            ranges[-1].append(it)
        else:
            ranges.append([it])
    return ",".join(f"{it[0]}-{it[-1]}" if len(it) > 2 else ",".join(map(str, it)) for it in ranges)


def _interval(schedule: Schedule) -> int:
    """Seconds between the next times that lie closest, from a minute to a day, as the scheduler takes them."""
    times, moment, shortest = Cron(schedule.cron, schedule.time_zone), datetime.now(UTC), _A_DAY
    for number in range(10):
        later = times.after(moment)
        if later is None:
            break
        if number:
            shortest = min(shortest, int((later - moment).total_seconds()))
        moment = later
    return max(60, shortest)

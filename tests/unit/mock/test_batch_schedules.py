"""Schedules on the clock of the mock: what is missed, what the hands of a clock skip and show twice (FR-008)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcplatform import LCPlatform
from lcplatform.batch.models import JobTemplate
from lcplatform.errors import ValidationError
from lcplatform_runtime.cron import Cron
from lcplatform_runtime.testing.clock import ManualClock

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
JOB = JobTemplate(image="run")


@contextmanager
def platform_at(clock: ManualClock) -> Iterator[LCPlatform]:
    with LCPlatform("mock", clock=clock, batch={"images": {"run": {}}}) as platform:
        yield platform


def runs(platform: LCPlatform) -> list[datetime]:
    """When jobs were submitted, the first first."""
    return [it.created_at for it in platform.batch.iter_jobs()][::-1]


def test_a_job_is_submitted_at_each_time_as_the_clock_passes() -> None:
    with platform_at(ManualClock()) as platform:
        batch = platform.batch
        schedule = batch.create_schedule("nightly", cron="30 2 * * *", job=JOB).schedule
        start = schedule.created_at
        platform.control.advance_clock(3 * DAY)
        expected = [start + timedelta(days=it, hours=2, minutes=30) for it in range(3)]
        assert runs(platform) == expected
        after = batch.get_schedule("nightly").schedule
        assert (after.last_run, after.next_run) == (expected[-1], expected[-1] + DAY)
        assert after.etag == schedule.etag
        job = batch.get_job(batch.list_jobs().jobs[0].job_id).job
        assert (job.name, job.schedule, job.template.memory) == ("nightly", "nightly", 2048)


def test_schedules_of_the_same_moment_all_submit() -> None:
    with platform_at(ManualClock()) as platform:
        for name in "abc":
            platform.batch.create_schedule(name, cron="0 * * * *", job=JOB)
        platform.control.advance_clock(2 * HOUR)
        assert sorted(it.name for it in platform.batch.iter_jobs()) == list("aabbcc")


def test_an_array_is_scheduled_like_any_job() -> None:
    job = JobTemplate(image="run", array_size=5)
    with platform_at(ManualClock()) as platform:
        platform.batch.create_schedule("copies", cron="0 * * * *", job=job)
        platform.control.advance_clock(HOUR)
        (summary,) = platform.batch.list_jobs().jobs
        copies = platform.batch.list_jobs(parent_job_id=summary.job_id).jobs
        assert [it.status.value for it in (summary, *copies)] == ["succeeded"] * 6


def test_a_paused_schedule_does_not_make_up_for_what_it_missed() -> None:
    with platform_at(ManualClock()) as platform:
        batch = platform.batch
        batch.create_schedule("hourly", cron="0 * * * *", job=JOB, enabled=False)
        platform.control.advance_clock(5 * HOUR)
        batch.update_schedule("hourly", enabled=True)
        platform.control.advance_clock(HOUR / 2)
        assert runs(platform) == []
        platform.control.advance_clock(HOUR / 2)
        assert len(runs(platform)) == 1


def test_a_schedule_that_changes_submits_at_its_new_times_only() -> None:
    with platform_at(ManualClock()) as platform:
        batch = platform.batch
        start = batch.create_schedule("s", cron="0 6 * * *", job=JOB).schedule.created_at
        batch.update_schedule("s", cron="0 7 * * *")
        batch.update_schedule("s", cron="0 6 * * *")
        batch.update_schedule("s", cron="0 8 * * *", job=JobTemplate(image="run", cpu=2))
        platform.control.advance_clock(DAY)
        assert runs(platform) == [start + 8 * HOUR]
        assert batch.get_job(batch.list_jobs().jobs[0].job_id).job.template.cpu == 2


def test_a_schedule_that_is_gone_submits_nothing_and_its_jobs_go_on() -> None:
    with platform_at(ManualClock()) as platform:
        batch = platform.batch
        batch.create_schedule("hourly", cron="0 * * * *", job=JOB)
        platform.control.advance_clock(HOUR)
        batch.delete_schedule("hourly")
        platform.control.advance_clock(DAY)
        assert len(runs(platform)) == 1
        batch.create_schedule("hourly", cron="30 * * * *", job=JOB)
        platform.control.advance_clock(HOUR)
        assert len(runs(platform)) == 2


# --- the hands of a clock. In 2030 Berlin's skip from 2:00 to 3:00 on 31 March, and go back from 3:00 on 27 October.


@pytest.mark.parametrize(
    ("cron", "day", "expected"),
    [
        ("30 2 * * *", datetime(2030, 3, 30, tzinfo=BERLIN), ["03-30 01:30", "04-01 00:30"]),
        (
            "30 2 * * *",
            datetime(2030, 10, 26, tzinfo=BERLIN),
            ["10-26 00:30", "10-27 00:30", "10-28 01:30"],
        ),
        (
            "0 3 * * *",
            datetime(2030, 3, 30, tzinfo=BERLIN),
            ["03-30 02:00", "03-31 01:00", "04-01 01:00"],
        ),
        (
            "0 1-3 * * *",
            datetime(2030, 3, 31, tzinfo=BERLIN),
            ["03-31 00:00", "03-31 01:00", "03-31 23:00"],
        ),
        (
            "0 1-3 * * *",
            datetime(2030, 10, 27, tzinfo=BERLIN),
            ["10-26 23:00", "10-27 00:00", "10-27 02:00", "10-28 00:00"],
        ),
    ],
    ids=["skipped", "twice", "after the gap", "around the gap", "around the hour that is twice"],
)
def test_a_time_that_is_skipped_does_not_come_and_one_that_is_there_twice_comes_once(
    cron: str, day: datetime, expected: list[str]
) -> None:
    with platform_at(ManualClock(day)) as platform:
        platform.batch.create_schedule("s", cron=cron, time_zone="Europe/Berlin", job=JOB)
        platform.control.advance_clock(timedelta(days=2, hours=23))
        found = [f"{it:%m-%d %H:%M}" for it in runs(platform)]
        assert found[: len(expected)] == expected


def test_a_schedule_follows_its_zone_and_not_that_of_the_machine() -> None:
    with platform_at(ManualClock(datetime(2030, 7, 1, tzinfo=UTC))) as platform:
        batch = platform.batch
        batch.create_schedule("utc", cron="0 12 * * *", job=JOB)
        batch.create_schedule("kolkata", cron="0 12 * * *", time_zone="Asia/Kolkata", job=JOB)
        noon = datetime(2030, 7, 1, 12, tzinfo=UTC)
        assert batch.get_schedule("utc").schedule.next_run == noon
        assert batch.get_schedule("kolkata").schedule.next_run == noon - 5.5 * HOUR
        batch.update_schedule("kolkata", clear=["time_zone"])
        assert batch.get_schedule("kolkata").schedule.next_run == noon


_FIELDS = st.sampled_from(["*", "0", "30", "5-25", "*/20", "10,50"])
_HOURS = st.sampled_from(["*", "0", "2", "1-3", "*/6", "2,3"])
_ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
_MINUTES_OF_THE_YEAR = st.integers(0, 365 * 24 * 60)


@given(minute=_FIELDS, hour=_HOURS, zone=_ZONES, passed=_MINUTES_OF_THE_YEAR)
def test_the_next_time_is_the_first_that_the_hands_show(
    minute: str, hour: str, zone: str, passed: int
) -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=passed)
    found = Cron(f"{minute} {hour} * * *", zone).after(moment)
    at = moment + timedelta(minutes=1)
    while not (_fits(minute, hour, at.astimezone(ZoneInfo(zone)))):
        at += timedelta(minutes=1)
    assert found == at


def _fits(minute: str, hour: str, wall: datetime) -> bool:
    """Whether the hands show such a time, and for the first time."""
    return not wall.fold and _named(minute, wall.minute) and _named(hour, wall.hour)


def _named(field: str, value: int) -> bool:
    for part in field.split(","):
        low, dash, high = part.partition("-")
        if part == "*" or (part.startswith("*/") and value % int(part[2:]) == 0):
            return True
        if low.isdigit() and int(low) <= value <= int(high if dash else low):
            return True
    return False


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 0 29 2 *", "2030-03-01", "2032-02-29"),
        ("0 0 31 * *", "2030-02-01", "2030-03-31"),
        ("0 0 * * 7", "2030-01-01", "2030-01-06"),
        ("0 0 * * sun", "2030-01-01", "2030-01-06"),
        ("0 0 * feb-mar/1 mon", "2030-01-01", "2030-02-04"),
        ("0 0 13 * fri", "2030-01-01", "2030-01-04"),
        ("0 0 */2 * fri", "2030-01-01", "2030-01-11"),
    ],
)
def test_days_are_found_as_cron_finds_them(cron: str, after: str, expected: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert Cron(cron, None).after(moment) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "cron",
    [
        "0 0 30 2 *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * L * *",
        "jan * * * *",
    ],
)
def test_what_is_no_time_is_refused(cron: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Cron(cron, None)
    assert caught.value.violations[0].field == "cron"


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "", "Europe"]
)
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Cron("0 0 * * *", zone)
    assert caught.value.violations[0].field == "time_zone"

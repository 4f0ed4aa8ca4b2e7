"""Schedules of jobs on EventBridge Scheduler: what it is told, and when the fake submits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcplatform.batch.models import JobTemplate
from lcplatform.errors import ResourceNotFoundError, UnsupportedError, ValidationError
from lcplatform_aws.batch_schedules import SUBMIT_JOB, expression
from lcplatform_aws.native import native
from lcplatform_mock.trial_job import IMAGE
from lcplatform_runtime.cron import Cron
from tests.fake_aws.scheduler import times
from tests.unit.aws.jobs import ROLE, Cloud, clouds

JOB = JobTemplate(image=IMAGE)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with clouds() as made:
        yield made


# --- cron


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("* * * * *", "* * * * ? *"),
        ("0 3 * * *", "0 3 * * ? *"),
        ("*/10 * * * *", "0/10 * * * ? *"),
        ("5/15 * * * *", "5/15 * * * ? *"),
        ("0,30 8-18 * * *", "0,30 8-18 * * ? *"),
        ("0-30/15 0 * * *", "0,15,30 0 * * ? *"),
        ("0 0 1,15 JAN-MAR *", "0 0 1,15 1-3 ? *"),
        ("0 0 31 */2 *", "0 0 31 1/2 ? *"),
        # The days of the week are counted from another day.
        ("0 3 * * 1", "0 3 ? * MON *"),
        ("0 3 * * MON-FRI", "0 3 ? * MON,TUE,WED,THU,FRI *"),
        ("0 3 * * 0", "0 3 ? * SUN *"),
        ("0 3 * * 7", "0 3 ? * SUN *"),
        ("0 3 * * 5-7", "0 3 ? * SUN,FRI,SAT *"),
        ("0 3 * * 0-6", "0 3 * * ? *"),
    ],
)
def test_five_fields_become_six(cron: str, told: str) -> None:
    assert expression(cron) == f"cron({told})"


FIELDS = st.tuples(
    st.sampled_from(["*", "*/7", "0", "59", "1-5", "10-50/20", "3,4,5,9"]),
    st.sampled_from(["*", "*/5", "0", "23", "8-18", "0-23/6"]),
    st.sampled_from(["*", "*/3", "1", "29", "31", "1-7", "10,20"]),
    st.sampled_from(["*", "2", "FEB", "*/4", "6-8", "1,12"]),
    st.sampled_from(["*", "0", "7", "SUN", "1-5", "MON,WED", "*/2", "5-7"]),
).filter(lambda it: "*" in (it[2], it[4]) and not (it[2] == "31" and it[3] in {"2", "FEB"}))


@settings(max_examples=40, deadline=None)
@given(FIELDS, st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]))
def test_six_fields_name_the_same_times(fields: tuple[str, ...], zone: str) -> None:
    cron = " ".join(fields)
    moment = datetime(2027, 3, 27, 22, 30, tzinfo=UTC)  # the clocks of Berlin change in a few hours
    theirs = times(expression(cron), ZoneInfo(zone), moment)
    ours = Cron(cron, zone)
    for _ in range(5):
        found = ours.after(moment)
        assert next(theirs, None) == found
        if found is None:
            return
        moment = found


def test_days_of_both_kinds_are_not_supported_and_nothing_is_sent(cloud: Cloud) -> None:
    with pytest.raises(UnsupportedError):
        cloud.platform.batch.create_schedule("either", cron="0 0 13 * FRI", job=JOB)
    assert cloud.aws.calls == []


def test_the_longest_expression_fits() -> None:
    """Numbers in pairs take the most room. AWS takes 256 characters."""
    fields = [(0, 59), (0, 23), (1, 31), (1, 12)]
    texts = [",".join(str(it) for it in range(low, high + 1) if it % 3) for low, high in fields]
    assert 200 < len(expression(f"{' '.join(texts)} *")) <= 256


# --- what the scheduler is told


def test_all_of_a_schedule_is_said_each_time(cloud: Cloud) -> None:
    """An update replaces everything, and what is not said is as by default."""
    batch = cloud.platform.batch
    batch.create_schedule(
        "nightly",
        cron="0 3 * * MON",
        time_zone="Europe/Berlin",
        description="books",
        enabled=False,
        job=JobTemplate(image=IMAGE, command=("a",), environment={"B": "1"}, array_size=2),
    )
    batch.update_schedule("nightly", cron="30 3 * * MON")
    plan = cloud.scheduler.plans["nightly"].given
    told = json.loads(plan["Target"].pop("Input"))
    assert plan == {
        "Name": "nightly",
        "GroupName": "default",
        "ScheduleExpression": "cron(30 3 ? * MON *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "Description": "books",
        "State": "DISABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": SUBMIT_JOB,
            "RoleArn": ROLE,
            "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400},
        },
    }
    assert told == {
        "JobName": "lcplatform-cron-nightly",
        "JobQueue": "jobs",
        "JobDefinition": cloud.batch.definitions[0].arn,
        "Parameters": {"lcplatform-cron": "30 3 * * MON"},
        "ContainerOverrides": {
            "Command": ["a"],
            "Environment": [
                {"Name": "B", "Value": "1"},
                {"Name": "LCPLATFORM_ARRAY_INDEX_VARIABLE", "Value": "AWS_BATCH_JOB_ARRAY_INDEX"},
            ],
            "ResourceRequirements": [
                {"Type": "VCPU", "Value": "1"},
                {"Type": "MEMORY", "Value": "2048"},
            ],
        },
        "RetryStrategy": {"Attempts": 3},
        "Timeout": {"AttemptDurationSeconds": 3600},
        "ArrayProperties": {"Size": 2},
    }


@pytest.mark.parametrize(
    ("cron", "seconds"),
    [("* * * * *", 60), ("*/10 * * * *", 600), ("0 3 * * *", 86_400), ("0,5 3 * * *", 300)],
)
def test_a_submission_that_fails_is_repeated_until_the_next_is_due(
    cloud: Cloud, cron: str, seconds: int
) -> None:
    cloud.platform.batch.create_schedule("often", cron=cron, job=JOB)
    target = cloud.scheduler.plans["often"].given["Target"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": seconds}


def test_all_that_was_asked_for_is_told_again(cloud: Cloud) -> None:
    job = JobTemplate(
        image=IMAGE,
        command=("a", "b"),
        environment={"lower": "1", "EMPTY": ""},
        secrets={"PASSWORD": "database"},
        cpu=0.25,
        memory=1024,
        timeout=timedelta(minutes=2),
        max_attempts=7,
        array_size=2,
        identity=ROLE,
    )
    batch = cloud.platform.batch
    made = batch.create_schedule("nightly", cron="0 3 * * MON-FRI", job=job)
    found = batch.get_schedule("nightly").schedule
    assert found.job == made.schedule.job == job
    assert (found.cron, found.etag) == ("0 3 * * MON-FRI", made.schedule.etag)
    other = JobTemplate(image="other", cpu=4.0, memory=12288)
    changed = batch.update_schedule("nightly", job=other).schedule
    assert batch.get_schedule("nightly").schedule.job == changed.job == other


def test_what_the_scheduler_would_replace_is_refused(cloud: Cloud) -> None:
    job = JobTemplate(image=IMAGE, environment={"AT": "<aws.scheduler.scheduled-time>"})
    with pytest.raises(ValidationError, match="job"):
        cloud.platform.batch.create_schedule("nightly", cron="0 3 * * *", job=job)
    assert cloud.scheduler.plans == {}


# --- what it does


def test_it_submits_at_its_times_on_the_clock_of_its_zone(cloud: Cloud) -> None:
    batch = cloud.platform.batch
    batch.create_schedule("nightly", cron="30 2 * * *", time_zone="Asia/Tokyo", job=JOB)
    cloud.advance(days=2)
    moments = [it.created_at for it in batch.list_jobs(name="nightly").jobs]
    assert [(it.hour, it.minute) for it in moments] == [(17, 30)] * 2
    assert batch.get_schedule("nightly").schedule.last_run == moments[0]


def test_the_last_run_is_that_of_its_own_jobs(cloud: Cloud) -> None:
    """Not of a job that has the same name, nor of one whose name differs by its capital letters."""
    batch = cloud.platform.batch
    batch.create_schedule("nightly", cron="0 3 1 1 *", job=JOB)
    batch.create_schedule("Nightly", cron="* * * * *", job=JOB)
    cloud.submit("nightly")
    cloud.advance(minutes=2)
    assert batch.get_schedule("nightly").schedule.last_run is None
    assert batch.get_schedule("Nightly").schedule.last_run is not None


def test_an_array_is_scheduled_like_any_job(cloud: Cloud) -> None:
    batch = cloud.platform.batch
    job = JobTemplate(image=IMAGE, array_size=3)
    batch.create_schedule("often", cron="* * * * *", job=job)
    cloud.advance(seconds=61)
    found = batch.get_job(batch.list_jobs(name="often").jobs[-1].job_id).job
    assert (found.schedule, found.template.array_size) == ("often", 3)


def test_a_schedule_of_somebody_else_does_not_exist(cloud: Cloud) -> None:
    client = native(cloud.platform).scheduler
    window: Any = {"Mode": "OFF"}
    for number, arn in enumerate([SUBMIT_JOB, "arn:aws:sqs:us-east-1:000000000000:jobs"]):
        client.create_schedule(
            Name=f"other-{number}",
            ScheduleExpression="rate(30 days)",
            FlexibleTimeWindow=window,
            Target={"Arn": arn, "RoleArn": ROLE, "Input": "{}"},
        )
    batch = cloud.platform.batch
    batch.create_schedule("ours", cron="0 3 * * *", job=JOB)
    assert [it.name for it in batch.iter_schedules()] == ["ours"]
    for call in (batch.get_schedule, batch.delete_schedule):
        with pytest.raises(ResourceNotFoundError):
            call("other-0")
    assert len(cloud.scheduler.plans) == 3


def test_an_update_that_changes_nothing_sends_nothing(cloud: Cloud) -> None:
    batch = cloud.platform.batch
    made = batch.create_schedule("nightly", cron="0 3 * * *", job=JOB).schedule
    same = batch.update_schedule("nightly", cron="0 3 * * *", enabled=True).schedule
    assert same.etag == made.etag
    assert cloud.called("scheduler:UpdateSchedule") == 0


def test_another_group_is_named_each_time() -> None:
    with clouds(schedule_group="other") as cloud, pytest.raises(ResourceNotFoundError):
        cloud.platform.batch.create_schedule("nightly", cron="0 3 * * *", job=JOB)

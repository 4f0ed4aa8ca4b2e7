"""Jobs on AWS Batch, against the fake that judges each call by the SDK's model and runs jobs as Batch does."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import LCPlatform
from lcplatform.batch.models import JobStatus
from lcplatform.errors import ResourceNotFoundError, UnsupportedError, ValidationError
from lcplatform_aws.batch_jobs import job_of, name_of, name_under_key, status_of
from lcplatform_aws.native import native
from lcplatform_mock.trial_job import IMAGE
from tests.fake_aws.server import FakeAws
from tests.unit.aws.jobs import JOB_ROLE, OPTIONS, ROLE, Cloud, clouds


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with clouds() as made:
        yield made


# --- what Batch is told


def test_a_definition_is_what_a_job_cannot_say_itself(cloud: Cloud) -> None:
    cloud.submit(secrets={"PASSWORD": "database"})
    [definition] = cloud.batch.definitions
    assert definition.given["platformCapabilities"] == ["FARGATE"]
    assert definition.given["containerProperties"] == {
        "image": IMAGE,
        "jobRoleArn": JOB_ROLE,
        "executionRoleArn": ROLE,
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "2048"},
        ],
        "secrets": [
            {
                "name": "PASSWORD",
                "valueFrom": "arn:aws:secretsmanager:us-east-1:000000000000:secret:database-AbCdEf",
            }
        ],
        "networkConfiguration": {"assignPublicIp": "DISABLED"},
        "fargatePlatformConfiguration": {"platformVersion": "LATEST"},
        "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/lcplatform/jobs", "awslogs-stream-prefix": "job"},
        },
    }


def test_options_are_in_definitions() -> None:
    with clouds(architecture="ARM64", public_ip=True, log_group="/jobs") as cloud:
        cloud.submit()
        [definition] = cloud.batch.definitions
        container = definition.given["containerProperties"]
        assert container["runtimePlatform"]["cpuArchitecture"] == "ARM64"
        assert container["networkConfiguration"] == {"assignPublicIp": "ENABLED"}
        assert list(cloud.logs.groups) == ["/jobs"]


def test_a_shape_is_registered_once_and_looked_up_once_by_each_platform(cloud: Cloud) -> None:
    for number in range(3):
        cloud.submit(environment={"A": str(number)}, cpu=2.0, max_attempts=5, command=["a"])
    assert cloud.called("batch:RegisterJobDefinition") == 1
    assert cloud.called("batch:DescribeJobDefinitions") == 1
    keys: dict[str, Any] = {"access_key_id": "a", "secret_access_key": "b"}
    url = cloud.aws.url
    with LCPlatform("aws", region="us-east-1", endpoint_url=url, batch=OPTIONS, **keys) as other:
        other.batch.submit_job("report", image=IMAGE)
    assert cloud.called("batch:RegisterJobDefinition") == 1
    assert cloud.called("logs:CreateLogGroup") == 1


def test_another_image_identity_or_secret_is_another_shape(cloud: Cloud) -> None:
    cloud.submit()
    cloud.platform.batch.submit_job("report", image="other")
    cloud.submit(identity=ROLE)
    cloud.submit(secrets={"A": "a"})
    cloud.submit(secrets={"A": "b"})
    assert len({it.given["jobDefinitionName"] for it in cloud.batch.definitions}) == 5


def test_a_definition_that_somebody_deregistered_is_registered_again(cloud: Cloud) -> None:
    cloud.submit()
    cloud.batch.definitions[0].active = False
    job_id = cloud.submit()
    assert [it.revision for it in cloud.batch.definitions] == [1, 2]
    assert cloud.batch.jobs[job_id].definition == cloud.batch.definitions[1].arn


def test_all_that_was_asked_for_is_told_again(cloud: Cloud) -> None:
    asked: dict[str, Any] = {
        "command": ("--month", "2026-07"),
        "environment": {"A": "1", "EMPTY": "", "NOTHING": ""},
        "secrets": {"PASSWORD": "database"},
        "cpu": 0.25,
        "memory": 1024,
        "timeout": timedelta(minutes=2),
        "max_attempts": 7,
        "array_size": 2,
        "identity": ROLE,
    }
    template = cloud.ended(cloud.submit(**asked)).template
    assert {name: getattr(template, name) for name in asked} == asked


def test_the_role_of_the_options_is_nobodys_identity(cloud: Cloud) -> None:
    assert cloud.ended(cloud.submit()).template.identity is None
    assert cloud.ended(cloud.submit(identity=ROLE)).template.identity == ROLE


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "lcplatform-report"}, "name"),
        ({"environment": {"AWS_BATCH_JOB_ID": "1"}}, "environment"),
        ({"secrets": {"AWS_BATCH_X": "database"}}, "secrets"),
        ({"environment": {"LCPLATFORM_ARRAY_INDEX_VARIABLE": "A"}}, "environment"),
        ({"command": ["a", ""]}, "command"),
        ({"secrets": {"A": "not a name!"}}, "secrets"),
    ],
)
def test_what_batch_does_not_take_is_refused_before_any_call(
    cloud: Cloud, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        cloud.submit(**given)
    assert caught.value.violations[0].field == field
    assert cloud.aws.calls == []


@pytest.mark.parametrize("secret", ["nothing", "deleted"])
def test_a_job_whose_secret_is_not_there_or_deleted_leaves_nothing(
    cloud: Cloud, secret: str
) -> None:
    with pytest.raises(ResourceNotFoundError):
        cloud.submit(secrets={"PASSWORD": secret})
    assert (cloud.batch.definitions, cloud.batch.jobs) == ([], {})


def test_a_queue_that_is_not_there_is_not_found() -> None:
    with clouds(job_queue="other") as cloud, pytest.raises(ResourceNotFoundError, match="other"):
        cloud.submit()


# --- what Batch tells


def test_a_job_of_somebody_else_does_not_exist(cloud: Cloud) -> None:
    container = {
        "image": IMAGE,
        "executionRoleArn": ROLE,
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "2048"},
        ],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "g", "awslogs-stream-prefix": "p"},
        },
    }
    client = native(cloud.platform).batch
    arn = client.register_job_definition(
        jobDefinitionName="other",
        type="container",
        platformCapabilities=["FARGATE"],
        containerProperties=container,  # type: ignore[arg-type]
    )["jobDefinitionArn"]
    job_id = client.submit_job(jobName="other", jobQueue="jobs", jobDefinition=arn)["jobId"]
    cloud.submit()
    batch = cloud.platform.batch
    with pytest.raises(ResourceNotFoundError):
        batch.get_job(job_id)
    with pytest.raises(ResourceNotFoundError):
        batch.terminate_job(job_id, reason="not mine")
    assert [it.name for it in batch.iter_jobs()] == ["report"]


def test_names_differ_by_their_capital_letters_too(cloud: Cloud) -> None:
    """Batch's own filter by name does not tell them apart."""
    cloud.submit("Report")
    cloud.submit("report")
    assert [it.name for it in cloud.platform.batch.list_jobs(name="Report").jobs] == ["Report"]


def test_a_job_under_a_key_has_its_own_name(cloud: Cloud) -> None:
    job = cloud.ended(cloud.submit(idempotency_key="k"))
    assert job.name == "report"
    [task] = cloud.batch.jobs.values()
    assert task.name == name_under_key("k", "report")
    assert [it.name for it in cloud.platform.batch.list_jobs(name="report").jobs] == ["report"]


def test_jobs_are_listed_over_many_pages_of_batch(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lcplatform_aws.batch._AT_ONCE", 10)
    for number in range(25):
        cloud.submit("even" if number % 2 == 0 else "odd", max_attempts=1)
    batch = cloud.platform.batch
    assert len(list(batch.iter_jobs())) == 25
    found = list(batch.iter_jobs(name="even", page_size=4))
    assert len({it.job_id for it in found}) == len(found) == 13
    assert found == sorted(found, key=lambda it: it.created_at, reverse=True)


def test_copies_are_listed_over_many_pages_in_their_order(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lcplatform_aws.batch._AT_ONCE", 10)
    parent = cloud.submit(array_size=25, environment={"FAIL_INDEXES": "3,15,24"}, max_attempts=1)
    cloud.advance(seconds=1)
    batch = cloud.platform.batch
    found = list(batch.iter_jobs(parent_job_id=parent, page_size=7))
    assert [it.job_id for it in found] == [f"{parent}:{index}" for index in range(25)]
    failed = batch.list_jobs(parent_job_id=parent, status=JobStatus.FAILED).jobs
    assert [it.job_id for it in failed] == [f"{parent}:{index}" for index in (3, 15, 24)]
    assert not batch.list_jobs(parent_job_id="nothing").jobs


TOLD: Mapping[str, Any] = {
    "jobId": "j",
    "jobName": "report",
    "createdAt": 1,
    "startedAt": 0,
    "container": {
        "image": "i",
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "2048"},
        ],
    },
    "timeout": {"attemptDurationSeconds": 60},
    "retryStrategy": {"attempts": 1},
}


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"status": "SUBMITTED"}, JobStatus.PENDING),
        ({"status": "PENDING"}, JobStatus.PENDING),
        ({"status": "RUNNABLE"}, JobStatus.PENDING),
        ({"status": "STARTING"}, JobStatus.PENDING),
        ({"status": "RUNNING"}, JobStatus.RUNNING),
        # It is being ended, and has not ended yet.
        ({"status": "RUNNING", "isTerminated": True}, JobStatus.RUNNING),
        ({"status": "SUCCEEDED"}, JobStatus.SUCCEEDED),
        # It was quicker.
        ({"status": "SUCCEEDED", "isTerminated": True}, JobStatus.SUCCEEDED),
        (
            {"status": "FAILED", "statusReason": "Essential container in task exited"},
            JobStatus.FAILED,
        ),
        ({"status": "FAILED", "isTerminated": True}, JobStatus.CANCELLED),
        ({"status": "FAILED", "isCancelled": True}, JobStatus.CANCELLED),
        (
            {"status": "FAILED", "statusReason": "Job attempt duration exceeded timeout"},
            JobStatus.TIMEOUT,
        ),
    ],
)
def test_each_status_has_its_own(told: dict[str, Any], status: JobStatus) -> None:
    assert status_of(told) is status


@pytest.mark.parametrize(
    ("summary", "status"),
    [
        ({"RUNNABLE": 2, "RUNNING": 0}, JobStatus.PENDING),
        ({"RUNNABLE": 1, "RUNNING": 1}, JobStatus.RUNNING),
        ({"RUNNABLE": 1, "SUCCEEDED": 1}, JobStatus.RUNNING),
    ],
)
def test_an_array_job_runs_when_a_copy_has_begun(
    summary: dict[str, int], status: JobStatus
) -> None:
    """To Batch it is pending until the last copy has ended."""
    array = {"size": 2, "statusSummary": summary}
    assert status_of({"status": "PENDING", "arrayProperties": array}) is status


def test_what_was_killed_has_no_exit_code_of_its_own() -> None:
    attempts = [
        {"container": {"exitCode": 3}, "startedAt": 1000, "stoppedAt": 2000},
        {"container": {"exitCode": 137}, "startedAt": 3000, "stoppedAt": 4000},
    ]
    told = {**TOLD, "status": "FAILED", "isTerminated": True, "attempts": attempts}
    job = job_of({**told, "statusReason": "enough"}, None)
    assert [it.exit_code for it in job.attempts] == [3, None]
    assert (job.exit_code, job.reason) == (3, "enough")


def test_what_never_started_has_no_moment_of_it() -> None:
    job = job_of({**TOLD, "status": "RUNNABLE"}, None)
    assert (job.started_at, job.completed_at, job.attempts) == (None, None, ())


def test_between_two_attempts_nothing_runs() -> None:
    attempt = {"container": {"exitCode": 1, "reason": "OOM"}, "startedAt": 1000, "stoppedAt": 2000}
    job = job_of({**TOLD, "status": "RUNNABLE", "startedAt": 1000, "attempts": [attempt]}, None)
    assert (job.status, len(job.attempts)) == (JobStatus.PENDING, 1)
    assert job.attempts[0].reason == "OOM"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("report", "report"),
        (name_under_key("k", "a-b"), "a-b"),
        ("lcplatform-cron-nightly", "nightly"),
    ],
)
def test_a_name_is_told_without_what_stands_before_it(name: str, told: str) -> None:
    assert name_of({"jobName": name}) == told


# --- how jobs end


def test_a_job_that_did_not_start_is_terminated_too(cloud: Cloud) -> None:
    first = cloud.submit(environment={"SECONDS": "60"})
    second = cloud.submit(depends_on=[first])
    cloud.advance(seconds=1)
    cloud.platform.batch.terminate_job(second, reason="enough")
    job = cloud.ended(second)
    assert (job.status, job.reason, job.attempts) == (JobStatus.CANCELLED, "enough", ())
    assert cloud.called("batch:CancelJob") == 0


def test_a_job_is_told_of_each_that_failed_it(cloud: Cloud) -> None:
    failing: dict[str, Any] = {"environment": {"EXIT_CODE": "1"}, "max_attempts": 1}
    before = [cloud.submit(**failing), cloud.submit(), cloud.submit(**failing)]
    job_id = cloud.submit(depends_on=[*before, before[0]])
    job = cloud.ended(job_id)
    assert job.depends_on == tuple(before)
    assert job.reason == f"Dependent Job failed: {before[0]}, {before[2]}"


def test_a_copy_that_runs_too_long_fails_the_array(cloud: Cloud) -> None:
    job_id = cloud.submit(array_size=2, environment={"SECONDS": "90"}, timeout=timedelta(minutes=1))
    cloud.advance(minutes=2)
    batch = cloud.platform.batch
    parent = batch.get_job(job_id).job
    assert (parent.status, parent.attempts) == (JobStatus.FAILED, ())
    copies = batch.list_jobs(parent_job_id=job_id).jobs
    assert [it.status for it in copies] == [JobStatus.TIMEOUT] * 2


# --- logs


def test_a_job_without_a_line_has_no_logs(cloud: Cloud) -> None:
    """Its stream begins with its first line."""
    job_id = cloud.submit()
    cloud.advance(seconds=1)
    assert list(cloud.platform.batch.get_job_logs(job_id)) == []


def test_long_logs_are_read_page_by_page(cloud: Cloud) -> None:
    cloud.logs.page = 10
    lines = [str(number) for number in range(25)]
    job_id = cloud.submit(environment={"SECONDS": "60"})
    cloud.advance(seconds=1)
    task = cloud.batch.jobs[job_id]
    for line in lines:
        cloud.logs.write("/lcplatform/jobs", task.stream or "", line)
    answers = cloud.platform.batch.get_job_logs(job_id)
    assert [it.message for answer in answers for it in answer.entries] == lines


def test_a_follower_hears_each_line_once_and_stops_with_the_job(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lcplatform_aws.pause._SECONDS", 0.01)
    job_id = cloud.submit(environment={"PRINT": "begun", "SECONDS": "60", "FAIL_ATTEMPTS": "2"})
    cloud.advance(seconds=1)
    heard = []
    for answer in cloud.platform.batch.get_job_logs(job_id, follow=True):
        heard += [(it.attempt, it.message) for it in answer.entries]
        cloud.advance(seconds=60.5)
    assert heard == [(1, "begun"), (2, "begun"), (3, "begun")]


# --- options


def test_without_options_it_is_not_offered_and_says_what_is_missing() -> None:
    with (
        FakeAws([]) as aws,
        LCPlatform("aws", region="us-east-1", endpoint_url=aws.url) as platform,
        pytest.raises(UnsupportedError, match="the option batch"),
    ):
        platform.batch.submit_job("report", image=IMAGE)
    assert aws.calls == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"job_queue": None}, "job_queue"),
        ({"job_queue": "a b"}, "job_queue"),
        ({"execution_role": "ecs"}, "execution_role"),
        ({"scheduler_role": "ecs"}, "scheduler_role"),
        ({"job_role": "ecs"}, "job_role"),
        ({"log_group": "a b"}, "log_group"),
        ({"schedule_group": ""}, "schedule_group"),
        ({"architecture": "RISC"}, "architecture"),
        ({"queue": "jobs"}, "queue"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError, match=f"batch.{field}"):
        LCPlatform("aws", batch={**OPTIONS, **wrong})


def test_no_secret_is_logged(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        cloud.ended(cloud.submit(secrets={"PASSWORD": "database"}))
    assert "value" not in {record.getMessage() for record in caplog.records}

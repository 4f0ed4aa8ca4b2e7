"""What becomes of jobs when AWS fails: what is repeated, what is not, and what a key is good for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lcplatform.batch.models import JobStatus, JobTemplate
from lcplatform.batch.operations import (
    CREATE_SCHEDULE,
    GET_JOB_LOGS,
    SUBMIT_JOB,
    UPDATE_SCHEDULE,
)
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    InternalError,
    LCPlatformError,
    Outcome,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_aws.batch_jobs import name_under_key
from lcplatform_aws.errors import translate
from lcplatform_mock.trial_job import IMAGE
from lcplatform_runtime.operation import Operation
from tests.fake_aws.server import Fault
from tests.unit.aws.jobs import Cloud, clouds

THROTTLED = Fault(429, "TooManyRequestsException", "Too Many Requests")
FAILED = Fault(500, "ServerException", "try later")
LOST = Fault(500, "ServerException", "try later", after=True)
JOB = JobTemplate(image=IMAGE)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with clouds() as made:
        yield made


# --- submitting


def test_a_submission_that_is_throttled_is_repeated(cloud: Cloud) -> None:
    cloud.aws.will_fail("batch:SubmitJob", THROTTLED, THROTTLED)
    cloud.submit()
    assert cloud.called("batch:SubmitJob") == 3
    assert len(cloud.batch.jobs) == 1


def test_a_submission_is_throttled_no_more_often_than_attempts_are_made(cloud: Cloud) -> None:
    cloud.aws.will_fail("batch:SubmitJob", *[THROTTLED] * 5)
    with pytest.raises(QuotaExceededError) as caught:
        cloud.submit()
    assert caught.value.outcome is Outcome.NOT_EXECUTED
    assert (cloud.called("batch:SubmitJob"), cloud.batch.jobs) == (3, {})


@pytest.mark.parametrize("fault", [FAILED, LOST, Fault(reset=True)])
def test_a_submission_without_a_key_is_never_sent_twice(cloud: Cloud, fault: Fault) -> None:
    """Batch knows no token, and whether it took the job is not known."""
    cloud.aws.will_fail("batch:SubmitJob", fault)
    with pytest.raises((InternalError, ServiceUnavailableError)) as caught:
        cloud.submit()
    assert caught.value.outcome is Outcome.UNKNOWN
    assert cloud.called("batch:SubmitJob") == 1


@pytest.mark.parametrize("fault", [FAILED, LOST, Fault(reset=True)])
def test_a_submission_under_a_key_is_repeated_and_is_one_job(cloud: Cloud, fault: Fault) -> None:
    cloud.aws.will_fail("batch:SubmitJob", fault)
    job_id = cloud.submit(idempotency_key="k")
    assert list(cloud.batch.jobs) == [job_id]
    assert cloud.called("batch:SubmitJob") == (1 if fault is LOST else 2)


def test_a_look_that_fails_after_the_submission_makes_no_second_job(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = cloud.batch.submit_job

    def submitted(given: dict[str, Any]) -> Any:
        cloud.aws.will_fail("batch:ListJobs", THROTTLED)
        return submit(given)

    monkeypatch.setattr(cloud.batch, "submit_job", submitted)
    job_id = cloud.submit(idempotency_key="k")
    assert list(cloud.batch.jobs) == [job_id]
    assert cloud.called("batch:SubmitJob") == 1


def test_what_is_submitted_need_not_be_readable_at_once(cloud: Cloud) -> None:
    cloud.submit(idempotency_key="k")
    cloud.submit()
    assert cloud.called("batch:DescribeJobs") == 0


def test_what_cannot_be_looked_at_after_the_submission_has_an_unknown_outcome(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = cloud.batch.submit_job

    def submitted(given: dict[str, Any]) -> Any:
        cloud.aws.will_fail("batch:ListJobs", *[Fault(400, "AccessDeniedException", "no")] * 3)
        return submit(given)

    monkeypatch.setattr(cloud.batch, "submit_job", submitted)
    with pytest.raises(PermissionDeniedError) as caught:
        cloud.submit(idempotency_key="k")
    assert caught.value.outcome is Outcome.UNKNOWN
    assert len(cloud.batch.jobs) == 1


def test_two_at_once_under_one_key_are_one_job(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both look before either submits: the second ends its own, and answers with the first."""
    list_jobs, looks = cloud.batch.list_jobs, iter(range(100))

    def listed(given: dict[str, Any]) -> Any:
        # As if the first two looks had come before both submissions.
        return {"jobSummaryList": []} if next(looks) < 2 else list_jobs(given)

    cloud.submit()  # the definition is there
    monkeypatch.setattr(cloud.batch, "list_jobs", listed)
    with ThreadPoolExecutor(2) as threads:
        given: dict[str, Any] = {"environment": {"SECONDS": "60"}, "idempotency_key": "k"}
        found = set(threads.map(lambda _: cloud.submit(**given), range(2)))
    name = name_under_key("k", "report")
    kept = {it.job_id for it in cloud.batch.jobs.values() if it.name == name and not it.terminated}
    assert len(kept) == 1
    assert found == kept


def test_the_same_key_with_another_name_is_a_conflict(cloud: Cloud) -> None:
    cloud.submit("one", idempotency_key="k")
    with pytest.raises(ConflictError):
        cloud.submit("two", idempotency_key="k")
    assert len(cloud.batch.jobs) == 1


def test_a_key_is_good_for_a_day(cloud: Cloud) -> None:
    first = cloud.submit(idempotency_key="k")
    cloud.batch.jobs[first].created_at -= timedelta(hours=23)
    assert cloud.submit(idempotency_key="k") == first
    cloud.batch.jobs[first].created_at -= timedelta(hours=2)
    assert cloud.submit(idempotency_key="k") != first


def test_a_registration_whose_answer_is_lost_is_found_again(cloud: Cloud) -> None:
    cloud.aws.will_fail("batch:RegisterJobDefinition", LOST)
    with pytest.raises(InternalError):
        cloud.submit()
    cloud.submit()
    assert [it.revision for it in cloud.batch.definitions] == [1]


def test_a_queue_that_does_not_take_jobs_is_in_the_wrong_state(cloud: Cloud) -> None:
    cloud.aws.will_fail("batch:SubmitJob", Fault(400, "ClientException", "JobQueue is DISABLED"))
    with pytest.raises(PreconditionFailedError):
        cloud.submit()


# --- the rest


def test_reading_is_repeated(cloud: Cloud) -> None:
    job_id = cloud.submit()
    for call in ("batch:DescribeJobs", "batch:ListJobs"):
        cloud.aws.will_fail(call, FAILED, Fault(reset=True))
    assert cloud.platform.batch.get_job(job_id).job.job_id == job_id
    assert [it.job_id for it in cloud.platform.batch.list_jobs().jobs] == [job_id]


def test_a_termination_is_repeated(cloud: Cloud) -> None:
    job_id = cloud.submit(environment={"SECONDS": "60"})
    cloud.advance(seconds=1)
    cloud.aws.will_fail("batch:TerminateJob", LOST)
    told = cloud.platform.batch.terminate_job(job_id, reason="enough").job
    assert (told.status, told.reason) == (JobStatus.CANCELLED, "enough")


def test_logs_that_cannot_be_read_are_an_error(cloud: Cloud) -> None:
    job_id = cloud.submit(environment={"PRINT": "a"})
    cloud.advance(seconds=1)
    cloud.aws.will_fail("logs:GetLogEvents", *[Fault(400, "AccessDeniedException", "no")] * 3)
    with pytest.raises(PermissionDeniedError):
        list(cloud.platform.batch.get_job_logs(job_id))


def test_a_schedule_is_never_created_twice(cloud: Cloud) -> None:
    cloud.aws.will_fail(
        "scheduler:CreateSchedule", Fault(500, "InternalServerException", after=True)
    )
    batch = cloud.platform.batch
    with pytest.raises(InternalError) as caught:
        batch.create_schedule("nightly", cron="0 3 * * *", job=JOB)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert cloud.called("scheduler:CreateSchedule") == 1
    with pytest.raises(AlreadyExistsError):
        batch.create_schedule("nightly", cron="0 3 * * *", job=JOB)


def test_an_update_of_a_schedule_is_repeated(cloud: Cloud) -> None:
    batch = cloud.platform.batch
    batch.create_schedule("nightly", cron="0 3 * * *", job=JOB)
    cloud.aws.will_fail("scheduler:UpdateSchedule", Fault(429, "ThrottlingException"))
    assert batch.update_schedule("nightly", enabled=False).schedule.enabled is False
    assert cloud.called("scheduler:UpdateSchedule") == 2


def test_a_schedule_that_is_deleted_meanwhile_is_not_listed(cloud: Cloud) -> None:
    batch = cloud.platform.batch
    for name in ("a", "b"):
        batch.create_schedule(name, cron="0 3 * * *", job=JOB)
    cloud.aws.will_fail("scheduler:GetSchedule", Fault(404, "ResourceNotFoundException"))
    assert [it.name for it in batch.list_schedules().schedules] == ["b"]
    cloud.aws.will_fail("scheduler:GetSchedule", *[Fault(403, "AccessDeniedException")] * 3)
    with pytest.raises(PermissionDeniedError):
        batch.list_schedules()


# --- what errors mean


@pytest.mark.parametrize(
    ("operation", "code", "status", "message", "kind", "retryable"),
    [
        (SUBMIT_JOB, "ClientException", 400, "JobQueue x not found.", ResourceNotFoundError, False),
        (SUBMIT_JOB, "ClientException", 400, "Object does not exist", ResourceNotFoundError, False),
        (SUBMIT_JOB, "ClientException", 400, "Object already exists", AlreadyExistsError, False),
        (SUBMIT_JOB, "ClientException", 400, "not authorized to", PermissionDeniedError, False),
        (SUBMIT_JOB, "ClientException", 400, "AccessDenied", PermissionDeniedError, False),
        (SUBMIT_JOB, "ClientException", 400, "Too many jobs", QuotaExceededError, False),
        (SUBMIT_JOB, "ClientException", 400, "Limit exceeded", QuotaExceededError, False),
        (
            SUBMIT_JOB,
            "ClientException",
            400,
            "JobQueue is DISABLED",
            PreconditionFailedError,
            False,
        ),
        (
            SUBMIT_JOB,
            "ClientException",
            400,
            "is not in a valid state",
            PreconditionFailedError,
            False,
        ),
        (SUBMIT_JOB, "ClientException", 400, "is being modified", PreconditionFailedError, False),
        (SUBMIT_JOB, "ClientException", 400, "Rate exceeded", QuotaExceededError, True),
        (SUBMIT_JOB, "ClientException", 400, "anything else", ValidationError, False),
        (SUBMIT_JOB, "ServerException", 500, "", InternalError, True),
        (SUBMIT_JOB, "TooManyRequestsException", 429, "", QuotaExceededError, True),
        (SUBMIT_JOB, "AccessDeniedException", 403, "", PermissionDeniedError, False),
        (CREATE_SCHEDULE, "ConflictException", 409, "", AlreadyExistsError, False),
        (UPDATE_SCHEDULE, "ConflictException", 409, "", ConflictError, False),
        (CREATE_SCHEDULE, "InternalServerException", 500, "", InternalError, True),
        (CREATE_SCHEDULE, "ResourceNotFoundException", 404, "", ResourceNotFoundError, False),
        (CREATE_SCHEDULE, "ServiceQuotaExceededException", 402, "", QuotaExceededError, False),
        (CREATE_SCHEDULE, "ThrottlingException", 429, "", QuotaExceededError, True),
        (CREATE_SCHEDULE, "ValidationException", 400, "", ValidationError, False),
        (GET_JOB_LOGS, "InvalidParameterException", 400, "", ValidationError, False),
        (GET_JOB_LOGS, "ResourceNotFoundException", 400, "", ResourceNotFoundError, False),
        (GET_JOB_LOGS, "ServiceUnavailableException", 503, "", ServiceUnavailableError, True),
        (GET_JOB_LOGS, "ThrottlingException", 400, "", QuotaExceededError, True),
    ],
)
def test_a_code_means_what_the_decisions_say(
    operation: Operation,
    code: str,
    status: int,
    message: str,
    kind: type[LCPlatformError],
    retryable: bool,
) -> None:
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    error = translate(ClientError(answer, "Anything"), operation)
    assert (type(error), error and error.retryable) == (kind, retryable)

"""The fake's Batch keeps to what its documentation says, sentence by sentence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from lcplatform_mock.trial_job import IMAGE, TRIAL_JOB
from tests.fake_aws.api import AwsError
from tests.fake_aws.batch import Batch
from tests.fake_aws.batch_rules import check_container, matches, tries_again
from tests.fake_aws.logs import Logs

EXITED: Final = "Essential container in task exited"
CONTAINER: Final[dict[str, Any]] = {
    "image": IMAGE,
    "executionRoleArn": "arn:aws:iam::000000000000:role/ecs",
    "resourceRequirements": [
        {"type": "VCPU", "value": "0.25"},
        {"type": "MEMORY", "value": "512"},
    ],
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "g", "awslogs-stream-prefix": "p"},
    },
}


@pytest.fixture
def batch() -> Batch:
    return Batch(Logs(), lambda arn: "value", {IMAGE: TRIAL_JOB})


def submit(batch: Batch, retry: dict[str, Any] | None = None, **variables: str) -> str:
    definition = batch.register_job_definition(
        {
            "jobDefinitionName": "d",
            "type": "container",
            "platformCapabilities": ["FARGATE"],
            "containerProperties": CONTAINER,
        }
    )
    environment = [{"name": name, "value": value} for name, value in variables.items()]
    told = {
        "jobName": "j",
        "jobQueue": "jobs",
        "jobDefinition": definition["jobDefinitionArn"],
        "containerOverrides": {"environment": environment},
        **({"retryStrategy": retry} if retry else {}),
    }
    return str(batch.submit_job(told)["jobId"])


def described(batch: Batch, job_id: str, after: float = 1) -> Any:
    batch.time.advance(timedelta(seconds=after))
    return batch.describe_jobs({"jobs": [job_id]})["jobs"][0]


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("a*", "ab", True),
        ("*", "", True),
        ("1*", "137", True),
    ],
)
def test_a_condition_fits_as_a_whole_or_by_its_start(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


@pytest.mark.parametrize(
    ("conditions", "number", "again"),
    [
        ([], 1, True),
        ([], 3, False),  # attempts are three in all
        ([{"onExitCode": "7", "action": "EXIT"}], 1, False),
        ([{"onExitCode": "1*", "action": "EXIT"}], 1, True),  # none fits: retried
        ([{"onExitCode": "7", "onReason": "OOM*", "action": "EXIT"}], 1, True),  # all parts must
        ([{"onStatusReason": "Essential*", "action": "exit"}], 1, False),  # in any case of letters
        # The first that fits decides.
        ([{"onExitCode": "7", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}], 1, True),
        ([{"onReason": "*", "action": "EXIT"}, {"onExitCode": "7", "action": "RETRY"}], 1, False),
        ([{"onReason": "*", "action": "RETRY"}], 3, False),
    ],
)
def test_conditions_decide_what_is_tried_again(
    conditions: list[dict[str, str]], number: int, again: bool
) -> None:
    attempt = {"statusReason": EXITED, "container": {"exitCode": 7}}
    assert tries_again({"attempts": 3, "evaluateOnExit": conditions}, number, attempt) is again


def test_a_job_goes_on_by_the_conditions(batch: Batch) -> None:
    strategy = {"attempts": 5, "evaluateOnExit": [{"onExitCode": "7", "action": "EXIT"}]}
    once = described(batch, submit(batch, strategy, EXIT_CODE="7"))
    again = described(batch, submit(batch, strategy, EXIT_CODE="8"))
    assert (once["status"], len(once["attempts"])) == ("FAILED", 1)
    assert (again["status"], len(again["attempts"])) == ("FAILED", 5)


def test_a_job_without_a_strategy_is_tried_once(batch: Batch) -> None:
    assert len(described(batch, submit(batch, EXIT_CODE="1"))["attempts"]) == 1


def test_what_runs_cannot_be_cancelled_and_nobody_says_so(batch: Batch) -> None:
    job_id = submit(batch, SECONDS="60")
    assert described(batch, job_id)["status"] == "RUNNING"
    batch.cancel_job({"jobId": job_id, "reason": "enough"})
    assert described(batch, job_id)["status"] == "RUNNING"
    batch.terminate_job({"jobId": job_id, "reason": "enough"})
    ended = described(batch, job_id)
    assert (ended["status"], ended["isTerminated"], ended["statusReason"]) == (
        "FAILED",
        True,
        "enough",
    )


def test_what_waits_is_cancelled(batch: Batch) -> None:
    job_id = submit(batch)
    batch.cancel_job({"jobId": job_id, "reason": "enough"})
    ended = described(batch, job_id)
    assert (ended["status"], ended["isCancelled"]) == ("FAILED", True)


def test_without_a_status_or_a_filter_only_what_runs_is_listed(batch: Batch) -> None:
    running, ended = submit(batch, SECONDS="60"), submit(batch)
    described(batch, ended)

    def listed(**given: Any) -> list[str]:
        found = batch.list_jobs({"jobQueue": "jobs", **given})["jobSummaryList"]
        return [it["jobId"] for it in found]

    assert listed() == [running]
    assert listed(jobStatus="SUCCEEDED") == [ended]
    by_name = [{"name": "JOB_NAME", "values": ["J"]}]
    assert listed(jobStatus="FAILED", filters=by_name) == [ended, running]


def test_unknown_jobs_are_left_out(batch: Batch) -> None:
    assert batch.describe_jobs({"jobs": ["nothing"]}) == {"jobs": []}


@pytest.mark.parametrize(("cpu", "memory"), [("0.25", "4096"), ("0.3", "512"), ("4", "8000")])
def test_sizes_that_fargate_does_not_have_are_refused(cpu: str, memory: str) -> None:
    sizes = [{"type": "VCPU", "value": cpu}, {"type": "MEMORY", "value": memory}]
    with pytest.raises(AwsError):
        check_container({**CONTAINER, "resourceRequirements": sizes})

"""Batch, its scheduler, its logs and some secrets in the fake, and a platform on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lcplatform import LCPlatform, PlatformSettings, RetryPolicy
from lcplatform.batch.models import Job
from lcplatform_mock.trial_job import IMAGE, TRIAL_JOB
from tests.fake_aws.api import AwsError
from tests.fake_aws.batch import QUEUE, Batch
from tests.fake_aws.logs import Logs
from tests.fake_aws.scheduler import Scheduler
from tests.fake_aws.server import FakeAws, Service

ROLE: Final = "arn:aws:iam::000000000000:role/ecs"
JOB_ROLE: Final = "arn:aws:iam::000000000000:role/job"
OPTIONS: Final = {
    "job_queue": QUEUE,
    "execution_role": ROLE,
    "scheduler_role": ROLE,
    "job_role": JOB_ROLE,
}


class Vault(Service):
    """Secrets that are there, or deleted."""

    service = "secretsmanager"

    def describe_secret(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name = given["SecretId"]
        if name == "nothing":
            raise AwsError("ResourceNotFoundException", "Secrets Manager can't find it.")
        deleted = {"DeletedDate": datetime.now(UTC)} if name == "deleted" else {}
        return {"ARN": self.arn(f"secret:{name}-AbCdEf"), "Name": name, **deleted}


@dataclass
class Cloud:
    """The fake with what runs in it, and a platform on it."""

    aws: FakeAws
    batch: Batch
    scheduler: Scheduler
    logs: Logs
    platform: LCPlatform

    def advance(self, **by: float) -> None:
        """Moves the time on."""
        self.aws.advance(timedelta(**by))

    def submit(self, name: str = "report", **given: Any) -> str:
        """Submits the job of the scenarios."""
        return self.platform.batch.submit_job(name, image=IMAGE, **given).job.job_id

    def ended(self, job_id: str) -> Job:
        """The job after a while, in which most jobs end."""
        self.advance(seconds=1)
        return self.platform.batch.get_job(job_id).job

    def called(self, operation: str) -> int:
        """How often an operation was called, named as in `aws.calls`."""
        return self.aws.calls.count(operation)


@contextmanager
def clouds(**options: object) -> Iterator[Cloud]:
    """A cloud. Whatever is sent must be as the SDK's model wants it, and the scheduler's calls must succeed."""
    logs = Logs()
    batch = Batch(logs, lambda arn: "value", {IMAGE: TRIAL_JOB})
    scheduler = Scheduler(batch.submit_job)
    retry = RetryPolicy(max_attempts=3, base_delay=timedelta(0))
    with (
        FakeAws([batch, scheduler, logs, Vault()]) as aws,
        LCPlatform(
            "aws",
            settings=PlatformSettings(retry=retry),
            region="us-east-1",
            endpoint_url=aws.url,
            access_key_id="testing",
            secret_access_key="testing",
            batch={**OPTIONS, **options},
        ) as platform,
    ):
        yield Cloud(aws, batch, scheduler, logs, platform)
        assert aws.refused == []
        assert scheduler.failed == []

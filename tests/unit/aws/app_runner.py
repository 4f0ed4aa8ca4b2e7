"""The fake of App Runner with what runs in it, and a platform on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from lcplatform import LCPlatform
from lcplatform.web_hosting.client import WebHosting
from lcplatform.web_hosting.models import Application, ApplicationStatus
from tests.fake_aws.apprunner import AppRunner, Runner
from tests.fake_aws.logs import Logs
from tests.fake_aws.server import FakeAws, Service
from tests.fake_aws.site import TEST_SITE

ACCESS_ROLE = "arn:aws:iam::000000000000:role/access"
ROLE = "arn:aws:iam::000000000000:role/instances"
OTHER_ROLE = "arn:aws:iam::000000000000:role/other"
ECR = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:password-AbCdEf"


class Secrets(Service):
    """One secret."""

    service = "secretsmanager"

    def describe_secret(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"ARN": SECRET, "Name": "password"}


@dataclass
class Cloud:
    """The fake, what runs in it, and a platform on it."""

    aws: FakeAws
    runners: AppRunner
    logs: Logs
    platform: LCPlatform

    @property
    def hosting(self) -> WebHosting:
        return self.platform.web_hosting

    @property
    def runner(self) -> Runner:
        """The only service there is."""
        [found] = self.runners.runners.values()
        return found

    def settled(self) -> None:
        """Everything that an operation takes, at once."""
        self.aws.time.advance(timedelta(minutes=1))

    def running(self, name: str = "shop", **given: Any) -> str:
        """An application that runs."""
        answer = self.hosting.deploy_application(name, **{"image": TEST_SITE, **given})
        self.settled()
        application = self.now(answer.application.application_id)
        assert application.status is ApplicationStatus.RUNNING
        return application.application_id

    def updated(self, application_id: str, **given: Any) -> Application:
        """An application after an update."""
        self.hosting.update_application(application_id, **given)
        self.settled()
        return self.now(application_id)

    def now(self, application_id: str) -> Application:
        """An application as it is."""
        return self.hosting.get_application(application_id).application

    def since(self, calls: int) -> list[str]:
        """What App Runner was asked that changes something, from so many calls on."""
        asked = [it.partition(":") for it in self.aws.calls[calls:]]
        reading = ("Describe", "List")
        return [
            it for service, _, it in asked if service == "apprunner" and not it.startswith(reading)
        ]


OPTIONS: Final[Mapping[str, object]] = {
    "backend": "app-runner",
    "access_role": ACCESS_ROLE,
    "instance_role": ROLE,
    "mirrors": {"docker.io": f"{ECR}/hub", "registry.example": f"{ECR}/example"},
}
"""What App Runner is told."""


@contextmanager
def cloud_on(options: Mapping[str, object]) -> Iterator[Cloud]:
    """A cloud as long as the block lasts. At its end, nothing may have been asked that no model allows."""
    logs = Logs()
    runners = AppRunner(logs, lambda arn: "value")
    runners.quick = timedelta(seconds=50)  # nothing happens before it is asked for
    with (
        FakeAws([runners, logs, Secrets()]) as aws,
        LCPlatform(
            "aws",
            region="us-east-1",
            endpoint_url=aws.url,
            access_key_id="testing",
            secret_access_key="testing",
            web_hosting=dict(options),
        ) as platform,
    ):
        yield Cloud(aws, runners, logs, platform)
        assert aws.refused == []
    runners.close()

"""Job definitions: what SubmitJob cannot say. Each shape is registered once, under a name that tells it, and used ever after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lcplatform.secrets.models import DescribeSecretRequest
from lcplatform_aws.batch_jobs import OWN, resources
from lcplatform_aws.errors import problem_of
from lcplatform_aws.units import given
from lcplatform_runtime.errors import ResourceNotFoundError, ValidationError, invalid
from lcplatform_runtime.model import build

if TYPE_CHECKING:
    from lcplatform.batch.models import JobTemplate
    from lcplatform_aws.batch_options import BatchOptions
    from lcplatform_aws.session import Session

_REMEMBERED: Final = 1000


class Definitions:
    """The definitions of one platform, for any number of threads."""

    def __init__(self, session: Session, options: BatchOptions) -> None:
        self._session = session
        self._options = options
        # Revisions are immutable, so what is known of them stays true. Both are only ever added to or emptied.
        self._registered: dict[str, str] = {}
        self._containers: dict[str, Mapping[str, Any]] = {}
        self._log_group_is_there = False

    def container(self, template: JobTemplate, place: str = "") -> dict[str, Any]:
        """The `containerProperties` of what a template runs.

        Args:
            template: what is run.
            place: what stands before the names of fields in a refusal.

        Raises:
            ResourceNotFoundError: a secret is not there.
        """
        secrets = {it: self._secret(it, place) for it in sorted({*template.secrets.values()})}
        options = self._options
        return given(
            image=template.image,
            jobRoleArn=template.identity or options.job_role,
            executionRoleArn=options.execution_role,
            resourceRequirements=resources(1, 2048),  # jobs say what they need
            secrets=[
                {"name": name, "valueFrom": secrets[secret]}
                for name, secret in sorted(template.secrets.items())
            ]
            or None,
            networkConfiguration={"assignPublicIp": "ENABLED" if options.public_ip else "DISABLED"},
            fargatePlatformConfiguration={"platformVersion": "LATEST"},
            runtimePlatform={
                "operatingSystemFamily": "LINUX",
                "cpuArchitecture": options.architecture,
            },
            logConfiguration={
                "logDriver": "awslogs",
                "options": {"awslogs-group": options.log_group, "awslogs-stream-prefix": "job"},
            },
        )

    def of(self, container: Mapping[str, Any]) -> str:
        """The ARN of the definition of a container. Registers it if nobody has."""
        text = json.dumps(container, sort_keys=True)
        name = f"{OWN}{hashlib.sha256(text.encode()).hexdigest()[:32]}"
        found = self._registered.get(name)
        if found is None:
            found = self._active(name) or self._register(name, container)
            if len(self._registered) >= _REMEMBERED:
                self._registered.clear()
            self._registered[name] = found
        return found

    def forget(self, arn: str) -> None:
        """Looks for a definition again when it is needed next: somebody has deregistered it."""
        self._registered.pop(arn.rpartition("/")[2].partition(":")[0], None)

    def of_arn(self, arn: str) -> Mapping[str, Any]:
        """The container of a revision, even of one that is no longer active.

        Raises:
            ResourceNotFoundError: AWS knows it no longer.
        """
        found = self._containers.get(arn)
        if found is None:
            answer: Any = self._session.batch.describe_job_definitions(jobDefinitions=[arn])
            if not answer["jobDefinitions"]:
                raise ResourceNotFoundError("the job definition is gone", resource=arn)
            found = answer["jobDefinitions"][0]["containerProperties"]
            if len(self._containers) >= _REMEMBERED:
                self._containers.clear()
            self._containers[arn] = found
        return found

    def _active(self, name: str) -> str | None:
        answer = self._session.batch.describe_job_definitions(
            jobDefinitionName=name, status="ACTIVE"
        )
        found = max(answer["jobDefinitions"], key=lambda it: it["revision"], default=None)
        return None if found is None else found["jobDefinitionArn"]

    def _register(self, name: str, container: Mapping[str, Any]) -> str:
        self._ensure_log_group()
        told: Any = container
        answer = self._session.batch.register_job_definition(
            jobDefinitionName=name,
            type="container",
            platformCapabilities=["FARGATE"],
            containerProperties=told,
        )
        return answer["jobDefinitionArn"]

    def _secret(self, name: str, place: str) -> str:
        try:
            build(DescribeSecretRequest, name=name)
        except ValidationError:
            raise invalid(f"{place}secrets", "the names of secrets") from None
        answer = self._session.secretsmanager.describe_secret(SecretId=name)
        if "DeletedDate" in answer:
            raise ResourceNotFoundError(f"secret {name!r} is deleted", resource=name)
        return answer["ARN"]

    def _ensure_log_group(self) -> None:
        if self._log_group_is_there:
            return
        try:
            self._session.logs.create_log_group(logGroupName=self._options.log_group)
        except ClientError as error:
            if problem_of(error).get("Code") != "ResourceAlreadyExistsException":
                raise
        self._log_group_is_there = True

"""App Runner: services, the operations on them one at a time, scaling configurations, and the test site behind a real URL.

An image whose name ends with that of the test site answers on a port of this machine as soon as its operation has succeeded. Any other
takes minutes to start. A deployment of a service with the variable FAILS fails: the configuration before it is put back, or the
service has failed where there is none. Where AWS does not say what it does, this does what is worst for the caller: no tags while an
operation is under way, no deployment of an update that changes nothing, deleted services that can still be described.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from tests.fake_aws.api import AwsError
from tests.fake_aws.logs import Logs
from tests.fake_aws.server import Service
from tests.fake_aws.site import TEST_SITE, Site

_SOON: Final = timedelta(milliseconds=50)
_SLOW: Final = timedelta(minutes=5)
_CONFIGURED: Final = (
    "SourceConfiguration",
    "InstanceConfiguration",
    "HealthCheckConfiguration",
    "NetworkConfiguration",
    "AutoScalingConfigurationArn",
)
_DEFAULTS: Final = {
    "InstanceConfiguration": {"Cpu": "1024", "Memory": "2048"},
    "HealthCheckConfiguration": {"Protocol": "TCP", "Path": "/", "Interval": 5, "Timeout": 2},
    "NetworkConfiguration": {"EgressConfiguration": {"EgressType": "DEFAULT"}},
}
_MAX_VARIABLES: Final = 50
_MAX_SCALINGS: Final = 10


@dataclass
class Operation:
    """Something that is done to a service."""

    id: str
    type: str
    started_at: datetime
    status: str = "PENDING"
    ended_at: datetime | None = None


@dataclass
class Scaling:
    """A revision of an auto scaling configuration."""

    arn: str
    name: str
    revision: int
    least: int
    most: int
    concurrency: int
    created_at: datetime
    status: str = "ACTIVE"

    def told(self) -> dict[str, Any]:
        """What a list and a service tell of it."""
        return {
            "AutoScalingConfigurationArn": self.arn,
            "AutoScalingConfigurationName": self.name,
            "AutoScalingConfigurationRevision": self.revision,
            "Status": self.status,
            "CreatedAt": self.created_at,
        }


@dataclass
class Runner:
    """A service."""

    arn: str
    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    site: Site
    configuration: dict[str, Any]
    status: str = "OPERATION_IN_PROGRESS"
    in_place: dict[str, Any] | None = None
    operations: list[Operation] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    instance: str = ""

    @property
    def image(self) -> dict[str, Any]:
        """What runs."""
        found: dict[str, Any] = self.configuration["SourceConfiguration"]["ImageRepository"]
        return found

    @property
    def environment(self) -> dict[str, str]:
        """Its plain variables."""
        found: dict[str, str] = self.image["ImageConfiguration"]["RuntimeEnvironmentVariables"]
        return found


class AppRunner(Service):
    """The services of an account."""

    service = "apprunner"

    def __init__(self, logs: Logs, secret: Callable[[str], str]) -> None:
        """`secret` reads the value of a secret by its ARN."""
        super().__init__()
        self.runners: dict[str, Runner] = {}
        self.scalings: dict[str, Scaling] = {}
        self.quick = timedelta(milliseconds=300)
        """What an operation takes that takes no minutes."""
        self.undeletable = False
        """Whether deletions fail."""
        self._logs = logs
        self._secret = secret

    def close(self) -> None:
        """Ends every site."""
        for it in self.runners.values():
            it.site.close()

    # --- scaling

    def create_auto_scaling_configuration(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name = given["AutoScalingConfigurationName"]
        active = {it.name for it in self.scalings.values() if it.status == "ACTIVE"}
        if len(active | {name}) > _MAX_SCALINGS:
            raise AwsError("ServiceQuotaExceededException", "too many configurations")
        revision = 1 + sum(it.name == name for it in self.scalings.values())
        arn = self.arn(f"autoscalingconfiguration/{name}/{revision}/{uuid4().hex}")
        made = Scaling(
            arn,
            name,
            revision,
            given.get("MinSize", 1),
            given.get("MaxSize", 25),
            given.get("MaxConcurrency", 100),
            self.time.now(),
        )
        self.scalings[arn] = made
        return self.describe_auto_scaling_configuration({"AutoScalingConfigurationArn": arn})

    def describe_auto_scaling_configuration(self, given: dict[str, Any]) -> Mapping[str, Any]:
        found = self.scalings.get(given["AutoScalingConfigurationArn"])
        if found is None:
            raise AwsError("ResourceNotFoundException", "no such auto scaling configuration")
        told = {"MinSize": found.least, "MaxSize": found.most, "MaxConcurrency": found.concurrency}
        return {"AutoScalingConfiguration": {**found.told(), **told}}

    def list_auto_scaling_configurations(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name = given.get("AutoScalingConfigurationName")
        found = [
            {**it.told(), "HasAssociatedService": self._associated(it)}
            for it in self.scalings.values()
            if it.name == (name or it.name) and it.status == "ACTIVE"
        ]
        if given.get("LatestOnly", True):
            latest = {it["AutoScalingConfigurationName"]: it for it in found}
            found = list(latest.values())
        return _page("AutoScalingConfigurationSummaryList", found, given)

    def delete_auto_scaling_configuration(self, given: dict[str, Any]) -> Mapping[str, Any]:
        answer = self.describe_auto_scaling_configuration(given)
        found = self.scalings[given["AutoScalingConfigurationArn"]]
        if self._associated(found):
            raise _invalid("The auto scaling configuration is in use.")
        found.status = "INACTIVE"
        return answer

    def _associated(self, scaling: Scaling) -> bool:
        return any(
            it.configuration["AutoScalingConfigurationArn"] == scaling.arn
            for it in self.runners.values()
            if it.status != "DELETED"
        )

    # --- services

    def create_service(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name = given["ServiceName"]
        if any(it.name == name and it.status != "DELETED" for it in self.runners.values()):
            raise _invalid(f"Service with the provided name already exists: {name}.")
        configuration: dict[str, Any] = {
            **deepcopy(_DEFAULTS),
            **{it: given[it] for it in _CONFIGURED if it in given},
        }
        if "AutoScalingConfigurationArn" not in given:
            raise _invalid("the fake has no default auto scaling configuration")
        self._check(configuration)
        now, number = self.time.now(), uuid4().hex
        site = Site(lambda line: self._write(runner, line))
        arn = self.arn(f"service/{name}/{number}")
        runner = Runner(arn, number, name, now, now, site, configuration)
        runner.tags = {it["Key"]: it.get("Value", "") for it in given.get("Tags", ())}
        self.runners[arn] = runner
        return self._begin(runner, "CREATE_SERVICE", lambda it: self._deployed(runner, it))

    def update_service(self, given: dict[str, Any]) -> Mapping[str, Any]:
        runner = self._found(given, "RUNNING", "PAUSED", "CREATE_FAILED")
        configuration: dict[str, Any] = {
            **runner.configuration,
            **{it: given[it] for it in _CONFIGURED if it in given},
        }
        self._check(configuration)
        same = configuration == runner.configuration
        runner.configuration = configuration
        runner.updated_at = self.time.now()
        return self._begin(
            runner, "UPDATE_SERVICE", lambda it: self._deployed(runner, it, again=not same)
        )

    def start_deployment(self, given: dict[str, Any]) -> Mapping[str, Any]:
        runner = self._found(given)
        if runner.status != "RUNNING":
            raise _invalid(f"Service status is {runner.status}.")
        told = self._begin(runner, "START_DEPLOYMENT", lambda it: self._deployed(runner, it))
        return {"OperationId": told["OperationId"]}

    def pause_service(self, given: dict[str, Any]) -> Mapping[str, Any]:
        runner = self._found(given, "RUNNING")
        return self._begin(runner, "PAUSE_SERVICE", lambda it: self._paused(runner, it))

    def resume_service(self, given: dict[str, Any]) -> Mapping[str, Any]:
        runner = self._found(given, "PAUSED")
        return self._begin(runner, "RESUME_SERVICE", lambda it: self._deployed(runner, it))

    def delete_service(self, given: dict[str, Any]) -> Mapping[str, Any]:
        runner = self._found(given, "RUNNING", "PAUSED", "CREATE_FAILED", "DELETE_FAILED")
        return self._begin(runner, "DELETE_SERVICE", lambda it: self._deleted(runner, it))

    def describe_service(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return {"Service": self._told(self._known(given["ServiceArn"]))}

    def list_services(self, given: dict[str, Any]) -> Mapping[str, Any]:
        names = ("ServiceName", "ServiceId", "ServiceArn", "ServiceUrl", "Status")
        found = [
            {name: value for name, value in self._told(it).items() if name in names}
            for it in self.runners.values()
            if it.status != "DELETED"
        ]
        return _page("ServiceSummaryList", found, given)

    def list_operations(self, given: dict[str, Any]) -> Mapping[str, Any]:
        runner = self._known(given["ServiceArn"])
        found = [
            {
                "Id": it.id,
                "Type": it.type,
                "Status": it.status,
                "TargetArn": runner.arn,
                "StartedAt": it.started_at,
                "UpdatedAt": it.ended_at or it.started_at,
                **({"EndedAt": it.ended_at} if it.ended_at else {}),
            }
            for it in reversed(runner.operations)
        ]
        return _page("OperationSummaryList", found, given)

    def tag_resource(self, given: dict[str, Any]) -> Mapping[str, Any]:
        runner = self._known(given["ResourceArn"])
        if runner.status == "OPERATION_IN_PROGRESS":
            raise AwsError("InvalidStateException", "Service is in OPERATION_IN_PROGRESS.")
        runner.tags |= {it["Key"]: it["Value"] for it in given["Tags"]}
        if len(runner.tags) > 50:
            raise _invalid("more than 50 tags")
        return {}

    def list_tags_for_resource(self, given: dict[str, Any]) -> Mapping[str, Any]:
        tags = self._known(given["ResourceArn"]).tags
        # In no order, as on AWS.
        return {"Tags": [{"Key": key, "Value": value} for key, value in reversed(tags.items())]}

    # --- how it goes on

    def _begin(
        self, runner: Runner, kind: str, arrive: Callable[[Operation], None]
    ) -> dict[str, Any]:
        operation = Operation(str(uuid4()), kind, self.time.now())
        runner.operations.append(operation)
        runner.status = "OPERATION_IN_PROGRESS"
        quick = runner.image["ImageIdentifier"].endswith(TEST_SITE) or kind == "DELETE_SERVICE"
        self.time.after(_SOON, lambda: setattr(operation, "status", "IN_PROGRESS"))
        self.time.after(self.quick if quick else _SLOW, lambda: arrive(operation))
        return {"Service": self._told(runner), "OperationId": operation.id}

    def _end(self, runner: Runner, operation: Operation, status: str, then: str) -> None:
        operation.status, operation.ended_at = status, self.time.now()
        runner.status = then

    def _deployed(self, runner: Runner, operation: Operation, *, again: bool = True) -> None:
        if "FAILS" not in runner.environment:
            runner.in_place = runner.configuration
            if again:
                self._serve(runner)
            self._end(runner, operation, "SUCCEEDED", "RUNNING")
        elif runner.in_place is None:
            self._end(runner, operation, "FAILED", "CREATE_FAILED")
        else:
            operation.status = "ROLLBACK_IN_PROGRESS"
            self.time.after(_SOON, lambda: self._put_back(runner, operation))

    def _put_back(self, runner: Runner, operation: Operation) -> None:
        assert runner.in_place is not None
        runner.configuration = runner.in_place
        self._end(runner, operation, "ROLLBACK_SUCCEEDED", "RUNNING")

    def _paused(self, runner: Runner, operation: Operation) -> None:
        runner.site.environment = None
        self._end(runner, operation, "SUCCEEDED", "PAUSED")

    def _deleted(self, runner: Runner, operation: Operation) -> None:
        if self.undeletable:
            self._end(runner, operation, "FAILED", "DELETE_FAILED")
            return
        runner.site.close()
        self._end(runner, operation, "SUCCEEDED", "DELETED")

    def _serve(self, runner: Runner) -> None:
        secrets = runner.image["ImageConfiguration"]["RuntimeEnvironmentSecrets"]
        injected = {name: self._secret(arn) for name, arn in secrets.items()}
        runner.site.environment = {**runner.environment, **injected}
        runner.instance = uuid4().hex
        self._write(runner, f"listening on {runner.image['ImageConfiguration']['Port']}")

    def _write(self, runner: Runner, line: str) -> None:
        group = f"/aws/apprunner/{runner.name}/{runner.id}/application"
        self._logs.groups.setdefault(group, [])
        self._logs.write(group, f"instance/{runner.instance}", line)

    # --- how it is told

    def _known(self, arn: str) -> Runner:
        runner = self.runners.get(arn)
        if runner is None:
            raise AwsError("ResourceNotFoundException", f"Service not found: {arn}")
        return runner

    def _found(self, given: Mapping[str, Any], *allowed: str) -> Runner:
        runner = self._known(given["ServiceArn"])
        if allowed and runner.status not in allowed:
            raise AwsError("InvalidStateException", f"Service status is {runner.status}.")
        return runner

    def _check(self, configuration: Mapping[str, Any]) -> None:
        scaling = self.scalings.get(configuration["AutoScalingConfigurationArn"])
        if scaling is None or scaling.status != "ACTIVE":
            raise _invalid("no such auto scaling configuration")
        source = configuration["SourceConfiguration"]
        image = source["ImageRepository"]
        public = image["ImageRepositoryType"] == "ECR_PUBLIC"
        if public is not image["ImageIdentifier"].startswith("public.ecr.aws/"):
            raise _invalid("the image is in a repository of another type")
        if public is ("AuthenticationConfiguration" in source):
            raise _invalid("an access role is for private images, and for these needed")
        told = image["ImageConfiguration"]
        secrets = told.get("RuntimeEnvironmentSecrets", {})
        if len(secrets) + len(told.get("RuntimeEnvironmentVariables", {})) > _MAX_VARIABLES:
            raise _invalid("too many variables")
        if secrets and "InstanceRoleArn" not in configuration["InstanceConfiguration"]:
            raise _invalid("secrets are read in the instance role")

    def _told(self, runner: Runner) -> dict[str, Any]:
        configuration = dict(runner.configuration)
        scaling = self.scalings[configuration.pop("AutoScalingConfigurationArn")]
        return {
            "ServiceName": runner.name,
            "ServiceId": runner.id,
            "ServiceArn": runner.arn,
            "ServiceUrl": runner.site.url,
            "CreatedAt": runner.created_at,
            "UpdatedAt": runner.updated_at,
            "Status": runner.status,
            "AutoScalingConfigurationSummary": scaling.told(),
            **configuration,
        }


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)


def _page(name: str, found: list[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    start = int(given.get("NextToken", "0"))
    end = start + given.get("MaxResults", len(found))
    more = {"NextToken": str(end)} if end < len(found) else {}
    return {name: found[start:end], **more}

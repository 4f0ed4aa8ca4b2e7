"""ECS in its Express Mode: gateway services, their revisions and deployments, and the test site of the scenarios behind a real URL.

The image `lcplatform/test-site:1` answers on a port of this machine as soon as its deployment has succeeded. Any other takes minutes
to start. A deployment of a container with the variable FAILS fails: the circuit breaker goes back to the revision before, or stops
where there is none.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from tests.fake_aws.api import AwsError
from tests.fake_aws.logs import Logs
from tests.fake_aws.server import Service
from tests.fake_aws.site import TEST_SITE, Site

_SOON: Final = timedelta(milliseconds=50)
_SLOW: Final = timedelta(minutes=5)
_UNDER_WAY: Final = frozenset({"PENDING", "IN_PROGRESS", "ROLLBACK_IN_PROGRESS"})
_GIVEN_TO_A_REVISION: Final = (
    "executionRoleArn",
    "taskRoleArn",
    "cpu",
    "memory",
    "cpuArchitecture",
    "networkConfiguration",
    "healthCheckPath",
    "primaryContainer",
    "scalingTarget",
)


@dataclass
class Revision:
    """An immutable configuration of a service."""

    arn: str
    task_definition: str
    configuration: dict[str, Any]
    created_at: datetime

    @property
    def container(self) -> dict[str, Any]:
        """What runs."""
        found: dict[str, Any] = self.configuration["primaryContainer"]
        return found

    @property
    def environment(self) -> dict[str, str]:
        """Its plain variables."""
        return {it["name"]: it["value"] for it in self.container.get("environment", ())}


@dataclass
class Rollout:
    """A service deployment."""

    arn: str
    target: Revision
    created_at: datetime
    status: str = "PENDING"
    reason: str | None = None
    finished_at: datetime | None = None


@dataclass
class Gateway:
    """An Express gateway service."""

    arn: str
    name: str
    cluster: str
    infrastructure_role: str
    created_at: datetime
    updated_at: datetime
    site: Site
    status: str = "ACTIVE"
    revisions: list[Revision] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def in_place(self) -> Revision | None:
        """The revision that answers."""
        done = [it.target for it in self.rollouts if it.status == "SUCCESSFUL"]
        return done[-1] if done else None

    @property
    def under_way(self) -> Rollout | None:
        """The deployment that is not over."""
        last = self.rollouts[-1] if self.rollouts else None
        return last if last is not None and last.status in _UNDER_WAY else None


class EcsExpress(Service):
    """The gateway services of an account."""

    service = "ecs"

    def __init__(self, logs: Logs, secret: Callable[[str], str]) -> None:
        """`secret` reads the value of a secret by its ARN."""
        super().__init__()
        self.gateways: dict[str, Gateway] = {}
        self.quick = timedelta(milliseconds=300)
        """What a deployment takes that takes no minutes."""
        self._logs = logs
        self._secret = secret
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """Ends every site."""
        for it in self.gateways.values():
            it.site.close()

    # --- operations

    def create_express_gateway_service(self, given: dict[str, Any]) -> Mapping[str, Any]:
        cluster, name = given.get("cluster", "default"), given["serviceName"]
        arn = self.arn(f"service/{cluster}/{name}")
        there = self.gateways.get(arn)
        if there is not None and there.status != "INACTIVE":
            raise AwsError("InvalidParameterException", "Creation of service was not idempotent.")
        now = self.time.now()
        site = Site(lambda line: self._write(gateway, line))
        gateway = Gateway(arn, name, cluster, given["infrastructureRoleArn"], now, now, site)
        gateway.tags = {it["key"]: it.get("value", "") for it in given.get("tags", ())}
        self.gateways[arn] = gateway
        self._roll_out(gateway, {it: given[it] for it in _GIVEN_TO_A_REVISION if it in given})
        return {"service": self._told(gateway)}

    def update_express_gateway_service(self, given: dict[str, Any]) -> Mapping[str, Any]:
        gateway = self._active(given.pop("serviceArn"))
        if gateway.under_way is not None:
            raise AwsError("ClientException", "A deployment is in progress.")
        last = gateway.in_place or gateway.revisions[-1]
        gateway.updated_at = self.time.now()
        if set(given) == {"scalingTarget"}:  # is not part of what a revision fixes
            last.configuration["scalingTarget"] = given["scalingTarget"]
            target = last
        else:
            target = self._roll_out(gateway, {**last.configuration, **given})
        return {
            "service": {
                "serviceArn": gateway.arn,
                "serviceName": gateway.name,
                "cluster": gateway.cluster,
                "status": {"statusCode": gateway.status},
                "targetConfiguration": self._configuration(gateway, target),
                "createdAt": gateway.created_at,
                "updatedAt": gateway.updated_at,
            }
        }

    def describe_express_gateway_service(self, given: dict[str, Any]) -> Mapping[str, Any]:
        gateway = self.gateways.get(given["serviceArn"])
        if gateway is None:
            raise AwsError("ResourceNotFoundException", "The service cannot be found.")
        told = self._told(gateway)
        if "TAGS" in given.get("include", ()):
            told["tags"] = [{"key": key, "value": value} for key, value in gateway.tags.items()]
        return {"service": told}

    def delete_express_gateway_service(self, given: dict[str, Any]) -> Mapping[str, Any]:
        gateway = self._active(given["serviceArn"])
        gateway.status = "DRAINING"
        self.time.after(self.quick, lambda: self._gone(gateway))
        return {"service": self._told(gateway)}

    def list_services(self, given: dict[str, Any]) -> Mapping[str, Any]:
        cluster = given.get("cluster", "default")
        found = sorted(
            it.arn
            for it in self.gateways.values()
            if it.cluster == cluster and it.status != "INACTIVE"
        )
        return _page("serviceArns", found, given)

    def list_service_deployments(self, given: dict[str, Any]) -> Mapping[str, Any]:
        gateway = self.gateways.get(given["service"])
        if gateway is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        found = [
            {
                "serviceDeploymentArn": it.arn,
                "serviceArn": gateway.arn,
                "clusterArn": self.arn(f"cluster/{gateway.cluster}"),
                "targetServiceRevisionArn": it.target.arn,
                "status": it.status,
                "createdAt": it.created_at,
                "startedAt": it.created_at,
                **({"statusReason": it.reason} if it.reason else {}),
                **({"finishedAt": it.finished_at} if it.finished_at else {}),
            }
            for it in reversed(gateway.rollouts)
        ]
        return _page("serviceDeployments", found, given)

    def describe_service_deployments(self, given: dict[str, Any]) -> Mapping[str, Any]:
        found, failures = [], []
        known = {
            it.arn: (gateway, it) for gateway in self.gateways.values() for it in gateway.rollouts
        }
        for arn in given["serviceDeploymentArns"]:
            if arn not in known:
                failures.append({"arn": arn, "reason": "MISSING"})
                continue
            gateway, it = known[arn]
            found.append(
                {
                    "serviceDeploymentArn": it.arn,
                    "serviceArn": gateway.arn,
                    "targetServiceRevision": {"arn": it.target.arn},
                    "status": it.status,
                    "createdAt": it.created_at,
                }
            )
        return {"serviceDeployments": found, "failures": failures}

    def describe_service_revisions(self, given: dict[str, Any]) -> Mapping[str, Any]:
        found, failures = [], []
        known = {
            it.arn: (gateway, it) for gateway in self.gateways.values() for it in gateway.revisions
        }
        for arn in given["serviceRevisionArns"]:
            if arn not in known:
                failures.append({"arn": arn, "reason": "MISSING"})
                continue
            gateway, it = known[arn]
            group = {
                "arn": self.arn(f"targetgroup/{gateway.name}/1", "elasticloadbalancing"),
                "status": "ACTIVE",
                "updatedAt": it.created_at,
                "healthCheckPath": it.configuration["healthCheckPath"],
                "healthCheckPort": it.container["containerPort"],
                "port": it.container["containerPort"],
            }
            path = {
                "accessType": "PUBLIC",
                "endpoint": gateway.site.url,
                "targetGroups": [group],
            }
            found.append(
                {
                    "serviceRevisionArn": it.arn,
                    "serviceArn": gateway.arn,
                    "taskDefinition": it.task_definition,
                    "containerImages": [{"containerName": "Main", "image": it.container["image"]}],
                    "createdAt": it.created_at,
                    "ecsManagedResources": {"ingressPaths": [path]},
                }
            )
        return {"serviceRevisions": found, "failures": failures}

    def describe_task_definition(self, given: dict[str, Any]) -> Mapping[str, Any]:
        for it in self._revisions():
            if it.task_definition == given["taskDefinition"]:
                return {"taskDefinition": _task_definition(it)}
        raise AwsError("ClientException", "Unable to describe task definition.")

    def tag_resource(self, given: dict[str, Any]) -> None:
        gateway = self._active(given["resourceArn"])
        gateway.tags |= {it["key"]: it["value"] for it in given["tags"]}

    # --- how it goes on

    def _roll_out(self, gateway: Gateway, configuration: dict[str, Any]) -> Revision:
        number, now = next(self._numbers), self.time.now()
        revision = Revision(
            arn=self.arn(f"service-revision/{gateway.cluster}/{gateway.name}/{10**18 + number}"),
            task_definition=self.arn(f"task-definition/{gateway.cluster}-{gateway.name}:{number}"),
            configuration=configuration,
            created_at=now,
        )
        deployment = self.arn(f"service-deployment/{gateway.cluster}/{gateway.name}/d{number}")
        rollout = Rollout(deployment, revision, now)
        gateway.revisions.append(revision)
        gateway.rollouts.append(rollout)
        takes = self.quick if revision.container["image"] == TEST_SITE else _SLOW
        self.time.after(_SOON, lambda: self._go_on(gateway, rollout))
        self.time.after(takes, lambda: self._arrive(gateway, rollout))
        return revision

    def _go_on(self, gateway: Gateway, rollout: Rollout) -> None:
        if rollout.status == "PENDING":
            rollout.status = "IN_PROGRESS"

    def _arrive(self, gateway: Gateway, rollout: Rollout) -> None:
        if gateway.status != "ACTIVE":
            return
        if "FAILS" not in rollout.target.environment:
            rollout.status, rollout.finished_at = "SUCCESSFUL", self.time.now()
            self._serve(gateway, rollout.target)
            return
        rollout.reason = "Service deployment failed: tasks failed to start."
        if gateway.in_place is None:
            rollout.status, rollout.finished_at = "STOPPED", self.time.now()
            return
        rollout.status = "ROLLBACK_IN_PROGRESS"
        self.time.after(_SOON, lambda: self._went_back(rollout))

    def _went_back(self, rollout: Rollout) -> None:
        rollout.status, rollout.finished_at = "ROLLBACK_SUCCESSFUL", self.time.now()

    def _gone(self, gateway: Gateway) -> None:
        gateway.status = "INACTIVE"
        gateway.site.close()

    def _serve(self, gateway: Gateway, revision: Revision) -> None:
        injected = {
            it["name"]: self._secret(it["valueFrom"])
            for it in revision.container.get("secrets", ())
        }
        gateway.site.environment = {**revision.environment, **injected}
        self._write(gateway, f"listening on {revision.container['containerPort']}")

    def _write(self, gateway: Gateway, line: str) -> None:
        revision = gateway.in_place
        if revision is not None:
            place = revision.container["awsLogsConfiguration"]
            stream = f"{place['logStreamPrefix']}/Main/{revision.arn[-6:]}"
            self._logs.write(place["logGroup"], stream, line)

    # --- how it is told

    def _active(self, arn: str) -> Gateway:
        gateway = self.gateways.get(arn)
        if gateway is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        if gateway.status != "ACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        return gateway

    def _revisions(self) -> Iterator[Revision]:
        return (it for gateway in self.gateways.values() for it in gateway.revisions)

    def _told(self, gateway: Gateway) -> dict[str, Any]:
        active = [gateway.in_place] if gateway.in_place else []
        if gateway.under_way is not None or not active:
            active.append(gateway.rollouts[-1].target)
        current = gateway.under_way
        return {
            "serviceArn": gateway.arn,
            "serviceName": gateway.name,
            "cluster": gateway.cluster,
            "infrastructureRoleArn": gateway.infrastructure_role,
            "status": {"statusCode": gateway.status},
            "activeConfigurations": [self._configuration(gateway, it) for it in active],
            "createdAt": gateway.created_at,
            "updatedAt": gateway.updated_at,
            **({"currentDeployment": current.arn} if current else {}),
        }

    def _configuration(self, gateway: Gateway, revision: Revision) -> dict[str, Any]:
        return {
            **revision.configuration,
            "serviceRevisionArn": revision.arn,
            "taskDefinitionArn": revision.task_definition,
            "ingressPaths": [{"accessType": "PUBLIC", "endpoint": gateway.site.url}],
            "createdAt": revision.created_at,
        }


def _task_definition(revision: Revision) -> dict[str, Any]:
    container, configuration = revision.container, revision.configuration
    logs = container["awsLogsConfiguration"]
    options = {
        "awslogs-group": logs["logGroup"],
        "awslogs-stream-prefix": logs["logStreamPrefix"],
    }
    return {
        "taskDefinitionArn": revision.task_definition,
        "cpu": configuration["cpu"],
        "memory": configuration["memory"],
        **({"taskRoleArn": it} if (it := configuration.get("taskRoleArn")) else {}),
        "containerDefinitions": [
            {
                "name": "Main",
                "image": container["image"],
                "portMappings": [{"containerPort": container["containerPort"]}],
                "environment": container.get("environment", []),
                "secrets": container.get("secrets", []),
                "logConfiguration": {"logDriver": "awslogs", "options": options},
            }
        ],
    }


def _page(name: str, found: list[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    start = int(given.get("nextToken", "0"))
    end = start + given.get("maxResults", 10)
    more = {"nextToken": str(end)} if end < len(found) else {}
    return {name: found[start:end], **more}

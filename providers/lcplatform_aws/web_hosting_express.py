"""Express gateway services as they are found: their settings, their revisions and how their deployments went."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from lcplatform.web_hosting.models import Deployment
from lcplatform_aws.units import given
from lcplatform_aws.web_hosting_container import settings_of_service, settings_of_task
from lcplatform_aws.web_hosting_course import EcsCourse
from lcplatform_aws.web_hosting_settings import Settings
from lcplatform_aws.web_hosting_site import Facts, Site, reachable
from lcplatform_runtime.errors import ResourceNotFoundError

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient

    from lcplatform_aws.session import Session
    from lcplatform_aws.web_hosting_options import EcsExpressOptions

# The service and the moment at which it was made: ECS gives the ARN of one that is deleted to the next of its name.
_IDENTITY: Final = re.compile(r"(arn:[\w-]+:ecs:[\w-]*:\d*:service/[^/@]+/[^/@]+)@(\d+)")
_REVISIONS_AT_ONCE: Final = 20  # DescribeServiceRevisions
ROLLBACK: Final = "lcplatform:rollback-of:"
"""How the tags start that say which revision a rollback repeats."""


@dataclass(frozen=True, kw_only=True)
class EcsSite(Site[EcsCourse]):
    """An Express gateway service."""

    service: Mapping[str, Any]

    @property
    def arn(self) -> str:
        """What ECS knows it by."""
        return str(self.service["serviceArn"])

    @cached_property
    def rollbacks(self) -> Mapping[str, str]:
        """The revision that each rollback repeats, by the id of the rollback's own."""
        return {
            it["key"].removeprefix(ROLLBACK): it["value"]
            for it in self.service.get("tags", ())
            if it["key"].startswith(ROLLBACK)
        }

    def deployment(self, it: Mapping[str, Any], images: Mapping[str, str]) -> Deployment:
        """A deployment as callers see it."""
        revision = it["targetServiceRevisionArn"]
        repeated = self.rollbacks.get(id_of(revision))
        return Deployment(
            revision=revision,
            image=images.get(revision, ""),
            status=self.course.status_of(it),
            status_reason=it.get("statusReason"),
            created_at=it["createdAt"],
            completed_at=it.get("finishedAt"),
            rollback_of=repeated and f"{revision.rpartition('/')[0]}/{repeated}",
        )


def site_of(service: Mapping[str, Any], course: EcsCourse, settings: Settings) -> EcsSite:
    """The application that a service is."""
    facts = Facts(
        identity=_identity(service),
        name=service["serviceName"],
        url=_url(service),
        created_at=service["createdAt"],
        updated_at=service.get("updatedAt", service["createdAt"]),
    )
    return EcsSite(facts=facts, settings=settings, course=course, service=service)


class ExpressServices:
    """Finds the services of a cluster."""

    def __init__(self, session: Session, options: EcsExpressOptions) -> None:
        self._session = session
        self._options = options

    @property
    def _ecs(self) -> ECSClient:
        return self._session.ecs

    def found(self, application_id: str) -> EcsSite:
        """The application as it is now."""
        named = _IDENTITY.fullmatch(application_id)
        if named is None:
            raise ResourceNotFoundError("there is no such application", resource=application_id)
        service = self.described(named.group(1))
        if _identity(service) != application_id:
            raise ResourceNotFoundError("the application is deleted", resource=application_id)
        return self.site(service)

    def described(self, arn: str) -> Mapping[str, Any]:
        answer: Any = self._ecs.describe_express_gateway_service(serviceArn=arn, include=["TAGS"])
        service: Mapping[str, Any] = answer["service"]
        if service["status"]["statusCode"] == "INACTIVE":
            raise ResourceNotFoundError("the application is deleted", resource=arn)
        return service

    def site(self, service: Mapping[str, Any]) -> EcsSite:
        course = EcsCourse(service, self._deployments(service))
        active = service.get("activeConfigurations", ())
        revision = course.asked_for or (active[0]["serviceRevisionArn"] if active else "")
        return site_of(service, course, self.settings(service, revision, None))

    def _deployments(self, service: Mapping[str, Any]) -> list[Any]:
        found: list[Any] = []
        token: str | None = None
        while True:
            answer = self._ecs.list_service_deployments(
                service=service["serviceArn"],
                cluster=service.get("cluster", self._options.cluster),
                maxResults=100,
                **given(nextToken=token),
            )
            found += answer["serviceDeployments"]
            token = answer.get("nextToken")
            if not token:
                break
        known = {it["serviceDeploymentArn"] for it in found}
        if (current := service.get("currentDeployment")) and current not in known:
            found += self._current(current)  # the list may lag behind
        return sorted(found, key=lambda it: it["createdAt"], reverse=True)

    def _current(self, deployment: str) -> list[Any]:
        answer: Any = self._ecs.describe_service_deployments(serviceDeploymentArns=[deployment])
        return [
            {**it, "targetServiceRevisionArn": it["targetServiceRevision"]["arn"]}
            for it in answer["serviceDeployments"]
        ]

    def settings(self, service: Mapping[str, Any], revision: str, now: Settings | None) -> Settings:
        """The settings of a revision. Of one that is not active any more, its task definition tells them."""
        own_role = self._options.task_role
        active = service.get("activeConfigurations", ())
        for it in active:
            if it["serviceRevisionArn"] == revision:
                return settings_of_service(it, own_role=own_role)
        if now is None:
            now = settings_of_service(active[0], own_role=own_role)
        [found] = self._revisions([revision])
        answer: Any = self._ecs.describe_task_definition(taskDefinition=found["taskDefinition"])
        return settings_of_task(
            answer["taskDefinition"],
            own_role=own_role,
            health_check_path=_health_check_path(found) or now.health_check_path,
            now=now,
        )

    def _revisions(self, arns: Sequence[str]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(arns), _REVISIONS_AT_ONCE):
            answer = self._ecs.describe_service_revisions(
                serviceRevisionArns=list(arns[start : start + _REVISIONS_AT_ONCE])
            )
            found += answer["serviceRevisions"]
        return found

    def images(self, arns: Sequence[str]) -> dict[str, str]:
        return {
            it["serviceRevisionArn"]: it["containerImages"][0]["image"]
            for it in self._revisions(list(dict.fromkeys(arns)))
            if it.get("containerImages")
        }

    def log_prefix(self, site: EcsSite, revision: str) -> str:
        for it in site.service.get("activeConfigurations", ()):
            if it["serviceRevisionArn"] == revision:
                return str(it["primaryContainer"]["awsLogsConfiguration"]["logStreamPrefix"])
        [found] = self._revisions([revision])
        task: Any = self._ecs.describe_task_definition(taskDefinition=found["taskDefinition"])
        logs = task["taskDefinition"]["containerDefinitions"][0]["logConfiguration"]
        return str(logs["options"]["awslogs-stream-prefix"])


def _identity(service: Mapping[str, Any]) -> str:
    return f"{service['serviceArn']}@{round(service['createdAt'].timestamp() * 1000)}"


def id_of(arn: str) -> str:
    """The last part of an ARN, by which it is known beside others of its service."""
    return arn.rpartition("/")[2]


def _url(service: Mapping[str, Any]) -> str | None:
    for configuration in service.get("activeConfigurations", ()):
        paths = configuration.get("ingressPaths", ())
        for path in sorted(paths, key=lambda it: it["accessType"] != "PUBLIC"):
            endpoint: str = path["endpoint"]
            return reachable(endpoint)
    return None


def _health_check_path(revision: Mapping[str, Any]) -> str | None:
    for path in revision.get("ecsManagedResources", {}).get("ingressPaths", ()):
        for group in path.get("targetGroups", ()):
            return str(group["healthCheckPath"])
    return None

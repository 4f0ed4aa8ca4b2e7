"""Applications on Amazon ECS, in its Express Mode: a service on Fargate with a load balancer, a certificate and a name of its own.

AWS keeps everything: an application is an Express gateway service, its identity the service's ARN; a revision is a service
revision, and a deployment a service deployment. A deployment is a canary: part of the traffic, some minutes of waiting, then all of
it. AWS goes back by itself when the new revision fails. What a revision was given stands in its container, so that any revision
can be deployed again; only what a rollback repeats is a tag of the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError
from typing_extensions import override

from lcplatform.web_hosting.driver import WebHostingDriver
from lcplatform.web_hosting.models import (
    Application,
    ApplicationStatus,
    DeleteApplicationRequest,
    DeleteApplicationResponse,
    DeployApplicationRequest,
    DeployApplicationResponse,
    Deployment,
    GetApplicationRequest,
    GetApplicationResponse,
    GetLogsRequest,
    GetLogsResponse,
    ListApplicationsRequest,
    ListApplicationsResponse,
    ListDeploymentsRequest,
    ListDeploymentsResponse,
    PauseApplicationRequest,
    PauseApplicationResponse,
    ResumeApplicationRequest,
    ResumeApplicationResponse,
    RollbackApplicationRequest,
    RollbackApplicationResponse,
    ScaleApplicationRequest,
    ScaleApplicationResponse,
    UpdateApplicationRequest,
    UpdateApplicationResponse,
)
from lcplatform.web_hosting.operations import ROLLBACK_APPLICATION
from lcplatform.web_hosting.support import WebHostingCapability, WebHostingLimits
from lcplatform_aws.errors import begun, problem_of
from lcplatform_aws.units import given, invalid
from lcplatform_aws.web_hosting_container import (
    Settings,
    container,
    etag_of,
    platform_variables,
    scaling,
    settings_of,
    settings_of_task,
    sizes,
)
from lcplatform_aws.web_hosting_course import Course
from lcplatform_aws.web_hosting_logs import logged
from lcplatform_runtime.application_settings import MAX_ENVIRONMENT, checked, deployed, updated
from lcplatform_runtime.errors import (
    ConflictError,
    PreconditionFailedError,
    ResourceNotFoundError,
    UnsupportedError,
)
from lcplatform_runtime.support import ConditionalUpdate, Support

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient

    from lcplatform_aws.session import Session
    from lcplatform_aws.web_hosting_options import WebHostingOptions

_SUPPORT: Final = Support(
    capabilities=frozenset({WebHostingCapability.LOGS}),
    limits=WebHostingLimits(
        max_instances=1000, max_environment=MAX_ENVIRONMENT, max_revisions=1000
    ).by_name(),
    conditional_updates=dict.fromkeys(
        (
            "delete_application",
            "pause_application",
            "resume_application",
            "rollback_application",
            "scale_application",
            "update_application",
        ),
        ConditionalUpdate.CHECKED,
    ),
)
# The service and the moment at which it was made: ECS gives the ARN of one that is deleted to the next of its name.
_IDENTITY: Final = re.compile(r"(arn:[\w-]+:ecs:[\w-]*:\d*:service/[^/@]+/[^/@]+)@(\d+)")
_REVISIONS_AT_ONCE: Final = 20  # DescribeServiceRevisions
_ROLLBACK: Final = "lcplatform:rollback-of:"
_RUNNING: Final = ApplicationStatus.RUNNING
_FAILED: Final = ApplicationStatus.FAILED
_DELETING: Final = ApplicationStatus.DELETING


@dataclass(frozen=True)
class _Site:
    """An application as it was found."""

    service: Mapping[str, Any]
    course: Course
    settings: Settings

    @property
    def arn(self) -> str:
        return str(self.service["serviceArn"])

    @property
    def identity(self) -> str:
        return _identity(self.service)

    @property
    def name(self) -> str:
        return str(self.service["serviceName"])

    @cached_property
    def rollbacks(self) -> Mapping[str, str]:
        """The revision that each rollback repeats, by the id of the rollback's own."""
        return {
            it["key"].removeprefix(_ROLLBACK): it["value"]
            for it in self.service.get("tags", ())
            if it["key"].startswith(_ROLLBACK)
        }

    def told(
        self, status: ApplicationStatus | None = None, settings: Settings | None = None
    ) -> Application:
        """The application as callers see it, with the change that was just begun."""
        shown = settings or self.settings
        return Application(
            application_id=self.identity,
            name=self.name,
            image=shown.image,
            port=shown.port,
            environment=shown.environment,
            secrets=shown.secrets,
            cpu=shown.cpu,
            memory=shown.memory,
            min_instances=shown.min_instances,
            max_instances=shown.max_instances,
            health_check_path=shown.health_check_path,
            identity=shown.identity,
            bindings=shown.bindings,
            status=status or self.course.status,
            status_reason=None if status else self.course.reason,
            url=_url(self.service),
            revision=self.course.in_place,
            created_at=self.service["createdAt"],
            updated_at=self.service.get("updatedAt", self.service["createdAt"]),
            etag=etag_of(shown),
        )

    def check(self, if_match: str | None, *allowed: ApplicationStatus) -> None:
        """Refuses a change that is guarded by a stale etag, or for which the application is in the wrong status."""
        if if_match is not None and if_match != etag_of(self.settings):
            raise ConflictError(
                f"application {self.name!r} has other settings by now", resource=self.identity
            )
        if self.course.status not in allowed:
            raise PreconditionFailedError(
                f"application {self.name!r} is {self.course.status}: wait until that is over",
                resource=self.identity,
            )


class EcsExpressWebHosting(WebHostingDriver):
    """Applications on Amazon ECS in its Express Mode. `WebHostingOptions` says what AWS has to be told."""

    def __init__(
        self,
        session: Session,
        options: WebHostingOptions,
        platform: Mapping[str, object],
        /,
    ) -> None:
        """`platform` are the options of the provider that an application with bindings is given too."""
        self._session = session
        self._options = options
        self._platform = platform
        self._log_group_is_there = False

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    @property
    def _ecs(self) -> ECSClient:
        return self._session.ecs

    # --- reading

    @override
    def get_application(self, request: GetApplicationRequest, /) -> GetApplicationResponse:
        return GetApplicationResponse(application=self._found(request.application_id).told())

    @override
    def list_applications(self, request: ListApplicationsRequest, /) -> ListApplicationsResponse:
        answer = self._ecs.list_services(
            cluster=self._options.cluster,
            maxResults=request.page_size,
            resourceManagementType="ECS",
            **given(nextToken=request.page_token or None),
        )
        applications = []
        for arn in answer["serviceArns"]:
            try:
                applications.append(self._site(self._described(arn)).told())
            except ResourceNotFoundError:  # deleted meanwhile
                continue
        return ListApplicationsResponse(
            applications=tuple(applications), next_page_token=answer.get("nextToken", "")
        )

    @override
    def list_deployments(self, request: ListDeploymentsRequest, /) -> ListDeploymentsResponse:
        site = self._found(request.application_id)
        deployments = site.course.deployments
        names = [it["serviceDeploymentArn"] for it in deployments]
        start = names.index(request.page_token) + 1 if request.page_token in names else 0
        page = deployments[start : start + request.page_size]
        images = self._images([it["targetServiceRevisionArn"] for it in page])
        more = start + len(page) < len(deployments)
        return ListDeploymentsResponse(
            deployments=tuple(_deployment(site, it, images) for it in page),
            next_page_token=names[start + len(page) - 1] if more else "",
        )

    @override
    def get_logs(self, request: GetLogsRequest, /) -> Iterator[GetLogsResponse]:
        site = self._found(request.application_id)
        prefix = f"{site.name}/"
        if request.revision is not None:
            if site.course.deployment(request.revision) is None:
                raise ResourceNotFoundError("there is no such revision", resource=request.revision)
            prefix = self._log_prefix(site, request.revision)

        def alive() -> bool:
            try:
                self._found(site.identity)
            except ResourceNotFoundError:
                return False
            return True

        return logged(self._session.logs, self._options.log_group, prefix, request, alive)

    # --- changing

    @override
    def deploy_application(self, request: DeployApplicationRequest, /) -> DeployApplicationResponse:
        options, settings = self._options, deployed(request)
        _check_zero(settings)
        primary = self._container(request.name, settings)
        answer = self._ecs.create_express_gateway_service(
            serviceName=request.name,
            cluster=options.cluster,
            infrastructureRoleArn=options.infrastructure_role,
            executionRoleArn=options.execution_role,
            cpuArchitecture=options.architecture,
            **self._target(settings, primary),
            **self._network(),
        )
        service: Any = answer["service"]
        site = _Site(service, Course(service, ()), settings)
        told = site.told(ApplicationStatus.CREATING)
        return DeployApplicationResponse(application=told.model_copy(update={"revision": None}))

    @override
    def update_application(self, request: UpdateApplicationRequest, /) -> UpdateApplicationResponse:
        site = self._found(request.application_id)
        site.check(request.if_match, _RUNNING, _FAILED)
        settings = updated(site.settings, request)
        _check_zero(settings)
        if "identity" in request.clear and self._options.task_role is None:
            raise invalid(
                "clear", "no identity: without the option task_role there is none to go back to"
            )
        return UpdateApplicationResponse(application=self._deploy(site, settings))

    @override
    def rollback_application(
        self, request: RollbackApplicationRequest, /
    ) -> RollbackApplicationResponse:
        site = self._found(request.application_id)
        site.check(request.if_match, _RUNNING, _FAILED)
        revision = _earlier(site, request.revision)
        settings = self._settings(site.service, revision, site.settings)
        settings = settings.scaled(site.settings.min_instances, site.settings.max_instances)
        told = self._deploy(site, settings, rollback_of=revision)
        return RollbackApplicationResponse(application=told)

    @override
    def scale_application(self, request: ScaleApplicationRequest, /) -> ScaleApplicationResponse:
        site = self._found(request.application_id)
        if request.min_instances is None and request.max_instances is None:
            raise invalid("min_instances", "this or max_instances, or both")
        site.check(request.if_match, _RUNNING)
        settings = checked(site.settings.scaled(request.min_instances, request.max_instances))
        _check_zero(settings)
        target: Any = scaling(settings)
        self._ecs.update_express_gateway_service(serviceArn=site.arn, scalingTarget=target)
        return ScaleApplicationResponse(application=site.told(settings=settings))

    @override
    def pause_application(self, request: PauseApplicationRequest, /) -> PauseApplicationResponse:
        raise UnsupportedError(
            "ECS Express Mode has no pause: scale the application down, or delete it"
        )

    @override
    def resume_application(self, request: ResumeApplicationRequest, /) -> ResumeApplicationResponse:
        raise UnsupportedError("ECS Express Mode has no pause, so nothing to resume")

    @override
    def delete_application(self, request: DeleteApplicationRequest, /) -> DeleteApplicationResponse:
        site = self._found(request.application_id)
        site.check(request.if_match, _RUNNING, _FAILED, _DELETING)
        if site.course.status is not _DELETING:
            self._ecs.delete_express_gateway_service(serviceArn=site.arn)
        return DeleteApplicationResponse(application=site.told(_DELETING))

    # --- helpers

    def _found(self, application_id: str) -> _Site:
        """The application as it is now."""
        named = _IDENTITY.fullmatch(application_id)
        if named is None:
            raise ResourceNotFoundError("there is no such application", resource=application_id)
        service = self._described(named.group(1))
        if _identity(service) != application_id:
            raise ResourceNotFoundError("the application is deleted", resource=application_id)
        return self._site(service)

    def _described(self, arn: str) -> Mapping[str, Any]:
        answer: Any = self._ecs.describe_express_gateway_service(serviceArn=arn, include=["TAGS"])
        service: Mapping[str, Any] = answer["service"]
        if service["status"]["statusCode"] == "INACTIVE":
            raise ResourceNotFoundError("the application is deleted", resource=arn)
        return service

    def _site(self, service: Mapping[str, Any]) -> _Site:
        course = Course(service, self._deployments(service))
        active = service.get("activeConfigurations", ())
        revision = course.asked_for or (active[0]["serviceRevisionArn"] if active else "")
        return _Site(service, course, self._settings(service, revision, None))

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

    def _settings(
        self, service: Mapping[str, Any], revision: str, now: Settings | None
    ) -> Settings:
        """The settings of a revision. Of one that is not active any more, its task definition tells them."""
        own_role = self._options.task_role
        active = service.get("activeConfigurations", ())
        for it in active:
            if it["serviceRevisionArn"] == revision:
                return settings_of(it, own_role=own_role)
        if now is None:
            now = settings_of(active[0], own_role=own_role)
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

    def _images(self, arns: Sequence[str]) -> dict[str, str]:
        return {
            it["serviceRevisionArn"]: it["containerImages"][0]["image"]
            for it in self._revisions(list(dict.fromkeys(arns)))
            if it.get("containerImages")
        }

    def _log_prefix(self, site: _Site, revision: str) -> str:
        for it in site.service.get("activeConfigurations", ()):
            if it["serviceRevisionArn"] == revision:
                return str(it["primaryContainer"]["awsLogsConfiguration"]["logStreamPrefix"])
        [found] = self._revisions([revision])
        task: Any = self._ecs.describe_task_definition(taskDefinition=found["taskDefinition"])
        logs = task["taskDefinition"]["containerDefinitions"][0]["logConfiguration"]
        return str(logs["options"]["awslogs-stream-prefix"])

    def _deploy(
        self, site: _Site, settings: Settings, rollback_of: str | None = None
    ) -> Application:
        """Begins the deployment of another revision."""
        primary = self._container(site.name, settings)
        answer: Any = self._ecs.update_express_gateway_service(
            serviceArn=site.arn, **self._target(settings, primary)
        )
        if rollback_of is not None:
            target = answer["service"].get("targetConfiguration", {}).get("serviceRevisionArn", "")
            with begun(ROLLBACK_APPLICATION, already=lambda: True):
                self._ecs.tag_resource(
                    resourceArn=site.arn,
                    tags=[{"key": f"{_ROLLBACK}{_id(target)}", "value": _id(rollback_of)}],
                )
        return site.told(ApplicationStatus.UPDATING, settings)

    def _target(self, settings: Settings, primary: dict[str, Any]) -> Any:
        """What a new service and a new revision are told alike."""
        return given(
            primaryContainer=primary,
            healthCheckPath=settings.health_check_path,
            taskRoleArn=settings.identity or self._options.task_role,
            scalingTarget=scaling(settings),
            **sizes(settings),
        )

    def _network(self) -> Any:
        options = self._options
        network = given(
            subnets=list(options.subnets) or None,
            securityGroups=list(options.security_groups) or None,
        )
        return {"networkConfiguration": network} if network else {}

    def _container(self, name: str, settings: Settings) -> dict[str, Any]:
        """The container of a new revision. Refuses secrets that do not exist."""
        manager = self._session.secretsmanager
        secrets = {
            it: manager.describe_secret(SecretId=it)["ARN"]
            for it in sorted(set(settings.secrets.values()))
        }
        self._ensure_log_group()
        return container(
            settings,
            secrets=secrets,
            platform=platform_variables(self._platform),
            log_group=self._options.log_group,
            log_prefix=f"{name}/{uuid4().hex[:12]}",
        )

    def _ensure_log_group(self) -> None:
        if self._log_group_is_there:
            return
        try:
            self._session.logs.create_log_group(logGroupName=self._options.log_group)
        except ClientError as error:
            if problem_of(error).get("Code") != "ResourceAlreadyExistsException":
                raise
        self._log_group_is_there = True


def _identity(service: Mapping[str, Any]) -> str:
    return f"{service['serviceArn']}@{round(service['createdAt'].timestamp() * 1000)}"


def _id(arn: str) -> str:
    """The last part of an ARN, by which it is known beside others of its service."""
    return arn.rpartition("/")[2]


def _url(service: Mapping[str, Any]) -> str | None:
    for configuration in service.get("activeConfigurations", ()):
        paths = configuration.get("ingressPaths", ())
        for path in sorted(paths, key=lambda it: it["accessType"] != "PUBLIC"):
            endpoint: str = path["endpoint"]
            return endpoint if "://" in endpoint else f"https://{endpoint}"
    return None


def _health_check_path(revision: Mapping[str, Any]) -> str | None:
    for path in revision.get("ecsManagedResources", {}).get("ingressPaths", ()):
        for group in path.get("targetGroups", ()):
            return str(group["healthCheckPath"])
    return None


def _deployment(site: _Site, it: Mapping[str, Any], images: Mapping[str, str]) -> Deployment:
    revision = it["targetServiceRevisionArn"]
    repeated = site.rollbacks.get(_id(revision))
    return Deployment(
        revision=revision,
        image=images.get(revision, ""),
        status=site.course.status_of(it),
        status_reason=it.get("statusReason"),
        created_at=it["createdAt"],
        completed_at=it.get("finishedAt"),
        rollback_of=repeated and f"{revision.rpartition('/')[0]}/{repeated}",
    )


def _earlier(site: _Site, revision: str | None) -> str:
    """The revision to go back to."""
    if revision is None:
        earlier = site.course.earlier
        if earlier is None:
            raise PreconditionFailedError(
                f"application {site.name!r} has no earlier revision that was in place",
                resource=site.identity,
            )
        return earlier
    deployment = site.course.deployment(revision)
    if deployment is None:
        raise ResourceNotFoundError("there is no such revision", resource=revision)
    if deployment["status"] != "SUCCESSFUL":
        raise PreconditionFailedError("the revision was never in place", resource=site.identity)
    return revision


def _check_zero(settings: Settings) -> None:
    if settings.min_instances == 0:
        raise UnsupportedError(
            "ECS Express Mode does not scale to zero: min_instances is at least one"
        )

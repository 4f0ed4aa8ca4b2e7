"""Applications on Amazon ECS, in its Express Mode: a service on Fargate with a load balancer, a certificate and a name of its own.

AWS keeps everything: an application is an Express gateway service, its identity the service's ARN; a revision is a service
revision, and a deployment a service deployment. A deployment is a canary: part of the traffic, some minutes of waiting, then all of
it. AWS goes back by itself when the new revision fails. What a revision was given stands in its container, so that any revision
can be deployed again; only what a rollback repeats is a tag of the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from lcplatform_aws.units import given
from lcplatform_aws.web_hosting_container import container, scaling, size
from lcplatform_aws.web_hosting_course import EcsCourse
from lcplatform_aws.web_hosting_express import ROLLBACK, EcsSite, ExpressServices, id_of, site_of
from lcplatform_aws.web_hosting_logs import logged
from lcplatform_aws.web_hosting_settings import Settings, platform_variables
from lcplatform_aws.web_hosting_site import CHECKED, check_zero, secret_arns
from lcplatform_runtime.application_settings import MAX_ENVIRONMENT, checked, deployed, updated
from lcplatform_runtime.errors import (
    PreconditionFailedError,
    ResourceNotFoundError,
    UnsupportedError,
    invalid,
)
from lcplatform_runtime.support import Support

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient

    from lcplatform_aws.session import Session
    from lcplatform_aws.web_hosting_options import EcsExpressOptions

_SUPPORT: Final = Support(
    capabilities=frozenset({WebHostingCapability.LOGS}),
    limits=WebHostingLimits(
        max_instances=1000, max_environment=MAX_ENVIRONMENT, max_revisions=1000
    ).by_name(),
    conditional_updates=CHECKED,
)
_RUNNING: Final = ApplicationStatus.RUNNING
_FAILED: Final = ApplicationStatus.FAILED
_DELETING: Final = ApplicationStatus.DELETING


class EcsExpressWebHosting(WebHostingDriver):
    """Applications on Amazon ECS in its Express Mode. `EcsExpressOptions` says what AWS has to be told."""

    def __init__(
        self,
        session: Session,
        options: EcsExpressOptions,
        platform: Mapping[str, object],
        /,
    ) -> None:
        """`platform` are the options of the provider that an application with bindings is given too."""
        self._session = session
        self._options = options
        self._services = ExpressServices(session, options)
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
        return GetApplicationResponse(
            application=self._services.found(request.application_id).told()
        )

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
                applications.append(self._services.site(self._services.described(arn)).told())
            except ResourceNotFoundError:  # deleted meanwhile
                continue
        return ListApplicationsResponse(
            applications=tuple(applications), next_page_token=answer.get("nextToken", "")
        )

    @override
    def list_deployments(self, request: ListDeploymentsRequest, /) -> ListDeploymentsResponse:
        site = self._services.found(request.application_id)
        deployments = site.course.deployments
        names = [it["serviceDeploymentArn"] for it in deployments]
        start = names.index(request.page_token) + 1 if request.page_token in names else 0
        page = deployments[start : start + request.page_size]
        images = self._services.images([it["targetServiceRevisionArn"] for it in page])
        more = start + len(page) < len(deployments)
        return ListDeploymentsResponse(
            deployments=tuple(site.deployment(it, images) for it in page),
            next_page_token=names[start + len(page) - 1] if more else "",
        )

    @override
    def get_logs(self, request: GetLogsRequest, /) -> Iterator[GetLogsResponse]:
        site = self._services.found(request.application_id)
        prefix = f"{site.name}/"
        if request.revision is not None:
            if site.course.deployment(request.revision) is None:
                raise ResourceNotFoundError("there is no such revision", resource=request.revision)
            prefix = self._services.log_prefix(site, request.revision)

        def alive() -> bool:
            try:
                self._services.found(site.identity)
            except ResourceNotFoundError:
                return False
            return True

        return logged(self._session.logs, self._options.log_group, prefix, request, alive)

    # --- changing

    @override
    def deploy_application(self, request: DeployApplicationRequest, /) -> DeployApplicationResponse:
        options, settings = self._options, deployed(request)
        check_zero(settings)
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
        site = site_of(service, EcsCourse(service, ()), settings)
        told = site.told(ApplicationStatus.CREATING)
        return DeployApplicationResponse(application=told.model_copy(update={"revision": None}))

    @override
    def update_application(self, request: UpdateApplicationRequest, /) -> UpdateApplicationResponse:
        site = self._services.found(request.application_id)
        site.check(request.if_match, _RUNNING, _FAILED)
        settings = updated(site.settings, request)
        check_zero(settings)
        if "identity" in request.clear and self._options.task_role is None:
            raise invalid(
                "clear", "no identity: without the option task_role there is none to go back to"
            )
        return UpdateApplicationResponse(application=self._deploy(site, settings))

    @override
    def rollback_application(
        self, request: RollbackApplicationRequest, /
    ) -> RollbackApplicationResponse:
        site = self._services.found(request.application_id)
        site.check(request.if_match, _RUNNING, _FAILED)
        revision = _earlier(site, request.revision)
        settings = self._services.settings(site.service, revision, site.settings)
        settings = settings.scaled(site.settings.min_instances, site.settings.max_instances)
        told = self._deploy(site, settings, rollback_of=revision)
        return RollbackApplicationResponse(application=told)

    @override
    def scale_application(self, request: ScaleApplicationRequest, /) -> ScaleApplicationResponse:
        site = self._services.found(request.application_id)
        if request.min_instances is None and request.max_instances is None:
            raise invalid("min_instances", "this or max_instances, or both")
        site.check(request.if_match, _RUNNING)
        settings = checked(site.settings.scaled(request.min_instances, request.max_instances))
        check_zero(settings)
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
        site = self._services.found(request.application_id)
        site.check(request.if_match, _RUNNING, _FAILED, _DELETING)
        if site.course.status is not _DELETING:
            self._ecs.delete_express_gateway_service(serviceArn=site.arn)
        return DeleteApplicationResponse(application=site.told(_DELETING))

    # --- helpers

    def _deploy(
        self, site: EcsSite, settings: Settings, rollback_of: str | None = None
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
                    tags=[{"key": f"{ROLLBACK}{id_of(target)}", "value": id_of(rollback_of)}],
                )
        return site.told(ApplicationStatus.UPDATING, settings)

    def _target(self, settings: Settings, primary: dict[str, Any]) -> Any:
        """What a new service and a new revision are told alike."""
        return given(
            primaryContainer=primary,
            healthCheckPath=settings.health_check_path,
            taskRoleArn=settings.identity or self._options.task_role,
            scalingTarget=scaling(settings),
            **size(settings),
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
        secrets = secret_arns(self._session.secretsmanager, settings)
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


def _earlier(site: EcsSite, revision: str | None) -> str:
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

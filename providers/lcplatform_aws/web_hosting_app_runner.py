"""Applications on AWS App Runner, for accounts that have it: it takes no new customers since April 2026.

An application is an App Runner service, its identity the service's ARN. AWS keeps its settings, but only those of now: a revision is
the operation that deployed it, and what earlier ones were given is remembered in tags of the service
(`web_hosting_app_runner_history`). One operation is under way at a time. One that fails leaves the revision before it in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
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
from lcplatform.web_hosting.support import WebHostingCapability, WebHostingLimits
from lcplatform_aws.errors import meaning_of, problem_of, status_of
from lcplatform_aws.units import given
from lcplatform_aws.web_hosting_app_runner_course import AppRunnerCourse, log_group
from lcplatform_aws.web_hosting_app_runner_history import KEPT, History, Record
from lcplatform_aws.web_hosting_app_runner_scaling import MAX_INSTANCES
from lcplatform_aws.web_hosting_app_runner_services import (
    PAGE,
    AppRunnerServices,
    AppRunnerSite,
    site_of,
)
from lcplatform_aws.web_hosting_app_runner_source import (
    MAX_VARIABLES,
    check_variables,
    source,
)
from lcplatform_aws.web_hosting_logs import logged
from lcplatform_aws.web_hosting_settings import Settings, platform_variables
from lcplatform_aws.web_hosting_site import CHECKED, check_zero, secret_arns
from lcplatform_runtime.application_settings import checked, deployed, updated
from lcplatform_runtime.errors import (
    Outcome,
    PreconditionFailedError,
    ResourceNotFoundError,
    invalid,
)
from lcplatform_runtime.support import Support

if TYPE_CHECKING:
    from types_boto3_apprunner import AppRunnerClient

    from lcplatform_aws.session import Session
    from lcplatform_aws.web_hosting_options import AppRunnerOptions

_SUPPORT: Final = Support(
    capabilities=frozenset({WebHostingCapability.LOGS, WebHostingCapability.PAUSE}),
    limits=WebHostingLimits(
        max_instances=MAX_INSTANCES,
        max_environment=MAX_VARIABLES - 1,
        max_revisions=KEPT,
    ).by_name(),
    conditional_updates=CHECKED,
)
_RUNNING: Final = ApplicationStatus.RUNNING
_FAILED: Final = ApplicationStatus.FAILED
_STOPPED: Final = ApplicationStatus.STOPPED
_UPDATING: Final = ApplicationStatus.UPDATING
_DELETING: Final = ApplicationStatus.DELETING


class AppRunnerWebHosting(WebHostingDriver):
    """Applications on App Runner. `AppRunnerOptions` says what AWS has to be told."""

    def __init__(
        self,
        session: Session,
        options: AppRunnerOptions,
        platform: Mapping[str, object],
        /,
    ) -> None:
        """`platform` are the options of the provider that an application with bindings is given too."""
        self._session = session
        self._options = options
        self._platform = platform_variables(platform)
        self._services = AppRunnerServices(session, options)

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    @property
    def _apprunner(self) -> AppRunnerClient:
        return self._session.apprunner

    # --- reading

    @override
    def get_application(self, request: GetApplicationRequest, /) -> GetApplicationResponse:
        site = self._services.found(request.application_id)
        return GetApplicationResponse(application=site.told())

    @override
    def list_applications(self, request: ListApplicationsRequest, /) -> ListApplicationsResponse:
        answer: Any = self._apprunner.list_services(
            MaxResults=min(request.page_size, PAGE), **given(NextToken=request.page_token or None)
        )
        applications = []
        for it in answer["ServiceSummaryList"]:
            with suppress(ResourceNotFoundError):  # deleted meanwhile, or it runs no image
                applications.append(self._services.found(it["ServiceArn"]).told())
        return ListApplicationsResponse(
            applications=tuple(applications), next_page_token=answer.get("NextToken", "")
        )

    @override
    def list_deployments(self, request: ListDeploymentsRequest, /) -> ListDeploymentsResponse:
        site = self._services.found(request.application_id)
        deployments = site.course.deployments
        names = [it["Id"] for it in deployments]
        start = names.index(request.page_token) + 1 if request.page_token in names else 0
        page = deployments[start : start + request.page_size]
        more = start + len(page) < len(deployments)
        return ListDeploymentsResponse(
            deployments=tuple(site.course.told(it, site.settings.image) for it in page),
            next_page_token=names[start + len(page) - 1] if more else "",
        )

    @override
    def get_logs(self, request: GetLogsRequest, /) -> Iterator[GetLogsResponse]:
        site = self._services.found(request.application_id)
        if request.revision is not None and site.course.deployment(request.revision) is None:
            raise ResourceNotFoundError("there is no such revision", resource=request.revision)
        group = log_group(site.service, "application")

        def alive() -> bool:
            try:
                self._services.described(site.identity)
            except ResourceNotFoundError:
                return False
            return True

        return logged(self._session.logs, group, "", request, alive, self._wrote(site, request))

    # --- changing

    @override
    def deploy_application(self, request: DeployApplicationRequest, /) -> DeployApplicationResponse:
        settings = self._possible(deployed(request))
        target = self._target(settings)
        answer: Any = self._apprunner.create_service(
            ServiceName=request.name,
            AutoScalingConfigurationArn=self._scaling(settings),
            Tags=History().before("", Record(image=settings.image)).tags(),
            **self._network(),
            **target,
        )
        service = answer["Service"]
        site = site_of(service, AppRunnerCourse(service, (), History()), settings)
        return DeployApplicationResponse(application=site.told(ApplicationStatus.CREATING))

    @override
    def update_application(self, request: UpdateApplicationRequest, /) -> UpdateApplicationResponse:
        site = self._services.found(request.application_id)
        site.check(request.if_match, _RUNNING, _FAILED)
        settings = updated(site.settings, request)
        if "identity" in request.clear and self._options.instance_role is None:
            raise invalid(
                "clear",
                "no identity: without the option instance_role there is none to go back to",
            )
        return UpdateApplicationResponse(application=self._deploy(site, settings))

    @override
    def rollback_application(
        self, request: RollbackApplicationRequest, /
    ) -> RollbackApplicationResponse:
        site = self._services.found(request.application_id)
        site.check(request.if_match, _RUNNING, _FAILED)
        revision = _earlier(site, request.revision)
        settings = site.history.records.get(revision, Record()).settings
        if settings is None:
            raise PreconditionFailedError(
                "what the revision was given is not remembered any more", resource=site.identity
            )
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
        if settings == site.settings:
            return ScaleApplicationResponse(application=site.told())
        scaling = self._scaling(settings)
        self._begin(
            site,
            Record(scaling=True),
            lambda: self._apprunner.update_service(
                ServiceArn=site.identity, AutoScalingConfigurationArn=scaling
            ),
        )
        return ScaleApplicationResponse(application=site.told(_UPDATING, settings))

    @override
    def pause_application(self, request: PauseApplicationRequest, /) -> PauseApplicationResponse:
        site = self._services.found(request.application_id)
        site.check(request.if_match, _RUNNING, _STOPPED)
        if site.course.status is _STOPPED:
            return PauseApplicationResponse(application=site.told())
        self._apprunner.pause_service(ServiceArn=site.identity)
        return PauseApplicationResponse(application=site.told(_UPDATING))

    @override
    def resume_application(self, request: ResumeApplicationRequest, /) -> ResumeApplicationResponse:
        site = self._services.found(request.application_id)
        site.check(request.if_match, _RUNNING, _STOPPED)
        if site.course.status is _RUNNING:
            return ResumeApplicationResponse(application=site.told())
        self._apprunner.resume_service(ServiceArn=site.identity)
        return ResumeApplicationResponse(application=site.told(_UPDATING))

    @override
    def delete_application(self, request: DeleteApplicationRequest, /) -> DeleteApplicationResponse:
        site = self._services.found(request.application_id)
        site.check(request.if_match, _RUNNING, _FAILED, _STOPPED, _DELETING)
        # What could not be deleted wholly is deleted again.
        if site.service["Status"] != "OPERATION_IN_PROGRESS":
            self._apprunner.delete_service(ServiceArn=site.identity)
        return DeleteApplicationResponse(application=site.told(_DELETING))

    # --- helpers

    def _possible(self, settings: Settings) -> Settings:
        """The settings as App Runner tells them again. Refuses what it does not take."""
        check_zero(settings)
        check_variables(settings, self._platform)
        if settings.secrets and (settings.identity or self._options.instance_role) is None:
            raise invalid(
                "identity",
                "the role that reads the secrets: without the option instance_role there is no other",
            )
        images = self._services.images
        return replace(settings, image=images.named(images.located(settings.image)))

    def _target(self, settings: Settings) -> dict[str, Any]:
        """What a new service and a new revision are told alike."""
        return source(
            settings,
            self._options,
            image=self._services.images.located(settings.image),
            secrets=secret_arns(self._session.secretsmanager, settings),
            platform=self._platform,
        )

    def _network(self) -> Any:
        connector = self._options.vpc_connector
        if connector is None:
            return {}
        egress = {"EgressType": "VPC", "VpcConnectorArn": connector}
        return {"NetworkConfiguration": {"EgressConfiguration": egress}}

    def _scaling(self, settings: Settings) -> str:
        return self._services.scalings.arn(settings.min_instances, settings.max_instances)

    def _deploy(
        self, site: AppRunnerSite, settings: Settings, rollback_of: str | None = None
    ) -> Application:
        """Begins the deployment of another revision."""
        settings = self._possible(settings)
        target = self._target(settings)
        arn = site.identity
        if settings == site.settings and site.course.in_place is not None:
            # An update without a change deploys nothing, and secrets would stay as they were.
            def change() -> object:
                return self._apprunner.start_deployment(ServiceArn=arn)
        else:
            target["AutoScalingConfigurationArn"] = self._scaling(settings)

            def change() -> object:
                return self._apprunner.update_service(ServiceArn=arn, **target)

        self._begin(site, Record(image=settings.image, rollback_of=rollback_of), change)
        return site.told(_UPDATING, settings)

    def _begin(self, site: AppRunnerSite, coming: Record, change: Callable[[], object]) -> None:
        """Begins an operation and remembers what it does, which can be written before it begins, but not meanwhile."""
        operations = site.course.operations
        after = operations[0]["Id"] if operations else ""
        self._remember(site, site.history.before(after, coming))
        try:
            change()
        except ClientError as error:
            if _refused(error):
                # The next operation is none of ours, perhaps. That the memory is wrong then is the lesser failure.
                with suppress(ClientError, BotoCoreError):
                    self._remember(site, site.history)
            raise

    def _remember(self, site: AppRunnerSite, history: History) -> None:
        self._apprunner.tag_resource(ResourceArn=site.identity, Tags=history.tags())

    def _wrote(self, site: AppRunnerSite, request: GetLogsRequest) -> Callable[[str], bool]:
        """Tells which streams of the log are asked for. Each is one instance's, and when it began tells the revision."""
        revision = request.revision
        if revision is None:
            return lambda stream: True
        group, known = log_group(site.service, "application"), dict[str, bool]()

        def wrote(stream: str) -> bool:
            if stream not in known:
                answer: Any = self._session.logs.describe_log_streams(
                    logGroupName=group, logStreamNamePrefix=stream, limit=1
                )
                [found] = answer["logStreams"]
                began = datetime.fromtimestamp(found["creationTime"] / 1000, UTC)
                now = self._services.found(site.identity) if request.follow else site
                known[stream] = now.course.revision_at(began) == revision
            return known[stream]

        return wrote


def _refused(error: ClientError) -> bool:
    problem = problem_of(error)
    meaning = meaning_of(
        problem.get("Code", ""), problem.get("Message", ""), "web_hosting", "", status_of(error)
    )
    return meaning.outcome is Outcome.NOT_EXECUTED


def _earlier(site: AppRunnerSite, revision: str | None) -> str:
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
    if deployment["Status"] != "SUCCEEDED":
        raise PreconditionFailedError("the revision was never in place", resource=site.identity)
    return revision

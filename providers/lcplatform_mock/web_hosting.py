"""Applications on this machine (FR-001 to FR-005): processes that were registered beforehand, or a simulation of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import override

from lcplatform.secrets.models import DescribeSecretRequest
from lcplatform.web_hosting.driver import WebHostingDriver
from lcplatform.web_hosting.models import (
    ApplicationStatus,
    DeleteApplicationRequest,
    DeleteApplicationResponse,
    DeployApplicationRequest,
    DeployApplicationResponse,
    DeploymentStatus,
    GetApplicationRequest,
    GetApplicationResponse,
    GetLogsRequest,
    GetLogsResponse,
    ListApplicationsRequest,
    ListApplicationsResponse,
    ListDeploymentsRequest,
    ListDeploymentsResponse,
    LogEntry,
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
from lcplatform_mock import bound
from lcplatform_mock.application_work import ApplicationWork
from lcplatform_mock.applications import (
    MAX_INSTANCES,
    MAX_REVISIONS,
    Release,
    Settings,
    Site,
    Task,
)
from lcplatform_mock.gate import gated
from lcplatform_mock.hosting import refused_variable
from lcplatform_mock.listing import names_page
from lcplatform_mock.logbook import Line, LogBook
from lcplatform_mock.refusals import missing
from lcplatform_runtime.application_settings import (
    MAX_ENVIRONMENT,
    checked,
    deployed,
    updated,
)
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    PreconditionFailedError,
    UnsupportedError,
    invalid,
)
from lcplatform_runtime.model import build
from lcplatform_runtime.support import ConditionalUpdate, Support
from lcplatform_runtime.trusted import trusted

LIMITS: Final = WebHostingLimits(
    max_instances=MAX_INSTANCES, max_environment=MAX_ENVIRONMENT, max_revisions=MAX_REVISIONS
)
SUPPORT: Final = Support(
    capabilities=frozenset({WebHostingCapability.PAUSE, WebHostingCapability.LOGS}),
    limits=LIMITS.by_name(),
    conditional_updates=dict.fromkeys(
        (
            "delete_application",
            "pause_application",
            "resume_application",
            "rollback_application",
            "scale_application",
            "update_application",
        ),
        ConditionalUpdate.ATOMIC,
    ),
)

_RUNNING: Final = ApplicationStatus.RUNNING
_STOPPED: Final = ApplicationStatus.STOPPED
_FAILED: Final = ApplicationStatus.FAILED
_BATCH: Final = 100
_LAST_HOUR: Final = timedelta(hours=1)

_entry = trusted(LogEntry)


@gated(WebHostingDriver)
class MockWebHosting(ApplicationWork, WebHostingDriver):
    """Applications of registered images run as processes of this machine, as many as `min_instances`, behind one URL; others
    are simulated. `WebHostingSettings` says more."""

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    # --- reading

    @override
    def get_application(self, request: GetApplicationRequest, /) -> GetApplicationResponse:
        with self._lock:
            return GetApplicationResponse(application=self._find(request.application_id).told())

    @override
    def list_applications(self, request: ListApplicationsRequest, /) -> ListApplicationsResponse:
        with self._lock:
            by_name = {site.name: site for site in self._state.sites.values()}
            names, token = names_page(sorted(by_name), "", request.page_size, request.page_token)
            found = tuple(by_name[name].told() for name in names)
        return ListApplicationsResponse(applications=found, next_page_token=token)

    @override
    def list_deployments(self, request: ListDeploymentsRequest, /) -> ListDeploymentsResponse:
        with self._lock:
            releases = self._find(request.application_id).releases[::-1]
            names = [one.revision for one in releases]
            start = names.index(request.page_token) + 1 if request.page_token in names else 0
            page = releases[start : start + request.page_size]
            more = start + len(page) < len(releases)
            return ListDeploymentsResponse(
                deployments=tuple(one.told() for one in page),
                next_page_token=page[-1].revision if more else "",
            )

    @override
    def get_logs(self, request: GetLogsRequest, /) -> Iterator[GetLogsResponse]:
        with self._lock:
            site = self._find(request.application_id)
            if request.revision is not None and site.release(request.revision) is None:
                raise missing("revision", request.revision)
            book = self._book(site.application_id)
        since = self._clock.now() - _LAST_HOUR if request.since is None else request.since
        return _told(book, request, since)

    # --- changing

    @override
    def deploy_application(self, request: DeployApplicationRequest, /) -> DeployApplicationResponse:
        settings = deployed(request)
        self._check(settings)
        with self._lock:
            if any(site.name == request.name for site in self._state.sites.values()):
                raise AlreadyExistsError(
                    f"application {request.name!r} exists", resource=request.name
                )
            now = self._clock.now()
            site = Site(
                application_id=self._name(),
                name=request.name,
                settings=settings,
                etag=self._name(),
                created_at=now,
                updated_at=now,
            )
            site.add(settings, self._mark(), now)
            self._state.sites[site.application_id] = site
            self._begin(site, "deploy")
            return DeployApplicationResponse(application=site.told())

    @override
    def update_application(self, request: UpdateApplicationRequest, /) -> UpdateApplicationResponse:
        with self._lock:
            site = self._changeable(request.application_id, request.if_match)
            settings = updated(site.settings, request)
        self._check(settings)
        with self._lock:
            site = self._changeable(request.application_id, request.if_match)
            self._deploy(site, updated(site.settings, request))
            return UpdateApplicationResponse(application=site.told())

    @override
    def rollback_application(
        self, request: RollbackApplicationRequest, /
    ) -> RollbackApplicationResponse:
        with self._lock:
            site = self._changeable(request.application_id, request.if_match)
            release = _earlier(site, request.revision)
            now = site.settings
            settings = release.settings.scaled(now.min_instances, now.max_instances)
            self._deploy(site, settings, rollback_of=release.revision)
            return RollbackApplicationResponse(application=site.told())

    @override
    def scale_application(self, request: ScaleApplicationRequest, /) -> ScaleApplicationResponse:
        with self._lock:
            site = self._find(request.application_id)
            if request.min_instances is None and request.max_instances is None:
                raise invalid("min_instances", "this or max_instances, or both")
            site.check(request.if_match, _RUNNING)
            settings = checked(site.settings.scaled(request.min_instances, request.max_instances))
            _check_zero(settings)
            site.settings = settings
            self._touch(site)
            self._change(site, "scale")
            return ScaleApplicationResponse(application=site.told())

    @override
    def pause_application(self, request: PauseApplicationRequest, /) -> PauseApplicationResponse:
        with self._lock:
            site = self._find(request.application_id)
            site.check(request.if_match, _RUNNING, _STOPPED)
            if site.status is _RUNNING:
                self._change(site, "pause")
            return PauseApplicationResponse(application=site.told())

    @override
    def resume_application(self, request: ResumeApplicationRequest, /) -> ResumeApplicationResponse:
        with self._lock:
            site = self._find(request.application_id)
            site.check(request.if_match, _RUNNING, _STOPPED)
            if site.status is _STOPPED:
                self._change(site, "resume")
            return ResumeApplicationResponse(application=site.told())

    @override
    def delete_application(self, request: DeleteApplicationRequest, /) -> DeleteApplicationResponse:
        deleting = ApplicationStatus.DELETING
        with self._lock:
            site = self._find(request.application_id)
            site.check(request.if_match, _RUNNING, _STOPPED, _FAILED, deleting)
            if site.status is not deleting:
                self._change(site, "delete", deleting)
            return DeleteApplicationResponse(application=site.told())

    # --- helpers

    def _find(self, application_id: str) -> Site:
        site = self._state.sites.get(application_id)
        if site is None:
            raise missing("application", application_id)
        return site

    def _changeable(self, application_id: str, if_match: str | None) -> Site:
        """An application of which another revision can be deployed."""
        site = self._find(application_id)
        site.check(if_match, _RUNNING, _FAILED)
        return site

    def _check(self, settings: Settings) -> None:
        """Refuses settings that name what is not there. Called without the lock, since it asks another service."""
        _check_zero(settings)
        secrets = self._world.services.secrets()
        for name in sorted(set(settings.secrets.values())):
            secrets.describe_secret(build(DescribeSecretRequest, name=name))
        program = self._settings.images.get(settings.image)
        for place, names in (("environment", settings.environment), ("secrets", settings.secrets)):
            if refused := refused_variable(program, names):
                raise invalid(f"{place}.{refused}", "no variable that decides what the image runs")
        if settings.bindings and program is not None:
            bound.surface()

    def _deploy(self, site: Site, settings: Settings, rollback_of: str | None = None) -> None:
        """Begins the deployment of another revision."""
        site.add(settings, self._mark(), self._clock.now(), rollback_of)
        self._touch(site)
        self._change(site, "deploy")

    def _change(
        self, site: Site, task: Task, status: ApplicationStatus = ApplicationStatus.UPDATING
    ) -> None:
        site.move(status)
        self._begin(site, task)


def _check_zero(settings: Settings) -> None:
    if settings.min_instances == 0:
        raise UnsupportedError("the mock does not scale to zero: min_instances is at least one")


def _earlier(site: Site, revision: str | None) -> Release:
    """The release to go back to."""
    if revision is not None:
        release = site.release(revision)
        if release is None:
            raise missing("revision", revision)
        if release.status is not DeploymentStatus.SUCCEEDED:
            raise PreconditionFailedError(
                f"revision {revision!r} was never in place", resource=site.application_id
            )
        return release
    before = [one for one in site.releases if one.status is DeploymentStatus.SUCCEEDED]
    while before and before[-1].revision != site.revision:
        before.pop()
    if len(before) < 2:
        raise PreconditionFailedError(
            f"application {site.name!r} has no earlier revision that was in place",
            resource=site.application_id,
        )
    return before[-2]


def _told(book: LogBook, request: GetLogsRequest, since: datetime) -> Iterator[GetLogsResponse]:
    """The lines that are asked for, some at a time."""

    def wanted(line: Line) -> bool:
        return (
            line.time >= since
            and (request.until is None or line.time < request.until)
            and request.revision in (None, line.revision)
        )

    for lines in book.read(follow=request.follow):
        chosen = [line for line in lines if wanted(line)]
        for start in range(0, len(chosen), _BATCH):
            entries = chosen[start : start + _BATCH]
            yield GetLogsResponse(
                entries=tuple(
                    _entry(time=one.time, message=one.message, instance=one.instance)
                    for one in entries
                )
            )

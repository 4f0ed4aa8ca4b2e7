"""What the mock knows of its applications: their settings, their revisions, and which change of status is legal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias

from lcplatform.web_hosting.models import (
    Application,
    ApplicationStatus,
    Binding,
    Deployment,
    DeploymentStatus,
)
from lcplatform_mock.refusals import stale
from lcplatform_runtime.application_settings import Settings as AnySettings
from lcplatform_runtime.errors import PreconditionFailedError
from lcplatform_runtime.trusted import trusted

MAX_INSTANCES: Final = 25
MAX_REVISIONS: Final = 50

Settings: TypeAlias = AnySettings[Binding]

Task: TypeAlias = Literal["deploy", "scale", "pause", "resume", "delete"]
"""What is under way with an application."""

_BUSY: Final = frozenset(
    {ApplicationStatus.CREATING, ApplicationStatus.UPDATING, ApplicationStatus.DELETING}
)
_LEGAL: Final[Mapping[ApplicationStatus, frozenset[ApplicationStatus]]] = {
    ApplicationStatus.CREATING: frozenset({ApplicationStatus.RUNNING, ApplicationStatus.FAILED}),
    ApplicationStatus.RUNNING: frozenset(
        {
            ApplicationStatus.UPDATING,
            ApplicationStatus.STOPPED,
            ApplicationStatus.DELETING,
            ApplicationStatus.FAILED,
        }
    ),
    ApplicationStatus.UPDATING: frozenset(
        {ApplicationStatus.RUNNING, ApplicationStatus.STOPPED, ApplicationStatus.FAILED}
    ),
    ApplicationStatus.STOPPED: frozenset({ApplicationStatus.UPDATING, ApplicationStatus.DELETING}),
    ApplicationStatus.FAILED: frozenset({ApplicationStatus.UPDATING, ApplicationStatus.DELETING}),
    ApplicationStatus.DELETING: frozenset(),
}

_application = trusted(Application)
_deployment = trusted(Deployment)


@dataclass(slots=True, kw_only=True)
class Release:
    """A revision, and how its deployment went."""

    revision: str
    settings: Settings
    created_at: datetime
    status: DeploymentStatus = DeploymentStatus.RUNNING
    reason: str | None = None
    completed_at: datetime | None = None
    rollback_of: str | None = None

    def end(self, status: DeploymentStatus, now: datetime, reason: str | None = None) -> None:
        """The deployment is over."""
        self.status, self.completed_at, self.reason = status, now, reason

    def told(self) -> Deployment:
        """The deployment as callers see it."""
        return _deployment(
            revision=self.revision,
            image=self.settings.image,
            status=self.status,
            status_reason=self.reason,
            created_at=self.created_at,
            completed_at=self.completed_at,
            rollback_of=self.rollback_of,
        )


@dataclass(slots=True, kw_only=True)
class Site:
    """An application.

    Attributes:
        settings: those that were asked for last.
        revision: the one that is in place.
        releases: its revisions, the oldest first.
        made: how many revisions it ever had.
        task: what is under way.
    """

    application_id: str
    name: str
    settings: Settings
    etag: str
    created_at: datetime
    updated_at: datetime
    url: str = ""
    status: ApplicationStatus = ApplicationStatus.CREATING
    reason: str | None = None
    revision: str | None = None
    releases: list[Release] = field(default_factory=list)
    made: int = 0
    task: Task | None = None

    def move(self, status: ApplicationStatus, reason: str | None = None) -> None:
        """Goes over to another status. That this is legal is for whoever calls to see to."""
        assert status in _LEGAL[self.status], f"{self.status} to {status}"
        self.status, self.reason = status, reason
        if status not in _BUSY:
            self.task = None

    def check(self, if_match: str | None, *allowed: ApplicationStatus) -> None:
        """Refuses a change that is guarded by a stale etag, or for which the application is in the wrong status."""
        if if_match is not None and if_match != self.etag:
            raise stale("application", self.application_id)
        if self.status in allowed:
            return
        if self.status in _BUSY:
            hint = "wait until that is over"
        elif self.status is ApplicationStatus.STOPPED:
            hint = "resume it first"
        else:
            hint = "update it, or deploy it anew"
        raise PreconditionFailedError(
            f"application {self.name!r} is {self.status}: {hint}", resource=self.application_id
        )

    def release(self, revision: str | None) -> Release | None:
        """The release of a revision."""
        return next((one for one in self.releases if one.revision == revision), None)

    @property
    def in_place(self) -> Release | None:
        """The release of the revision that is in place."""
        return self.release(self.revision)

    @property
    def pending(self) -> Release | None:
        """The release whose deployment is under way."""
        last = self.releases[-1] if self.releases else None
        return last if last is not None and last.status is DeploymentStatus.RUNNING else None

    def add(
        self, settings: Settings, mark: str, now: datetime, rollback_of: str | None = None
    ) -> Release:
        """A new revision, whose deployment is under way from now on. The oldest beyond the limit are forgotten.

        `mark` tells it from others of its number, since a state may be gone back to.
        """
        self.made += 1
        release = Release(
            revision=f"r{self.made}-{mark}",
            settings=settings,
            created_at=now,
            rollback_of=rollback_of,
        )
        self.settings = settings
        self.releases.append(release)
        while len(self.releases) > MAX_REVISIONS:
            oldest = next(one for one in self.releases if one.revision != self.revision)
            self.releases.remove(oldest)
        return release

    def told(self) -> Application:
        """The application as callers see it."""
        settings = self.settings
        return _application(
            application_id=self.application_id,
            name=self.name,
            image=settings.image,
            port=settings.port,
            environment=dict(settings.environment),
            secrets=dict(settings.secrets),
            cpu=settings.cpu,
            memory=settings.memory,
            min_instances=settings.min_instances,
            max_instances=settings.max_instances,
            health_check_path=settings.health_check_path,
            identity=settings.identity,
            bindings=settings.bindings,
            status=self.status,
            status_reason=self.reason,
            url=self.url or None,
            revision=self.revision,
            created_at=self.created_at,
            updated_at=self.updated_at,
            etag=self.etag,
        )

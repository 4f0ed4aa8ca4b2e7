"""An application as it was found on AWS, whichever backend runs it: how callers see it, and when it may be changed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from lcplatform.web_hosting.models import Application, ApplicationStatus
from lcplatform_aws.web_hosting_settings import Settings, etag_of
from lcplatform_runtime.errors import ConflictError, PreconditionFailedError, UnsupportedError
from lcplatform_runtime.support import ConditionalUpdate

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

CHECKED: Final[Mapping[str, ConditionalUpdate]] = dict.fromkeys(
    (
        "delete_application",
        "pause_application",
        "resume_application",
        "rollback_application",
        "scale_application",
        "update_application",
    ),
    ConditionalUpdate.CHECKED,
)
"""How the updates are guarded that take an etag: AWS has none, so it is compared before."""


class Course(ABC):
    """How the deployments of an application went, and what that says of it."""

    @property
    @abstractmethod
    def status(self) -> ApplicationStatus:
        """Where the application stands."""

    @property
    @abstractmethod
    def reason(self) -> str | None:
        """Why it stands there, where something went wrong."""

    @property
    @abstractmethod
    def in_place(self) -> str | None:
        """The revision that answers."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What does not change when an application does, save the last."""

    identity: str
    name: str
    url: str | None
    created_at: datetime
    updated_at: datetime


C_co = TypeVar("C_co", bound=Course, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Site(Generic[C_co]):
    """An application as it was found."""

    facts: Facts
    settings: Settings
    course: C_co

    @property
    def name(self) -> str:
        """Its name."""
        return self.facts.name

    @property
    def identity(self) -> str:
        """What callers know it by."""
        return self.facts.identity

    def told(
        self, status: ApplicationStatus | None = None, settings: Settings | None = None
    ) -> Application:
        """The application as callers see it, with the change that was just begun."""
        shown, facts = settings or self.settings, self.facts
        return Application(
            application_id=facts.identity,
            name=facts.name,
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
            url=facts.url,
            revision=self.course.in_place,
            created_at=facts.created_at,
            updated_at=facts.updated_at,
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


def check_zero(settings: Settings) -> None:
    """Refuses to run none at all: App Runner and ECS Express Mode do not scale to zero."""
    if settings.min_instances == 0:
        raise UnsupportedError(
            "AWS does not scale applications to zero: min_instances is at least one"
        )


def secret_arns(manager: SecretsManagerClient, settings: Settings) -> Mapping[str, str]:
    """The ARN of each secret, by its name. Refuses those that do not exist."""
    return {
        it: manager.describe_secret(SecretId=it)["ARN"]
        for it in sorted(set(settings.secrets.values()))
    }


def reachable(address: str) -> str:
    """The URL of what AWS names by its host alone."""
    return address if "://" in address else f"https://{address}"

"""How the operations of an App Runner service went, and what that says of the application.

The status of the service does not tell whether a deployment succeeded: after one that failed it runs on with the revision
before. Only the operations do. A revision is known by the operation that deployed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from typing_extensions import override

from lcplatform.web_hosting.models import ApplicationStatus, Deployment, DeploymentStatus
from lcplatform_aws.web_hosting_app_runner_history import History, Record
from lcplatform_aws.web_hosting_site import Course

_STATUSES: Final = {
    "PENDING": DeploymentStatus.PENDING,
    "IN_PROGRESS": DeploymentStatus.RUNNING,
    "SUCCEEDED": DeploymentStatus.SUCCEEDED,
    "FAILED": DeploymentStatus.ROLLED_BACK,
    "ROLLBACK_IN_PROGRESS": DeploymentStatus.ROLLING_BACK,
    "ROLLBACK_SUCCEEDED": DeploymentStatus.ROLLED_BACK,
    "ROLLBACK_FAILED": DeploymentStatus.FAILED,
}
_OVER: Final = frozenset(
    {DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED, DeploymentStatus.ROLLED_BACK}
)
_DEPLOYING: Final = frozenset({"CREATE_SERVICE", "UPDATE_SERVICE", "START_DEPLOYMENT"})
_UNKNOWN: Final = Record()


@dataclass(frozen=True)
class AppRunnerCourse(Course):
    """What happened to a service.

    Attributes:
        service: as `DescribeService` tells it.
        operations: as `ListOperations` tells them, the newest first.
        history: what is remembered of them.
    """

    service: Mapping[str, Any]
    operations: Sequence[Mapping[str, Any]]
    history: History

    @cached_property
    def deployments(self) -> Sequence[Mapping[str, Any]]:
        """The operations that deployed something, the newest first, as far as they are remembered."""
        remembered = self.history.remembers([it["Id"] for it in self.operations])
        return [
            it
            for it in self.operations[: len(remembered)]
            if it["Type"] in _DEPLOYING and not self.record(it["Id"]).scaling
        ]

    def record(self, revision: str) -> Record:
        """What is remembered of an operation."""
        return self.history.records.get(revision, _UNKNOWN)

    @property
    @override
    def in_place(self) -> str | None:
        return next(iter(self._succeeded), None)

    @property
    def earlier(self) -> str | None:
        """The last revision that was in place before the present one."""
        return self._succeeded[1] if len(self._succeeded) > 1 else None

    @cached_property
    def _succeeded(self) -> Sequence[str]:
        return [it["Id"] for it in self.deployments if it["Status"] == "SUCCEEDED"]

    def deployment(self, revision: str) -> Mapping[str, Any] | None:
        """The operation that deployed a revision."""
        return next((it for it in self.deployments if it["Id"] == revision), None)

    def status_of(self, operation: Mapping[str, Any]) -> DeploymentStatus:
        """Where a deployment stands. Without one before it that succeeded there is nothing to go back to."""
        status = _STATUSES[operation["Status"]]
        older = self.deployments[self.deployments.index(operation) + 1 :]
        if status is DeploymentStatus.ROLLED_BACK and not any(
            it["Status"] == "SUCCEEDED" for it in older
        ):
            return DeploymentStatus.FAILED
        return status

    @property
    @override
    def status(self) -> ApplicationStatus:
        last = self.operations[0] if self.operations else None
        match self.service["Status"]:
            case "OPERATION_IN_PROGRESS":
                kind = "CREATE_SERVICE" if last is None else last["Type"]
                return _UNDER_WAY.get(kind, ApplicationStatus.UPDATING)
            case "PAUSED":
                return ApplicationStatus.STOPPED
            case "DELETE_FAILED":
                return ApplicationStatus.DELETING
            case "RUNNING" if last is None or last["Status"] != "ROLLBACK_FAILED":
                return ApplicationStatus.RUNNING
            case _:
                return ApplicationStatus.FAILED

    @property
    @override
    def reason(self) -> str | None:
        if self.service["Status"] == "DELETE_FAILED":
            return "App Runner could not delete all of it: delete it again"
        return why(self.operations[0], self.service) if self.operations else None

    def revision_at(self, moment: datetime) -> str | None:
        """The revision that an instance runs which started then."""
        for it in self.deployments:
            went_on = it["Status"] == "SUCCEEDED" or it.get("EndedAt") is None
            if it["StartedAt"] <= moment and (went_on or moment <= it["EndedAt"]):
                return str(it["Id"])
        return None

    def told(self, operation: Mapping[str, Any], image: str) -> Deployment:
        """A deployment as callers see it. `image` is that of the service, for the one in place."""
        revision = operation["Id"]
        record, status = self.record(revision), self.status_of(operation)
        return Deployment(
            revision=revision,
            image=image if revision == self.in_place else record.image,
            status=status,
            status_reason=why(operation, self.service),
            created_at=operation["StartedAt"],
            completed_at=operation.get("EndedAt") if status in _OVER else None,
            rollback_of=record.rollback_of,
        )


_UNDER_WAY: Final = {
    "CREATE_SERVICE": ApplicationStatus.CREATING,
    "DELETE_SERVICE": ApplicationStatus.DELETING,
}


def why(operation: Mapping[str, Any], service: Mapping[str, Any]) -> str | None:
    """Why an operation went wrong: App Runner says so nowhere else than in a log."""
    if operation["Status"] in {"PENDING", "IN_PROGRESS", "SUCCEEDED"}:
        return None
    return f"{operation['Type']}: {operation['Status']}. The log group {log_group(service, 'service')} tells more"


def log_group(service: Mapping[str, Any], kind: str) -> str:
    """Where App Runner writes: `application` is what the application writes, `service` what happens to it."""
    return f"/aws/apprunner/{service['ServiceName']}/{service['ServiceId']}/{kind}"

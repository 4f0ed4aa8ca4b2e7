"""How the deployments of an Express gateway service went, and what that says of the application.

The status of the service itself does not tell whether a deployment succeeded; only the service deployments do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from typing_extensions import override

from lcplatform.web_hosting.models import ApplicationStatus, DeploymentStatus
from lcplatform_aws.web_hosting_site import Course

_STATUSES: Final = {
    "PENDING": DeploymentStatus.PENDING,
    "IN_PROGRESS": DeploymentStatus.RUNNING,
    "STOP_REQUESTED": DeploymentStatus.ROLLING_BACK,
    "ROLLBACK_REQUESTED": DeploymentStatus.ROLLING_BACK,
    "ROLLBACK_IN_PROGRESS": DeploymentStatus.ROLLING_BACK,
    "SUCCESSFUL": DeploymentStatus.SUCCEEDED,
    "ROLLBACK_SUCCESSFUL": DeploymentStatus.ROLLED_BACK,
    "ROLLBACK_FAILED": DeploymentStatus.FAILED,
    "STOPPED": DeploymentStatus.FAILED,
}
UNDER_WAY: Final = frozenset(
    {DeploymentStatus.PENDING, DeploymentStatus.RUNNING, DeploymentStatus.ROLLING_BACK}
)


@dataclass(frozen=True)
class EcsCourse(Course):
    """The deployments of a service, the newest first, as `ListServiceDeployments` tells them.

    Attributes:
        service: its status: ACTIVE, DRAINING or INACTIVE.
        deployments: what is still known of them; ECS forgets those that are older than 90 days.
    """

    service: Mapping[str, Any]
    deployments: Sequence[Mapping[str, Any]]

    @property
    @override
    def in_place(self) -> str | None:
        """The revision that answers."""
        for it in self.deployments:
            if it["status"] == "SUCCESSFUL":
                return str(it["targetServiceRevisionArn"])
        if self.deployments:
            return None
        active = self.service.get("activeConfigurations", ())
        return str(active[0]["serviceRevisionArn"]) if active else None

    @cached_property
    def asked_for(self) -> str | None:
        """The revision whose settings count: the one that was asked for last, unless it failed and one is in place."""
        last = self.deployments[0] if self.deployments else None
        if last is None or (self.status_of(last) not in UNDER_WAY and self.in_place is not None):
            return self.in_place
        return str(last["targetServiceRevisionArn"])

    def status_of(self, deployment: Mapping[str, Any]) -> DeploymentStatus:
        """Where a deployment stands. Of the first there is nothing to go back to."""
        status = _STATUSES[deployment["status"]]
        if status is DeploymentStatus.ROLLED_BACK and not self._before(deployment):
            return DeploymentStatus.FAILED
        return status

    def _before(self, deployment: Mapping[str, Any]) -> bool:
        older = self.deployments[self.deployments.index(deployment) + 1 :]
        return any(it["status"] == "SUCCESSFUL" for it in older)

    @property
    @override
    def status(self) -> ApplicationStatus:
        """Where the application stands."""
        if self.service["status"]["statusCode"] != "ACTIVE":
            return ApplicationStatus.DELETING
        last = self.status_of(self.deployments[0]) if self.deployments else None
        if last in UNDER_WAY:
            updating = self.in_place is not None
            return ApplicationStatus.UPDATING if updating else ApplicationStatus.CREATING
        if last is None or last in {DeploymentStatus.SUCCEEDED, DeploymentStatus.ROLLED_BACK}:
            return ApplicationStatus.RUNNING
        # What was stopped leaves what was there before, unless the way back failed too.
        stopped = self.deployments[0]["status"] == "STOPPED" and self.in_place is not None
        return ApplicationStatus.RUNNING if stopped else ApplicationStatus.FAILED

    @property
    @override
    def reason(self) -> str | None:
        """Why it stands there, where something went wrong."""
        last = self.deployments[0] if self.deployments else None
        if last is None or last["status"] == "SUCCESSFUL":
            found = self.service["status"].get("statusReason")
        else:
            found = last.get("statusReason")
        return None if found is None else str(found)

    def deployment(self, revision: str) -> Mapping[str, Any] | None:
        """The deployment of a revision, the last if there were several."""
        found = (it for it in self.deployments if it["targetServiceRevisionArn"] == revision)
        return next(found, None)

    @property
    def earlier(self) -> str | None:
        """The last revision that was in place before the present one."""
        succeeded = [
            str(it["targetServiceRevisionArn"])
            for it in self.deployments
            if it["status"] == "SUCCESSFUL"
        ]
        return succeeded[1] if len(succeeded) > 1 else None

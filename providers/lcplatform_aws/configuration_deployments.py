"""Brings versions to readers: deployments of AppConfig, of which an environment has one at a time.

A deployment is what makes a version current, and the number of the last one is the lock: who starts another says which it was.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lcplatform.configuration.models import Rollout
from lcplatform_aws.units import given
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import DeadlineExceededError, Outcome, PreconditionFailedError

if TYPE_CHECKING:
    from types_boto3_appconfig import AppConfigClient

    from lcplatform_aws.configuration_places import Place
    from lcplatform_aws.session import Session

_MINUTE: Final = timedelta(minutes=1)
_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_LONGEST_WAIT: Final = 300.0
_COMPLETE: Final = "COMPLETE"
_ENDED: Final = frozenset({_COMPLETE, "ROLLED_BACK", "REVERTED"})
_DELETED: Final = re.compile(r"deleted-(\d+)-(.+)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment of a version, or of what says that the configuration is deleted."""

    number: int
    version: int
    """The number of the hosted version."""
    label: str | None
    state: str
    percent: float
    instant: bool
    """Whether it reaches all readers at once."""
    at: datetime

    @property
    def name(self) -> str:
        """The version, as callers know it; of a deleted configuration, the one that was current."""
        deleted = self._deleted
        return deleted[2] if deleted else self.label or str(self.version)

    @property
    def purge_at(self) -> datetime | None:
        """When a deleted configuration is gone for good."""
        deleted = self._deleted
        return _EPOCH + timedelta(microseconds=int(deleted[1])) if deleted else None

    @property
    def _deleted(self) -> re.Match[str] | None:
        return _DELETED.fullmatch(self.label or "")


@dataclass(frozen=True, slots=True)
class State:
    """How a configuration stands.

    Attributes:
        latest: the number of the last deployment of the environment, of whatever it was; 0 where there was none.
        completed: the deployments that came to their end, the newest first.
        ongoing: the one that is under way.
        occupied: the number of one of another profile that is under way, which holds up all others.
    """

    latest: int
    completed: tuple[Deployment, ...]
    ongoing: Deployment | None
    occupied: int | None

    @property
    def current(self) -> Deployment | None:
        """The deployment of what is current."""
        return self.completed[0] if self.completed else None


def deletion(purge_at: datetime, name: str) -> str:
    """The label of the version that says that a configuration is deleted."""
    return f"deleted-{(purge_at - _EPOCH) // timedelta(microseconds=1)}-{name}"


def says_deleted(label: str | None) -> bool:
    """Whether a version is there to say that."""
    return _DELETED.fullmatch(label or "") is not None


class Deployments:
    """The deployments of an account, and the strategies that they follow."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._strategies: dict[str, str] = {}

    @property
    def _client(self) -> AppConfigClient:
        return self._session.appconfig

    def state(self, place: Place) -> State:
        """How a configuration stands."""
        items = sorted(self._recent(place), key=lambda it: -it["DeploymentNumber"])
        ours = [_deployment(it) for it in items if _of(place, it)]
        under_way = [it for it in items if it["State"] not in _ENDED]
        ongoing = [it for it in ours if it.state not in _ENDED]
        return State(
            latest=items[0]["DeploymentNumber"] if items else 0,
            completed=tuple(it for it in ours if it.state == _COMPLETE),
            ongoing=ongoing[0] if ongoing else None,
            occupied=under_way[0]["DeploymentNumber"] if under_way and not ongoing else None,
        )

    def _recent(self, place: Place) -> list[Any]:
        """The last deployments of an environment, back to the one that made current what is."""
        found: list[Any] = []
        token: str | None = None
        while True:
            answer: Any = self._client.list_deployments(
                ApplicationId=place.application_id,
                EnvironmentId=place.environment_id,
                MaxResults=50,
                **given(NextToken=token),
            )
            found += answer.get("Items", ())
            token = answer.get("NextToken")
            if not token or any(it["State"] == _COMPLETE and _of(place, it) for it in found):
                return found

    def start(self, place: Place, version: int, rollout: Rollout | None, latest: int) -> int:
        """Starts a deployment if `latest` still is the last one. Its number."""
        return self._client.start_deployment(
            ApplicationId=place.application_id,
            EnvironmentId=place.environment_id,
            DeploymentStrategyId=self._strategy(rollout),
            ConfigurationProfileId=place.profile_id,
            ConfigurationVersion=str(version),
            **given(LatestDeploymentNumber=latest or None),
        )["DeploymentNumber"]

    def stop(self, place: Place, ongoing: Deployment) -> None:
        """Stops a deployment, and waits until every reader has the version before."""
        self._client.stop_deployment(
            ApplicationId=place.application_id,
            EnvironmentId=place.environment_id,
            DeploymentNumber=ongoing.number,
            **({"AllowRevert": True} if ongoing.state == "BAKING" else {}),
        )
        self._ended(place, ongoing.number)

    def wait(self, place: Place, number: int) -> None:
        """Waits until a deployment is complete.

        Raises:
            PreconditionFailedError: it was rolled back, by an alarm or by somebody.
            DeadlineExceededError: there is no time left. It goes on.
        """
        known = self._ended(place, number)
        if known["State"] != _COMPLETE:
            events = [it.get("Description", "") for it in known.get("EventLog", ())]
            raise PreconditionFailedError(
                f"the deployment was rolled back: {events[0] if events else 'nobody says why'}"
            )

    def _ended(self, place: Place, number: int) -> Any:
        """A deployment that has come to its end."""
        pause, until = _PAUSE, time.monotonic() + _LONGEST_WAIT
        while True:
            known = self._client.get_deployment(
                ApplicationId=place.application_id,
                EnvironmentId=place.environment_id,
                DeploymentNumber=number,
            )
            if known["State"] in _ENDED:
                return known
            call = current_call()
            remaining = None if call is None else call.remaining()
            left = until - time.monotonic() if remaining is None else remaining
            if left <= 0:
                raise DeadlineExceededError(
                    "the deployment is not complete yet", outcome=Outcome.UNKNOWN
                )
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _strategy(self, rollout: Rollout | None) -> str:
        """The strategy for a rollout. AppConfig counts in minutes, and knows 20 strategies at most."""
        duration = bake = 0
        factor = 100.0
        if rollout is not None:
            duration, bake = _minutes(rollout.duration), _minutes(rollout.bake)
            factor = rollout.step_percent
        name = f"lcplatform-{duration}m-{factor:g}-{bake}m"
        known = self._strategies.get(name)
        if known is None:
            known = next((it["Id"] for it in self._listed() if it["Name"] == name), None)
            if known is None:
                known = self._client.create_deployment_strategy(
                    Name=name,
                    DeploymentDurationInMinutes=duration,
                    GrowthFactor=factor,
                    GrowthType="LINEAR",
                    FinalBakeTimeInMinutes=bake,
                    ReplicateTo="NONE",
                )["Id"]
            self._strategies[name] = known
        return known

    def _listed(self) -> Iterator[Any]:
        token: str | None = None
        while True:
            answer: Any = self._client.list_deployment_strategies(**given(NextToken=token))
            yield from answer.get("Items", ())
            token = answer.get("NextToken")
            if not token:
                return


def _minutes(length: timedelta) -> int:
    return -(-length // _MINUTE)


def _of(place: Place, item: Any) -> bool:
    """Whether a deployment is of a configuration's profile. One that was deleted had the same name."""
    profile = item.get("ConfigurationProfileId")
    if profile is None:
        return bool(item.get("ConfigurationName") == place.environment)
    return bool(profile == place.profile_id)


def _deployment(item: Any) -> Deployment:
    return Deployment(
        number=item["DeploymentNumber"],
        version=int(item["ConfigurationVersion"]),
        label=item.get("VersionLabel"),
        state=item["State"],
        percent=item.get("PercentageComplete", 0.0),
        instant=not item.get("DeploymentDurationInMinutes")
        and not item.get("FinalBakeTimeInMinutes"),
        at=item.get("CompletedAt") or item["StartedAt"],
    )

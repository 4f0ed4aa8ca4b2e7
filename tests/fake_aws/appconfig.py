"""AppConfig and AppConfigData as their drivers meet them: locks, strategies that take their time, and tokens that are used up.

What the emulators leave out is here: an environment is occupied by one deployment at a time whosever it is, the last deployment is a lock,
versions are listed in pages, a poll that comes too early is refused, and a validator may say no.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from tests.fake_aws.api import AwsError
from tests.fake_aws.server import Service

_ONGOING: Final = frozenset({"DEPLOYING", "BAKING", "ROLLING_BACK"})


@dataclass
class Session:
    """A reader's session."""

    place: tuple[str, str, str]
    share: int
    interval: int
    served: str | None = None
    polled: datetime | None = None


@dataclass
class Store:
    """What both services share."""

    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    environments: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    profiles: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    versions: dict[tuple[str, str], dict[int, dict[str, Any]]] = field(default_factory=dict)
    deployments: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    strategies: dict[str, dict[str, Any]] = field(default_factory=dict)
    flaws: list[dict[str, str]] = field(default_factory=list)
    """What a validator says of the next version that is deployed."""
    numbers: int = 0

    def name(self) -> str:
        """A new id."""
        self.numbers += 1
        return f"id{self.numbers:05}"


class AppConfig(Service):
    """The side that is written."""

    service = "appconfig"

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()

    # --- places

    def create_application(self, given: dict[str, Any]) -> Mapping[str, Any]:
        made = {"Id": self.store.name(), "Name": given["Name"]}
        self.store.applications[made["Id"]] = made
        return made

    def list_applications(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return _page(self.store.applications.values(), given)

    def create_environment(self, given: dict[str, Any]) -> Mapping[str, Any]:
        application = given["ApplicationId"]
        _found(self.store.applications, application)
        made = {"ApplicationId": application, "Id": self.store.name(), "Name": given["Name"]}
        self.store.environments[application, made["Id"]] = made
        return {**made, "State": "READY_FOR_DEPLOYMENT"}

    def list_environments(self, given: dict[str, Any]) -> Mapping[str, Any]:
        found = self.store.environments.items()
        return _page([it for key, it in found if key[0] == given["ApplicationId"]], given)

    def create_configuration_profile(self, given: dict[str, Any]) -> Mapping[str, Any]:
        made = {**given, "Id": self.store.name()}
        key = given["ApplicationId"], made["Id"]
        self.store.profiles[key] = made
        self.store.versions[key] = {}
        return made

    def list_configuration_profiles(self, given: dict[str, Any]) -> Mapping[str, Any]:
        found = self.store.profiles.items()
        return _page([it for key, it in found if key[0] == given["ApplicationId"]], given)

    def delete_configuration_profile(self, given: dict[str, Any]) -> None:
        key = given["ApplicationId"], given["ConfigurationProfileId"]
        _found(self.store.profiles, key)
        if self.store.versions[key]:
            raise AwsError("ConflictException", "the profile has hosted versions")
        del self.store.profiles[key], self.store.versions[key]

    # --- versions

    def create_hosted_configuration_version(self, given: dict[str, Any]) -> Mapping[str, Any]:
        key = given["ApplicationId"], given["ConfigurationProfileId"]
        _found(self.store.profiles, key)
        versions = self.store.versions[key]
        labels = {it.get("VersionLabel") for it in versions.values()}
        if given.get("VersionLabel") in labels - {None}:
            raise AwsError("ConflictException", "the label is taken")
        self.store.numbers += (
            1  # no number comes twice, and none is missed by whoever counts on them
        )
        number = max(versions, default=0) + 1
        versions[number] = {**given, "VersionNumber": number}
        return versions[number]

    def get_hosted_configuration_version(self, given: dict[str, Any]) -> Mapping[str, Any]:
        key = given["ApplicationId"], given["ConfigurationProfileId"]
        version: Mapping[str, Any] = _found(
            _found(self.store.versions, key), given["VersionNumber"]
        )
        return version

    def list_hosted_configuration_versions(self, given: dict[str, Any]) -> Mapping[str, Any]:
        key = given["ApplicationId"], given["ConfigurationProfileId"]
        found = sorted(
            _found(self.store.versions, key).values(), key=lambda it: -it["VersionNumber"]
        )
        kept = ("ApplicationId", "ConfigurationProfileId", "VersionNumber", "VersionLabel")
        return _page([{name: it[name] for name in kept if name in it} for it in found], given)

    def delete_hosted_configuration_version(self, given: dict[str, Any]) -> None:
        key = given["ApplicationId"], given["ConfigurationProfileId"]
        if self.store.versions.get(key, {}).pop(given["VersionNumber"], None) is None:
            raise AwsError("ResourceNotFoundException", "no such version")

    # --- deployments

    def create_deployment_strategy(self, given: dict[str, Any]) -> Mapping[str, Any]:
        made = {**given, "Id": self.store.name()}
        self.store.strategies[made["Id"]] = made
        return made

    def list_deployment_strategies(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return _page(self.store.strategies.values(), given)

    def start_deployment(self, given: dict[str, Any]) -> Mapping[str, Any]:
        place = given["ApplicationId"], given["EnvironmentId"]
        _found(self.store.environments, place)
        strategy = _found(self.store.strategies, given["DeploymentStrategyId"])
        profile = given["ApplicationId"], given["ConfigurationProfileId"]
        version = _found(_found(self.store.versions, profile), int(given["ConfigurationVersion"]))
        deployments = self.settled(place)
        latest = deployments[-1]["DeploymentNumber"] if deployments else 0
        if given.get("LatestDeploymentNumber", latest) != latest:
            raise AwsError("ConflictException", "another deployment was started since")
        if any(it["State"] in _ONGOING for it in deployments):
            raise AwsError("ConflictException", "another deployment is in progress")
        if self.store.flaws:
            flaws, self.store.flaws = self.store.flaws, []
            raise AwsError(
                "BadRequestException",
                "the configuration is invalid",
                Reason="InvalidConfiguration",
                Details={"InvalidConfiguration": flaws},
            )
        kept = (
            "DeploymentDurationInMinutes",
            "GrowthFactor",
            "GrowthType",
            "FinalBakeTimeInMinutes",
        )
        made = {
            "ApplicationId": place[0],
            "EnvironmentId": place[1],
            "ConfigurationProfileId": profile[1],
            "ConfigurationName": self.store.profiles[profile]["Name"],
            "ConfigurationVersion": given["ConfigurationVersion"],
            "DeploymentStrategyId": given["DeploymentStrategyId"],
            "DeploymentNumber": latest + 1,
            "State": "DEPLOYING",
            "PercentageComplete": 0.0,
            "StartedAt": self.time.now(),
            **{name: strategy[name] for name in kept},
        }
        if "VersionLabel" in version:
            made["VersionLabel"] = version["VersionLabel"]
        self.store.deployments.setdefault(place, []).append(made)
        self.settled(place)
        return made

    def get_deployment(self, given: dict[str, Any]) -> Mapping[str, Any]:
        for it in self.settled((given["ApplicationId"], given["EnvironmentId"])):
            if it["DeploymentNumber"] == given["DeploymentNumber"]:
                return it
        raise AwsError("ResourceNotFoundException", "no such deployment")

    def list_deployments(self, given: dict[str, Any]) -> Mapping[str, Any]:
        place = given["ApplicationId"], given["EnvironmentId"]
        _found(self.store.environments, place)
        left_out = {"ApplicationId", "EnvironmentId", "DeploymentStrategyId", "EventLog"}
        found = [
            {name: value for name, value in it.items() if name not in left_out}
            for it in reversed(self.settled(place))
        ]
        return _page(found, given)

    def stop_deployment(self, given: dict[str, Any]) -> Mapping[str, Any]:
        made = dict(self.get_deployment(given))
        for it in self.store.deployments[given["ApplicationId"], given["EnvironmentId"]]:
            if it["DeploymentNumber"] == given["DeploymentNumber"]:
                allowed = {"DEPLOYING"} | (
                    {"BAKING", "COMPLETE"} if given.get("AllowRevert") else set()
                )
                if it["State"] not in allowed:
                    raise AwsError("BadRequestException", f"it is {it['State']}")
                it["State"] = "REVERTED" if it["State"] == "COMPLETE" else "ROLLED_BACK"
                made = it
        return made

    def settled(self, place: tuple[str, str]) -> list[dict[str, Any]]:
        """The deployments of an environment, as far as they have come by now."""
        now = self.time.now()
        for it in self.store.deployments.get(place, []):
            if it["State"] not in {"DEPLOYING", "BAKING"}:
                continue
            duration = timedelta(minutes=it["DeploymentDurationInMinutes"])
            bake = timedelta(minutes=it["FinalBakeTimeInMinutes"])
            passed = now - it["StartedAt"]
            if passed >= duration + bake:
                it |= {"State": "COMPLETE", "PercentageComplete": 100.0}
                it["CompletedAt"] = it["StartedAt"] + duration + bake
            elif passed >= duration:
                it |= {"State": "BAKING", "PercentageComplete": 100.0}
            else:
                steps = math.ceil(100 / it["GrowthFactor"])
                begun = int(passed / (duration / steps)) + 1
                it["PercentageComplete"] = min(100.0, begun * it["GrowthFactor"])
        return self.store.deployments.get(place, [])


class AppConfigData(Service):
    """The side that is read."""

    service = "appconfigdata"

    def __init__(self, writing: AppConfig) -> None:
        super().__init__()
        self.writing = writing
        self.sessions: dict[str, Session] = {}
        self.share = 0
        """Of the next session: it gets what more readers than this percentage get."""

    def start_configuration_session(self, given: dict[str, Any]) -> Mapping[str, Any]:
        store = self.writing.store
        place = (
            given["ApplicationIdentifier"],
            given["EnvironmentIdentifier"],
            given["ConfigurationProfileIdentifier"],
        )
        _found(store.environments, (place[0], place[1]))
        _found(store.profiles, (place[0], place[2]))
        token = store.name()
        interval = given.get("RequiredMinimumPollIntervalInSeconds", 60)
        self.sessions[token] = Session(place, self.share, interval)
        return {"InitialConfigurationToken": token}

    def get_latest_configuration(self, given: dict[str, Any]) -> Mapping[str, Any]:
        session = self.sessions.pop(given["ConfigurationToken"], None)
        now = self.time.now()
        if session is None:
            raise _bad("Expired")
        if session.polled and now < session.polled + timedelta(seconds=session.interval):
            raise _bad("PollIntervalNotSatisfied")
        session.polled = now
        token = self.writing.store.name()
        self.sessions[token] = session
        answer: dict[str, Any] = {
            "NextPollConfigurationToken": token,
            "NextPollIntervalInSeconds": session.interval,
            "Configuration": b"",
        }
        application, environment, profile = session.place
        for it in reversed(self.writing.settled((application, environment))):
            started = it["State"] in {"COMPLETE", "BAKING"} or (
                it["State"] == "DEPLOYING" and session.share < it["PercentageComplete"]
            )
            if it["ConfigurationProfileId"] == profile and started:
                served = it["ConfigurationVersion"]
                if served != session.served:
                    session.served = served
                    version = self.writing.store.versions[application, profile][int(served)]
                    answer |= {
                        "Configuration": version["Content"],
                        "ContentType": "application/json",
                    }
                    if "VersionLabel" in version:
                        answer["VersionLabel"] = version["VersionLabel"]
                break
        return answer


def _bad(problem: str) -> AwsError:
    return AwsError(
        "BadRequestException",
        problem,
        Reason="InvalidParameters",
        Details={"InvalidParameters": {"ConfigurationToken": {"Problem": problem}}},
    )


def _page(items: Any, given: dict[str, Any]) -> Mapping[str, Any]:
    start = int(given.get("NextToken", "0"))
    size = given.get("MaxResults", 50)
    found = list(items)
    more = len(found) > start + size
    return {
        "Items": found[start : start + size],
        **({"NextToken": str(start + size)} if more else {}),
    }


def _found(known: Mapping[Any, Any], key: Any) -> Any:
    if key not in known:
        raise AwsError("ResourceNotFoundException", f"{key} does not exist.")
    return known[key]

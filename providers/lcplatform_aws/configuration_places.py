"""Where configurations are in AppConfig, which knows applications, environments and profiles by ids and lets names repeat.

A configuration is a profile of its application, named as its environment, whose hosted versions are the data as they are: whoever
reads AppConfig otherwise finds plain JSON. What AppConfig does not keep with a version, such as its schema, is a version of a
profile beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lcplatform_runtime.errors import ResourceNotFoundError

if TYPE_CHECKING:
    from types_boto3_appconfig import AppConfigClient

    from lcplatform_aws.session import Session

_PAGE: Final = 50
_ABOUT: Final = ":about"
"""Ends the name of the profile beside. No environment has a colon in its name."""
_HOSTED: Final = "hosted"


@dataclass(frozen=True, slots=True)
class Place:
    """A configuration, by what AppConfig knows it by."""

    application: str
    environment: str
    application_id: str
    environment_id: str
    profile_id: str
    about_id: str | None
    """The profile beside. Configurations that others made have none."""

    @property
    def key(self) -> tuple[str, str]:
        """What callers know it by."""
        return self.application, self.environment


class Places:
    """The places of an account. Those that were found are kept."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._applications: dict[str, str] = {}
        self._known: dict[tuple[str, str], Place] = {}

    @property
    def _client(self) -> AppConfigClient:
        return self._session.appconfig

    def find(self, application: str, environment: str) -> Place:
        """The place of a configuration. Raises ResourceNotFoundError where there is none."""
        known = self._known.get((application, environment))
        if known is not None:
            return known
        application_id = self._application(application)
        found = None if application_id is None else self._in(application, application_id)
        place = None if found is None else found.get(environment)
        if place is None:
            raise missing(application, environment)
        return self._keep(place)

    def create(self, application: str, environment: str) -> Place:
        """The place of a configuration, made as far as it is not there."""
        with suppress(ResourceNotFoundError):
            place = self.find(application, environment)
            if place.about_id is not None:
                return place
        with self._lock:
            client = self._client
            application_id = self._application(application)
            if application_id is None:
                application_id = client.create_application(Name=application)["Id"]
                self._applications[application] = application_id
            environments = self._environments(application_id)
            environment_id = environments.get(environment)
            if environment_id is None:
                environment_id = client.create_environment(
                    ApplicationId=application_id, Name=environment
                )["Id"]
            profiles = self._profiles(application_id)
            place = Place(
                application,
                environment,
                application_id,
                environment_id,
                profiles.get(environment) or self._profile(application_id, environment),
                profiles.get(f"{environment}{_ABOUT}")
                or self._profile(application_id, f"{environment}{_ABOUT}"),
            )
        return self._keep(place)

    def all(self, application: str | None, after: tuple[str, str]) -> Iterator[Place]:
        """The places that come after one, in the order of their names."""
        applications = (
            dict(_named(self._pages(self._client.list_applications)))
            if application is None
            else {application: self._application(application)}
        )
        for name, application_id in sorted(applications.items()):
            if name < after[0] or application_id is None:
                continue
            for environment, place in sorted(self._in(name, application_id).items()):
                if (name, environment) > after:
                    yield place

    def forget(self, place: Place) -> None:
        """Looks a place up anew the next time."""
        self._known.pop(place.key, None)
        self._applications.pop(place.application, None)

    def delete_profiles(self, place: Place) -> None:
        """Deletes a configuration for good, so that its place is free."""
        client = self._client
        for profile in (place.profile_id, place.about_id):
            if profile is None:
                continue
            for it in self.versions(place, profile):
                client.delete_hosted_configuration_version(
                    ApplicationId=place.application_id,
                    ConfigurationProfileId=profile,
                    VersionNumber=it["VersionNumber"],
                )
            client.delete_configuration_profile(
                ApplicationId=place.application_id,
                ConfigurationProfileId=profile,
                DeletionProtectionCheck="BYPASS",
            )
        self.forget(place)

    def versions(self, place: Place, profile: str) -> list[Any]:
        """The hosted versions of a profile, the newest first."""
        found = self._pages(
            self._client.list_hosted_configuration_versions,
            ApplicationId=place.application_id,
            ConfigurationProfileId=profile,
        )
        return sorted(found, key=lambda it: -it["VersionNumber"])

    def _keep(self, place: Place) -> Place:
        self._known[place.key] = place
        return place

    def _application(self, name: str) -> str | None:
        known = self._applications.get(name)
        if known is None:
            # Of several with one name the first is taken, by everybody.
            known = dict(_named(self._pages(self._client.list_applications))).get(name)
            if known is not None:
                self._applications[name] = known
        return known

    def _in(self, application: str, application_id: str) -> dict[str, Place]:
        """The configurations of an application, by their environments."""
        environments = self._environments(application_id)
        profiles = self._profiles(application_id)
        return {
            name: Place(
                application,
                name,
                application_id,
                identity,
                profiles[name],
                profiles.get(f"{name}{_ABOUT}"),
            )
            for name, identity in environments.items()
            if name in profiles
        }

    def _environments(self, application_id: str) -> dict[str, str]:
        return dict(
            _named(self._pages(self._client.list_environments, ApplicationId=application_id))
        )

    def _profiles(self, application_id: str) -> dict[str, str]:
        found = self._pages(self._client.list_configuration_profiles, ApplicationId=application_id)
        return dict(_named(it for it in found if it.get("LocationUri") == _HOSTED))

    def _profile(self, application_id: str, name: str) -> str:
        return self._client.create_configuration_profile(
            ApplicationId=application_id, Name=name, LocationUri=_HOSTED
        )["Id"]

    def _pages(self, call: Callable[..., Any], **parameters: str) -> Iterator[Any]:
        token: dict[str, str] = {}
        while True:
            answer = call(MaxResults=_PAGE, **parameters, **token)
            yield from answer.get("Items", ())
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}


def missing(application: str, environment: str) -> ResourceNotFoundError:
    """There is no such configuration."""
    return ResourceNotFoundError(
        f"there is no configuration of {application!r} for {environment!r}", resource=application
    )


def _named(items: Iterator[Any]) -> Iterator[tuple[str, str]]:
    """Ids by names, the first of a name last, so that it stays."""
    return ((it["Name"], it["Id"]) for it in reversed(list(items)))

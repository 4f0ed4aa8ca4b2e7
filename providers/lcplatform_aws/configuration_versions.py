"""Versions of configurations: hosted versions of AppConfig, and what is known about each."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lcplatform_aws.configuration_deployments import says_deleted
from lcplatform_aws.configuration_places import Place, Places
from lcplatform_aws.units import given
from lcplatform_runtime.errors import ResourceNotFoundError
from lcplatform_runtime.json_value import Json

if TYPE_CHECKING:
    from lcplatform_aws.session import Session

_JSON: Final = "application/json"
_OURS: Final = re.compile(r"v(\d+)")
_MOST_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class About:
    """What is known about a version beside its data."""

    created_at: datetime
    since: datetime
    """When the configuration was created."""
    schema: str | None = None
    description: str | None = None
    comment: str | None = None
    rollback_of: str | None = None


class Versions:
    """The versions of an account. What is known about one never changes, so it is kept."""

    def __init__(self, session: Session, places: Places) -> None:
        self._session = session
        self._places = places
        self._abouts: dict[tuple[str, int], About] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def listed(self, place: Place) -> list[tuple[str, int]]:
        """The versions by name and number, the newest first."""
        found = self._places.versions(place, place.profile_id)
        return [
            (it.get("VersionLabel") or str(it["VersionNumber"]), it["VersionNumber"])
            for it in found
            if not says_deleted(it.get("VersionLabel"))
        ]

    def number(self, place: Place, name: str) -> int:
        """The number of a version. Raises ResourceNotFoundError where there is none."""
        key = place.profile_id, name
        if key not in self._numbers:
            for known, number in self.listed(place):
                self._numbers[place.profile_id, known] = number
        if key not in self._numbers:
            raise ResourceNotFoundError(f"there is no version {name!r}", resource=name)
        return self._numbers[key]

    def data(self, place: Place, number: int) -> Json:
        """The data of a version."""
        return read_data(self._content(place, place.profile_id, number))

    def about(self, place: Place, name: str, at: datetime) -> About:
        """What is known about a version. Of one that others stored, that is when it was deployed, `at`."""
        ours = _OURS.fullmatch(name)
        if place.about_id is None or ours is None:
            return About(created_at=at, since=at)
        key = place.about_id, int(ours[1])
        known = self._abouts.get(key)
        if known is None:
            known = _about(self._content(place, *key))
            if len(self._abouts) >= _MOST_KEPT:
                self._abouts.clear()
            self._abouts[key] = known
        return known

    def store(self, place: Place, data: Json, about: About) -> tuple[str, int]:
        """Stores a version that nobody gets yet. Its name and its number."""
        assert place.about_id is not None
        text = json.dumps(
            {**asdict(about), "created_at": str(about.created_at), "since": str(about.since)}
        )
        number = self._put(place, place.about_id, text, None)
        name = f"v{number}"
        return name, self._put(place, place.profile_id, data.text, name)

    def mark(self, place: Place, label: str) -> int:
        """Stores a version that says that the configuration is deleted. Its number."""
        return self._put(place, place.profile_id, "null", label)

    def discard(self, place: Place, number: int) -> None:
        """Deletes a version that did not become one."""
        with suppress(ClientError):
            self._delete(place, place.profile_id, number)

    def prune(self, place: Place, most: int, current: str) -> None:
        """Deletes the oldest versions if there are more than so many."""
        for name, number in self.listed(place)[most:]:
            if name != current:
                self._delete(place, place.profile_id, number)
                self._numbers.pop((place.profile_id, name), None)

    def _put(self, place: Place, profile: str, text: str, label: str | None) -> int:
        return self._session.appconfig.create_hosted_configuration_version(
            ApplicationId=place.application_id,
            ConfigurationProfileId=profile,
            Content=text.encode(),
            ContentType=_JSON,
            **given(VersionLabel=label),
        )["VersionNumber"]

    def _delete(self, place: Place, profile: str, number: int) -> None:
        self._session.appconfig.delete_hosted_configuration_version(
            ApplicationId=place.application_id,
            ConfigurationProfileId=profile,
            VersionNumber=number,
        )

    def _content(self, place: Place, profile: str, number: int) -> bytes:
        answer = self._session.appconfig.get_hosted_configuration_version(
            ApplicationId=place.application_id,
            ConfigurationProfileId=profile,
            VersionNumber=number,
        )
        return answer["Content"].read()


def read_data(content: bytes) -> Json:
    """The data in a version."""
    return Json.from_text(content.decode())


def _about(content: bytes) -> About:
    known: dict[str, Any] = json.loads(content)
    for name in ("created_at", "since"):
        known[name] = datetime.fromisoformat(known[name])
    return About(**known)

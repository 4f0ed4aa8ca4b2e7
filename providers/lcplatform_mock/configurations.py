"""A configuration: its versions, how a new one reaches its readers, and what its watchers are told."""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from lcplatform.configuration.models import (
    ConfigurationInfo,
    GetConfigurationResponse,
    RolloutProgress,
    VersionInfo,
)
from lcplatform_runtime.errors import PreconditionFailedError, ResourceNotFoundError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.trusted import trusted

MAX_VERSIONS: Final = 100
RETENTION: Final = timedelta(days=30)

_MOST_CHANGES: Final = 100
_EVERYBODY: Final = 100.0

_answer = trusted(GetConfigurationResponse)


@dataclass(frozen=True, slots=True)
class Version:
    """A version, which never changes."""

    name: str
    etag: str
    data: Json
    schema: Json | None
    created_at: datetime
    comment: str | None = None
    rollback_of: str | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A version on its way to its readers: with each part of the duration that begins, `step` percent more get it."""

    version: str
    started_at: datetime
    duration: timedelta
    step: float
    bake: timedelta

    @property
    def end(self) -> datetime:
        """When the version becomes current."""
        return self.started_at + self.duration + self.bake

    @property
    def _parts(self) -> int:
        return math.ceil(_EVERYBODY / self.step)

    def moment(self, part: int) -> datetime:
        """When a part begins, counted from 0."""
        return self.started_at + part * (self.duration / self._parts)

    def percent(self, now: datetime) -> float:
        """How many of the readers get it."""
        begun = 1 + (now - self.started_at) // (self.duration / self._parts)
        return min(_EVERYBODY, self.step * begun)

    def next_moment(self, now: datetime) -> datetime:
        """When more readers get it, or it becomes current."""
        steps = map(self.moment, range(1, self._parts))
        return next((moment for moment in steps if moment > now), self.end)


@dataclass(frozen=True, slots=True)
class Change:
    """What some readers get from a moment on: those whose share begins at `low` and ends before `high`."""

    number: int
    version: Version
    deleted: bool
    at: datetime
    low: float = 0.0
    high: float = _EVERYBODY

    def concerns(self, share: float) -> bool:
        """Whether a reader with this share is told."""
        return self.low <= share < self.high


@dataclass(frozen=True, slots=True)
class ConfigurationRecord:
    """A configuration as it is kept, without its versions."""

    application: str
    environment: str
    uid: str
    description: str | None
    created_at: datetime
    current: str
    purge_at: datetime | None
    deployment: Deployment | None


@dataclass(slots=True)
class Configuration:
    """A configuration.

    Attributes:
        uid: tells it from another one that had its place before.
        current: the name of the version that is current.
        purge_at: when it is gone for good, if it is deleted.
        deployment: what is on its way to its readers, if anything is.
        revision: counts what was done to it.
    """

    application: str
    environment: str
    uid: str
    description: str | None
    created_at: datetime
    current: str
    versions: dict[str, Version]
    purge_at: datetime | None = None
    deployment: Deployment | None = None
    revision: int = 0
    _reached: float = 0.0
    _changes: deque[Change] = field(default_factory=lambda: deque(maxlen=_MOST_CHANGES))
    _ready: GetConfigurationResponse | None = None

    @classmethod
    def of(cls, record: ConfigurationRecord, versions: dict[str, Version]) -> Configuration:
        """The configuration that was kept."""
        return cls(
            application=record.application,
            environment=record.environment,
            uid=record.uid,
            description=record.description,
            created_at=record.created_at,
            current=record.current,
            versions=versions,
            purge_at=record.purge_at,
            deployment=record.deployment,
        )

    @property
    def record(self) -> ConfigurationRecord:
        """What is kept of it, without its versions."""
        return ConfigurationRecord(
            application=self.application,
            environment=self.environment,
            uid=self.uid,
            description=self.description,
            created_at=self.created_at,
            current=self.current,
            purge_at=self.purge_at,
            deployment=self.deployment,
        )

    # --- reading

    @property
    def newest(self) -> Version:
        """The version that is current."""
        return self.versions[self.current]

    def seen_by(self, share: float) -> Version:
        """The version that a reader with this share gets."""
        if self.deployment is not None and share < self._reached:
            return self.versions[self.deployment.version]
        return self.newest

    def version(self, name: str) -> Version:
        """A version by its name, which there must be."""
        found = self.versions.get(name)
        if found is None:
            raise ResourceNotFoundError(
                f"version {name!r} of {self.words} does not exist", resource=self.application
            )
        return found

    def answer(self, version: Version, *, etag: bool) -> GetConfigurationResponse:
        """The answer with a version, made once for the current one."""
        if etag and self._ready is not None and self._ready.version == version.name:
            return self._ready
        made = _answer(
            application=self.application,
            environment=self.environment,
            version=version.name,
            etag=version.etag if etag else None,
            data=version.data,
            schema_=version.schema,
            description=self.description,
            created_at=version.created_at,
            not_modified=False,
        )
        if etag and version.name == self.current:
            self._ready = made
        return made

    def info(self, now: datetime) -> ConfigurationInfo:
        """What is known of it without its data."""
        deployment = self.deployment
        progress = None
        if deployment is not None:
            progress = RolloutProgress(
                version=deployment.version,
                percent=deployment.percent(now),
                started_at=deployment.started_at,
            )
        return ConfigurationInfo(
            application=self.application,
            environment=self.environment,
            description=self.description,
            version=self.current,
            etag=self.newest.etag,
            created_at=self.created_at,
            updated_at=self.newest.created_at,
            purge_at=self.purge_at,
            rollout=progress,
        )

    def infos(self) -> Iterator[VersionInfo]:
        """The versions, the newest first."""
        for it in reversed(self.versions.values()):
            yield VersionInfo(
                version=it.name,
                created_at=it.created_at,
                current=it.name == self.current,
                comment=it.comment,
                rollback_of=it.rollback_of,
            )

    @property
    def words(self) -> str:
        """What errors call it."""
        return f"the configuration of {self.application!r} for {self.environment!r}"

    # --- changing

    def check_at_rest(self) -> None:
        """Refuses another change while a deployment is under way."""
        if self.deployment is not None:
            raise PreconditionFailedError(
                f"version {self.deployment.version!r} of {self.words} is on its way: wait for it, or stop it",
                resource=self.application,
            )

    def add(self, version: Version) -> list[str]:
        """Makes a version current. Tells the names of those that made room for it."""
        gone = self._keep(version)
        self.current = version.name
        self._tell(version, version.created_at)
        return gone

    def deploy(self, version: Version, deployment: Deployment) -> list[str]:
        """Begins to bring a version to its readers. Tells the names of those that made room for it."""
        gone = self._keep(version)
        self.deployment = deployment
        self._reached = 0.0
        self._reach(deployment.started_at)
        return gone

    def stop(self, now: datetime) -> None:
        """Every reader gets the version again that was there before the deployment."""
        if self.deployment is not None:
            self.deployment = None
            self._tell(self.newest, now, high=self._reached)
            self._reached = 0.0

    def delete(self, now: datetime) -> datetime:
        """Nobody finds it any more. Tells when it is gone for good."""
        if self.purge_at is None:
            self.stop(now)
            self.purge_at = now + RETENTION
            self._tell(self.newest, now, deleted=True)
        return self.purge_at

    def restore(self, now: datetime) -> None:
        """It is there again."""
        if self.purge_at is not None:
            self.purge_at = None
            self._tell(self.newest, now)

    def settle(self, now: datetime) -> bool:
        """Does what has fallen due of a deployment, each step as of its moment. Tells whether it did anything."""
        before = self.revision
        while (deployment := self.deployment) is not None:
            if self._reached < deployment.percent(now):
                self._reach(self._step_due())
            elif deployment.end <= now:
                self.current, self.deployment, self._reached = deployment.version, None, 0.0
                self._changed()
            else:
                break
        return self.revision != before

    @property
    def next_due(self) -> datetime | None:
        """When something is to be done that `settle` does, or when it is gone for good."""
        if self.purge_at is not None:
            return self.purge_at
        if self.deployment is None:
            return None
        return self._step_due() if self._reached < _EVERYBODY else self.deployment.end

    def _step_due(self) -> datetime:
        """When the readers after those who have it already get the version that is on its way."""
        assert self.deployment is not None
        return self.deployment.moment(round(self._reached / self.deployment.step))

    def _reach(self, moment: datetime) -> None:
        deployment = self.deployment
        assert deployment is not None
        before, self._reached = self._reached, deployment.percent(moment)
        version = self.versions[deployment.version]
        self._tell(version, moment, low=before, high=self._reached)

    def _keep(self, version: Version) -> list[str]:
        self.versions[version.name] = version
        gone = [name for name in self.versions if name not in {self.current, version.name}]
        del gone[max(0, len(self.versions) - MAX_VERSIONS) :]
        for name in gone:
            del self.versions[name]
        return gone

    def _tell(
        self,
        version: Version,
        at: datetime,
        *,
        deleted: bool = False,
        low: float = 0.0,
        high: float = _EVERYBODY,
    ) -> None:
        self._changed()
        self._changes.append(Change(self.revision, version, deleted, at, low, high))

    def _changed(self) -> None:
        self.revision += 1
        self._ready = None

    # --- watching

    def change_after(self, number: int, share: float) -> Change | None:
        """The first change after a revision that concerns a reader with this share, as far as changes are still known."""
        if not self._changes or self._changes[-1].number <= number:
            return None
        return next((it for it in self._changes if it.number > number and it.concerns(share)), None)

    def as_it_is(self, share: float, now: datetime) -> Change:
        """What a reader with this share gets now, for one who does not know what came before."""
        return Change(self.revision, self.seen_by(share), self.purge_at is not None, now)


def share_of(reader: str | None) -> float:
    """Where a reader stands among all readers, from 0 to less than 100. Who has no name comes last."""
    if reader is None:
        return math.nextafter(_EVERYBODY, 0.0)
    digest = hashlib.sha256(reader.encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48 * _EVERYBODY

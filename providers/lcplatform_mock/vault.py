"""One secret: its versions, where each stands, and who rotates it. Nothing here shows a value.

Nothing here takes a lock: whoever calls holds the service's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from lcplatform.secrets.models import (
    GetSecretResponse,
    SecretInfo,
    SecretValue,
    SecretVersionInfo,
    VersionStage,
)
from lcplatform_mock.kept import KeptContent
from lcplatform_mock.ready import FrozenDict, frozen
from lcplatform_mock.refusals import stale
from lcplatform_runtime.errors import (
    ConflictError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
)
from lcplatform_runtime.trusted import trusted

MAX_VERSIONS: Final = 100
"""How many versions of a secret are kept, as in Secrets Manager."""

_KEPT_FOR: Final = timedelta(days=1)
"""For how long a version is kept in any case."""

_NO_STAGES: Final[tuple[VersionStage, ...]] = ()

_answer = trusted(GetSecretResponse)


@dataclass(slots=True, eq=False, kw_only=True)
class Version:
    """A value, and when it came."""

    name: str
    value: SecretValue = field(repr=False)
    created_at: datetime
    key: str | None = None
    """The idempotency key of the call that added it."""
    answer: GetSecretResponse | None = field(default=None, repr=False)
    """What a reader is answered, while the version stands where it stands."""


@dataclass(slots=True, eq=False, kw_only=True)
class Rotation:
    """Who rotates a secret, how often, and when next."""

    handler: str
    every: timedelta
    due: datetime


@dataclass(slots=True, kw_only=True)
class VersionRecord:
    """A version as it is written."""

    name: str
    value: KeptContent
    created_at: datetime
    key: str | None

    @classmethod
    def of(cls, version: Version) -> Self:
        """The record of a version."""
        value = KeptContent.of(version.value)
        return cls(name=version.name, value=value, created_at=version.created_at, key=version.key)

    @property
    def version(self) -> Version:
        """The version of a record."""
        value = self.value.content
        return Version(name=self.name, value=value, created_at=self.created_at, key=self.key)


@dataclass(slots=True, kw_only=True)
class SecretRecord:
    """A secret as it is written."""

    name: str
    description: str | None
    tags: dict[str, str]
    etag: str
    created_at: datetime
    modified_at: datetime
    purge_at: datetime | None
    rotation: Rotation | None
    stages: dict[VersionStage, str]
    versions: list[VersionRecord]


class Secret:
    """A secret and its versions.

    Attributes:
        etag: the mark of the current value, another one whenever another value becomes current.
        purge_at: when it is gone for good, if it is deleted.
        rotating: the version that a handler is making now, if one is.
    """

    def __init__(
        self,
        name: str,
        description: str | None,
        tags: FrozenDict,
        first: Version,
        new_etag: Callable[[], str],
    ) -> None:
        self.name = name
        self.description = description
        self.tags = tags
        self.created_at = self.modified_at = first.created_at
        self.etag = new_etag()
        self.purge_at: datetime | None = None
        self.rotation: Rotation | None = None
        self.rotating: str | None = None
        self._new_etag = new_etag
        self._versions: dict[str, Version] = {first.name: first}
        self._stages: dict[VersionStage, str] = {VersionStage.CURRENT: first.name}

    # --- reading

    @classmethod
    def of(cls, record: SecretRecord, new_etag: Callable[[], str]) -> Self:
        """The secret that was kept."""
        versions = [it.version for it in record.versions]
        secret = cls(record.name, record.description, frozen(record.tags), versions[0], new_etag)
        secret._versions = {it.name: it for it in versions}
        secret._stages = dict(record.stages)
        secret.etag = record.etag
        secret.created_at, secret.modified_at = record.created_at, record.modified_at
        secret.purge_at, secret.rotation = record.purge_at, record.rotation
        return secret

    @property
    def record(self) -> SecretRecord:
        """Everything about it that outlives the process. A handler that is at work does not."""
        return SecretRecord(
            name=self.name,
            description=self.description,
            tags=dict(self.tags),
            etag=self.etag,
            created_at=self.created_at,
            modified_at=self.modified_at,
            purge_at=self.purge_at,
            rotation=self.rotation,
            stages=dict(self._stages),
            versions=[VersionRecord.of(it) for it in self._versions.values()],
        )

    @property
    def current(self) -> Version:
        """The version that readers get."""
        return self._versions[self._stages[VersionStage.CURRENT]]

    @property
    def pending(self) -> str | None:
        """The name of the version that waits to become current."""
        return self._stages.get(VersionStage.PENDING)

    def added_with(self, key: str | None) -> Version | None:
        """The version that a call with this idempotency key added."""
        if key is None:
            return None
        return next((it for it in self._versions.values() if it.key == key), None)

    def read(self, version: str | None, stage: VersionStage | None) -> GetSecretResponse:
        """The answer with a version, or with the one that stands at a stage."""
        if version is None:
            stage = stage or VersionStage.CURRENT
            name = self._stages.get(stage)
            if name is None:
                raise self._without("stage", stage.value)
        else:
            name = version
        found = self.required(name)
        if found.answer is None:
            is_current = name == self._stages[VersionStage.CURRENT]
            found.answer = _answer(
                name=self.name,
                value=found.value,
                version=name,
                stages=self.stages(name),
                created_at=found.created_at,
                etag=self.etag if is_current else None,
            )
        return found.answer

    def required(self, name: str) -> Version:
        """A version by its name, which there must be."""
        found = self._versions.get(name)
        if found is None:
            raise self._without("version", name)
        return found

    def _without(self, kind: str, name: str) -> ResourceNotFoundError:
        return ResourceNotFoundError(
            f"secret {self.name!r} has no {kind} {name!r}", resource=self.name
        )

    def stages(self, name: str) -> tuple[VersionStage, ...]:
        """Where a version stands."""
        return tuple(it for it, at in self._stages.items() if at == name) or _NO_STAGES

    def info(self) -> SecretInfo:
        """What is known of it without a value."""
        rotation = self.rotation
        return SecretInfo(
            name=self.name,
            description=self.description,
            tags=self.tags,
            created_at=self.created_at,
            modified_at=self.modified_at,
            version=self.current.name,
            etag=self.etag,
            purge_at=self.purge_at,
            rotation_handler=None if rotation is None else rotation.handler,
            rotate_every=None if rotation is None else rotation.every,
        )

    def versions(self) -> Iterator[SecretVersionInfo]:
        """The versions, the newest first."""
        for it in reversed(self._versions.values()):
            yield SecretVersionInfo(
                version=it.name, stages=self.stages(it.name), created_at=it.created_at
            )

    # --- changing

    def check(self, etag: str | None) -> None:
        """Refuses a change whose condition does not hold."""
        if etag is not None and etag != self.etag:
            raise stale("secret", self.name)

    def check_alive(self) -> None:
        """Refuses what cannot be done to a deleted secret."""
        if self.purge_at is not None:
            raise PreconditionFailedError(
                f"secret {self.name!r} is deleted: restore it first", resource=self.name
            )

    def check_at_rest(self) -> None:
        """Refuses to begin a rotation while another is under way."""
        if self.rotating is not None or self.pending is not None:
            raise ConflictError(
                f"a rotation of secret {self.name!r} is under way: wait for it, or cancel it",
                resource=self.name,
            )

    def add(self, version: Version, *, pending: bool = False) -> None:
        """Adds a version, current or pending."""
        if pending:
            self.check_at_rest()
        self._make_room(version.created_at)
        self._versions[version.name] = version
        if pending:
            self._stages[VersionStage.PENDING] = version.name
        else:
            self.promote(version.name, version.created_at)

    def promote(self, name: str, now: datetime) -> None:
        """Makes a version current. The one that was is previous from now on."""
        before = self._stages[VersionStage.CURRENT]
        if name == before:
            return
        if self.pending == name:
            del self._stages[VersionStage.PENDING]
        self._stages |= {VersionStage.CURRENT: name, VersionStage.PREVIOUS: before}
        self.etag = self._new_etag()
        self.modified_at = now
        self._restaged()

    def give_up_rotation(self) -> None:
        """No version is pending any more, and none that is being made will be."""
        self.rotating = None
        self._stages.pop(VersionStage.PENDING, None)
        self._restaged()

    def _restaged(self) -> None:
        for version in self._versions.values():
            version.answer = None

    def _make_room(self, now: datetime) -> None:
        """Drops the oldest version that stands nowhere, where there are too many. A young one is never dropped."""
        if len(self._versions) < MAX_VERSIONS:
            return
        staged = set(self._stages.values())
        oldest = next(it for it in self._versions.values() if it.name not in staged)
        if now - oldest.created_at < _KEPT_FOR:
            raise QuotaExceededError(
                f"secret {self.name!r} has {MAX_VERSIONS} versions, all of the last day: write it less often",
                resource=self.name,
                retryable=False,
            )
        del self._versions[oldest.name]

"""Secrets in memory (FR-011 to FR-015). A value is never shown: not in an error, not in the repr of anything here."""

from __future__ import annotations

import heapq
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from lcplatform.secrets.driver import SecretsDriver
from lcplatform.secrets.models import (
    CancelRotationRequest,
    CancelRotationResponse,
    ConfigureRotationRequest,
    ConfigureRotationResponse,
    CreateSecretRequest,
    CreateSecretResponse,
    DeleteSecretRequest,
    DeleteSecretResponse,
    DescribeSecretRequest,
    DescribeSecretResponse,
    GetSecretRequest,
    GetSecretResponse,
    GetSecretsRequest,
    GetSecretsResponse,
    GetSecretsResult,
    ListSecretsRequest,
    ListSecretsResponse,
    ListSecretVersionsRequest,
    ListSecretVersionsResponse,
    PutSecretValueRequest,
    PutSecretValueResponse,
    RestoreSecretRequest,
    RestoreSecretResponse,
    RestoreVersionRequest,
    RestoreVersionResponse,
    RotateSecretRequest,
    RotateSecretResponse,
    SecretValue,
)
from lcplatform.secrets.support import SecretsCapability, SecretsLimits
from lcplatform.type.models import BatchFailure
from lcplatform_mock.gate import gated
from lcplatform_mock.listing import names_page
from lcplatform_mock.ready import frozen
from lcplatform_mock.refusals import failure, missing, whole_days
from lcplatform_mock.service import Service
from lcplatform_mock.vault import MAX_VERSIONS, Rotation, Secret, SecretRecord, Version
from lcplatform_mock.world import World
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    InternalError,
    LCPlatformError,
    PreconditionFailedError,
    ValidationError,
)
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import build
from lcplatform_runtime.support import ConditionalUpdate, Support
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from lcplatform_mock.journal import Journal, Table

# Secrets Manager's.
LIMITS: Final = SecretsLimits(
    max_value_bytes=65_536, max_versions=MAX_VERSIONS, max_batch_names=20, max_tags=50
)
SUPPORT: Final = Support(
    capabilities=frozenset(SecretsCapability),
    limits=LIMITS.by_name(),
    conditional_updates=dict.fromkeys(
        ("delete_secret", "put_secret_value", "restore_version"), ConditionalUpdate.ATOMIC
    ),
)

_result = trusted(GetSecretsResult)
_RESTORED: Final = trusted(RestoreSecretResponse)()
_CANCELLED: Final = trusted(CancelRotationResponse)()


@dataclass(slots=True)
class Vault:
    """All secrets, and when the next one is to be rotated or is gone for good."""

    secrets: dict[str, Secret] = field(default_factory=dict)
    agenda: list[tuple[datetime, str]] = field(default_factory=list)


@gated(SecretsDriver)
class MockSecrets(Service[Vault], SecretsDriver):
    """Secrets in memory. Rotations that fall due have happened whenever anybody looks, each at its moment; a handler runs
    in the thread of who looks, while others read the value that is still current."""

    def __init__(self, world: World) -> None:
        super().__init__(world, Vault())
        self._handlers = world.settings.rotation_handlers
        self._name = world.names()
        self._table = _table(world.journal)
        if self._table is not None:
            for name, record in self._table.load():
                self._state.secrets[name] = secret = Secret.of(record, self._name)
                self._note_all(secret)

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    # --- reading

    @override
    def get_secret(self, request: GetSecretRequest, /) -> GetSecretResponse:
        self.settle()
        with self._lock:
            secret = self._find(request.name)
            secret.check_alive()
            return secret.read(request.version, request.stage)

    @override
    def get_secrets(self, request: GetSecretsRequest, /) -> GetSecretsResponse:
        self.settle()
        successful: list[GetSecretsResult] = []
        failed: list[BatchFailure] = []
        with self._lock:
            for index, name in enumerate(request.names):
                try:
                    secret = self._find(name)
                    secret.check_alive()
                except LCPlatformError as error:
                    failed.append(failure(index, error))
                else:
                    version = secret.current
                    successful.append(
                        _result(index=index, name=name, value=version.value, version=version.name)
                    )
        return GetSecretsResponse(successful=tuple(successful), failed=tuple(failed))

    @override
    def describe_secret(self, request: DescribeSecretRequest, /) -> DescribeSecretResponse:
        self.settle()
        with self._lock:
            return DescribeSecretResponse(secret=self._find(request.name).info())

    @override
    def list_secrets(self, request: ListSecretsRequest, /) -> ListSecretsResponse:
        self.settle()
        with self._lock:
            secrets = self._state.secrets
            names = sorted(
                name
                for name, it in secrets.items()
                if request.include_deleted or it.purge_at is None
            )
            page, token = names_page(names, request.prefix, request.page_size, request.page_token)
            infos = tuple(secrets[name].info() for name in page)
        return ListSecretsResponse(secrets=infos, next_page_token=token)

    @override
    def list_secret_versions(
        self, request: ListSecretVersionsRequest, /
    ) -> ListSecretVersionsResponse:
        self.settle()
        with self._lock:
            versions = list(self._find(request.name).versions())
        # The last of a page is named by how many came before it was added, which newer versions do not change.
        start = len(versions) - int(request.page_token) if request.page_token else 0
        page = versions[start : start + request.page_size]
        left = len(versions) - start - len(page)
        return ListSecretVersionsResponse(
            versions=tuple(page), next_page_token=str(left) if left else ""
        )

    # --- writing

    @override
    def create_secret(self, request: CreateSecretRequest, /) -> CreateSecretResponse:
        self.settle()
        with self._lock:
            secret = self._state.secrets.get(request.name)
            if secret is None:
                version = self._version(request)
                secret = Secret(
                    request.name, request.description, frozen(request.tags), version, self._name
                )
                self._state.secrets[request.name] = secret
                self._put(secret)
            else:
                if secret.purge_at is not None:
                    raise AlreadyExistsError(
                        f"secret {request.name!r} is deleted and can still be restored",
                        resource=request.name,
                    )
                again = _repeated(secret, request)
                if again is None:
                    raise AlreadyExistsError(
                        f"secret {request.name!r} exists", resource=request.name
                    )
                version = again
            return CreateSecretResponse(version=version.name, etag=secret.etag)

    @override
    def put_secret_value(self, request: PutSecretValueRequest, /) -> PutSecretValueResponse:
        self.settle()
        with self._lock:
            secret = self._find(request.name)
            secret.check_alive()
            version = _repeated(secret, request)
            if version is None:
                secret.check(request.if_match)
                version = self._version(request)
                secret.add(version, pending=request.pending)
                self._put(secret)
            return PutSecretValueResponse(version=version.name, etag=secret.etag)

    @override
    def restore_version(self, request: RestoreVersionRequest, /) -> RestoreVersionResponse:
        self.settle()
        with self._lock:
            secret = self._find(request.name)
            secret.check_alive()
            secret.check(request.if_match)
            secret.promote(secret.required(request.version).name, self._clock.now())
            self._put(secret)
            return RestoreVersionResponse(version=request.version, etag=secret.etag)

    def _version(self, request: CreateSecretRequest | PutSecretValueRequest) -> Version:
        return Version(
            name=self._name(),
            value=_kept(request.value),
            created_at=self._clock.now(),
            key=request.idempotency_key,
        )

    # --- deleting

    @override
    def delete_secret(self, request: DeleteSecretRequest, /) -> DeleteSecretResponse:
        whole_days("recovery_window", request.recovery_window)
        self.settle()
        with self._lock:
            secret = self._find(request.name)
            secret.check(request.if_match)
            if secret.purge_at is None:
                secret.purge_at = self._clock.now() + request.recovery_window
                self._note(secret.purge_at, request.name)
                self._put(secret)
            return DeleteSecretResponse(purge_at=secret.purge_at)

    @override
    def restore_secret(self, request: RestoreSecretRequest, /) -> RestoreSecretResponse:
        self.settle()
        with self._lock:
            secret = self._find(request.name)
            if secret.purge_at is not None:
                secret.purge_at = None
                if secret.rotation is not None:  # what fell due meanwhile is not made up for
                    secret.rotation.due = self._clock.now() + secret.rotation.every
                    self._note(secret.rotation.due, request.name)
                self._put(secret)
        return _RESTORED

    # --- rotating

    @override
    def configure_rotation(self, request: ConfigureRotationRequest, /) -> ConfigureRotationResponse:
        whole_days("every", request.every)
        self.settle()
        with self._lock:
            secret = self._find(request.name)
            secret.check_alive()
            if request.handler not in self._handlers:
                raise missing("rotation handler", request.handler)
            due = self._clock.now() + request.every
            secret.rotation = Rotation(handler=request.handler, every=request.every, due=due)
            self._note(due, request.name)
            self._put(secret)
        return ConfigureRotationResponse(next_rotation=due)

    @override
    def rotate_secret(self, request: RotateSecretRequest, /) -> RotateSecretResponse:
        self.settle()
        with self._lock:
            secret = self._find(request.name)
            secret.check_alive()
            if secret.rotation is None:
                raise PreconditionFailedError(
                    f"secret {request.name!r} has no rotation handler: configure one"
                )
            secret.check_at_rest()
            handler, version = secret.rotation.handler, self._name()
            secret.rotating = version
        self._rotate(secret, handler, version, self._clock.now())
        return RotateSecretResponse(version=version)

    @override
    def cancel_rotation(self, request: CancelRotationRequest, /) -> CancelRotationResponse:
        self.settle()
        with self._lock:
            secret = self._find(request.name)
            secret.check_alive()
            secret.give_up_rotation()
            self._put(secret)
        return _CANCELLED

    def _rotate(self, secret: Secret, handler: str, version: str, now: datetime) -> None:
        """Has the handler make the next value and makes it current. The lock is free while the handler works."""
        made, kind = self._made(secret, handler)
        with self._lock:
            cancelled = secret.rotating != version
            if not cancelled:
                secret.rotating = None
            if made is None:
                raise InternalError(
                    f"rotation handler {handler!r} raised {kind}: the current value stays",
                    details={"handler": handler, "exception": kind},
                )
            there = self._state.secrets.get(secret.name) is secret
            if cancelled or not there or secret.purge_at is not None:
                raise ConflictError("the rotation was given up while its handler worked")
            secret.add(Version(name=version, value=_kept(made.value), created_at=now))
            self._put(secret)

    def _made(self, secret: Secret, handler: str) -> tuple[PutSecretValueRequest | None, str]:
        """The next value, checked as any other; or what kind of exception came instead. Its text may hold the value."""
        try:
            value = self._handlers[handler](secret.current.value)
            return build(PutSecretValueRequest, name=secret.name, value=value), ""
        except Exception as error:  # noqa: BLE001  a handler may raise anything
            return None, type(error).__name__

    # --- time

    @override
    def settle(self) -> None:
        """Rotates what is to be rotated and forgets what is gone for good, each as of its moment."""
        agenda = self._state.agenda
        if agenda and agenda[0][0] <= self._clock.now():
            self._keep_agenda()

    def _keep_agenda(self) -> None:
        while (due := self._next_rotation()) is not None:
            secret, handler, version, moment = due
            # One that fails leaves the current value, and is tried again when the rotation next falls due.
            with suppress(LCPlatformError):
                self._rotate(secret, handler, version, moment)

    def _next_rotation(self) -> tuple[Secret, str, str, datetime] | None:
        """The next rotation that has fallen due, begun. What is gone for good on the way there is forgotten."""
        with self._lock:
            agenda, now = self._state.agenda, self._clock.now()
            while agenda and agenda[0][0] <= now:
                moment, name = heapq.heappop(agenda)
                secret = self._state.secrets.get(name)
                if secret is None:
                    continue
                if secret.purge_at is not None:
                    if secret.purge_at <= moment:
                        self._forget(name)
                    continue
                rotation = secret.rotation
                if rotation is None or rotation.due != moment:
                    continue
                rotation.due = moment + rotation.every
                self._note(rotation.due, name)
                self._put(secret)
                if secret.rotating is None and secret.pending is None:
                    secret.rotating = version = self._name()
                    return secret, rotation.handler, version, moment
            return None

    def _forget(self, name: str) -> None:
        del self._state.secrets[name]
        if self._table is not None:
            self._table.remove(name)

    def _put(self, secret: Secret) -> None:
        """Keeps a secret as it is now."""
        if self._table is not None:
            self._table.put(secret.name, secret.record)

    @override
    def _keep(self) -> None:
        if self._table is not None:
            self._table.clear()
            for secret in self._state.secrets.values():
                self._put(secret)

    def _note_all(self, secret: Secret) -> None:
        if secret.purge_at is not None:
            self._note(secret.purge_at, secret.name)
        if secret.rotation is not None:
            self._note(secret.rotation.due, secret.name)

    def _note(self, moment: datetime, name: str) -> None:
        heapq.heappush(self._state.agenda, (moment, name))

    def _find(self, name: str) -> Secret:
        secret = self._state.secrets.get(name)
        if secret is None:
            raise missing("secret", name)
        return secret


def _table(journal: Journal | None) -> Table[SecretRecord] | None:
    """Where secrets are kept, if anywhere: encrypted (FR-011)."""
    return None if journal is None else journal.table("secrets.secret", SecretRecord, sealed=True)


def _repeated(
    secret: Secret, request: CreateSecretRequest | PutSecretValueRequest
) -> Version | None:
    """The version that this very call has added before. Its key must not have come with another value."""
    version = secret.added_with(request.idempotency_key)
    if version is not None and version.value != _kept(request.value):
        raise ConflictError("the idempotency key came with another value before")
    return version


def _kept(value: SecretValue) -> SecretValue:
    """The value as it is kept. Text that is a JSON object is one, since a store knows the text alone."""
    if isinstance(value, str) and value.lstrip(" \t\n\r").startswith("{"):
        try:
            return Json.from_text(value)
        except ValidationError:
            return value
    return value

"""Secrets against a model: their versions and where each stands, rotations, and how long a deleted one can come back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from typing_extensions import override

from lcplatform import Json
from lcplatform.drivers import Drivers
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    InternalError,
    PreconditionFailedError,
    ResourceNotFoundError,
)
from lcplatform.secrets.models import (
    CancelRotationRequest,
    ConfigureRotationRequest,
    CreateSecretRequest,
    DeleteSecretRequest,
    DescribeSecretRequest,
    GetSecretRequest,
    GetSecretsRequest,
    ListSecretsRequest,
    ListSecretVersionsRequest,
    PutSecretValueRequest,
    RestoreSecretRequest,
    RestoreVersionRequest,
    RotateSecretRequest,
    VersionStage,
)
from lcplatform_mock.secrets import MockSecrets
from tests.unit.mock.lives import Lives, attempt, bounded

Value: TypeAlias = str | bytes | Json

NAMES = st.sampled_from(["a", "b/c"])
VALUES = st.sampled_from(["one", b"\x00\xff", Json({"user": "u"})])
KEYS = st.none() | st.sampled_from(["k1", "k2"])
FRESH = st.sampled_from([None, None, None, True, True, False])
STAGES = st.sampled_from([None, VersionStage.CURRENT, VersionStage.PREVIOUS, VersionStage.PENDING])
DAY = timedelta(days=1).total_seconds()


def next_value(value: Value) -> Value:
    """Rotates whatever it is."""
    return value + "+" if isinstance(value, str) else "rotated"


def no_value(value: Value) -> Value:
    """Cannot."""
    raise ArithmeticError


@dataclass
class Version:
    name: str
    value: Value
    key: str | None = None


@dataclass
class Secret:
    """What the model knows of a secret. The versions are in the order in which they came."""

    versions: list[Version]
    etag: str
    tags: dict[str, str]
    stages: dict[VersionStage, str]
    purge: float | None = None
    handler: str | None = None
    every: float = 0.0
    due: float = 0.0

    @property
    def current(self) -> Version:
        return self.version(self.stages[VersionStage.CURRENT])

    @property
    def pending(self) -> bool:
        return VersionStage.PENDING in self.stages

    def version(self, name: str) -> Version:
        return next(it for it in self.versions if it.name == name)

    def with_key(self, key: str | None) -> Version | None:
        return next((it for it in self.versions if key is not None and it.key == key), None)

    def promote(self, name: str, etag: str) -> None:
        before = self.stages[VersionStage.CURRENT]
        if before != name:
            if self.stages.get(VersionStage.PENDING) == name:
                del self.stages[VersionStage.PENDING]
            self.stages |= {VersionStage.CURRENT: name, VersionStage.PREVIOUS: before}
        self.etag = etag

    def rotate(self, version: str, etag: str) -> None:
        self.versions.append(Version(version, next_value(self.current.value)))
        self.promote(version, etag)


@dataclass
class Vault:
    secrets: dict[str, Secret] = field(default_factory=dict)

    def settle(self, now: float) -> None:
        self.secrets = {
            name: it for name, it in self.secrets.items() if it.purge is None or it.purge > now
        }
        for it in self.secrets.values():
            while it.handler and it.purge is None and it.due <= now:
                it.due += it.every
                if it.handler == "next" and not it.pending:
                    it.rotate(f"?{len(it.versions)}", "?")  # what it is called is learned then


class Secrets(Lives[Vault]):
    options = {"rotation_handlers": {"next": next_value, "fails": no_value}}  # noqa: RUF012  nobody changes it

    def __init__(self) -> None:
        super().__init__(Vault())
        self.create("a", "first", None, {})
        self.configure_rotation("a", "next", 3)

    @override
    def taken(self, drivers: Drivers) -> MockSecrets:
        driver = drivers.secrets()
        assert isinstance(driver, MockSecrets)
        self.driver = driver
        return driver

    @override
    def settle(self) -> None:
        self.model.settle(self.now)
        for name, secret in self.model.secrets.items():
            self.learn(name, secret)

    def learn(self, name: str, secret: Secret) -> None:
        """Learns what the versions are called that came by themselves."""
        if secret.etag != "?":
            return
        listed = self.driver.list_secret_versions(ListSecretVersionsRequest(name=name)).versions
        for it, found in zip(secret.versions, reversed(listed), strict=True):
            for stage, at in secret.stages.items():
                if at == it.name:
                    secret.stages[stage] = found.version
            it.name = found.version
        secret.etag = self.etag(name)

    def etag(self, name: str) -> str:
        secret = self.driver.describe_secret(DescribeSecretRequest(name=name)).secret
        assert secret.etag is not None
        return secret.etag

    def alive(self, name: str) -> tuple[Secret | None, type | None]:
        """The secret, and the error that everything meets which needs one that can be read."""
        secret = self.model.secrets.get(name)
        if secret is None:
            return None, ResourceNotFoundError
        return secret, PreconditionFailedError if secret.purge is not None else None

    def condition(self, secret: Secret | None, fresh: bool | None) -> str | None:
        if fresh is None:
            return None
        return secret.etag if secret is not None and fresh else "stale"

    # --- writing

    @rule(name=NAMES, value=VALUES, key=KEYS, tags=st.dictionaries(st.just("t"), st.just("1")))
    def create(self, name: str, value: Value, key: str | None, tags: dict[str, str]) -> None:
        secret, _ = self.alive(name)
        expected: type | None = None
        again = None if secret is None or secret.purge is not None else secret.with_key(key)
        if again is not None:
            expected = None if again.value == value else ConflictError
        elif secret is not None:
            expected = AlreadyExistsError
        request = CreateSecretRequest(name=name, value=value, idempotency_key=key, tags=tags)
        made, refused = attempt(lambda: self.driver.create_secret(request))
        assert refused is expected
        if made is None:
            return
        if again is not None:
            assert made.version == again.name
            return
        self.model.secrets[name] = Secret(
            [Version(made.version, value, key)],
            made.etag,
            tags,
            {VersionStage.CURRENT: made.version},
        )

    @rule(name=NAMES, value=VALUES, key=KEYS, pending=st.booleans(), fresh=FRESH)
    def put(
        self, name: str, value: Value, key: str | None, pending: bool, fresh: bool | None
    ) -> None:
        secret, expected = self.alive(name)
        again = None if secret is None else secret.with_key(key)
        if expected is None and secret is not None:
            if again is not None:
                expected = None if again.value == value else ConflictError
            elif fresh is False or (pending and secret.pending):
                expected = ConflictError
        request = PutSecretValueRequest(
            name=name,
            value=value,
            idempotency_key=key,
            pending=pending,
            if_match=self.condition(secret, fresh),
        )
        made, refused = attempt(lambda: self.driver.put_secret_value(request))
        assert refused is expected
        if made is None or secret is None:
            return
        if again is not None:
            assert made.version == again.name
            return
        secret.versions.append(Version(made.version, value, key))
        if pending:
            secret.stages[VersionStage.PENDING] = made.version
        else:
            assert made.etag != secret.etag
            secret.promote(made.version, made.etag)

    @rule(name=NAMES, fresh=FRESH, data=st.data())
    def restore_version(self, name: str, fresh: bool | None, data: st.DataObject) -> None:
        secret, expected = self.alive(name)
        names = ["never"] + ([it.name for it in secret.versions] if secret is not None else [])
        version = data.draw(st.sampled_from(names[::-1]))
        if expected is None:
            if fresh is False:
                expected = ConflictError
            elif version == "never":
                expected = ResourceNotFoundError
        request = RestoreVersionRequest(
            name=name, version=version, if_match=self.condition(secret, fresh)
        )
        done, refused = attempt(lambda: self.driver.restore_version(request))
        assert refused is expected
        if done is not None and secret is not None:
            secret.promote(version, done.etag)

    # --- deleting
    # One at a time, so that there is always something left to work on.

    @precondition(lambda self: all(it.purge is None for it in self.model.secrets.values()))
    @rule(name=NAMES, days=st.integers(7, 10), fresh=FRESH)
    def delete(self, name: str, days: int, fresh: bool | None) -> None:
        secret = self.model.secrets.get(name)
        expected: type | None = ResourceNotFoundError if secret is None else None
        if secret is not None and fresh is False:
            expected = ConflictError
        request = DeleteSecretRequest(
            name=name,
            recovery_window=timedelta(days=days),
            if_match=self.condition(secret, fresh),
        )
        _, refused = attempt(lambda: self.driver.delete_secret(request))
        assert refused is expected
        if refused is None and secret is not None and secret.purge is None:
            secret.purge = self.now + days * DAY

    @precondition(lambda self: any(it.purge is not None for it in self.model.secrets.values()))
    @rule(name=NAMES)
    def restore(self, name: str) -> None:
        secret = self.model.secrets.get(name)
        _, refused = attempt(lambda: self.driver.restore_secret(RestoreSecretRequest(name=name)))
        assert refused is (ResourceNotFoundError if secret is None else None)
        if secret is not None and secret.purge is not None:
            secret.purge = None
            secret.due = self.now + secret.every

    @rule(days=st.integers(1, 3))
    def wait(self, days: int) -> None:
        self.pass_time(timedelta(days=days))

    # --- rotating

    @rule(
        name=NAMES,
        handler=st.sampled_from(["next", "next", "fails", "who"]),
        days=st.integers(1, 5),
    )
    def configure_rotation(self, name: str, handler: str, days: int) -> None:
        secret, expected = self.alive(name)
        if expected is None and handler == "who":
            expected = ResourceNotFoundError
        request = ConfigureRotationRequest(name=name, handler=handler, every=timedelta(days=days))
        _, refused = attempt(lambda: self.driver.configure_rotation(request))
        assert refused is expected
        if refused is None and secret is not None:
            secret.handler, secret.every = handler, days * DAY
            secret.due = self.now + secret.every

    @rule(name=NAMES)
    def rotate(self, name: str) -> None:
        secret, expected = self.alive(name)
        if expected is None and secret is not None:
            if secret.handler is None:
                expected = PreconditionFailedError
            elif secret.pending:
                expected = ConflictError
            elif secret.handler == "fails":
                expected = InternalError
        made, refused = attempt(lambda: self.driver.rotate_secret(RotateSecretRequest(name=name)))
        assert refused is expected
        if made is not None and secret is not None:
            secret.rotate(made.version, self.etag(name))

    @rule(name=NAMES)
    def cancel_rotation(self, name: str) -> None:
        secret, expected = self.alive(name)
        _, refused = attempt(lambda: self.driver.cancel_rotation(CancelRotationRequest(name=name)))
        assert refused is expected
        if refused is None and secret is not None:
            secret.stages.pop(VersionStage.PENDING, None)

    # --- reading

    @rule(name=NAMES, stage=STAGES, data=st.data())
    def read(self, name: str, stage: VersionStage | None, data: st.DataObject) -> None:
        secret, expected = self.alive(name)
        names = ["never"] + ([it.name for it in secret.versions] if secret is not None else [])
        version = data.draw(st.none() | st.sampled_from(names)) if stage is None else None
        request = GetSecretRequest(name=name, version=version, stage=stage)
        answer, refused = attempt(lambda: self.driver.get_secret(request))
        if expected is not None or secret is None:
            assert refused is expected
            return
        wanted = version or secret.stages.get(stage or VersionStage.CURRENT, "never")
        if wanted == "never":
            assert refused is ResourceNotFoundError
            return
        assert answer is not None
        assert (answer.version, answer.value) == (wanted, secret.version(wanted).value)
        assert set(answer.stages) == {it for it, at in secret.stages.items() if at == wanted}
        assert answer.etag == (secret.etag if wanted == secret.current.name else None)

    @rule(prefix=st.sampled_from(["", "b", "z"]), deleted=st.booleans(), size=st.integers(1, 2))
    def list_in_pages(self, prefix: str, deleted: bool, size: int) -> None:
        found: list[str] = []
        token = ""
        while True:
            page = self.driver.list_secrets(
                ListSecretsRequest(
                    prefix=prefix, include_deleted=deleted, page_size=size, page_token=token
                )
            )
            assert len(page.secrets) <= size
            found += [it.name for it in page.secrets]
            token = page.next_page_token
            if not token:
                break
        assert found == sorted(
            name
            for name, it in self.model.secrets.items()
            if name.startswith(prefix) and (deleted or it.purge is None)
        )

    # --- always

    @invariant()
    def the_current_values_are_read_together(self) -> None:
        answer = self.driver.get_secrets(GetSecretsRequest(names=("a", "b", "b/c")))
        alive = {name: it for name, it in self.model.secrets.items() if it.purge is None}
        assert {it.name: (it.version, it.value) for it in answer.successful} == {
            name: (it.current.name, it.current.value) for name, it in alive.items()
        }
        assert len(answer.failed) == 3 - len(alive)

    @invariant()
    def everything_is_known_of_each_secret(self) -> None:
        for name, secret in self.model.secrets.items():
            info = self.driver.describe_secret(DescribeSecretRequest(name=name)).secret
            assert (info.version, info.etag) == (secret.current.name, secret.etag)
            assert dict(info.tags) == secret.tags
            assert info.rotation_handler == secret.handler
            assert (info.purge_at is None) is (secret.purge is None)
            listed = self.driver.list_secret_versions(ListSecretVersionsRequest(name=name))
            assert [(it.version, set(it.stages)) for it in reversed(listed.versions)] == [
                (it.name, {stage for stage, at in secret.stages.items() if at == it.name})
                for it in secret.versions
            ]


TestSecrets = Secrets.TestCase
TestSecrets.settings = bounded(16)

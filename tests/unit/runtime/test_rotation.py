"""`rotate_with`: the new value waits as pending until it is proved, and whatever fails leaves the old one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import pytest

from lcplatform_runtime.errors import (
    ConflictError,
    Outcome,
    ResourceNotFoundError,
    ServiceUnavailableError,
)
from lcplatform_runtime.extensions.secrets import (
    AsyncSecretRotating,
    SecretRotating,
    Value,
)
from lcplatform_runtime.json_value import Json, JsonInput
from lcplatform_runtime.options import CallOptions

New: TypeAlias = "Value | JsonInput"


@dataclass(frozen=True)
class Version:
    version: str
    value: Value
    etag: str | None = None


def _as_json(value: New) -> Value:
    """As a secret is read: text that is a JSON object comes as one."""
    if isinstance(value, str) and value.startswith('{"'):
        return Json.from_text(value)
    return value if isinstance(value, str | bytes | Json) else Json(value)


class Secrets(SecretRotating):
    """One secret with its versions, as the service keeps them."""

    def __init__(self, value: Value = "old") -> None:
        self.versions = {"v1": value}
        self.current = "v1"
        self.pending: str | None = None
        self.cached = value
        self.keys: list[str | None] = []
        self.fail: dict[str, Exception] = {}
        self.lose: set[str] = set()

    def get_secret(self, name: str, *, options: CallOptions | None = None) -> Version:
        self._failing("get_secret")
        if name != "db":
            raise ResourceNotFoundError("no such secret")
        if options is None or not options.bypass_cache:
            return Version("v0", self.cached, "stale")
        return Version(self.current, self.versions[self.current], self._etag())

    def put_secret_value(
        self,
        name: str,
        value: New,
        *,
        pending: bool = False,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Version:
        self._failing("put_secret_value")
        self.keys.append(idempotency_key)
        assert pending
        if self.pending is not None:
            raise ConflictError("a rotation is under way")
        self._check(if_match)
        self.pending = f"v{len(self.versions) + 1}"
        self.versions[self.pending] = _as_json(value)
        return Version(self.pending, "", self._etag())

    def restore_version(self, name: str, *, version: str, if_match: str | None = None) -> Version:
        self._failing("restore_version")
        self._check(if_match)
        self.current, self.pending = version, None
        if "restore_version" in self.lose:
            raise ServiceUnavailableError("the answer got lost")
        return Version(version, "", self._etag())

    def cancel_rotation(self, name: str) -> None:
        self._failing("cancel_rotation")
        self.pending = None

    def changed_by_another(self, value: Value) -> None:
        self.current = f"v{len(self.versions) + 1}"
        self.versions[self.current] = value

    @property
    def value(self) -> Value:
        return self.versions[self.current]

    def _check(self, if_match: str | None) -> None:
        if if_match != self._etag():
            raise ConflictError("stale")

    def _etag(self) -> str:
        return f"etag of {self.current}"

    def _failing(self, method: str) -> None:
        if method in self.fail:
            raise self.fail[method]


class AsyncSecrets(AsyncSecretRotating):
    """The same, awaited."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    async def get_secret(self, name: str, *, options: CallOptions | None = None) -> Version:
        await asyncio.sleep(0)
        return self._secrets.get_secret(name, options=options)

    async def put_secret_value(
        self,
        name: str,
        value: New,
        *,
        pending: bool = False,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Version:
        return self._secrets.put_secret_value(
            name, value, pending=pending, if_match=if_match, idempotency_key=idempotency_key
        )

    async def restore_version(
        self, name: str, *, version: str, if_match: str | None = None
    ) -> Version:
        return self._secrets.restore_version(name, version=version, if_match=if_match)

    async def cancel_rotation(self, name: str) -> None:
        await asyncio.sleep(0)
        self._secrets.cancel_rotation(name)


Rotate = Callable[..., str]


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


@pytest.fixture(params=["blocking", "async", "async with async functions"])
def rotate(request: pytest.FixtureRequest, secrets: Secrets) -> Rotate:
    """`rotate_with` of either colour."""

    def rotate(
        name: str, fn: Callable[[Value], New], test: Callable[[New], object] | None = None
    ) -> str:
        if request.param == "blocking":
            return secrets.rotate_with(name, fn, test=test)
        if request.param == "async":
            return asyncio.run(AsyncSecrets(secrets).rotate_with(name, fn, test=test))

        def awaited(one: Callable[..., object]) -> Callable[..., Awaitable[object]]:
            async def call(value: object) -> object:
                await asyncio.sleep(0)
                return one(value)

            return call

        return asyncio.run(
            AsyncSecrets(secrets).rotate_with(
                name,
                awaited(fn),  # type: ignore[arg-type]  # it returns what `fn` does
                test=awaited(test) if test else None,
            )
        )

    return rotate


def test_the_new_value_is_made_from_the_current_one_and_not_from_a_kept_one(
    secrets: Secrets, rotate: Rotate
) -> None:
    secrets.versions["v1"] = "newer than the cache"

    version = rotate("db", lambda value: f"{value}, rotated")

    assert version == secrets.current == "v2"
    assert secrets.value == "newer than the cache, rotated"
    assert secrets.pending is None
    assert secrets.keys[0] is not None
    assert len(secrets.keys[0]) == 32


def test_the_new_value_is_pending_and_not_current_while_it_is_tested(
    secrets: Secrets, rotate: Rotate
) -> None:
    def test(value: New) -> None:
        assert value == "new"
        assert secrets.value == "old"
        assert secrets.pending == "v2"

    rotate("db", lambda _: "new", test)

    assert secrets.value == "new"


def test_a_value_that_fails_its_test_is_withdrawn(secrets: Secrets, rotate: Rotate) -> None:
    def test(_: New) -> None:
        raise PermissionError("login failed")

    with pytest.raises(PermissionError):
        rotate("db", lambda _: "new", test)
    assert secrets.value == "old"
    assert secrets.pending is None


def test_a_function_that_fails_leaves_nothing_behind(secrets: Secrets, rotate: Rotate) -> None:
    with pytest.raises(ZeroDivisionError):
        rotate("db", lambda _: str(1 / 0))
    assert secrets.versions == {"v1": "old"}


def test_a_second_rotation_is_refused_and_the_first_not_disturbed(
    secrets: Secrets, rotate: Rotate
) -> None:
    secrets.pending = "v9"

    with pytest.raises(ConflictError, match="under way"):
        rotate("db", lambda _: "new")
    assert secrets.pending == "v9"


@pytest.mark.parametrize("when", ["while it is made", "while it is tested"])
def test_a_change_by_somebody_else_wins(secrets: Secrets, rotate: Rotate, when: str) -> None:
    def fn(_: Value) -> New:
        if when == "while it is made":
            secrets.changed_by_another("theirs")
        return "new"

    def test(_: New) -> None:
        if when == "while it is tested":
            secrets.changed_by_another("theirs")

    with pytest.raises(ConflictError, match="stale"):
        rotate("db", fn, test)
    assert secrets.value == "theirs"
    assert secrets.pending is None


@pytest.mark.parametrize(
    "value", ["new", b"new", {"user": "app", "password": "new"}, '{"user": "app"}', "{not JSON"]
)
def test_a_rotation_whose_answer_got_lost_counts(
    secrets: Secrets, rotate: Rotate, value: New
) -> None:
    secrets.lose.add("restore_version")

    assert rotate("db", lambda _: value) == "v2"
    assert secrets.value == _as_json(value)


def test_a_value_that_may_have_been_stored_is_noted_on_the_error(
    secrets: Secrets, rotate: Rotate
) -> None:
    secrets.fail["put_secret_value"] = ServiceUnavailableError("reset")
    with pytest.raises(ServiceUnavailableError) as caught:
        rotate("db", lambda _: "new")
    assert "cancel_rotation" in caught.value.__notes__[0]
    secrets.fail["put_secret_value"] = ConflictError("stale")
    with pytest.raises(ConflictError) as refused:
        rotate("db", lambda _: "new")
    assert not hasattr(refused.value, "__notes__")


def test_a_promotion_that_fails_is_withdrawn(secrets: Secrets, rotate: Rotate) -> None:
    secrets.fail["restore_version"] = ServiceUnavailableError(
        "refused", outcome=Outcome.NOT_EXECUTED
    )

    with pytest.raises(ServiceUnavailableError):
        rotate("db", lambda _: "new")
    assert secrets.value == "old"
    assert secrets.pending is None


def test_a_withdrawal_that_fails_too_is_noted_on_the_error(
    secrets: Secrets, rotate: Rotate
) -> None:
    secrets.fail["cancel_rotation"] = ServiceUnavailableError("gone")

    def test(_: New) -> None:
        raise PermissionError("login failed")

    with pytest.raises(PermissionError) as caught:
        rotate("db", lambda _: "new", test)
    assert "cancel_rotation" in caught.value.__notes__[0]
    assert "new" not in caught.value.__notes__[0]


def test_a_missing_secret_is_not_found(rotate: Rotate) -> None:
    with pytest.raises(ResourceNotFoundError):
        rotate("nope", lambda _: "new")


def test_a_cancelled_rotation_is_withdrawn(secrets: Secrets) -> None:
    async def main() -> None:
        testing = asyncio.Event()

        async def stuck(_: object) -> None:
            testing.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(
            AsyncSecrets(secrets).rotate_with("db", lambda _: "new", test=stuck)
        )
        await testing.wait()
        assert secrets.pending == "v2"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert secrets.value == "old"
    assert secrets.pending is None

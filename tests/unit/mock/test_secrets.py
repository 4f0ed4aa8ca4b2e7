"""What scenarios cannot tell of secrets: rotation by handlers, schedules, quotas, races and silence."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import (
    ConflictError,
    InternalError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.secrets.client import Secrets
from lcplatform.secrets.models import CreateSecretRequest, GetSecretRequest, VersionStage
from lcplatform_mock.provider import provider
from lcplatform_mock.secrets import MockSecrets
from lcplatform_mock.vault import MAX_VERSIONS
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.race import RUNNERS, race

DAY = timedelta(days=1)
FRESH = CallOptions(bypass_cache=True)
CANARY = "canary-5e1f"

Value = str | bytes | Json


@contextmanager
def rotating(clock: ManualClock, **handlers: Callable[[Value], object]) -> Iterator[Secrets]:
    """Secrets with these rotation handlers."""
    with LCPlatform("mock", clock=clock, rotation_handlers=handlers) as platform:
        yield platform.secrets


def longer(value: Value) -> Value:
    assert isinstance(value, str)
    return f"{value}+"


def value(secrets: Secrets, name: str, stage: VersionStage | None = None) -> Value:
    return secrets.get_secret(name, stage=stage, options=FRESH).value


# --- rotation


def test_a_rotation_makes_the_handlers_value_current(clock: ManualClock) -> None:
    with rotating(clock, longer=longer) as secrets:
        secrets.create_secret("password", "old")
        answer = secrets.configure_rotation("password", every=30 * DAY, handler="longer")
        assert answer.next_rotation == clock.now() + 30 * DAY
        version = secrets.rotate_secret("password").version
        assert value(secrets, "password") == "old+"
        assert value(secrets, "password", VersionStage.PREVIOUS) == "old"
        info = secrets.describe_secret("password").secret
        assert (info.version, info.rotation_handler, info.rotate_every) == (
            version,
            "longer",
            30 * DAY,
        )


def test_a_schedule_rotates_at_each_of_its_moments(clock: ManualClock) -> None:
    with rotating(clock, longer=longer) as secrets:
        secrets.create_secret("password", "p")
        secrets.configure_rotation("password", every=DAY, handler="longer")
        start = clock.now()
        clock.advance(DAY - timedelta(seconds=1))
        assert value(secrets, "password") == "p"
        clock.advance(2 * DAY)
        versions = secrets.list_secret_versions("password").versions
        assert [it.created_at for it in versions] == [start + 2 * DAY, start + DAY, start]
        assert value(secrets, "password") == "p++"


def test_advancing_the_clock_calls_handlers_though_nobody_looks() -> None:
    called = threading.Event()

    def handler(value: Value) -> Value:
        called.set()
        return b"new"

    with LCPlatform("mock", rotation_handlers={"h": handler}) as platform:
        platform.secrets.create_secret("password", "old")
        platform.secrets.configure_rotation("password", every=DAY, handler="h")
        platform.control.advance_clock(DAY)
        assert called.is_set()


def test_a_new_schedule_takes_the_place_of_the_old(clock: ManualClock) -> None:
    with rotating(clock, longer=longer, never=lambda _: "never") as secrets:
        secrets.create_secret("password", "p")
        secrets.configure_rotation("password", every=DAY, handler="never")
        secrets.configure_rotation("password", every=2 * DAY, handler="longer")
        clock.advance(3 * DAY)
        assert value(secrets, "password") == "p+"


def test_a_deleted_secret_is_not_rotated(clock: ManualClock) -> None:
    with rotating(clock, longer=longer) as secrets:
        secrets.create_secret("password", "p")
        secrets.configure_rotation("password", every=DAY, handler="longer")
        secrets.delete_secret("password")
        clock.advance(5 * DAY)
        secrets.restore_secret("password")
        assert value(secrets, "password") == "p"
        clock.advance(DAY)
        assert value(secrets, "password") == "p+"
        secrets.delete_secret("password", recovery_window=7 * DAY)
        clock.advance(7 * DAY)
        assert not secrets.exists("password")
        secrets.create_secret("password", "new")
        clock.advance(7 * DAY)
        assert value(secrets, "password") == "new"


def test_a_handler_that_fails_changes_nothing_and_says_nothing_of_the_value(
    clock: ManualClock,
) -> None:
    def failing(value: Value) -> Value:
        raise RuntimeError(f"cannot use {value!r}")

    with rotating(clock, failing=failing, odd=lambda _: [CANARY], empty=lambda _: "") as secrets:
        secrets.create_secret("password", CANARY)
        for handler in ("failing", "odd", "empty"):
            secrets.configure_rotation("password", every=DAY, handler=handler)
            with pytest.raises(InternalError) as caught:
                secrets.rotate_secret("password")
            assert CANARY not in "".join(traceback.format_exception(caught.value))
            assert caught.value.details["handler"] == handler
            assert caught.value.__context__ is None
        clock.advance(3 * DAY)
        assert value(secrets, "password") == CANARY
        assert len(secrets.list_secret_versions("password").versions) == 1


def test_only_one_rotation_is_under_way(clock: ManualClock) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(value: Value) -> Value:
        entered.set()
        assert leave.wait(10)
        return longer(value)

    with rotating(clock, slow=slow) as secrets:
        secrets.create_secret("password", "p")
        secrets.configure_rotation("password", every=DAY, handler="slow")
        rotation = threading.Thread(target=secrets.rotate_secret, args=("password",))
        rotation.start()
        assert entered.wait(10)
        with pytest.raises(ConflictError):
            secrets.rotate_secret("password")
        with pytest.raises(ConflictError):
            secrets.put_secret_value("password", "mine", pending=True)
        assert value(secrets, "password") == "p"
        clock.advance(DAY)  # the schedule does not join it either
        assert value(secrets, "password") == "p"
        leave.set()
        rotation.join(10)
        assert value(secrets, "password") == "p+"


def test_a_rotation_that_is_cancelled_changes_nothing(clock: ManualClock) -> None:
    def cancelling(value: Value) -> Value:
        secrets.cancel_rotation("password")
        return longer(value)

    with rotating(clock, cancelling=cancelling) as secrets:
        secrets.create_secret("password", "p")
        secrets.configure_rotation("password", every=DAY, handler="cancelling")
        with pytest.raises(ConflictError):
            secrets.rotate_secret("password")
        assert value(secrets, "password") == "p"
        assert secrets.put_secret_value("password", "mine", pending=True).version


def test_a_pending_version_is_a_rotation_under_way(clock: ManualClock) -> None:
    with rotating(clock, longer=longer) as secrets:
        secrets.create_secret("password", "p")
        secrets.configure_rotation("password", every=DAY, handler="longer")
        secrets.put_secret_value("password", "waits", pending=True)
        with pytest.raises(ConflictError):
            secrets.rotate_secret("password")
        clock.advance(DAY)
        assert value(secrets, "password") == "p"
        secrets.cancel_rotation("password")
        assert secrets.rotate_secret("password").version


def test_a_version_or_stage_that_is_missing_is_told_with_the_name_of_the_secret(
    clock: ManualClock,
) -> None:
    with rotating(clock, longer=longer) as secrets:
        secrets.create_secret("password", "p")
        for missing in (
            lambda: secrets.get_secret("password", stage=VersionStage.PREVIOUS),
            lambda: secrets.get_secret("password", version="none"),
            lambda: secrets.restore_version("password", version="none"),
        ):
            with pytest.raises(ResourceNotFoundError) as error:
                missing()
            assert error.value.resource == "password"


def test_a_handler_must_be_known_and_a_schedule_in_whole_days(clock: ManualClock) -> None:
    with rotating(clock, longer=longer) as secrets:
        secrets.create_secret("password", "p")
        with pytest.raises(ResourceNotFoundError):
            secrets.configure_rotation("password", every=DAY, handler="other")
        with pytest.raises(ValidationError):
            secrets.configure_rotation("password", every=1.5 * DAY, handler="longer")
        with pytest.raises(ValidationError):
            secrets.delete_secret("password", recovery_window=7.5 * DAY)
        assert secrets.describe_secret("password").secret.rotation_handler is None


# --- versions


def test_of_many_writers_with_the_same_etag_one_wins(secrets: Secrets) -> None:
    etag = secrets.create_secret("token", "0").etag
    results = race(lambda number: secrets.put_secret_value("token", f"{number}", if_match=etag))
    assert sum(isinstance(it, ConflictError) for it in results) == RUNNERS - 1
    assert len(secrets.list_secret_versions("token").versions) == 2


def test_of_many_pending_versions_one_waits(secrets: Secrets) -> None:
    secrets.create_secret("token", "0")
    results = race(lambda number: secrets.put_secret_value("token", f"{number}", pending=True))
    assert sum(isinstance(it, ConflictError) for it in results) == RUNNERS - 1


def test_a_stale_etag_stays_stale_when_an_earlier_value_comes_back(secrets: Secrets) -> None:
    first = secrets.create_secret("token", "first")
    secrets.put_secret_value("token", "second")
    restored = secrets.restore_version("token", version=first.version)
    assert restored.version == first.version
    assert restored.etag != first.etag
    with pytest.raises(ConflictError):
        secrets.put_secret_value("token", "third", if_match=first.etag)


def test_making_the_current_version_current_changes_nothing(
    secrets: Secrets, clock: ManualClock
) -> None:
    first = secrets.create_secret("token", "first")
    before = secrets.describe_secret("token")
    clock.advance(1)
    assert secrets.restore_version("token", version=first.version).etag == first.etag
    assert secrets.describe_secret("token") == before


def test_a_pending_version_leaves_the_etag(secrets: Secrets) -> None:
    etag = secrets.create_secret("token", "first").etag
    assert secrets.put_secret_value("token", "second", pending=True).etag == etag
    assert secrets.put_secret_value("token", "third", if_match=etag).etag != etag
    assert value(secrets, "token", VersionStage.PENDING) == "second"


def test_the_oldest_version_that_stands_nowhere_makes_room(
    secrets: Secrets, clock: ManualClock
) -> None:
    first = secrets.create_secret("token", "0", idempotency_key="key-0").version
    second = secrets.put_secret_value("token", "1").version
    secrets.restore_version("token", version=first)
    for number in range(2, MAX_VERSIONS):
        secrets.put_secret_value("token", f"{number}", pending=number == 2)
    with pytest.raises(QuotaExceededError) as caught:
        secrets.put_secret_value("token", "one too many")
    assert not caught.value.retryable
    clock.advance(DAY)
    secrets.put_secret_value("token", "the next")
    versions = [it.version for it in secrets.iter_secret_versions("token")]
    assert len(versions) == MAX_VERSIONS
    assert first not in versions
    assert versions[-1] == second
    assert value(secrets, "token", VersionStage.PENDING) == "2"
    assert secrets.put_secret_value("token", "0", idempotency_key="key-0").version != first


def test_pages_of_versions_are_not_shifted_by_new_ones(secrets: Secrets) -> None:
    names = [secrets.create_secret("token", "0").version]
    names += [secrets.put_secret_value("token", f"{number}").version for number in range(5)]
    page = secrets.list_secret_versions("token", page_size=2)
    seen = [it.version for it in page.versions]
    secrets.put_secret_value("token", "new")
    while page.next_page_token:
        page = secrets.list_secret_versions("token", page_size=2, page_token=page.next_page_token)
        seen += [it.version for it in page.versions]
    assert seen == names[::-1]


def test_a_key_tells_repetitions_of_a_creation_too(secrets: Secrets) -> None:
    first = secrets.create_secret("token", "x", idempotency_key="k")
    assert secrets.create_secret("token", "x", idempotency_key="k") == first
    with pytest.raises(ConflictError):
        secrets.create_secret("token", "y", idempotency_key="k")
    with pytest.raises(ConflictError):
        secrets.put_secret_value("token", b"x", idempotency_key="k")
    assert secrets.put_secret_value("token", "x", idempotency_key="k").version == first.version


def test_a_repetition_is_recognized_whatever_has_happened_since(secrets: Secrets) -> None:
    etag = secrets.create_secret("token", "first").etag
    once = secrets.put_secret_value("token", "second", if_match=etag, idempotency_key="k")
    secrets.put_secret_value("token", "third")
    again = secrets.put_secret_value("token", "second", if_match=etag, idempotency_key="k")
    assert again.version == once.version
    assert value(secrets, "token") == "third"


def test_text_that_is_a_json_object_is_read_as_one(secrets: Secrets) -> None:
    secrets.create_secret("token", ' {"pin": 1}')
    assert value(secrets, "token") == Json({"pin": 1})
    secrets.put_secret_value("token", '{"pin": ')
    assert value(secrets, "token") == '{"pin": '
    secrets.put_secret_value("token", "[1]")
    assert value(secrets, "token") == "[1]"


def test_what_was_read_before_does_not_hide_where_a_version_stands_now(secrets: Secrets) -> None:
    def stages(version: str) -> tuple[VersionStage, ...]:
        return secrets.get_secret("token", version=version, options=FRESH).stages

    first = secrets.create_secret("token", "first").version
    assert stages(first) == (VersionStage.CURRENT,)
    second = secrets.put_secret_value("token", "second", pending=True).version
    assert stages(second) == (VersionStage.PENDING,)
    secrets.cancel_rotation("token")
    assert stages(second) == ()
    secrets.restore_version("token", version=second)
    assert (stages(first), stages(second)) == ((VersionStage.PREVIOUS,), (VersionStage.CURRENT,))


# --- deleting


def test_deleting_again_does_not_move_the_end(secrets: Secrets, clock: ManualClock) -> None:
    secrets.create_secret("token", "x")
    end = secrets.delete_secret("token", recovery_window=7 * DAY).purge_at
    clock.advance(3 * DAY)
    assert secrets.delete_secret("token").purge_at == end
    secrets.restore_secret("token")
    clock.advance(10 * DAY)
    assert value(secrets, "token") == "x"
    secrets.delete_secret("token", recovery_window=8 * DAY)
    clock.advance(7 * DAY)
    assert secrets.exists("token")
    clock.advance(DAY)
    assert not secrets.exists("token")


def test_what_is_deleted_can_only_be_looked_at_and_restored(secrets: Secrets) -> None:
    version = secrets.create_secret("token", "x").version
    secrets.delete_secret("token")
    refused: list[Callable[[], object]] = [
        lambda: secrets.get_secret("token"),
        lambda: secrets.put_secret_value("token", "y"),
        lambda: secrets.restore_version("token", version=version),
        lambda: secrets.configure_rotation("token", every=DAY, handler="h"),
        lambda: secrets.rotate_secret("token"),
        lambda: secrets.cancel_rotation("token"),
    ]
    for call in refused:
        with pytest.raises(PreconditionFailedError):
            call()
    assert len(secrets.list_secret_versions("token").versions) == 1


# --- silence


def test_no_repr_and_no_error_holds_a_value() -> None:
    driver = provider.connect({}, asynchronous=False).secrets()
    assert isinstance(driver, MockSecrets)
    driver.create_secret(CreateSecretRequest(name="token", value=CANARY, idempotency_key="k"))
    vault = driver._state
    secret = vault.secrets["token"]
    answer = driver.get_secret(GetSecretRequest(name="token"))
    shown = [repr(it) for it in (driver, vars(driver), vault, vars(secret), secret.current, answer)]
    with pytest.raises(ConflictError) as caught:
        driver.create_secret(
            CreateSecretRequest(name="token", value=f"{CANARY}2", idempotency_key="k")
        )
    shown += [repr(caught.value), *traceback.format_exception(caught.value)]
    assert CANARY not in "".join(shown)

"""What can be chosen when a platform connects to the mock."""

# Annotations are compiled with this module, which pydantic would do at each import.

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import pydantic
from pydantic import (
    BeforeValidator,
    Field,
    InstanceOf,
    PlainValidator,
    SecretStr,
    ValidationInfo,
)

from lcplatform_mock.clock import RunningClock
from lcplatform_runtime.clock import Clock
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import Request, refusal


def _later(module: str, model: str) -> PlainValidator:
    """Settings of one service, whose module is imported when they are given: who does without need not wait for it."""

    def checked(value: object, info: ValidationInfo) -> object:
        if value is None:
            return None
        settings = getattr(import_module(module), model)
        try:
            return settings.model_validate(value)
        except pydantic.ValidationError as error:
            problem = refusal(settings, error, place=info.field_name or "")
        raise problem  # outside of the handler: what pydantic raises holds the values

    return PlainValidator(checked)


if TYPE_CHECKING:
    from lcplatform_mock.event_settings import EventBusSettings
    from lcplatform_mock.hosting import WebHostingSettings
    from lcplatform_mock.images import BatchSettings
    from lcplatform_mock.issuer.settings import AuthenticationSettings
    from lcplatform_mock.notification_settings import NotificationSettings
else:
    EventBusSettings = Annotated[Any, _later("lcplatform_mock.event_settings", "EventBusSettings")]
    WebHostingSettings = Annotated[Any, _later("lcplatform_mock.hosting", "WebHostingSettings")]
    BatchSettings = Annotated[Any, _later("lcplatform_mock.images", "BatchSettings")]
    AuthenticationSettings = Annotated[
        Any, _later("lcplatform_mock.issuer.settings", "AuthenticationSettings")
    ]
    NotificationSettings = Annotated[
        Any, _later("lcplatform_mock.notification_settings", "NotificationSettings")
    ]

RotationHandler: TypeAlias = Callable[[str | bytes | Json], str | bytes | Json]
"""Makes the next value of a secret from the current one."""

_Share = Annotated[float, Field(ge=0, le=1)]


class Adversity(Request):
    """How hard the mock makes it for an application, within what the contract allows.

    Chance decides with the platform's seed: the same seed and the same calls in the same order meet the same fate.
    """

    shuffle: bool = True
    """Queues that promise no order keep none."""

    duplicates: _Share = 0.1
    """The share of received messages that are delivered a second time, as at-least-once delivery may. Not on FIFO
    queues."""

    new_handles: bool = True
    """Changing the visibility of a message gives it another receipt handle, and the old one no longer works."""

    errors: _Share = 0.05
    """The share of calls that are refused before they had any effect: throttled or unavailable. A retry may succeed."""

    lost_answers: _Share = 0.02
    """The share of calls that take effect and whose answer is lost, so that their outcome is unknown to the caller."""

    latency: Annotated[timedelta, Field(ge=0, le=60)] = timedelta(milliseconds=2)
    """The longest time for which a call is held up, on the mock's clock."""


def _adversity(value: object) -> object:
    """`true` is the usual adversity, `false` is none; environment variables say so in words."""
    match str(value).lower():
        case "true" | "1" | "yes" | "on":
            return Adversity()
        case "false" | "0" | "no" | "off" | "none":
            return None
        case _:
            return value


def _clock(value: object) -> object:
    missing = [it for it in ("now", "monotonic", "sleep", "wait") if not hasattr(value, it)]
    if missing:
        raise ValueError(f"a clock is needed, with {', '.join(missing)}")
    return value


class DataStoreSettings(Request):
    """The database behind the data store."""

    engine: Literal["sqlite", "postgresql"] = "sqlite"
    """SQLite as if it were PostgreSQL, which starts at once; or a real PostgreSQL of the mock's own, which takes about two
    seconds and `lcplatform[postgresql]`."""

    pool_size: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many connections are open at most."""

    lock_wait: Annotated[timedelta, Field(ge=timedelta(), le=timedelta(minutes=5))] = timedelta(
        seconds=2
    )
    """For how long, in real time, a statement waits for another transaction that writes before it is refused."""

    password_secret: Annotated[str, Field(min_length=1, max_length=255)] = "lcplatform-data-store"  # noqa: S105  a name
    """The secret in which the password of PostgreSQL is put when somebody asks where the database is."""


class MockSettings(Request):
    """The options of the mock provider."""

    clock: Annotated[Clock, PlainValidator(_clock)] = Field(default_factory=RunningClock)
    """The time of every service: by default the machine's, which `control.advance_clock` moves ahead. A test that wants
    time to stand still gives a `ManualClock`."""

    seed: int | None = None
    """Makes everything that chance decides repeatable."""

    adversarial: Annotated[Adversity | None, BeforeValidator(_adversity)] = None
    """True, or the fields of `Adversity`: shuffled order, duplicates, errors and latency."""

    data_store: DataStoreSettings = DataStoreSettings.model_construct()
    """The database behind the data store."""

    state: Path | None = None
    """A directory in which everything is kept across restarts. One platform at a time uses it. Without one, the state ends
    with the platform."""

    state_key: SecretStr | None = None
    """What encrypts secrets and keys in that directory: a Fernet key (32 bytes in URL-safe base64). By default one is made
    there, for its owner's eyes alone."""

    http_listen: Annotated[str, Field(pattern=r"^(127(\.\d{1,3}){3}|localhost):\d{1,5}$")] = (
        "127.0.0.1:0"
    )
    """Where presigned URLs are answered, on this machine only. Port 0 takes any that is free. Opened at first use."""

    web_hosting: WebHostingSettings | None = None
    """How applications are run."""

    rotation_handlers: dict[str, InstanceOf[Callable[..., object]]] = Field(default_factory=dict)
    """Who rotates secrets, by the name that `configure_rotation` gives as `handler`: functions that make the next value
    from the current one."""

    authentication: AuthenticationSettings | None = None
    """The issuer of `platform.authentication`: its users, its applications, and how long tokens last."""

    batch: BatchSettings | None = None
    """What jobs run, by the names of their images."""

    event_bus: EventBusSettings | None = None
    """Event buses."""

    notification: NotificationSettings | None = None
    """How the notification service reaches people."""

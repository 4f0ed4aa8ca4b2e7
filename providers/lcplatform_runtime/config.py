"""What configuration says of a platform: keywords, the environment, and a file, in this order of precedence (FR-064).

The names are the same everywhere. In a file they are tables of TOML; in the environment they are upper case after
`LCPLATFORM_`, with two underscores between the levels:

    LCPLATFORM_PROVIDER=aws                              provider = "aws"
    LCPLATFORM_DEADLINE=30                               deadline = 30
    LCPLATFORM_RETRY__MAX_ATTEMPTS=5                     [retry]
                                                         max_attempts = 5
    LCPLATFORM_PROVIDERS__AWS__REGION=eu-central-1       [providers.aws]
                                                         region = "eu-central-1"
    LCPLATFORM_SERVICES__QUEUE=mock                      [services]
                                                         queue = "mock"
    LCPLATFORM_SERVICES__QUEUE__OPTIONS__ENDPOINT=...    [services.queue]
                                                         options = {endpoint = "..."}
    LCPLATFORM_BINDINGS__INBOX__RESOURCE=orders          [bindings.inbox]
                                                         resource = "orders"

Durations are numbers of seconds, or ISO 8601. A name that is none is refused.
"""

# Annotations are compiled with this module, which pydantic would do at each import.

import os
from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

import pydantic
from pydantic import BeforeValidator, Field, model_validator
from typing_extensions import override

from lcplatform_runtime.cache import CacheSettings
from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.model import Model, problem_of
from lcplatform_runtime.retry import RetryPolicy
from lcplatform_runtime.settings import PipelineSettings

if TYPE_CHECKING:
    from lcplatform_runtime.bridge import Lane

PREFIX: Final = "LCPLATFORM_"
"""How the names of environment variables start."""


def _number(value: object) -> object:
    """The environment knows only text: a number in it is a number."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _closed(kind: type[RetryPolicy | CacheSettings]) -> BeforeValidator:
    """Takes a mapping for one of the runtime's own settings, if it has no other names than those."""
    known = [field.name for field in fields(kind)]

    def check(value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        unknown = [name for name in value if name not in known]
        if unknown:
            raise ValueError(f"{', '.join(map(repr, unknown))} unknown, known: {', '.join(known)}")
        return {name: _number(one) for name, one in value.items()}

    return BeforeValidator(check)


class ServiceSettings(Model):
    """Where one service differs from the others. The name of its provider alone may stand for it."""

    __sensitive__: ClassVar[frozenset[str]] = frozenset({"options"})

    provider: str | None = None
    """The provider of this service; the platform's where absent."""
    options: dict[str, object] = Field(default_factory=dict)
    """Options of its provider that hold for this service alone."""

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        return {"provider": value} if isinstance(value, str) else value


class BindingSettings(Model):
    """A resource that the application uses under a name of its own. The name of the resource alone may stand for it."""

    service: str | None = None
    """The service, by its accessor."""
    resource: str | None = None
    """The resource: a bucket, a queue, a secret. The whole service where absent."""
    access: str | None = None
    """What the application may do with it, where that is known: `read` or `read_write`."""

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        return {"resource": value} if isinstance(value, str) else value


class ThreadSettings(Model):
    """How many threads each lane of an async platform with blocking drivers has at most."""

    calls: Annotated[int, Field(ge=1)] = 32
    long_polls: Annotated[int, Field(ge=1)] = 64
    streams: Annotated[int, Field(ge=1)] = 32
    answers: Annotated[int, Field(ge=1)] = 128


class PlatformSettings(Model):
    """What configuration can say of a platform.

    Raises:
        ValidationError: a name is unknown or a value not usable. It names which, and never quotes a value.
    """

    __sensitive__: ClassVar[frozenset[str]] = frozenset({"page_token_key", "providers"})

    provider: str | None = None
    """The name of the provider."""
    services: dict[str, ServiceSettings] = Field(default_factory=dict)
    """Services that differ, by accessor."""
    providers: dict[str, dict[str, object]] = Field(default_factory=dict)
    """The options of each provider, by its name."""
    bindings: dict[str, BindingSettings] = Field(default_factory=dict)
    """The resources that the application uses, by its own names for them. Where the application is deployed, what deploys
    it tells them."""
    retry: Annotated[RetryPolicy, _closed(RetryPolicy)] = RetryPolicy()
    """How calls are retried."""
    cache: Annotated[CacheSettings, _closed(CacheSettings)] = CacheSettings()
    """How answers are kept."""
    deadline: Annotated[
        Annotated[timedelta, Field(gt=timedelta(0))] | None, BeforeValidator(_number)
    ] = None
    """How long a call may take that does not say so itself."""
    page_token_key: Annotated[str, Field(min_length=32)] | None = None
    """Seals page tokens. Processes that are to take each other's tokens share it."""
    # Not checked, since there is nothing to check: a check would be made ready at every import.
    threads: ThreadSettings = ThreadSettings.model_construct()
    """The threads of an async platform."""

    if not TYPE_CHECKING:  # a type checker sees the keywords

        def __init__(self, **values: object) -> None:
            try:
                super().__init__(**values)
            except pydantic.ValidationError as error:
                problem = _problem(error)
            else:
                return
            raise problem  # outside of the handler: what pydantic raises holds the values

    @classmethod
    def from_env(cls, **keywords: Any) -> Self:  # the fields of the class
        """What the environment says; keywords win. A provider must be named by one of them."""
        return cls._loaded(None, keywords)

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str] = "lcplatform.toml", /, **keywords: Any
    ) -> Self:
        """What a TOML file says; the environment wins over it, and keywords over both."""
        return cls._loaded(path, keywords)

    def chosen(self, service: str, /) -> tuple[str | None, dict[str, object]]:
        """The provider of a service, with its options: those of the provider, then those of the service."""
        own = self.services.get(service, ServiceSettings())
        provider = own.provider or self.provider
        shared = {} if provider is None else self.providers.get(provider, {})
        return provider, {**shared, **own.options}

    def check_services(self, known: Collection[str], /) -> None:
        """Raises ValidationError if the settings name a service that does not exist."""
        for service in self.services:
            if service not in known:
                reason = f"there is no service {service!r}; known: {', '.join(known)}"
                raise _refused(f"services.{service}", reason)

    def pipeline(self) -> PipelineSettings:
        """The part that pipelines need."""
        key = self.page_token_key
        return PipelineSettings(
            retry=self.retry,
            cache=self.cache,
            deadline=self.deadline,
            page_token_key=None if key is None else key.encode(),
        )

    def lanes(self) -> dict["Lane", int]:
        """The part that thread lanes need."""
        threads = self.threads
        return {
            "calls": threads.calls,
            "long_polls": threads.long_polls,
            "streams": threads.streams,
            "answers": threads.answers,
        }

    @classmethod
    def _loaded(cls, path: str | os.PathLike[str] | None, keywords: dict[str, Any]) -> Self:
        _check_variables()
        settings = cls(**_read(path, keywords))
        if settings.provider is None:
            where = "" if path is None else f", or provider in {os.fspath(path)}"
            raise _refused("provider", f"no provider is named: set {PREFIX}PROVIDER{where}")
        return settings


def _check_variables() -> None:
    """Refuses variables that look like settings and are none: a misspelt one would be ignored in silence."""
    known = PlatformSettings.model_fields
    for variable in os.environ:
        name, _, _ = variable.removeprefix(PREFIX).lower().partition("__")
        if variable.startswith(PREFIX) and name not in known:
            raise _refused(variable, f"{variable} is no setting; known: {', '.join(known)}")


def _read(path: str | os.PathLike[str] | None, keywords: dict[str, Any]) -> dict[str, Any]:
    """Keywords, environment and file, merged level by level."""
    from tomllib import TOMLDecodeError

    from pydantic_settings import SettingsError

    try:
        return dict(_loader(path)(**keywords))
    except SettingsError as error:  # it names the field, not the value; its cause quotes it
        reason = str(error)
    except TOMLDecodeError as error:
        reason = f"{path} is no TOML: {error}"
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
    raise _refused("settings", reason)


def _loader(path: str | os.PathLike[str] | None) -> type[PlatformSettings]:
    """The settings as pydantic-settings reads them. It is loaded here, since keywords alone do not need it."""
    from pydantic_settings import (
        BaseSettings,
        PydanticBaseSettingsSource,
        TomlConfigSettingsSource,
    )

    class Loader(  # type: ignore[misc]  # pyright: ignore[reportIncompatibleVariableOverride]  both configurations are merged
        BaseSettings,
        PlatformSettings,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
    ):
        @classmethod
        @override
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            if path is None:
                return init_settings, env_settings
            with open(path, "rb"):  # a file that is missing would be taken for an empty one
                return (
                    init_settings,
                    env_settings,
                    TomlConfigSettingsSource(settings_cls, Path(path)),
                )

    return Loader


def _problem(error: pydantic.ValidationError) -> ValidationError:
    """What pydantic found, with the names as they stand in the file and in the environment, and without any value."""
    violations = [
        FieldViolation(".".join(map(str, problem["loc"])), problem_of(PlatformSettings, problem)[1])
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    listed = ". ".join(f"{one.field}: {one.description}" for one in violations)
    return ValidationError(f"the settings are not usable: {listed}", violations=violations)


def _refused(field: str, reason: str) -> ValidationError:
    return ValidationError(reason, violations=[FieldViolation(field, reason)])

"""What both colours of a platform stand on: which provider serves which service, and what is made once and shared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from lcplatform_runtime.config import PlatformSettings
from lcplatform_runtime.errors import FieldViolation, PreconditionFailedError, ValidationError
from lcplatform_runtime.support import Support

if TYPE_CHECKING:
    from lcplatform_runtime.async_pipeline import AsyncPipeline
    from lcplatform_runtime.bridge import BackgroundLoop, Lanes
    from lcplatform_runtime.clock import Clock
    from lcplatform_runtime.config import BindingSettings
    from lcplatform_runtime.pipeline import Pipeline

D = TypeVar("D", bound="AnyDrivers")
T = TypeVar("T")


class AnyDrivers(Protocol):
    """What the foundation asks of the generated `Drivers`."""

    @property
    def provider(self) -> str: ...
    @property
    def translate(self) -> Callable[..., Any]: ...
    @property
    def remote(self) -> bool: ...
    @property
    def time(self) -> Clock: ...
    @property
    def close(self) -> Callable[[], None]: ...


class AnyProvider(Protocol):
    """What the foundation asks of a provider."""

    def connect(self, options: Mapping[str, object], /, *, asynchronous: bool) -> Any: ...


class Supported(Protocol):
    """A driver, as far as a pipeline looks at it."""

    @property
    def support(self) -> Support: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider and its options. Equal choices share one connection."""

    provider: str | AnyProvider
    options: Mapping[str, object] = field(repr=False)  # some are secret


class Foundation(Generic[D]):
    """Connects each choice of a provider once, makes each driver and client once, and closes them all."""

    def __init__(
        self,
        default: Choice | D,
        settings: PlatformSettings,
        *,
        known: Sequence[str],
        asynchronous: bool,
    ) -> None:
        settings.check_services(known)
        self._default = default
        self._settings = settings
        self._pipeline_settings = settings.pipeline()
        self._asynchronous = asynchronous
        self._lock = threading.RLock()
        self._connected: list[tuple[Choice, D]] = []
        self._made: dict[str, Any] = {}
        self._lanes: Lanes | None = None
        self._loop: BackgroundLoop | None = None
        self._closed = False

    @classmethod
    def of(
        cls,
        provider: str | AnyProvider | None,
        *,
        services: Mapping[str, str | Mapping[str, object]] | None,
        settings: PlatformSettings | None,
        options: Mapping[str, object],
        known: Sequence[str],
        asynchronous: bool,
    ) -> Foundation[D]:
        """The foundation that a platform's arguments and settings describe; arguments win."""
        if settings is not None and not isinstance(settings, PlatformSettings):
            raise _refused(
                "settings", "must be PlatformSettings, such as PlatformSettings(deadline=30)"
            )
        merged = _merged(settings or PlatformSettings.model_construct(), provider, services or {})
        if provider is None:
            provider = merged.provider
        if provider is None:
            raise ValidationError(
                "a platform needs a provider: LCPlatform(provider='mock'), or LCPLATFORM_PROVIDER with from_env()",
                violations=(FieldViolation("provider", "must be given"),),
            )
        shared = merged.providers.get(provider, {}) if isinstance(provider, str) else {}
        default = Choice(provider, {**shared, **options})
        foundation = cls(default, merged, known=known, asynchronous=asynchronous)
        foundation._check_choices()
        return foundation

    @classmethod
    def ready(
        cls,
        drivers: D,
        *,
        settings: PlatformSettings | None,
        known: Sequence[str],
        asynchronous: bool,
    ) -> Foundation[D]:
        """The foundation of a platform whose drivers are there already."""
        return cls(
            drivers,
            settings or PlatformSettings.model_construct(),
            known=known,
            asynchronous=asynchronous,
        )

    def _check_choices(self) -> None:
        """Connects every provider that is named, so that a mistake shows where it was made. None of them opens anything
        before its first call."""
        try:
            self.default_drivers()
            for service in self._settings.services:
                self.drivers(service)
        except BaseException:
            self.close()
            raise

    @property
    def provider(self) -> str:
        """The name of the platform's own provider."""
        default = self._default
        if isinstance(default, Choice):
            chosen = default.provider
            return chosen if isinstance(chosen, str) else str(getattr(chosen, "name", chosen))
        return default.provider

    @property
    def bindings(self) -> Mapping[str, BindingSettings]:
        """The resources that the settings bind the application to."""
        return MappingProxyType(self._settings.bindings)

    def default_drivers(self) -> D:
        """The drivers of the platform's own provider."""
        default = self._default
        return self._connect(default) if isinstance(default, Choice) else default

    def drivers(self, service: str) -> D:
        """The drivers of the provider that serves a service."""
        own = self._settings.services.get(service)
        if own is None:
            return self.default_drivers()
        if own.provider is None and isinstance(self._default, Choice):
            default = self._default
            return self._connect(Choice(default.provider, {**default.options, **own.options}))
        provider, options = self._settings.chosen(service)
        return self._connect(Choice(provider, options)) if provider else self.default_drivers()

    def _connect(self, choice: Choice) -> D:
        with self._lock:
            self._check_open()
            for known, drivers in self._connected:
                if known == choice:
                    return drivers
            provider = choice.provider
            if isinstance(provider, str):
                from lcplatform_runtime.registry import find_provider

                provider = cast("AnyProvider", find_provider(provider))
            elif not hasattr(provider, "connect"):
                raise _refused(
                    "provider", "must be the name of a provider, or an object with `connect`"
                )
            with _extras_named(str(choice.provider)):
                connected: D = provider.connect(choice.options, asynchronous=self._asynchronous)
            self._connected.append((choice, connected))
            return connected

    def driver(self, name: str, drivers: D, factory: Callable[[], T]) -> T:
        """The driver of that name, made on first use.

        Raises:
            UnsupportedError: a package that the provider needs is not installed. It says what to install.
        """

        def make() -> T:
            with _extras_named(drivers.provider):
                return factory()

        return self._once(f"driver of {name}", make)

    def client(self, name: str, make: Callable[[], T]) -> T:
        """The client of that name, made on first use."""
        made: T | None = self._made.get(name)
        return made if made is not None else self._once(name, make)

    def _once(self, name: str, make: Callable[[], T]) -> T:
        with self._lock:
            self._check_open()
            made: T | None = self._made.get(name)
            if made is None:
                made = self._made[name] = make()
            return made

    def pipeline(self, service: str, driver: Supported) -> Pipeline:
        """A pipeline in front of a blocking driver."""
        from lcplatform_runtime.pipeline import Pipeline

        drivers = self.drivers(service)
        return Pipeline(
            provider=drivers.provider,
            translate=drivers.translate,
            settings=self._pipeline_settings,
            remote=drivers.remote,
            time=drivers.time,
            support=lambda: driver.support,
        )

    def async_pipeline(self, service: str, driver: Supported) -> AsyncPipeline:
        """A pipeline in front of an async driver."""
        from lcplatform_runtime.async_pipeline import AsyncPipeline

        drivers = self.drivers(service)
        return AsyncPipeline(
            provider=drivers.provider,
            translate=drivers.translate,
            settings=self._pipeline_settings,
            remote=drivers.remote,
            time=drivers.time,
            support=lambda: driver.support,
        )

    @property
    def lanes(self) -> Lanes:
        """The threads in which blocking drivers serve async callers."""
        with self._lock:
            if self._lanes is None:
                from lcplatform_runtime.bridge import Lanes

                self._lanes = Lanes(self._settings.lanes())
            return self._lanes

    @property
    def loop(self) -> BackgroundLoop:
        """The loop on which async drivers serve blocking callers."""
        with self._lock:
            if self._loop is None:
                from lcplatform_runtime.bridge import BackgroundLoop

                self._loop = BackgroundLoop()
            return self._loop

    def close(self) -> None:
        """Closes every thread, provider and loop, even if one of them fails at it. A second call does nothing.

        Calls that run in the threads of the platform end before what they use is closed.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._made.clear()
            default = self._default
            given = [] if isinstance(default, Choice) else [default]
            opened = [*(drivers for _, drivers in self._connected), *given]
            lanes, loop = self._lanes, self._loop
        with ExitStack() as closing:
            if loop is not None:
                closing.callback(loop.close)
            for drivers in opened:
                closing.callback(drivers.close)
            if lanes is not None:
                closing.callback(lanes.close)

    async def close_async(self) -> None:
        """The same without holding up the event loop."""
        import asyncio

        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def _check_open(self) -> None:
        if self._closed:
            raise PreconditionFailedError("the platform is closed")


@contextmanager
def _extras_named(provider: str) -> Iterator[None]:
    """Says what to install where a provider imports what is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        from lcplatform_runtime.registry import missing_package

        raise missing_package(provider, error) from error


def _refused(argument: str, expected: str) -> ValidationError:
    return ValidationError(
        f"{argument} {expected}", violations=(FieldViolation(argument, expected),)
    )


def _merged(
    settings: PlatformSettings,
    provider: str | AnyProvider | None,
    services: Mapping[str, str | Mapping[str, object]],
) -> PlatformSettings:
    """The settings with what the platform's own arguments say of provider and services."""
    if services:
        given: dict[str, Any] = {"services": dict(services)}  # the settings check what it holds
        own = PlatformSettings(**given).services
        settings = settings.model_copy(update={"services": {**settings.services, **own}})
    if isinstance(provider, str):
        settings = settings.model_copy(update={"provider": provider})
    return settings

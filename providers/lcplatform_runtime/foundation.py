"""What both colours of a platform stand on: which provider serves which service, and what is made once and shared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from lcplatform_runtime.errors import FieldViolation, PreconditionFailedError, ValidationError
from lcplatform_runtime.pipeline import AsyncPipeline, Pipeline
from lcplatform_runtime.settings import DEFAULTS, PipelineSettings
from lcplatform_runtime.support import Support

if TYPE_CHECKING:
    from lcplatform_runtime.bridge import BackgroundLoop, Lanes
    from lcplatform_runtime.config import PlatformSettings

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
    """A provider and its options."""

    provider: str | AnyProvider
    options: Mapping[str, object]


class Foundation(Generic[D]):
    """Connects each provider once, makes each driver and client once, and closes them all."""

    def __init__(
        self,
        default: Choice | D,
        *,
        services: Mapping[str, Choice],
        settings: PipelineSettings,
        threads: Mapping[str, int],
        asynchronous: bool,
    ) -> None:
        self._default = default
        self._services = services
        self._settings = settings
        self._threads = threads
        self._asynchronous = asynchronous
        self._lock = threading.RLock()
        self._connected: dict[str, D] = {}
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
        chosen = provider if provider is not None else settings.provider if settings else None
        if chosen is None:
            raise _refused("provider", "a provider, such as provider='mock' or LCPLATFORM_PROVIDER")
        given = settings.services if settings else {}
        single = {**{name: Choice(*one) for name, one in given.items()}}
        single |= {name: _choice(name, one) for name, one in (services or {}).items()}
        for name in single:
            if name not in known:
                raise _refused(f"services.{name}", f"one of the services {', '.join(known)}")
        shared = settings.providers if settings else {}
        return cls(
            _with_shared(Choice(chosen, options), shared),
            services={name: _with_shared(one, shared) for name, one in single.items()},
            settings=settings.pipeline if settings else DEFAULTS,
            threads=settings.threads if settings else {},
            asynchronous=asynchronous,
        )

    @classmethod
    def ready(
        cls, drivers: D, *, settings: PlatformSettings | None, asynchronous: bool
    ) -> Foundation[D]:
        """The foundation of a platform whose drivers are there already."""
        return cls(
            drivers,
            services={},
            settings=settings.pipeline if settings else DEFAULTS,
            threads=settings.threads if settings else {},
            asynchronous=asynchronous,
        )

    def default_drivers(self) -> D:
        """The drivers of the platform's own provider."""
        if not isinstance(self._default, Choice):
            return self._default
        return self._connect("", self._default)

    def drivers(self, service: str) -> D:
        """The drivers of the provider that serves a service."""
        choice = self._services.get(service)
        return self.default_drivers() if choice is None else self._connect(service, choice)

    def _connect(self, service: str, choice: Choice) -> D:
        with self._lock:
            self._check_open()
            drivers = self._connected.get(service)
            if drivers is None:
                provider = choice.provider
                if isinstance(provider, str):
                    from lcplatform_runtime.registry import find_provider

                    provider = cast("AnyProvider", find_provider(provider))
                drivers = cast("D", provider.connect(choice.options, asynchronous=self._asynchronous))
                self._connected[service] = drivers
            return drivers

    def driver(self, name: str, factory: Callable[[], T]) -> T:
        """The driver of that name, made on first use."""
        return self._once(f"driver of {name}", factory)

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
        drivers = self._owner(service)
        return Pipeline(
            provider=drivers.provider,
            translate=drivers.translate,
            settings=self._settings,
            remote=drivers.remote,
            support=lambda: driver.support,
        )

    def async_pipeline(self, service: str, driver: Supported) -> AsyncPipeline:
        """A pipeline in front of an async driver."""
        drivers = self._owner(service)
        return AsyncPipeline(
            provider=drivers.provider,
            translate=drivers.translate,
            settings=self._settings,
            remote=drivers.remote,
            support=lambda: driver.support,
        )

    def _owner(self, service: str) -> D:
        return self.drivers(service)

    @property
    def lanes(self) -> Lanes:
        """The threads in which blocking drivers serve async callers."""
        with self._lock:
            if self._lanes is None:
                from lcplatform_runtime.bridge import SIZES, Lanes

                sizes = {lane: self._threads.get(lane, size) for lane, size in SIZES.items()}
                self._lanes = Lanes(sizes)
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
        """Close every provider, thread and loop. A second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            given = [] if isinstance(self._default, Choice) else [self._default]
            opened = [*self._connected.values(), *given]
        for drivers in opened:
            drivers.close()
        if self._lanes is not None:
            self._lanes.close()
        if self._loop is not None:
            self._loop.close()

    async def close_async(self) -> None:
        """The same without holding up the event loop."""
        import asyncio

        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def _check_open(self) -> None:
        if self._closed:
            raise PreconditionFailedError("the platform is closed")


def _choice(service: str, one: str | Mapping[str, object]) -> Choice:
    if isinstance(one, str):
        return Choice(one, {})
    provider = one.get("provider")
    if not isinstance(provider, str):
        raise _refused(f"services.{service}.provider", "the name of a provider")
    return Choice(provider, {name: value for name, value in one.items() if name != "provider"})


def _with_shared(choice: Choice, shared: Mapping[str, Mapping[str, object]]) -> Choice:
    """A choice with the options that the settings give its provider everywhere; its own win."""
    if not isinstance(choice.provider, str):
        return choice
    return Choice(choice.provider, {**shared.get(choice.provider, {}), **choice.options})


def _refused(field: str, expected: str) -> ValidationError:
    return ValidationError(
        f"{field}: expected {expected}", violations=(FieldViolation(field, f"expected {expected}"),)
    )

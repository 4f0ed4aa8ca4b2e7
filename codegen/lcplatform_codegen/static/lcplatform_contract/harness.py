"""What stands between the contract tests and a provider: how it is set up, and on which surface it is called.

A provider that needs nothing special needs no harness. One that does registers a factory under its name in the entry point
group `lcplatform.harness`, or names one with `--lcplatform-harness MODULE:NAME`. A surface is registered in the group
`lcplatform.surfaces`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import pytest
from typing_extensions import override

from lcplatform.errors import UnsupportedError
from lcplatform_contract.colours import BLOCKING, opened

if TYPE_CHECKING:
    from lcplatform import LCPlatform, Provider

IN_PROCESS: Final = "in-process"
"""The surface on which the provider is called directly."""


class Harness(Protocol):
    """Sets a provider up for its tests. It lives as long as the test run."""

    @property
    def has_clock(self) -> bool:
        """Whether time can be moved. Scenarios that need days run only then; others wait for seconds."""
        ...

    @property
    def differences(self) -> Mapping[str, str]:
        """The known differences: the reason by the name of the test, such as `queue.test_a_purged_queue_is_empty`."""
        ...

    def platform_options(self) -> Mapping[str, object]:
        """The provider's options for the platforms under test."""
        ...

    def advance(self, platform: LCPlatform, by: timedelta, /) -> None:
        """Moves the clock of what stands behind the platform. Called only if there is one."""
        ...

    def close(self) -> None:
        """Takes down what was set up."""
        ...


HarnessFactory: TypeAlias = Callable[[Mapping[str, object]], Harness]
"""Makes a harness from the options of the command line (`--lcplatform-option KEY=VALUE`)."""


class Surface(Protocol):
    """A way to call a provider, such as a server and its client."""

    def open(
        self, provider: str | Provider, options: Mapping[str, object], /
    ) -> AbstractContextManager[Mapping[str, object]]:
        """Brings the provider up behind the surface, control over its clock included.

        The context gives the keyword arguments of the `LCPlatform` that calls it: `provider` and its options.
        """
        ...


class InProcess(Surface):
    """No surface at all."""

    @override
    def open(
        self, provider: str | Provider, options: Mapping[str, object], /
    ) -> AbstractContextManager[Mapping[str, object]]:
        return nullcontext({"provider": provider, **options})


class PlainHarness(Harness):
    """The harness of a provider that has none of its own. It has a clock if its platform has control over one."""

    def __init__(self, provider: str, options: Mapping[str, object], /) -> None:
        self._provider = provider
        self._options = options
        self._has_clock: bool | None = None

    @property
    @override
    def has_clock(self) -> bool:
        if self._has_clock is None:
            self._has_clock = _has_clock(self._provider, self._options)
        return self._has_clock

    @property
    @override
    def differences(self) -> Mapping[str, str]:
        return {}

    @override
    def platform_options(self) -> Mapping[str, object]:
        return self._options

    @override
    def advance(self, platform: LCPlatform, by: timedelta, /) -> None:
        platform.control.advance_clock(by)

    @override
    def close(self) -> None:
        pass


def harness_of(provider: str, options: Mapping[str, object], named: str | None) -> Harness:
    """The harness that was named on the command line, that the provider registered, or a plain one."""
    if named is not None:
        factory: HarnessFactory = loaded(named)
        return factory(options)
    for entry in entry_points(group="lcplatform.harness", name=provider):
        registered: HarnessFactory = entry.load()
        return registered(options)
    return PlainHarness(provider, options)


def surface_names() -> list[str]:
    """The surfaces that are installed."""
    return [IN_PROCESS, *sorted(entry.name for entry in entry_points(group="lcplatform.surfaces"))]


def surface_of(name: str) -> Surface:
    """The surface of that name."""
    if name == IN_PROCESS:
        return InProcess()
    for entry in entry_points(group="lcplatform.surfaces", name=name):
        surface: Surface = entry.load()
        return surface
    raise pytest.UsageError(
        f"there is no surface {name!r}: choose {', '.join(surface_names())} or all"
    )


def loaded(named: str) -> Any:  # whatever is there
    """What the command line names as MODULE:NAME."""
    module, colon, attribute = named.partition(":")
    if not colon:
        raise pytest.UsageError(f"--lcplatform-harness takes MODULE:NAME, not {named!r}")
    return getattr(import_module(module), attribute)


def _has_clock(provider: str, options: Mapping[str, object]) -> bool:
    with opened(BLOCKING, {"provider": provider, **options}) as platform:
        try:
            platform.control.advance_clock(timedelta())
        except UnsupportedError:
            return False
        return True

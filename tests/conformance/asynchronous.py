"""The mock behind async drivers alone: callers of either colour may not notice which one a provider has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any, Final

from typing_extensions import override

from lcplatform.catalogue import SERVICES
from lcplatform.drivers import Drivers
from lcplatform_mock.provider import MockProvider
from lcplatform_runtime.bridge import Lanes


class AsyncMock(MockProvider):
    """The mock, whose drivers are all async."""

    @override
    def connect(self, options: Mapping[str, object], /, *, asynchronous: bool) -> Drivers:
        """Async drivers, whatever colour the application has."""
        drivers = super().connect(options, asynchronous=asynchronous)
        lanes = Lanes()

        def close() -> None:
            lanes.close()
            drivers.close()

        made: dict[str, Any] = {
            name: partial(_async, name, getattr(drivers, name), lanes)
            for name in (*SERVICES, "control")
        }
        return replace(drivers, **made, close=close)


def _async(name: str, make: Callable[[], object], lanes: Lanes) -> object:
    module = import_module(f"lcplatform.{'testing' if name == 'control' else name}.bridge")
    bridge: Callable[[object, Lanes], object] = next(
        it
        for given, it in vars(module).items()
        if given.startswith("Async") and given.endswith("Bridge")
    )
    return bridge(make(), lanes)


provider: Final = AsyncMock()
"""For `--lcplatform-provider tests.conformance.asynchronous:provider`."""

"""Connects a platform to services of its own, in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from lcplatform.drivers import Drivers
    from lcplatform_mock.control import MockControl
    from lcplatform_mock.object_store import MockObjectStore
    from lcplatform_mock.queue import MockQueue
    from lcplatform_mock.secrets import MockSecrets
    from lcplatform_mock.service import Service
    from lcplatform_mock.world import World
    from lcplatform_runtime.errors import LCPlatformError
    from lcplatform_runtime.operation import Operation

T = TypeVar("T")


class MockProvider:
    """The provider "mock". Each connection has a state of its own, which ends with it.

    `MockSettings` tells its options.
    """

    name: Final = "mock"

    def connect(self, options: Mapping[str, object], /, *, asynchronous: bool) -> Drivers:
        """Services in memory that nobody else sees. They are blocking, whatever colour the application has.

        Raises:
            ValidationError: an option is unknown or wrong. It names the option.
        """
        from lcplatform.drivers import Drivers
        from lcplatform_mock.settings import MockSettings
        from lcplatform_mock.world import World
        from lcplatform_runtime.model import build

        services = Services(World(build(MockSettings, **options)))
        return Drivers(
            object_store=services.object_store,
            queue=services.queue,
            secrets=services.secrets,
            provider=self.name,
            translate=_translate,
            close=services.close,
            control=services.control,
        )


provider: Final = MockProvider()
"""What the entry point names."""


class Services(Mapping[str, "Service[Any]"]):
    """The services of one connection by their accessors, each made when it is first used."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, object] = {}
        self._lock = threading.Lock()

    def object_store(self) -> MockObjectStore:
        """The object store."""
        from lcplatform_mock.object_store import MockObjectStore

        return self._once("object_store", lambda: MockObjectStore(self._world))

    def queue(self) -> MockQueue:
        """The queues."""
        from lcplatform_mock.queue import MockQueue

        return self._once("queue", lambda: MockQueue(self._world))

    def secrets(self) -> MockSecrets:
        """The secrets."""
        from lcplatform_mock.secrets import MockSecrets

        return self._once("secrets", lambda: MockSecrets(self._world))

    def control(self) -> MockControl:
        """The control over all of them."""
        from lcplatform_mock.control import MockControl

        return self._once("control", lambda: MockControl(self._world, self))

    def close(self) -> None:
        """Closes what listens."""
        with self._lock:
            store = self._made.get("object_store")
        if store is not None:
            self.object_store().close()

    @override
    def __getitem__(self, name: str) -> Service[Any]:
        return _MAKERS[name](self)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(_MAKERS)

    @override
    def __len__(self) -> int:
        return len(_MAKERS)

    def _once(self, name: str, make: Callable[[], T]) -> T:
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return cast("T", self._made[name])  # made by the same `make`


_MAKERS: Final[Mapping[str, Callable[[Services], Service[Any]]]] = {
    "object_store": Services.object_store,
    "queue": Services.queue,
    "secrets": Services.secrets,
}


def _translate(error: Exception, operation: Operation) -> LCPlatformError | None:
    """The mock raises the platform's errors itself: anything else is a defect of it."""
    return None

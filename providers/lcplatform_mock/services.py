"""The services of one connection to the mock, each made when it is first used."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from lcplatform.drivers import Drivers
    from lcplatform_mock.authentication import MockAuthentication
    from lcplatform_mock.batch import MockBatch
    from lcplatform_mock.configuration import MockConfiguration
    from lcplatform_mock.control import MockControl
    from lcplatform_mock.data_store import MockDataStore
    from lcplatform_mock.document_store import MockDocumentStore
    from lcplatform_mock.event_bus import MockEventBus
    from lcplatform_mock.notification import MockNotification
    from lcplatform_mock.object_store import MockObjectStore
    from lcplatform_mock.queue import MockQueue
    from lcplatform_mock.secrets import MockSecrets
    from lcplatform_mock.service import Service
    from lcplatform_mock.web_hosting import MockWebHosting
    from lcplatform_mock.world import World

T = TypeVar("T")


class Services(Mapping[str, "Service[Any]"]):
    """The services of one connection by their accessors."""

    def __init__(self, world: World) -> None:
        world.services = self
        self._world = world
        self._made: dict[str, object] = {}
        self._lock = threading.RLock()

    def authentication(self) -> MockAuthentication:
        """The client of an issuer, and the issuer."""
        from lcplatform_mock.authentication import MockAuthentication

        return self._once("authentication", lambda: MockAuthentication(self._world))

    def batch(self) -> MockBatch:
        """The jobs."""
        from lcplatform_mock.batch import MockBatch

        return self._once("batch", lambda: MockBatch(self._world))

    def configuration(self) -> MockConfiguration:
        """The configurations."""
        from lcplatform_mock.configuration import MockConfiguration

        return self._once("configuration", lambda: MockConfiguration(self._world))

    def data_store(self) -> MockDataStore:
        """The database."""
        from lcplatform_mock.data_store import MockDataStore

        return self._once("data_store", lambda: MockDataStore(self._world))

    def document_store(self) -> MockDocumentStore:
        """The documents."""
        from lcplatform_mock.document_store import MockDocumentStore

        return self._once("document_store", lambda: MockDocumentStore(self._world))

    def event_bus(self) -> MockEventBus:
        """The event buses."""
        from lcplatform_mock.event_bus import MockEventBus

        return self._once("event_bus", lambda: MockEventBus(self._world))

    def notification(self) -> MockNotification:
        """The notifications."""
        from lcplatform_mock.notification import MockNotification

        return self._once("notification", lambda: MockNotification(self._world))

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

    def web_hosting(self) -> MockWebHosting:
        """The applications."""
        from lcplatform_mock.web_hosting import MockWebHosting

        return self._once("web_hosting", lambda: MockWebHosting(self._world))

    def control(self) -> MockControl:
        """The control over all of them."""
        from lcplatform_mock.control import MockControl

        return self._once("control", lambda: MockControl(self._world, self))

    def open(self, drivers: Drivers) -> None:
        """Takes up every service of which something was kept, so that its work goes on although nobody calls it.

        `drivers` are those that the platform gives out, for what one service lets others reach.
        """
        self._world.drivers = drivers
        journal = self._world.journal
        kept = (
            {kind.partition(".")[0] for kind in journal.kinds()} if journal is not None else set()
        )
        for name in kept.intersection(self):
            self[name].settle()

    def close(self) -> None:
        """Ends the work of all of them, then closes each, then what they share."""
        with self._lock:
            made = [self[name] for name in self if name in self._made]
        for service in made:
            service.hurry()
        self._world.end_work()
        for service in made:
            service.close()
        self._world.close()

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
    "authentication": Services.authentication,
    "batch": Services.batch,
    "configuration": Services.configuration,
    "document_store": Services.document_store,
    "data_store": Services.data_store,
    "event_bus": Services.event_bus,
    "notification": Services.notification,
    "object_store": Services.object_store,
    "queue": Services.queue,
    "secrets": Services.secrets,
    "web_hosting": Services.web_hosting,
}

"""A provider that forgot one of the services."""

from __future__ import annotations

from lcplatform.drivers import Drivers
from lcplatform.object_store.stub import UnimplementedObjectStore
from lcplatform.queue.stub import UnimplementedQueue

drivers = Drivers(  # E: Missing named argument "secrets" for "Drivers"
    object_store=UnimplementedObjectStore,
    queue=UnimplementedQueue,
    provider="broken",
    translate=lambda error, operation: None,
)

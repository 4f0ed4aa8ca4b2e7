"""A provider that hands out a driver instead of a way to make one, and the driver of another service."""

from __future__ import annotations

from lcplatform.drivers import Drivers
from lcplatform.object_store.stub import UnimplementedObjectStore
from lcplatform.queue.stub import UnimplementedQueue
from lcplatform.secrets.stub import UnimplementedSecrets

drivers = Drivers(
    object_store=UnimplementedObjectStore(),  # E: Argument "object_store" to "Drivers" has incompatible type
    queue=UnimplementedSecrets,  # E: Argument "queue" to "Drivers" has incompatible type
    secrets=UnimplementedSecrets,
    provider="broken",
    translate=lambda error, operation: None,
)
queue = UnimplementedQueue

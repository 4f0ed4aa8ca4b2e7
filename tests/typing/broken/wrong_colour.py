"""A provider that hands out a driver instead of a way to make one, and the driver of another service."""

from __future__ import annotations

from lcplatform import unimplemented
from lcplatform.drivers import Drivers
from lcplatform.object_store.stub import UnimplementedObjectStore
from lcplatform.queue.stub import UnimplementedQueue
from lcplatform.secrets.stub import UnimplementedSecrets

drivers = Drivers(
    object_store=UnimplementedObjectStore(),  # E: Argument "object_store" to "Drivers" has incompatible type
    queue=UnimplementedSecrets,  # E: Argument "queue" to "Drivers" has incompatible type
    secrets=UnimplementedSecrets,
    authentication=unimplemented.authentication,
    batch=unimplemented.batch,
    configuration=unimplemented.configuration,
    data_store=unimplemented.data_store,
    document_store=unimplemented.document_store,
    event_bus=unimplemented.event_bus,
    notification=unimplemented.notification,
    web_hosting=unimplemented.web_hosting,
    provider="broken",
    translate=lambda error, operation: None,
)
queue = UnimplementedQueue

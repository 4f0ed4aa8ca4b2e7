"""A provider that forgot one of the services."""

from __future__ import annotations

from lcplatform import unimplemented
from lcplatform.drivers import Drivers
from lcplatform.object_store.stub import UnimplementedObjectStore
from lcplatform.queue.stub import UnimplementedQueue

drivers = Drivers(  # E: Missing named argument "secrets" for "Drivers"
    object_store=UnimplementedObjectStore,
    queue=UnimplementedQueue,
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

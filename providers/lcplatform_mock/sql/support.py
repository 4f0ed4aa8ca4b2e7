"""What the data store can do on either database, and how much one call may ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lcplatform.data_store.support import DataStoreCapability, DataStoreLimits
from lcplatform_runtime.support import Support

LIMITS: Final = DataStoreLimits(
    max_sql_bytes=1024**2,
    max_parameters=16_384,
    max_batch_entries=10_000,
    max_query_rows=10_000,
    max_transaction_seconds=3600,
)

SUPPORT: Final[Mapping[str, Support]] = {
    # One transaction writes at a time, and there is no server whose address could be told.
    "sqlite": Support(
        capabilities=frozenset({DataStoreCapability.MIGRATIONS}),
        limits=LIMITS.by_name(),
        native=False,
    ),
    "postgresql": Support(capabilities=frozenset(DataStoreCapability), limits=LIMITS.by_name()),
}
"""By the name of the engine."""

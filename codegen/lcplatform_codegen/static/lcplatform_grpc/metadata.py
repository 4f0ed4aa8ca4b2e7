"""The options of a call as gRPC metadata: the deadline has its own header, the rest is here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lcplatform_runtime.options import CallOptions

if TYPE_CHECKING:
    from lcplatform_runtime.context import CallContext

CORRELATION_ID: Final = "lcplatform-correlation-id"
"""Names the call in logs and traces."""
IDEMPOTENCY_KEY: Final = "lcplatform-idempotency-key"
"""Makes a repeated call harmless."""
CACHE: Final = "lcplatform-cache"
"""`bypass` reads from the provider even if the server has kept an answer."""

# gRPC tells "no deadline" as one in many centuries.
_NO_DEADLINE: Final = 1e9


def metadata_of(context: CallContext | None, /) -> tuple[tuple[str, str], ...]:
    """What the server is to know of the call in progress."""
    if context is None:
        return ()
    found = [(CORRELATION_ID, context.correlation_id)]
    if context.idempotency_key is not None:
        found.append((IDEMPOTENCY_KEY, context.idempotency_key))
    if getattr(context, "bypass_cache", False):
        found.append((CACHE, "bypass"))
    return tuple(found)


def options_of(metadata: Iterable[tuple[str, str | bytes]], remaining: float, /) -> CallOptions | None:
    """The options of a call that came in. `None` if it has none.

    Raises:
        ValidationError: an option is not usable. It names the option.
    """
    correlation_id = idempotency_key = None
    bypass = False
    for key, value in metadata:
        if key == CORRELATION_ID:
            correlation_id = str(value)
        elif key == IDEMPOTENCY_KEY:
            idempotency_key = str(value)
        elif key == CACHE:
            bypass = value == "bypass"
    deadline = timedelta(seconds=max(remaining, 1e-6)) if remaining < _NO_DEADLINE else None
    if deadline is None and correlation_id is None and idempotency_key is None and not bypass:
        return None
    return CallOptions(
        deadline=deadline,
        bypass_cache=bypass,
        idempotency_key=idempotency_key,
        correlation_id=correlation_id,
    )

"""The options of a call as gRPC metadata: the deadline has a header of its own, the rest is here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lcplatform_runtime.clock import SYSTEM
from lcplatform_runtime.context import CURRENT, CallContext
from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.retry import RetryPolicy

if TYPE_CHECKING:
    from grpc import ServicerContext

CORRELATION_ID: Final = "lcplatform-correlation-id"
"""Names the call in logs and traces."""
IDEMPOTENCY_KEY: Final = "lcplatform-idempotency-key"
"""Makes a repeated call harmless."""
CACHE: Final = "lcplatform-cache"
"""`bypass` reads from the provider even if the server has kept an answer."""
RETRY: Final = "lcplatform-retry"
"""How the server retries: attempts, first delay and longest delay in milliseconds, such as `3 100 20000`."""

AUTHORIZATION: Final = "authorization"
"""Shows the token that the server asks for (RFC 6750)."""

_KEYS: Final = frozenset({CORRELATION_ID, IDEMPOTENCY_KEY, CACHE, RETRY})
# gRPC says that there is no deadline with one that is many centuries away.
_NO_DEADLINE: Final = 1e9


def bearer(token: str, /) -> str:
    """The value of `authorization` that shows a token."""
    return f"Bearer {token}"


def metadata_of(context: CallContext | None, /) -> tuple[tuple[str, str], ...]:
    """What a server is to know of the call in progress."""
    if context is None:
        return ()
    found = [(CORRELATION_ID, context.correlation_id)]
    if context.idempotency_key is not None:
        found.append((IDEMPOTENCY_KEY, context.idempotency_key))
    if context.bypass_cache:
        found.append((CACHE, "bypass"))
    if context.retry is not None:
        found.append((RETRY, _written(context.retry)))
    return tuple(found)


def enter(context: ServicerContext, /) -> CallOptions | None:
    """Makes a call that came in the current one, and returns those of its options that pass no other way.

    gRPC runs each call in a context of its own, so nothing has to be undone.

    Raises:
        ValidationError: an option is not usable. It names the option.
    """
    given = {key: value for key, value in context.invocation_metadata() if key in _KEYS}
    remaining = context.time_remaining()
    deadline = SYSTEM.monotonic() + remaining if remaining < _NO_DEADLINE else None
    if deadline is not None or CORRELATION_ID in given:
        CURRENT.set(CallContext(_name(given.pop(CORRELATION_ID, None)), deadline))
    if not given:
        return None
    key, retry = given.get(IDEMPOTENCY_KEY), given.get(RETRY)
    return CallOptions(
        bypass_cache=given.get(CACHE) == "bypass",
        idempotency_key=None if key is None else str(key),
        retry=None if retry is None else _read(str(retry)),
    )


def _name(value: str | bytes | None) -> str | None:
    """A correlation id, which goes into logs: refused unless it is a word of moderate length."""
    if value is None:
        return None
    name = str(value)
    if not (0 < len(name) <= 128 and name.isascii() and name.isprintable() and " " not in name):
        CallOptions(correlation_id=name)  # says what is wrong with it
    return name


def _written(policy: RetryPolicy) -> str:
    delays = (policy.base_delay, policy.max_delay)
    return " ".join([str(policy.max_attempts), *(str(_milliseconds(it)) for it in delays)])


def _milliseconds(delay: timedelta) -> int:
    return round(delay.total_seconds() * 1000)


def _read(text: str) -> RetryPolicy:
    try:
        attempts, base, longest = map(int, text.split())
        return RetryPolicy(
            max_attempts=attempts,
            base_delay=timedelta(milliseconds=base),
            max_delay=timedelta(milliseconds=longest),
        )
    except (OverflowError, ValueError):
        expected = "must be attempts, first and longest delay in milliseconds, such as 3 100 20000"
    raise ValidationError(
        f"{RETRY} {expected}", violations=(FieldViolation("options.retry", expected),)
    )

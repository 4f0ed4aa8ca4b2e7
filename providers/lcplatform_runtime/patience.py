"""How long a caller waits for what has not happened yet."""

from __future__ import annotations

import math

from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import DeadlineExceededError, OperationCancelledError, Outcome


def patience(event: str) -> float:
    """How long the caller still waits, in seconds. `event` is what it waits for, such as "a message came".

    Raises:
        OperationCancelledError: it has given up. Nothing was done for it.
        DeadlineExceededError: its deadline has passed. Nothing was done for it.
    """
    cancellation = CANCELLATION.get()
    if cancellation is not None and cancellation.cancelled:
        raise OperationCancelledError(
            f"the caller gave up before {event}", outcome=Outcome.NOT_EXECUTED
        )
    call = current_call()
    remaining = None if call is None else call.remaining()
    if remaining == 0:
        raise DeadlineExceededError(
            f"the deadline passed before {event}", outcome=Outcome.NOT_EXECUTED
        )
    return math.inf if remaining is None else remaining

"""When a failed call is sent again, how long to wait before, and when to leave it at that.

The arithmetic is a few lines, and the waiting belongs to the pipeline, which serves two colours from one generator: a
retry library brings loops of its own, one per colour, and knows neither outcomes nor a budget.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import random
from typing import TYPE_CHECKING, Final

from lcplatform_runtime.errors import (
    DeadlineExceededError,
    FieldViolation,
    LCPlatformError,
    Outcome,
    ValidationError,
)
from lcplatform_runtime.operation import Idempotency, Operation
from lcplatform_runtime.steps import Call, Proceed, Sleep, Steps

if TYPE_CHECKING:
    from lcplatform_runtime.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter (FR-062).

    Attributes:
        max_attempts: how often a call is sent at most, the first time included.
        base_delay: the longest wait before the second attempt. It doubles with each further attempt.
        max_delay: the longest backoff before any attempt, on top of what the service asks for. One that asks to wait
            longer than this is not waited for: the caller gets its error, which says how long.

    Raises:
        ValidationError: a value is not usable. It names the attribute.
    """

    max_attempts: int = 3
    base_delay: timedelta = timedelta(milliseconds=100)
    max_delay: timedelta = timedelta(seconds=20)

    def __post_init__(self) -> None:
        for name, kind in (
            ("max_attempts", int),
            ("base_delay", timedelta),
            ("max_delay", timedelta),
        ):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise _refused(name, f"must be {kind.__name__}, not {type(value).__name__}")
        if self.max_attempts < 1:
            raise _refused("max_attempts", "must be at least 1")
        if self.base_delay < timedelta(0):
            raise _refused("base_delay", "must not be negative")
        if self.max_delay < self.base_delay:
            raise _refused("max_delay", "must not be shorter than base_delay")

    def delay(self, failures: int, retry_after: timedelta | None = None) -> float | None:
        """How many seconds to wait after so many failures, or `None` if the service asks for more than `max_delay`.

        A service that says when to come back is not called before, and not by all its callers at that very moment.
        """
        asked = timedelta(0) if retry_after is None else retry_after
        if asked > self.max_delay:
            return None
        # Beyond 2 ** 63 no base_delay worth the name is below max_delay.
        cap = min(
            self.max_delay.total_seconds(),
            self.base_delay.total_seconds() * 2.0 ** min(failures - 1, 63),
        )
        return asked.total_seconds() + random() * cap  # noqa: S311  jitter is no secret


def _refused(attribute: str, expected: str) -> ValidationError:
    return ValidationError(
        f"retry policy: {attribute} {expected}",
        violations=(FieldViolation(f"retry.{attribute}", expected),),
    )


DEFAULT_POLICY: Final = RetryPolicy()


class RetryBudget:
    """Keeps retries a fraction of the calls, so that an outage is not multiplied by them.

    Full, it pays for `capacity` retries. A retry costs what `calls_per_retry` calls put in, or what comes in by itself while
    the `seconds_per_retry` pass: in an outage, 1,000 calls become some 1,110 requests instead of 3,000, while a client that
    calls rarely has its three attempts each time.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        capacity: int = 10,
        calls_per_retry: int = 10,
        seconds_per_retry: float = 2.0,
    ) -> None:
        self._clock = clock
        self._price: Final = calls_per_retry
        self._per_second: Final = calls_per_retry / seconds_per_retry
        self._full: Final = capacity * calls_per_retry
        self._saved: float = self._full
        self._filled = clock.monotonic()
        self._lock = threading.Lock()

    def deposit(self) -> None:
        """A call is made."""
        if self._saved < self._full:  # without the lock, since nearly always it is full
            with self._lock:
                self._saved = min(self._full, self._saved + 1)

    def withdraw(self) -> bool:
        """Whether another retry may be sent. If so, it is paid for."""
        with self._lock:
            now = self._clock.monotonic()
            gained = (now - self._filled) * self._per_second
            self._saved = min(self._full, self._saved + gained)
            self._filled = now
            if self._saved < self._price:
                return False
            self._saved -= self._price
            return True


def may_repeat(operation: Operation, request: object, error: LCPlatformError) -> bool:
    """The rule: the error is retryable, and a repetition cannot do the same thing twice.

    It cannot if the operation is idempotent, if the call carries an idempotency key, or if nothing was executed. What a
    server reports has been retried there. A part of a transaction is not repeated, since what failed is the transaction.
    """
    if error.from_server or not error.retryable or in_transaction(operation, request):
        return False
    return (
        error.outcome is Outcome.NOT_EXECUTED
        or is_idempotent(operation, request)
        or carries_key(operation, request)
    )


def is_idempotent(operation: Operation, request: object) -> bool:
    """Whether the call may be made twice. A conditional change may not: if its first attempt did succeed, the second
    finds the caller's own work and calls it a conflict.
    """
    if operation.idempotency is Idempotency.IDEMPOTENT:
        conditions = (operation.if_match, operation.if_absent)
        return not any(name and getattr(request, name, None) for name in conditions)
    return operation.idempotency is Idempotency.NO_SIDE_EFFECTS


def in_transaction(operation: Operation, request: object) -> bool:
    """Whether the call is a part of a transaction."""
    field = operation.transaction
    return field is not None and bool(getattr(request, field, None))


def carries_key(operation: Operation, request: object) -> bool:
    """Whether the call has an idempotency key."""
    field = operation.idempotency_key
    return field is not None and bool(getattr(request, field, None))


class Retry:
    """Sends a call again while the rule, the policy, the budget and the deadline allow it.

    Of the call as a whole it says `not executed` only if no attempt can have had an effect.
    """

    def __init__(
        self, proceed: Proceed, policy: RetryPolicy, budget: RetryBudget, clock: Clock
    ) -> None:
        self._proceed = proceed
        self._policy = policy
        self._budget = budget
        self._clock = clock

    def __call__(self, call: Call, /) -> Steps:
        self._budget.deposit()
        outcome = Outcome.NOT_EXECUTED
        while True:
            self._check_deadline(call, outcome)
            call.attempts += 1
            try:
                return (yield from self._proceed(call))
            except LCPlatformError as error:
                if error.outcome is Outcome.UNKNOWN:
                    outcome = _effect_of(call.operation)
                elif outcome is Outcome.UNKNOWN:
                    error.outcome = outcome
                delay = self._pause(call, error, call.attempts)
                if delay is None:
                    raise
            yield Sleep(delay)
            if call.body is not None:
                call.body.rewind()

    def again(self, call: Call, error: LCPlatformError, failures: int) -> Steps:
        """Goes on with a transfer that broke with `error`, its so many-th failure in a row, or raises it."""
        while True:
            delay = self._pause(call, error, failures)
            if delay is None:
                raise error
            yield Sleep(delay)
            call.attempts += 1
            try:
                return (yield from self._proceed(call))
            except LCPlatformError as another:
                error = another
            failures += 1

    def _pause(self, call: Call, error: LCPlatformError, failures: int) -> float | None:
        """How long to wait before the next attempt, which is then paid for. None: there is none, `error` is final."""
        options = call.options
        policy = self._policy if options is None or options.retry is None else options.retry
        if failures >= policy.max_attempts or not may_repeat(call.operation, call.request, error):
            return None
        if call.body is not None and not call.body.repeatable:
            return None
        delay = policy.delay(failures, error.retry_after)
        remaining = call.context.remaining()
        if delay is None or (remaining is not None and delay >= remaining):
            return None
        return delay if self._budget.withdraw() else None

    def _check_deadline(self, call: Call, outcome: Outcome) -> None:
        if call.context.deadline is not None and call.context.remaining() == 0:
            attempts = (
                f"after {call.attempts} attempts" if call.attempts else "before the call was sent"
            )
            raise DeadlineExceededError(f"the deadline passed {attempts}", outcome=outcome)


def _effect_of(operation: Operation) -> Outcome:
    reads = operation.idempotency is Idempotency.NO_SIDE_EFFECTS
    return Outcome.NOT_EXECUTED if reads else Outcome.UNKNOWN


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    """What a `Retry-After` header asks for: seconds or an HTTP date. Never negative; `None` if it is neither."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        # Ten digits are three centuries; timedelta would not hold some more.
        return timedelta(seconds=int(text[:10]))
    # Imported when it is needed: the package of e-mail is large, and most answers have no such header.
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:  # "-0000" says that the zone is not known; HTTP knows none but UTC
        moment = moment.replace(tzinfo=UTC)
    return max(timedelta(0), moment - now)

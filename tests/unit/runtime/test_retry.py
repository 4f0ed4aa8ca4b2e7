"""decisions.md, errors and retries: every row, in both colours."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcplatform_runtime.context import CallContext, entered
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    AuthenticationError,
    ConflictError,
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    OperationCancelledError,
    Outcome,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_runtime.model import Request
from lcplatform_runtime.operation import Idempotency
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.retry import RetryBudget, RetryPolicy, parse_retry_after
from lcplatform_runtime.settings import PipelineSettings
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.runtime.doubles import (
    KEYED,
    READ,
    WRITE,
    Platform,
    Read,
    Script,
    Value,
    VendorError,
    Write,
    operation,
)

OK = Value(text="done")
NOT_EXECUTED, UNKNOWN = Outcome.NOT_EXECUTED, Outcome.UNKNOWN

# What happened, as a provider's table says it; retried if repeating is safe; retried in any case.
ROWS: list[tuple[str, LCPlatformError, bool, bool]] = [
    ("throttled", QuotaExceededError("slow down", retry_after=timedelta(seconds=1)), True, True),
    ("a hard quota", QuotaExceededError("full", retryable=False), False, False),
    ("connection refused", ServiceUnavailableError("refused", outcome=NOT_EXECUTED), True, True),
    ("503 that may have been executed", ServiceUnavailableError("503"), True, False),
    ("timeout", DeadlineExceededError("no answer"), True, False),
    ("reset after sending", ServiceUnavailableError("reset", outcome=UNKNOWN), True, False),
    ("500", InternalError("500", retryable=True), True, False),
    ("stale if_match", ConflictError("stale"), False, False),
    ("serialization failure", ConflictError("deadlock", retryable=True), True, True),
    ("exists already", AlreadyExistsError("it exists"), False, False),
    ("missing", ResourceNotFoundError("it does not"), False, False),
    ("wrong request", ValidationError("no"), False, False),
    ("wrong state", PreconditionFailedError("not now"), False, False),
    ("wrong credential", AuthenticationError("who?"), False, False),
    ("not allowed", PermissionDeniedError("no"), False, False),
    ("not offered", UnsupportedError("no"), False, False),
    ("cancelled by the caller", OperationCancelledError("gave up"), False, False),
    ("data loss", InternalError("lost"), False, False),
]
CALLS = [
    ("reads", operation(idempotency=Idempotency.NO_SIDE_EFFECTS), None, True),
    ("is idempotent", operation(idempotency=Idempotency.IDEMPOTENT), None, True),
    ("carries a key", KEYED, "k1", True),
    ("could carry a key", KEYED, None, False),
    ("does something twice", WRITE, None, False),
]


@pytest.mark.parametrize(("what", "error", "if_safe", "always"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize(("call", "of", "key", "safe"), CALLS, ids=[call[0] for call in CALLS])
def test_a_call_is_retried_by_the_rule(
    platform: Platform,
    what: str,
    error: LCPlatformError,
    if_safe: bool,
    always: bool,
    call: str,
    of: Any,
    key: str | None,
    safe: bool,
) -> None:
    driver = Script(error.copy(), OK)
    run = platform.unary(of, driver)
    if always or (if_safe and safe):
        assert run(Write(name="a", key=key)) == OK
        assert driver.attempts == 2
    else:
        with pytest.raises(type(error)):
            run(Write(name="a", key=key))
        assert driver.attempts == 1


class Change(Request):
    name: str = "a"
    if_match: str | None = None
    if_absent: bool = False


CHANGE = operation(idempotency=Idempotency.IDEMPOTENT, if_match="if_match", if_absent="if_absent")


@pytest.mark.parametrize("request_", [Change(if_match="e1"), Change(if_absent=True)])
def test_a_conditional_change_is_repeated_only_if_nothing_was_executed(
    platform: Platform, request_: Change
) -> None:
    """Its second attempt would report the work of its first as a conflict."""
    unknown = Script(ServiceUnavailableError("reset"), OK)
    with pytest.raises(ServiceUnavailableError):
        platform.unary(CHANGE, unknown)(request_)
    assert platform.unary(CHANGE, Script(QuotaExceededError("slow down"), OK))(request_) == OK
    assert platform.unary(CHANGE, Script(ServiceUnavailableError("reset"), OK))(Change()) == OK


@pytest.mark.parametrize("remote", [False, True])
def test_what_a_server_reports_is_never_retried(colour: str, remote: bool) -> None:
    error = ServiceUnavailableError("draining", outcome=NOT_EXECUTED)
    error.from_server = True
    driver = Script(error, OK)
    with pytest.raises(ServiceUnavailableError):
        Platform(colour, remote=remote).unary(READ, driver)(Read(name="a"))
    assert driver.attempts == 1


def test_after_three_attempts_the_retryable_error_is_raised(platform: Platform) -> None:
    """FR-062"""
    driver = Script[Value](ServiceUnavailableError("down"))
    with pytest.raises(ServiceUnavailableError) as caught:
        platform.unary(READ, driver)(Read(name="a"))
    assert driver.attempts == 3
    assert caught.value.retryable
    first, second = platform.clock.slept
    assert 0 <= first <= 0.1
    assert 0 <= second <= 0.2


def test_a_call_brings_its_own_policy(platform: Platform) -> None:
    driver = Script[Value](ServiceUnavailableError("down"))
    policy = RetryPolicy(max_attempts=5, base_delay=timedelta(0), max_delay=timedelta(0))
    with pytest.raises(ServiceUnavailableError):
        platform.unary(READ, driver)(Read(name="a"), CallOptions(retry=policy))
    assert driver.attempts == 5
    assert platform.clock.slept == [0.0] * 4


@pytest.mark.parametrize("asked", [timedelta(seconds=7), timedelta(seconds=20)])
def test_retry_after_is_obeyed(platform: Platform, asked: timedelta) -> None:
    """FR-062"""
    driver = Script(QuotaExceededError("slow down", retry_after=asked), OK)
    assert platform.unary(READ, driver)(Read(name="a")) == OK
    (slept,) = platform.clock.slept
    assert asked.total_seconds() <= slept <= asked.total_seconds() + 0.1


def test_a_retry_after_beyond_the_longest_delay_is_left_to_the_caller(platform: Platform) -> None:
    driver = Script(QuotaExceededError("later", retry_after=timedelta(minutes=5)), OK)
    with pytest.raises(QuotaExceededError) as caught:
        platform.unary(READ, driver)(Read(name="a"))
    assert (driver.attempts, platform.clock.slept) == (1, [])
    assert caught.value.retry_after == timedelta(minutes=5)


NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("0", 0),
        ("120", 120),
        (" 5 ", 5),
        ("Tue, 01 Jan 2030 12:00:30 GMT", 30),
        ("Tuesday, 01-Jan-30 12:00:30 GMT", 30),
        ("Tue Jan  1 12:00:30 2030", 30),
        ("Tue, 01 Jan 2030 12:00:30 -0000", 30),
        ("Tue, 01 Jan 2030 11:00:00 GMT", 0),
        ("99999999999999999999999", 9999999999),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Tue, 99 Jan 2030 12:00:30 GMT", None),
    ],
)
def test_retry_after_has_two_forms(header: str, expected: int | None) -> None:
    found = parse_retry_after(header, NOW)
    assert found == (None if expected is None else timedelta(seconds=expected))


@given(st.text(max_size=40) | st.integers().map(str))
def test_no_header_is_negative_or_breaks_the_parser(header: str) -> None:
    found = parse_retry_after(header, NOW)
    assert found is None or found >= timedelta(0)


@given(st.integers(0, 10**6))
def test_both_forms_say_the_same(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert parse_retry_after(date, NOW) == parse_retry_after(str(seconds), NOW)


POLICIES = st.builds(
    lambda base, extra, attempts: RetryPolicy(
        max_attempts=attempts, base_delay=base, max_delay=base + extra
    ),
    st.timedeltas(timedelta(0), timedelta(seconds=10)),
    st.timedeltas(timedelta(0), timedelta(minutes=5)),
    st.integers(1, 10),
)


@given(
    policy=POLICIES,
    failures=st.integers(1, 10_000),
    asked=st.timedeltas(timedelta(0), timedelta(minutes=6)),
)
def test_a_delay_lies_between_what_is_asked_and_the_exponential_bound(
    policy: RetryPolicy, failures: int, asked: timedelta
) -> None:
    delay = policy.delay(failures, asked)
    if asked > policy.max_delay:
        assert delay is None
    else:
        assert delay is not None
        exponential = policy.base_delay.total_seconds() * 2.0 ** min(failures - 1, 60)
        bound = min(policy.max_delay.total_seconds(), exponential)
        assert asked.total_seconds() <= delay <= asked.total_seconds() + bound


def test_jitter_is_full() -> None:
    delays = [RetryPolicy().delay(1) or 0 for _ in range(2000)]
    assert min(delays) < 0.01
    assert max(delays) > 0.09
    assert 0.045 < sum(delays) / len(delays) < 0.055


# Deadlines


ACTS = st.lists(
    st.tuples(
        st.floats(0, 2),
        st.sampled_from(
            [
                ServiceUnavailableError("down"),
                QuotaExceededError("slow down", retry_after=timedelta(seconds=1)),
                ConflictError("stale"),
            ]
        ),
    ),
    min_size=1,
    max_size=8,
)


@given(
    acts=ACTS,
    deadline=st.floats(0.01, 10),
    attempts=st.integers(1, 8),
    colour=st.sampled_from(["blocking", "async"]),
)
def test_no_call_sleeps_beyond_its_deadline_or_begins_after_it(
    acts: list[tuple[float, LCPlatformError]], deadline: float, attempts: int, colour: str
) -> None:
    platform = Platform(colour)
    clock = platform.clock
    begun: list[float] = []

    def act(took: float, error: LCPlatformError) -> Any:
        def run(request: object) -> Value:
            begun.append(clock.monotonic())
            clock.advance(took)
            raise error.copy()

        return run

    options = CallOptions(
        deadline=timedelta(seconds=deadline), retry=RetryPolicy(max_attempts=attempts)
    )
    with pytest.raises(LCPlatformError):
        platform.unary(READ, Script(*[act(*it) for it in acts]))(Read(name="a"), options)
    assert begun
    assert max(begun) < deadline
    # Only an attempt itself can take the clock beyond the deadline, never a sleep after it.
    slept_to = clock.monotonic() - acts[min(len(begun), len(acts)) - 1][0]
    assert slept_to < deadline


def test_a_wait_that_does_not_fit_raises_the_error_at_once(platform: Platform) -> None:
    driver = Script(QuotaExceededError("slow down", retry_after=timedelta(seconds=10)), OK)
    with pytest.raises(QuotaExceededError):
        platform.unary(READ, driver)(Read(name="a"), CallOptions(deadline=timedelta(seconds=5)))
    assert platform.clock.slept == []


def test_a_call_whose_deadline_has_passed_is_not_sent(platform: Platform) -> None:
    driver = Script(OK)
    late = CallContext("outer", platform.clock.monotonic(), None, platform.clock)
    with (
        entered(late),
        pytest.raises(DeadlineExceededError, match="before the call was sent") as caught,
    ):
        platform.unary(WRITE, driver)(Write(name="a"))
    assert driver.attempts == 0
    assert caught.value.outcome is NOT_EXECUTED
    assert (caught.value.operation, caught.value.resource) == ("Things.Write", "a")


def test_settings_give_every_unary_call_a_deadline_and_a_long_poll_its_wait(colour: str) -> None:
    platform = Platform(colour, settings=PipelineSettings(deadline=timedelta(seconds=5)))
    deadlines: list[float | None] = []

    def note(request: object) -> Value:
        from lcplatform_runtime.context import current_call

        context = current_call()
        deadlines.append(context.deadline if context else None)
        return OK

    platform.unary(READ, note)(Read(name="a"))
    polls = platform.unary(operation(long_poll="delay"), note)
    polls(Write(name="a", delay=timedelta(seconds=20)))
    polls(Write(name="a"))
    polls(Write(name="a"), CallOptions(deadline=timedelta(seconds=1)))
    assert deadlines == [5.0, 25.0, 5.0, 1.0]


def test_an_async_attempt_ends_with_the_deadline() -> None:
    clock = ManualClock()
    cancelled: list[bool] = []

    async def hang(request: Read) -> Value:
        clock.call_later(0, lambda: None)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return OK

    async def main() -> None:
        pipeline: Any = Platform("async", clock=clock).pipeline
        options = CallOptions(deadline=timedelta(seconds=5))
        task = asyncio.create_task(pipeline.unary(READ, hang)(Read(name="a"), options))
        await asyncio.sleep(0)
        clock.advance(4.9)
        await asyncio.sleep(0)
        assert not task.done()
        clock.advance(0.1)
        with pytest.raises(DeadlineExceededError) as caught:
            await asyncio.wait_for(task, 5)
        assert caught.value.outcome is UNKNOWN
        assert caught.value.operation == "Things.Read"

    asyncio.run(main())
    assert cancelled == [True]


def test_a_drivers_own_timeout_is_not_taken_for_the_deadline() -> None:
    async def slow(request: Read) -> Value:
        raise TimeoutError("the vendor's")

    pipeline: Any = Platform("async").pipeline
    options = CallOptions(deadline=timedelta(seconds=5))
    with pytest.raises(InternalError) as caught:
        asyncio.run(pipeline.unary(READ, slow)(Read(name="a"), options))
    assert isinstance(caught.value.__cause__, TimeoutError)


# Outcomes


def test_a_later_refusal_does_not_hide_that_an_earlier_attempt_may_have_worked(
    platform: Platform,
) -> None:
    driver = Script[Value](ServiceUnavailableError("reset"), AlreadyExistsError("it exists"))
    creates = platform.unary(operation(idempotency=Idempotency.IDEMPOTENT), driver)
    with pytest.raises(AlreadyExistsError) as caught:
        creates(Read(name="a"))
    assert caught.value.outcome is UNKNOWN


def test_a_read_has_no_effect_to_be_unsure_of(platform: Platform) -> None:
    driver = Script[Value](ServiceUnavailableError("reset"), ResourceNotFoundError("gone"))
    with pytest.raises(ResourceNotFoundError) as caught:
        platform.unary(READ, driver)(Read(name="a"))
    assert caught.value.outcome is NOT_EXECUTED


# The budget


def test_in_an_outage_retries_stay_a_fraction_of_the_calls(platform: Platform) -> None:
    driver = Script[Value](ServiceUnavailableError("down"))
    read = platform.unary(READ, driver)
    for _ in range(1000):
        with pytest.raises(ServiceUnavailableError):
            read(Read(name="a"))
    assert 1100 <= driver.attempts <= 1130


def test_who_calls_rarely_has_all_attempts_each_time(platform: Platform) -> None:
    driver = Script[Value](ServiceUnavailableError("down"))
    read = platform.unary(READ, driver)
    for _ in range(50):
        with pytest.raises(ServiceUnavailableError):
            read(Read(name="a"))
        platform.clock.advance(timedelta(seconds=10))
    assert driver.attempts == 150


def test_the_budget_fills_again_after_an_outage(platform: Platform) -> None:
    outage = True

    def act(request: object) -> Value:
        if outage:
            raise ServiceUnavailableError("down")
        return OK

    driver = Script[Value](act)
    read = platform.unary(READ, driver)
    for _ in range(50):
        with pytest.raises(ServiceUnavailableError):
            read(Read(name="a"))
    outage = False
    for _ in range(100):
        read(Read(name="a"))
    outage, before = True, driver.attempts
    with pytest.raises(ServiceUnavailableError):
        read(Read(name="a"))
    assert driver.attempts - before == 3


def test_threads_share_the_budget_exactly() -> None:
    budget = RetryBudget(ManualClock(), capacity=100)
    granted: list[int] = []

    def spend() -> None:
        granted.append(sum(budget.withdraw() for _ in range(50)))

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 100


def test_an_unknown_exception_is_not_retried(platform: Platform) -> None:
    driver = Script(VendorError("?"), OK)
    with pytest.raises(InternalError):
        platform.unary(READ, driver)(Read(name="a"))
    assert driver.attempts == 1


class Statement(Request):
    transaction: str | None = None


STATEMENT = operation(idempotency=Idempotency.NO_SIDE_EFFECTS, transaction="transaction")


def test_a_part_of_a_transaction_is_never_repeated_by_itself(platform: Platform) -> None:
    """What failed is the transaction, so a statement in it would be run in one that is over."""
    error = ConflictError("serialization failure", retryable=True)
    inside = Script(error.copy(), OK)
    with pytest.raises(ConflictError):
        platform.unary(STATEMENT, inside)(Statement(transaction="t1"))
    assert inside.attempts == 1
    alone = Script(error.copy(), OK)
    assert platform.unary(STATEMENT, alone)(Statement()) == OK
    assert alone.attempts == 2

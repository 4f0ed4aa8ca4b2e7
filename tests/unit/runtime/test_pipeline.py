"""The way of a call: what passes, what is translated, what never happens."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcplatform_runtime.async_pipeline import AsyncPipeline
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import (
    ConflictError,
    InternalError,
    LCPlatformError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_runtime.operation import FieldLimit, Operation
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.pipeline import Pipeline
from lcplatform_runtime.support import Support
from tests.unit.runtime.doubles import (
    KEYED,
    READ,
    WATCH,
    WRITE,
    Platform,
    Read,
    Script,
    Value,
    VendorError,
    Write,
    asynchronous,
    operation,
)

OK = Value(text="ok")


def test_the_driver_gets_the_very_request_and_the_caller_the_very_answer(
    platform: Platform,
) -> None:
    driver = Script(OK)
    request = Read(name="a")
    assert platform.unary(READ, driver)(request) is OK
    assert driver.requests[0] is request


# Translation


def table(problem: Exception, of: Operation, /) -> LCPlatformError | None:
    if isinstance(problem, VendorError):
        return ConflictError(f"{of.method}: {problem}")
    return None


def test_the_vendors_exception_is_translated_and_stays_as_the_cause(colour: str) -> None:
    vendor = VendorError("stale")
    with pytest.raises(ConflictError, match=r"^read: stale") as caught:
        Platform(colour, translate=table).unary(READ, Script(vendor))(Read(name="a"))
    assert caught.value.__cause__ is vendor
    assert (caught.value.operation, caught.value.resource) == ("Things.Read", "a")


@pytest.mark.parametrize(
    "problem", [KeyError("x"), StopAsyncIteration(), TimeoutError(), RecursionError()]
)
def test_an_exception_that_nobody_knows_is_internal(colour: str, problem: Exception) -> None:
    with pytest.raises(InternalError) as caught:
        Platform(colour, translate=table).unary(READ, Script(problem))(Read(name="a"))
    error = caught.value
    assert error.message == f"the provider failed unexpectedly: {type(problem).__name__}"
    assert error.details == {"exception": f"builtins.{type(problem).__name__}"}
    assert (error.outcome, error.retryable) == ("unknown", False)


def test_the_end_of_some_iterator_is_not_taken_for_an_answer() -> None:
    with pytest.raises(InternalError, match="StopIteration"):
        Platform("blocking").unary(READ, Script(StopIteration(OK)))(Read(name="a"))


def test_a_platforms_error_passes_and_is_named_if_it_is_not(platform: Platform) -> None:
    named = ResourceNotFoundError("no", operation="Other.Call", resource="b")
    plain = ResourceNotFoundError("no")
    read = platform.unary(READ, Script(named, plain))
    for expected in (named, plain):
        with pytest.raises(ResourceNotFoundError) as caught:
            read(Read(name="a"))
        assert caught.value is expected
    assert (named.operation, named.resource) == ("Other.Call", "b")
    assert (plain.operation, plain.resource) == ("Things.Read", "a")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_program_passes_untouched(stop: type[BaseException]) -> None:
    def end(request: object) -> Value:
        raise stop

    with pytest.raises(stop):
        Platform("blocking", translate=table).unary(READ, end)(Read(name="a"))
    assert current_call() is None


def test_a_cancelled_task_is_cancelled_and_not_retried() -> None:
    async def main() -> None:
        calls = itertools.count()

        async def hang(request: Read) -> Value:
            next(calls)
            await asyncio.Event().wait()
            return OK

        pipeline: Any = Platform("async", translate=table).pipeline
        for options in (None, CallOptions(deadline=timedelta(seconds=60))):
            task = asyncio.create_task(pipeline.unary(READ, hang)(Read(name="a"), options))
            await asyncio.sleep(0)
            task.cancel("by the caller")
            with pytest.raises(asyncio.CancelledError, match="by the caller"):
                await task
        assert next(calls) == 2

    asyncio.run(main())


def test_a_task_that_is_cancelled_while_it_waits_to_retry_stops_there() -> None:
    async def main() -> None:
        from lcplatform_runtime.testing.clock import ManualClock

        clock = ManualClock()
        driver = Script[Value](QuotaExceededError("slow down", retry_after=timedelta(seconds=5)))

        async def call(request: Read) -> Value:
            return driver(request)

        pipeline: Any = Platform("async", clock=clock).pipeline
        task = asyncio.create_task(pipeline.unary(READ, call)(Read(name="a")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        clock.advance(60)
        assert driver.attempts == 1

    asyncio.run(main())


def test_an_error_is_not_kept_alive_by_its_own_traceback() -> None:
    held: list[weakref.ref[Any]] = []

    def fail(request: object) -> Value:
        error = ResourceNotFoundError("no")
        held.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error

    def collected() -> bool:
        return held.pop()() is None

    async def main() -> bool:
        pipeline: Any = Platform("async").pipeline
        with contextlib.suppress(ResourceNotFoundError):
            await pipeline.unary(READ, asynchronous(fail))(Read(name="a"))
        return collected()

    gc.disable()
    try:
        with contextlib.suppress(ResourceNotFoundError):
            Platform("blocking").unary(READ, fail)(Read(name="a"))
        assert collected()
        assert asyncio.run(main())
    finally:
        gc.enable()


# The first attempt may be made ahead of the steps. Nobody can tell.


ACTS = st.lists(
    st.sampled_from(
        [
            OK,
            ServiceUnavailableError("down"),
            QuotaExceededError("slow down", retry_after=timedelta(seconds=1)),
            ResourceNotFoundError("no"),
            VendorError("stale"),
            KeyError("?"),
        ]
    ),
    min_size=1,
    max_size=5,
)


@given(
    acts=ACTS,
    of=st.sampled_from([READ, WRITE, KEYED]),
    calls=st.integers(1, 6),
    colour=st.sampled_from(["blocking", "async"]),
    size=st.integers(1, 5),
)
def test_a_first_attempt_ahead_of_the_steps_changes_nothing(
    acts: list[Any], of: Operation, calls: int, colour: str, size: int
) -> None:
    limited = operation(
        method=of.method,
        title=of.title,
        idempotency=of.idempotency,
        idempotency_key=of.idempotency_key,
        limits=(FieldLimit(field="name", limit="most", unit="bytes"),),
    )

    def run(options: CallOptions | None) -> list[Any]:
        platform = Platform(colour, translate=table, support=lambda: Support(limits={"most": 4}))
        driver = Script(*acts)
        call = platform.unary(limited, driver)
        told: list[Any] = []
        for _ in range(calls):
            try:
                told.append(call(Write(name="n" * size), options))
            except LCPlatformError as error:
                told.append((error.fields(), repr(error.__cause__)))
        return [told, driver.attempts, len(platform.clock.slept)]

    assert run(None) == run(CallOptions())


# Idempotency keys


def test_a_key_of_the_options_becomes_the_requests_own(platform: Platform) -> None:
    driver = Script(ServiceUnavailableError("reset"), OK)
    write = platform.unary(KEYED, driver)
    write(Write(name="a"), CallOptions(idempotency_key="k1"))
    write(Write(name="a", key="own"), CallOptions(idempotency_key="k1"))
    assert [it.key for it in driver.requests] == ["k1", "k1", "own"]


def test_a_key_that_can_have_no_effect_is_refused(platform: Platform) -> None:
    driver = Script(OK)
    with pytest.raises(ValidationError, match="takes no idempotency key") as caught:
        platform.unary(WRITE, driver)(Write(name="a"), CallOptions(idempotency_key="k1"))
    assert driver.attempts == 0
    assert caught.value.operation == "Things.Write"
    platform.unary(READ, driver)(Read(name="a"), CallOptions(idempotency_key="k1"))
    assert driver.attempts == 1


# Streams of answers


def listed(colour: str, method: Callable[[Any], Iterator[Value]], take: int = 100) -> list[str]:
    """The texts of at most so many answers of a stream."""
    pipeline = Platform(colour, translate=table).pipeline
    if isinstance(pipeline, Pipeline):
        answers = pipeline.stream(WATCH, method)(Read(name="a"))
        texts = [it.text for it in itertools.islice(answers, take)]
        getattr(answers, "close")()  # noqa: B009  an iterator need not have one
        return texts

    async def answer(request: Any) -> AsyncIterator[Value]:
        inner = method(request)
        try:
            for it in inner:
                yield it
        finally:
            getattr(inner, "close", bool)()

    async def main(pipeline: AsyncPipeline) -> list[str]:
        answers: Any = pipeline.stream(WATCH, answer)(Read(name="a"))
        texts: list[str] = []
        async for it in answers:
            texts.append(it.text)
            if len(texts) == take:
                break
        await answers.aclose()
        return texts

    return asyncio.run(main(pipeline))


def values(*texts: str) -> Iterator[Value]:
    for text in texts:
        yield Value(text=text)


def test_a_stream_gives_every_answer(colour: str) -> None:
    assert listed(colour, lambda request: values("a", "b", "c")) == ["a", "b", "c"]
    assert listed(colour, lambda request: values()) == []


def test_a_stream_that_fails_before_its_first_answer_is_retried(colour: str) -> None:
    failures = iter([ServiceUnavailableError("refused", outcome=None)])
    opened: list[int] = []

    def watch(request: Any) -> Iterator[Value]:
        opened.append(1)
        for failure in failures:
            raise QuotaExceededError("slow down") from failure
        yield from values("a", "b")

    assert listed(colour, watch) == ["a", "b"]
    assert len(opened) == 2


def test_a_stream_that_fails_later_is_not_begun_again(
    colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    opened: list[int] = []
    seen: list[str] = []

    def watch(request: Any) -> Iterator[Value]:
        opened.append(1)
        for it in values("a", "b"):
            seen.append(it.text)
            yield it
        raise VendorError("broke off")

    with pytest.raises(ConflictError, match="watch: broke off") as caught:
        listed(colour, watch)
    assert (opened, seen) == ([1], ["a", "b"])
    assert isinstance(caught.value.__cause__, VendorError)
    assert (caught.value.operation, caught.value.resource) == ("Things.Watch", "a")
    assert [it.__dict__["outcome"] for it in caplog.records if it.name == "lcplatform"] == [
        "CONFLICT"
    ]


def test_a_stream_that_is_left_is_closed(colour: str) -> None:
    closed: list[bool] = []

    def watch(request: Any) -> Iterator[Value]:
        try:
            yield from values("a", "b", "c")
        finally:
            closed.append(True)

    assert listed(colour, watch, take=2) == ["a", "b"]
    assert closed == [True]


def test_the_driver_of_a_stream_knows_its_call_at_every_answer(colour: str) -> None:
    names: list[str] = []

    def watch(request: Any) -> Iterator[Value]:
        for it in values("a", "b", "c"):
            context = current_call()
            assert context is not None
            names.append(context.correlation_id)
            yield it

    listed(colour, watch)
    assert len(names) == 3
    assert len(set(names)) == 1
    assert current_call() is None


def test_nothing_happens_before_the_first_answer_is_asked_for() -> None:
    pipeline: Any = Platform("blocking").pipeline
    pipeline.stream(WATCH, Script(VendorError("never called")))(Read(name="a"))


def test_threads_call_through_one_pipeline_without_mixing_anything_up() -> None:
    seen: dict[str, str] = {}

    def note(request: Read) -> Value:
        context = current_call()
        assert context is not None
        seen[request.name] = context.correlation_id
        return Value(text=request.name)

    read = Platform("blocking").unary(READ, note)

    def work(number: int) -> None:
        for turn in range(50):
            name = f"{number}.{turn}"
            options = CallOptions(correlation_id=f"c{name}") if turn % 2 else None
            assert read(Read(name=name), options).text == name

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 400
    assert len(set(seen.values())) == 400
    assert all(seen[name] == f"c{name}" for name in seen if int(name.split(".")[1]) % 2)


def test_options_that_are_none_are_refused_by_name(platform: Platform) -> None:
    wrong: Any = {"deadline": 3}
    with pytest.raises(ValidationError, match="must be CallOptions"):
        platform.unary(READ, Script(OK))(Read(name="a"), wrong)

"""Answers are loaded once, kept for their time and forgotten when a write makes them stale."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lcplatform_runtime.cache import Cache, CacheSettings, Flight, Shelf
from lcplatform_runtime.errors import (
    DeadlineExceededError,
    LCPlatformError,
    ResourceNotFoundError,
    ServiceUnavailableError,
)
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.settings import PipelineSettings
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.runtime.doubles import CACHED, WRITE, Platform, Read, Script, Value, Write

A = Read(name="a")


def counting() -> Script[Value]:
    """A driver whose answers are numbered."""
    driver = Script[Value](lambda request: Value(text=f"{request.name}{driver.attempts}"))
    return driver


def test_an_answer_is_kept_for_its_time(platform: Platform) -> None:
    driver = counting()
    read = platform.unary(CACHED, driver)
    assert [read(A).text, read(A).text] == ["a1", "a1"]
    platform.clock.advance(timedelta(minutes=5, seconds=-1))
    assert read(A).text == "a1"
    platform.clock.advance(1)
    assert read(A).text == "a2"


def test_answers_are_kept_by_every_field_of_the_key(platform: Platform) -> None:
    read = platform.unary(CACHED, counting())
    requests = [A, Read(name="b"), Read(name="a", version="1"), A]
    assert [read(it).text for it in requests] == ["a1", "b2", "a3", "a1"]


def test_kept_answers_without_a_request(platform: Platform) -> None:
    """SC-004"""
    read = platform.unary(CACHED, counting())
    assert read.kept(("a", None)) is None
    answer = read(A)
    assert read.kept(("a", None)) is answer
    assert read.kept(("a", "1")) is None
    assert read.kept(("a", None), CallOptions(bypass_cache=True)) is None
    assert read.kept((["not", "hashable"], None)) is None
    platform.clock.advance(timedelta(minutes=5))
    assert read.kept(("a", None)) is None


def test_a_bypass_reads_anew_and_keeps_what_it_read(platform: Platform) -> None:
    read = platform.unary(CACHED, counting())
    read(A)
    assert read(A, CallOptions(bypass_cache=True)).text == "a2"
    assert read(A).text == "a2"


@pytest.mark.parametrize("first", ["bypass", "usual"])
def test_of_two_loads_of_one_answer_the_later_to_end_is_not_kept(first: str) -> None:
    shelf = Shelf(timedelta(minutes=5), 10, ManualClock())
    loads = {
        "usual": shelf.begin(("a",), "a")[0],
        "bypass": shelf.begin(("a",), "a", alone=True)[0],
    }
    fresh = loads.pop(first)
    fresh.value = "fresh"
    shelf.end(fresh)
    (late,) = loads.values()
    late.value = "old"
    shelf.end(late)
    assert shelf.get(("a",)) == "fresh"


def test_an_event_loop_that_closes_meanwhile_keeps_nobody_from_the_answer() -> None:
    flight = Flight(("a",), "a")

    async def leave() -> None:
        waiting = asyncio.create_task(flight.wait_async())
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(leave())
    over = threading.Event()
    flight._when_done(over.set)
    flight.finish()
    assert over.is_set()


def test_settings_decide_about_time_and_size(colour: str) -> None:
    kept = CacheSettings(ttl=timedelta(seconds=1), size=2)
    platform = Platform(colour, settings=PipelineSettings(cache=kept))
    read = platform.unary(CACHED, counting())
    for name in "abc":
        read(Read(name=name))
    assert read(Read(name="b")).text == "b2"
    assert read(Read(name="a")).text == "a4"
    platform.clock.advance(1)
    assert read(A).text == "a5"


@pytest.mark.parametrize("kept", [CacheSettings(enabled=False), CacheSettings(size=0)])
def test_nothing_is_kept_where_the_cache_is_off(colour: str, kept: CacheSettings) -> None:
    platform = Platform(colour, settings=PipelineSettings(cache=kept))
    read = platform.unary(CACHED, counting())
    assert [read(A).text, read(A).text] == ["a1", "a2"]
    assert read.kept(("a", None)) is None


def test_what_is_asked_for_again_is_not_the_first_to_go() -> None:
    shelf = Shelf(timedelta(minutes=1), 3, ManualClock())
    for name in "abc":
        put(shelf, name)
    shelf.get(("a",))
    put(shelf, "d")
    assert [bool(shelf.get((name,))) for name in "abcd"] == [True, False, True, True]


def put(shelf: Shelf, name: str) -> None:
    flight, leads = shelf.begin((name,), name)
    assert leads
    flight.value = name
    shelf.end(flight)


@pytest.mark.parametrize("fails", [False, True])
def test_a_write_makes_the_answers_about_its_resource_stale(
    platform: Platform, fails: bool
) -> None:
    read = platform.unary(CACHED, counting())
    write = platform.unary(
        WRITE, Script(ServiceUnavailableError("reset") if fails else Value(text=""))
    )
    read(A)
    read(Read(name="b"))
    try:
        write(Write(name="a"))
    except ServiceUnavailableError:
        assert fails
    assert (read(A).text, read(Read(name="b")).text) == ("a3", "b2")


def test_a_write_without_a_resource_makes_everything_stale() -> None:
    cache = Cache(CacheSettings(), ManualClock())
    shelf = cache.shelf(CACHED)
    assert shelf is not None
    put(shelf, "a")
    cache.invalidate("things", "cached", None)
    assert shelf.get(("a",)) is None
    cache.invalidate("things", "never bound", None)


def test_an_answer_that_a_write_overtook_is_given_but_not_kept(platform: Platform) -> None:
    write = platform.unary(WRITE, Script(Value(text="")))

    def overtaken(request: Any) -> Value:
        # Another thread writes after the provider has composed this answer.
        other = threading.Thread(target=write, args=(Write(name="a"),))
        other.start()
        other.join()
        return Value(text="old")

    read = platform.unary(CACHED, Script(overtaken, Value(text="new")))
    assert read(A).text == "old"
    assert read(A).text == "new"


def test_an_error_is_not_kept(platform: Platform) -> None:
    read = platform.unary(CACHED, Script(ResourceNotFoundError("no"), Value(text="there")))
    with pytest.raises(ResourceNotFoundError):
        read(A)
    assert read(A).text == "there"


# Single flight: callers who ask while the answer is being loaded.


class Gate:
    """A blocking driver that waits inside a call until it is let go."""

    def __init__(self, *acts: Value | Exception) -> None:
        self.entered = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.script = Script(*acts)

    def __call__(self, request: Any) -> Value:
        self.entered.release()
        assert self.go.acquire(timeout=10)
        return self.script(request)


def waiting_callers(shelf: Any, count: int) -> None:
    """Returns when so many callers wait for the only load of `shelf`."""
    (flight,) = shelf._loading
    for _ in range(10_000):
        if len(flight._callbacks) == count:
            return
        threading.Event().wait(0.001)
    raise TimeoutError


def threads_on(gate: Gate, callers: int, options: CallOptions | None = None) -> list[Any]:
    """What so many threads get that ask at the same moment; the errors among it."""
    platform = Platform("blocking", clock=ManualClock())
    read: Any = platform.unary(CACHED, gate)

    def ask(_: int) -> Any:
        try:
            return read(A, options)
        except LCPlatformError as error:
            return error

    with ThreadPoolExecutor(callers) as pool:
        futures = [pool.submit(ask, number) for number in range(callers)]
        assert gate.entered.acquire(timeout=10)
        waiting_callers(read._chain.shelf, callers - 1)
        gate.go.release(callers)
        return [it.result(10) for it in futures]


def test_threads_share_one_load() -> None:
    gate = Gate(Value(text="once"))
    answers = threads_on(gate, 16)
    assert gate.script.attempts == 1
    assert all(it is answers[0] for it in answers)


def test_threads_share_the_error_of_one_load_as_copies() -> None:
    gate = Gate(ResourceNotFoundError("no such thing", details={"vendor": "x"}))
    errors = threads_on(gate, 8)
    assert gate.script.attempts == 1
    assert len({id(it) for it in errors}) == 8
    assert all(it.fields() == errors[0].fields() for it in errors)


def test_tasks_share_one_load() -> None:
    async def main() -> None:
        go = asyncio.Event()
        loads = 0

        async def load(request: Read) -> Value:
            nonlocal loads
            loads += 1
            await go.wait()
            return Value(text="once")

        pipeline: Any = Platform("async").pipeline
        read = pipeline.unary(CACHED, load)
        tasks = [asyncio.create_task(read(A)) for _ in range(100)]
        await asyncio.sleep(0)
        go.set()
        answers = await asyncio.gather(*tasks)
        assert loads == 1
        assert all(it is answers[0] for it in answers)

    asyncio.run(main())


def test_event_loops_in_several_threads_share_one_load() -> None:
    cache = Cache(CacheSettings(), ManualClock())
    gate = Gate(Value(text="once"))

    async def load(request: Read) -> Value:
        return await asyncio.to_thread(gate, request)

    def ask(_: int) -> Value:
        pipeline: Any = Platform("async", cache=cache).pipeline
        answer: Value = asyncio.run(pipeline.unary(CACHED, load)(A))
        return answer

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(ask, number) for number in range(8)]
        assert gate.entered.acquire(timeout=10)
        waiting_callers(cache.shelf(CACHED), 7)
        gate.go.release(8)
        assert {it.result(10).text for it in futures} == {"once"}
    assert gate.script.attempts == 1


def test_when_the_caller_who_loads_is_cancelled_the_next_one_loads() -> None:
    async def main() -> None:
        begun = asyncio.Queue[asyncio.Future[Value]]()

        async def load(request: Read) -> Value:
            answer: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
            begun.put_nowait(answer)
            return await answer

        pipeline: Any = Platform("async").pipeline
        read = pipeline.unary(CACHED, load)
        leader, *others = [asyncio.create_task(read(A)) for _ in range(5)]
        await begun.get()
        leader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leader
        second = await asyncio.wait_for(begun.get(), 5)
        second.set_result(Value(text="second"))
        assert {it.text for it in await asyncio.gather(*others)} == {"second"}
        assert begun.empty()

    asyncio.run(main())


def test_a_cancelled_waiter_leaves_the_load_alone() -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def load(request: Read) -> Value:
            await go.wait()
            return Value(text="once")

        pipeline: Any = Platform("async").pipeline
        read = pipeline.unary(CACHED, load)
        leader, waiter = [asyncio.create_task(read(A)) for _ in range(2)]
        await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        go.set()
        assert (await leader).text == "once"

    asyncio.run(main())


def test_the_deadline_of_who_loads_is_not_that_of_who_waits() -> None:
    clock = ManualClock()

    async def main() -> None:
        begun = asyncio.Queue[asyncio.Future[Value]]()

        async def load(request: Read) -> Value:
            answer: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
            begun.put_nowait(answer)
            return await answer

        pipeline: Any = Platform("async", clock=clock).pipeline
        read = pipeline.unary(CACHED, load)
        hasty = asyncio.create_task(read(A, CallOptions(deadline=timedelta(seconds=1))))
        await begun.get()
        patient = asyncio.create_task(read(A))
        hasty_too = asyncio.create_task(read(A, CallOptions(deadline=timedelta(seconds=0.5))))
        await asyncio.sleep(0)
        clock.advance(0.5)
        with pytest.raises(DeadlineExceededError, match="another caller"):
            await hasty_too
        clock.advance(0.5)
        with pytest.raises(DeadlineExceededError):
            await hasty
        (await asyncio.wait_for(begun.get(), 5)).set_result(Value(text="second"))
        assert (await patient).text == "second"

    asyncio.run(main())


def test_a_thread_does_not_wait_for_another_load_beyond_its_deadline() -> None:
    gate = Gate(Value(text="late"))
    read: Any = Platform("blocking", clock=ManualClock()).unary(CACHED, gate)
    leader = threading.Thread(target=read, args=(A,))
    leader.start()
    assert gate.entered.acquire(timeout=10)
    with pytest.raises(DeadlineExceededError, match="another caller"):
        read(A, CallOptions(deadline=timedelta(milliseconds=5)))
    gate.go.release()
    leader.join(10)
    assert read.kept(("a", None)).text == "late"


def test_a_read_after_a_write_does_not_join_a_load_from_before_it() -> None:
    gate = Gate(Value(text="old"), Value(text="new"))
    platform = Platform("blocking", clock=ManualClock())
    read: Any = platform.unary(CACHED, gate)
    write = platform.unary(WRITE, Script(Value(text="")))
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(read, A)
        assert gate.entered.acquire(timeout=10)
        write(Write(name="a"))
        after = pool.submit(read, A)
        assert gate.entered.acquire(timeout=10)  # a second load, while the first is under way
        gate.go.release(2)
        assert {before.result(10).text, after.result(10).text} == {"old", "new"}
    assert gate.script.attempts == 2


class KeptAnswers(RuleBasedStateMachine):
    """Whatever happens in whatever order, a reader never sees what a write before its read has made stale."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.shelf = Shelf(timedelta(seconds=10), 3, self.clock)
        self.truth = dict.fromkeys("abcd", 0)
        self.loads: list[tuple[Any, str, int]] = []

    names = st.sampled_from("abcd")

    @rule(name=names, alone=st.booleans())
    def begin(self, name: str, alone: bool) -> None:
        flight, leads = self.shelf.begin((name,), name, alone=alone)
        if leads:
            self.loads.append((flight, name, self.truth[name]))
        else:
            assert not flight.stale

    @rule(number=st.integers(0, 100), works=st.booleans())
    def end(self, number: int, works: bool) -> None:
        if self.loads:
            flight, _, value = self.loads.pop(number % len(self.loads))
            flight.value = ("value", value) if works else None
            self.shelf.end(flight)

    @rule(name=names)
    def write(self, name: str) -> None:
        self.truth[name] += 1
        self.shelf.invalidate(name)

    @rule(seconds=st.floats(0, 20))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def nothing_stale_is_kept(self) -> None:
        for name, value in self.truth.items():
            assert self.shelf.get((name,)) in (None, ("value", value))

    @invariant()
    def no_more_is_kept_than_allowed(self) -> None:
        assert len(self.shelf._entries) <= 3


KeptAnswers.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestKeptAnswers: type = KeptAnswers.TestCase

"""A clock that a test moves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.testing.clock import ManualClock

START = datetime(2030, 1, 1, tzinfo=UTC)


def test_the_system_clock_tells_the_time() -> None:
    before = datetime.now(UTC)
    assert before <= SYSTEM.now() <= datetime.now(UTC)
    first = SYSTEM.monotonic()
    SYSTEM.sleep(0.001)
    assert SYSTEM.monotonic() >= first + 0.001
    asyncio.run(SYSTEM.sleep_async(0))


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock()
    assert (clock.now(), clock.monotonic()) == (START, 0.0)
    clock.advance(timedelta(hours=1))
    clock.advance(1.5)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(hours=1, seconds=1.5), 3601.5)
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)


def test_what_falls_due_happens_at_its_moment_and_in_its_order() -> None:
    clock = ManualClock()
    happened: list[tuple[str, float]] = []

    def note(name: str) -> None:
        happened.append((name, clock.monotonic()))

    clock.call_later(5, lambda: note("second"))
    clock.call_at(START + timedelta(seconds=2), lambda: note("first"))
    clock.call_later(2, lambda: clock.call_later(1, lambda: note("planned on the way")))
    clock.call_later(4, lambda: note("cancelled")).cancel()
    clock.call_later(timedelta(seconds=60), lambda: note("too late"))
    clock.advance(10)
    assert happened == [("first", 2.0), ("planned on the way", 3.0), ("second", 5.0)]
    assert clock.monotonic() == 10.0


def test_a_sleeping_thread_wakes_when_its_time_has_come() -> None:
    clock = ManualClock()
    woke: list[float] = []

    def sleep() -> None:
        clock.sleep(10)
        woke.append(clock.monotonic())

    thread = threading.Thread(target=sleep)
    thread.start()
    clock.await_sleepers(1)
    clock.advance(9)
    assert thread.is_alive()
    clock.advance(1)
    thread.join(5)
    assert woke == [10.0]
    assert clock.slept == [10]


def test_a_sleeping_task_wakes_when_its_time_has_come() -> None:
    clock = ManualClock()

    async def main() -> None:
        task = asyncio.create_task(clock.sleep_async(10))
        await asyncio.sleep(0)
        clock.advance(9.9)
        await asyncio.sleep(0)
        assert not task.done()
        clock.advance(0.1)
        await asyncio.wait_for(task, 5)

    asyncio.run(main())


def test_a_self_advancing_clock_jumps_over_every_sleep() -> None:
    clock = ManualClock(self_advancing=True)
    clock.sleep(3)
    asyncio.run(clock.sleep_async(4))
    assert (clock.monotonic(), clock.slept) == (7.0, [3, 4])


def test_a_scope_ends_what_takes_longer() -> None:
    clock = ManualClock()

    async def main() -> None:
        scope = clock.timeout(5)

        async def take_longer() -> None:
            async with scope:
                clock.advance(5)
                await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            await take_longer()
        assert scope.expired()
        async with clock.timeout(5) as _, clock.timeout(None):
            await asyncio.sleep(0)
        clock.advance(60)  # nothing is left of it
        await asyncio.sleep(0)

    asyncio.run(main())


def test_waiting_ends_by_notice_or_by_time() -> None:
    clock = ManualClock()
    condition = threading.Condition()
    results: list[bool] = []

    def wait() -> None:
        with condition:
            results.append(clock.wait(condition, 20))

    wakers: list[Callable[[], None]] = [lambda: clock.advance(20), lambda: _notify(condition)]
    for wake in wakers:
        thread = threading.Thread(target=wait)
        thread.start()
        clock.await_sleepers(1)
        wake()
        thread.join(5)
        assert not thread.is_alive()
    assert results == [False, True]


def _notify(condition: threading.Condition) -> None:
    with condition:
        condition.notify_all()


def test_without_sleepers_waiting_for_them_gives_up() -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        ManualClock().await_sleepers(1, timeout=0.001)


def test_both_are_clocks() -> None:
    clocks: list[Clock] = [SYSTEM, ManualClock()]
    assert all(clock.monotonic() >= 0 for clock in clocks)

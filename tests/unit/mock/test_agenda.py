"""Work that services do by themselves happens at its moment of the clock, in its order, and ends with the platform."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from lcplatform_mock.agenda import Agenda
from lcplatform_mock.clock import RunningClock
from lcplatform_runtime.testing.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(self_advancing=True)


@pytest.fixture
def kept() -> list[str]:
    return []


@pytest.fixture
def agenda(clock: ManualClock, kept: list[str]) -> Iterator[Agenda]:
    made = Agenda(clock, lambda: kept.append("kept"))
    yield made
    made.close()


def test_work_is_done_on_another_thread_and_kept_at_its_end(
    agenda: Agenda, kept: list[str]
) -> None:
    threads: list[threading.Thread] = []
    agenda.soon(lambda: threads.append(threading.current_thread()))
    agenda.settle()
    assert threads != [threading.current_thread()]
    assert len(threads) == 1
    assert kept == ["kept"]


def test_each_piece_of_work_happens_at_its_moment(agenda: Agenda, clock: ManualClock) -> None:
    start, seen = clock.now(), list[tuple[str, datetime]]()
    agenda.after(60, lambda: seen.append(("second", clock.now())))
    agenda.after(1, lambda: seen.append(("first", clock.now())))
    agenda.after(3600, lambda: seen.append(("never", clock.now())))
    agenda.advance(clock, 120)
    assert [it for it, _ in seen] == ["first", "second"]
    assert [round((at - start).total_seconds(), 3) for _, at in seen] == [1, 60]
    assert round((clock.now() - start).total_seconds(), 3) == 120


def test_work_that_comes_of_work_happens_on_the_way(agenda: Agenda, clock: ManualClock) -> None:
    ticks: list[float] = []

    def tick() -> None:
        ticks.append(clock.monotonic())
        agenda.after(10, tick)

    agenda.after(10, tick)
    agenda.advance(clock, 100)
    assert [round(it) for it in ticks] == list(range(10, 101, 10))


def test_cancelled_work_is_not_done(agenda: Agenda, clock: ManualClock) -> None:
    done: list[int] = []
    agenda.after(1, lambda: done.append(1)).cancel()
    agenda.after(2, lambda: done.append(2))
    agenda.advance(clock, 5)
    assert done == [2]


def test_work_that_fails_is_logged_and_does_not_stop_the_rest(
    agenda: Agenda, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []
    with caplog.at_level(logging.ERROR, "lcplatform.mock"):
        agenda.soon(lambda: 1 // 0)
        agenda.soon(lambda: done.append(1))
        agenda.settle()
    assert done == [1]
    assert "work of the mock failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_settling_waits_for_what_has_begun(agenda: Agenda) -> None:
    go, done = threading.Event(), list[int]()

    def work() -> None:
        go.wait(30)
        done.append(1)

    agenda.soon(work)
    agenda.settle(patience=0.05)
    assert not done
    go.set()
    agenda.settle()
    assert done == [1]


def test_nothing_is_done_after_the_end(clock: ManualClock) -> None:
    agenda = Agenda(clock, lambda: None)
    done: list[int] = []
    agenda.after(1, lambda: done.append(1))
    agenda.close()
    agenda.soon(lambda: done.append(2))
    clock.advance(timedelta(seconds=2))
    agenda.settle()
    assert not done


def test_a_clock_that_is_moved_by_others_wakes_the_agenda() -> None:
    clock = RunningClock()
    agenda = Agenda(clock, lambda: None)
    done = threading.Event()
    agenda.after(3600, done.set)
    clock.advance(timedelta(hours=1))
    assert done.wait(10)
    agenda.close()


def test_on_a_running_clock_work_happens_in_time() -> None:
    agenda = Agenda(RunningClock(), lambda: None)
    done = threading.Event()
    agenda.after(0.05, done.set)
    assert done.wait(10)
    agenda.close()

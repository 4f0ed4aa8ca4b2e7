"""Deliveries that are tried again: when, how often, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from lcplatform_mock.retrying import Ended, Failure, Policy, Progress, Retries
from lcplatform_mock.settings import MockSettings
from lcplatform_mock.world import World
from lcplatform_runtime.testing.clock import ManualClock

DOWN = Failure("down")
DAY = timedelta(days=1)


@dataclass
class Parcel:
    """A delivery that notes what becomes of it."""

    clock: ManualClock
    policy: Policy
    progress: Progress
    results: Callable[[int], Failure | None]
    tries: list[datetime] = field(default_factory=list)
    kept: list[Progress] = field(default_factory=list)
    end: str = ""

    def attempt(self) -> Failure | None:
        self.tries.append(self.clock.now())
        return self.results(len(self.tries))

    def arrived(self) -> None:
        self.end += "arrived"

    def postponed(self) -> None:
        self.kept.append(Progress(self.progress.since, self.progress.due, self.progress.attempts))

    def given_up(self, why: Ended) -> None:
        self.end += f"{why}"

    def waits(self) -> list[float]:
        moments = [self.progress.since, *self.tries]
        return [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]


@dataclass
class Yard:
    clock: ManualClock
    world: World
    retries: Retries

    def parcel(
        self,
        results: Callable[[int], Failure | None],
        *,
        max_retries: int = 185,
        max_age: timedelta = DAY,
        since: datetime | None = None,
    ) -> Parcel:
        now = self.clock.now()
        progress = Progress(since or now, now)
        return Parcel(self.clock, Policy(max_retries, max_age), progress, results)

    def pass_by(self, seconds: float) -> None:
        self.world.agenda.advance(self.clock, seconds)


@pytest.fixture
def yard(clock: ManualClock) -> Iterator[Yard]:
    world = World(MockSettings(clock=clock, seed=1))
    yield Yard(clock, world, Retries(world))
    world.end_work()


def test_what_arrives_at_once_is_done(yard: Yard) -> None:
    parcel = yard.parcel(lambda _: None)
    yard.retries.start(parcel)
    yard.pass_by(0)
    assert (parcel.end, parcel.waits(), parcel.kept, len(yard.retries)) == ("arrived", [0], [], 0)


def test_waits_grow_with_jitter_up_to_a_longest(yard: Yard) -> None:
    parcel = yard.parcel(lambda _: DOWN)
    yard.retries.start(parcel)
    yard.pass_by(5 * 3600)
    waits = parcel.waits()[1:]
    assert len(waits) > 20
    for number, wait in enumerate(waits):
        longest = min(600.0, 2.0**number)
        assert longest / 2 - 0.01 <= wait <= longest + 0.01
    assert len({round(it, 3) for it in waits[-10:]}) == 10
    assert [it.attempts for it in parcel.kept] == list(range(1, len(waits) + 2))


def test_a_receiver_that_comes_back_gets_it_later(yard: Yard) -> None:
    parcel = yard.parcel(lambda number: DOWN if number < 4 else None)
    yard.retries.start(parcel)
    yard.pass_by(60)
    assert (parcel.end, len(parcel.tries), parcel.progress.reason) == ("arrived", 4, "down")


@pytest.mark.parametrize("most", [0, 1, 5])
def test_after_so_many_retries_it_is_given_up(yard: Yard, most: int) -> None:
    parcel = yard.parcel(lambda _: DOWN, max_retries=most)
    yard.retries.start(parcel)
    yard.pass_by(3600)
    assert (parcel.end, len(parcel.tries), len(yard.retries)) == ("max_attempts", most + 1, 0)


def test_the_last_attempt_is_made_at_the_end_of_its_time(yard: Yard) -> None:
    parcel = yard.parcel(lambda _: DOWN, max_age=timedelta(minutes=1))
    yard.retries.start(parcel)
    yard.pass_by(3600)
    assert parcel.end == "max_age"
    assert sum(parcel.waits()) == pytest.approx(60, abs=0.01)


def test_what_has_become_too_old_meanwhile_is_not_tried(yard: Yard) -> None:
    parcel = yard.parcel(lambda _: None, since=yard.clock.now() - timedelta(days=2))
    yard.retries.start(parcel)
    yard.pass_by(0)
    assert (parcel.end, parcel.tries) == ("max_age", [])


def test_by_default_it_is_tried_for_about_a_day(yard: Yard) -> None:
    parcel = yard.parcel(lambda _: DOWN)
    yard.retries.start(parcel)
    yard.pass_by(2 * 86400)
    assert parcel.end in {"max_attempts", "max_age"}
    assert sum(parcel.waits()) > 20 * 3600


def test_a_receiver_is_not_asked_before_it_wants_to_be(yard: Yard) -> None:
    parcel = yard.parcel(lambda number: Failure("busy", retry_after=120) if number == 1 else None)
    yard.retries.start(parcel)
    yard.pass_by(300)
    assert parcel.waits()[1] == pytest.approx(120, abs=0.01)


def test_what_would_fail_again_is_not_tried_again(yard: Yard) -> None:
    parcel = yard.parcel(lambda _: Failure("no such queue", final=True))
    yard.retries.start(parcel)
    yard.pass_by(3600)
    assert (parcel.end, len(parcel.tries)) == ("refused", 1)


def test_what_an_attempt_raises_is_a_failure_by_its_kind(yard: Yard) -> None:
    def broken(number: int) -> Failure | None:
        if number == 1:
            raise KeyError("s3cret")
        return None

    parcel = yard.parcel(broken)
    yard.retries.start(parcel)
    yard.pass_by(60)
    assert (parcel.end, parcel.progress.reason) == ("arrived", "KeyError")


def test_a_first_attempt_may_have_been_made_elsewhere(yard: Yard) -> None:
    parcel = yard.parcel(lambda _: None)
    yard.retries.failed(parcel, DOWN)
    assert parcel.tries == []
    yard.pass_by(60)
    assert (parcel.end, len(parcel.tries), parcel.progress.attempts) == ("arrived", 1, 1)


def test_what_is_forgotten_is_neither_tried_nor_told_of(yard: Yard) -> None:
    waiting, trying = yard.parcel(lambda _: DOWN), yard.parcel(lambda _: None)
    yard.retries.start(waiting)
    yard.pass_by(0)

    def meanwhile(number: int) -> None:
        yard.retries.forget()

    trying.results = meanwhile
    yard.retries.start(trying)
    yard.pass_by(3600)
    assert (waiting.end, len(waiting.tries)) == ("", 1)
    assert (trying.end, len(trying.tries)) == ("", 1)

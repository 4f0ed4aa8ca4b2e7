"""Deliveries to receivers that may be down: tried again and again, ever more rarely, until they arrive or are given up.

A service keeps a `Progress` with each delivery that is under way, in memory or across restarts; `Retries` does the rest on
the agenda.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from lcplatform_mock.world import World

if TYPE_CHECKING:
    from lcplatform_mock.agenda import Ticket

FIRST_DELAY: Final = 1.0
"""The longest wait in seconds before the second attempt. Each one after may be twice as long."""

LONGEST_DELAY: Final = 600.0
"""The longest wait of all. With it 185 retries take about a day, which is what EventBridge allows by default."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How long a delivery is tried.

    Attributes:
        max_retries: how often after the first attempt.
        max_age: until when, counted from its beginning. The last attempt is made no later.
        first_delay: the longest wait before the first retry, in seconds.
        longest_delay: the longest wait of all.
    """

    max_retries: int
    max_age: timedelta
    first_delay: float = FIRST_DELAY
    longest_delay: float = LONGEST_DELAY


@dataclass(slots=True)
class Progress:
    """How far a delivery has come. Times are those of the day, so that they mean the same after a restart.

    Attributes:
        since: when it began.
        due: when it is tried next.
        attempts: how often it was tried.
        reason: what went wrong the last time.
    """

    since: datetime
    due: datetime
    attempts: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that did not succeed.

    Attributes:
        reason: for a person to read.
        final: another attempt would not fare better.
        retry_after: the seconds that the receiver asked for.
    """

    reason: str
    final: bool = False
    retry_after: float | None = None


class Ended(StrEnum):
    """Why a delivery was given up."""

    MAX_ATTEMPTS = "max_attempts"
    """It was tried as often as its policy allows."""
    MAX_AGE = "max_age"
    """It has become too old."""
    REFUSED = "refused"
    """Trying again would not help."""


class Delivery(Protocol):
    """One thing for one receiver. No lock is held when one of these methods is called.

    Attributes:
        policy: how long it is tried.
        progress: how far it has come.
    """

    policy: Policy
    progress: Progress

    def attempt(self) -> Failure | None:
        """Tries once. Answers what went wrong; nothing if it arrived. What it raises counts as a failure."""
        ...

    def arrived(self) -> None:
        """It is done."""
        ...

    def postponed(self) -> None:
        """`progress` has changed, and it is tried again when that says."""
        ...

    def given_up(self, why: Ended) -> None:
        """It is not tried any more; `progress.reason` says what went wrong the last time."""
        ...


@dataclass(eq=False, slots=True)
class _Course:
    """A delivery on the agenda."""

    delivery: Delivery
    ticket: Ticket | None = field(default=None)


class Retries:
    """The deliveries of one service that are under way."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._clock = world.clock
        self._lock = threading.Lock()
        self._courses: set[_Course] = set()

    def start(self, delivery: Delivery) -> None:
        """Tries it as soon as its `progress.due` has come, on a thread of the agenda."""
        course = _Course(delivery)
        with self._lock:
            self._courses.add(course)
            self._schedule(course)

    def failed(self, delivery: Delivery, failure: Failure) -> None:
        """Goes on with a delivery whose first attempt its service has made itself."""
        course = _Course(delivery)
        with self._lock:
            self._courses.add(course)
        self._after(course, failure)

    def forget(self) -> None:
        """Tries none of them any more and says nothing of any: their service has gone back to another state."""
        with self._lock:
            for course in self._courses:
                if course.ticket is not None:
                    course.ticket.cancel()
            self._courses.clear()

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._courses)

    def _schedule(self, course: _Course) -> None:
        ahead = (course.delivery.progress.due - self._clock.now()).total_seconds()
        course.ticket = self._world.agenda.after(max(0.0, ahead), lambda: self._try(course))

    def _try(self, course: _Course) -> None:
        delivery = course.delivery
        if course not in self._courses:
            return
        # After a restart it may be too late even for the attempt that was due.
        progress, policy = delivery.progress, delivery.policy
        if self._clock.now() > progress.since + policy.max_age + _GRACE:
            progress.reason = progress.reason or "it was too old before it could be tried"
            self._end(course, Ended.MAX_AGE)
            return
        try:
            failure = delivery.attempt()
        except Exception as error:  # noqa: BLE001  whatever it is, the receiver has not got it
            failure = Failure(type(error).__name__)
        if failure is not None:
            self._after(course, failure)
        elif self._left(course):
            delivery.arrived()

    def _after(self, course: _Course, failure: Failure) -> None:
        """What follows from a failure: another attempt, or the end."""
        delivery = course.delivery
        progress, policy = delivery.progress, delivery.policy
        now = self._clock.now()
        progress.attempts += 1
        progress.reason = failure.reason
        if failure.final:
            self._end(course, Ended.REFUSED)
        elif progress.attempts > policy.max_retries:
            self._end(course, Ended.MAX_ATTEMPTS)
        elif now >= progress.since + policy.max_age:
            self._end(course, Ended.MAX_AGE)
        else:
            wait = timedelta(seconds=self._wait(policy, progress.attempts, failure))
            progress.due = min(now + wait, progress.since + policy.max_age)
            if course in self._courses:
                delivery.postponed()  # first, so that it is kept before it is tried
            with self._lock:
                if course in self._courses:
                    self._schedule(course)

    def _wait(self, policy: Policy, attempts: int, failure: Failure) -> float:
        """Twice as long each time, half of it by chance, so that receivers that come back are not asked by all at once."""
        longest = min(policy.longest_delay, policy.first_delay * 2.0 ** min(attempts - 1, 63))
        wait = longest * (1 + self._world.random.random()) / 2
        return max(wait, failure.retry_after or 0.0)

    def _end(self, course: _Course, why: Ended) -> None:
        if self._left(course):
            course.delivery.given_up(why)

    def _left(self, course: _Course) -> bool:
        """Takes it off; false if it was forgotten in the meantime."""
        with self._lock:
            there = course in self._courses
            self._courses.discard(course)
        return there


_GRACE: Final = timedelta(seconds=1)
"""The attempt that is due at the very end of a delivery's time may begin a little later."""

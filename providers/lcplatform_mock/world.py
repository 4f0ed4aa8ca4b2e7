"""What the services of one platform share: time, chance, work of their own, and each other. Platforms share nothing."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

from lcplatform_mock.clock import RunningClock
from lcplatform_mock.settings import MockSettings

if TYPE_CHECKING:
    from lcplatform.drivers import Drivers
    from lcplatform_mock.agenda import Agenda
    from lcplatform_mock.journal import Journal
    from lcplatform_mock.services import Services

_ENDINGS: Final = tuple(f"{number:02x}" for number in range(256))
"""Of the names in one block."""


@dataclass(slots=True)
class _Life:
    """How often the state was opened, and how far its clock was moved ahead."""

    number: int = 0
    ahead: timedelta = timedelta()


class World:
    """The time and the chance of one platform.

    Attributes:
        settings: what its options say.
        clock: its time.
        adversity: how hard it is, if it is.
        journal: what it keeps across restarts; nothing if it lives in memory alone.
        services: the services of the platform, for those that deliver to others.
        drivers: the drivers that the platform gave out, for whoever lets others reach it.
    """

    services: Services
    drivers: Drivers

    def __init__(self, settings: MockSettings) -> None:
        self.settings = settings
        self.clock = settings.clock
        self.adversity = settings.adversarial
        self.journal = None if settings.state is None else _journal(settings)
        self._life = _Life()
        if self.journal is not None:
            self._begin_life(self.journal)
        # Another life of the same state must not make the same names again.
        seed = settings.seed if self._life.number == 0 else f"{settings.seed} {self._life.number}"
        self.random = random.Random(None if settings.seed is None else seed)  # noqa: S311  chance, not cryptography
        self._has_agenda = False

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self  # a snapshot of a service is none of its world

    @cached_property
    def agenda(self) -> Agenda:
        """The work that services do by themselves. It starts with the first of it."""
        from lcplatform_mock.agenda import Agenda

        self._has_agenda = True
        return Agenda(self.clock, self.flush)

    def flush(self) -> None:
        """Writes what the services changed, if anything is kept."""
        if self.journal is not None:
            self.journal.flush()

    def end_work(self) -> None:
        """Nothing that is on the agenda is done any more."""
        if self._has_agenda:
            self.agenda.close()

    def close(self) -> None:
        """Lets go of the state."""
        if self.journal is not None:
            self.journal.close()

    def chance(self, share: float) -> bool:
        """True in so large a share of the cases."""
        return share > 0 and self.random.random() < share

    def token(self) -> str:
        """Sixteen hexadecimal digits that no other token has."""
        return f"{self.random.getrandbits(64):016x}"

    def names(self) -> Callable[[], str]:
        """Makes names that nobody else makes, in no earlier life of the state either. Each is greater than the last."""
        stem = f"{self._life.number:06x}{self.random.getrandbits(40):010x}"

        def block(number: int) -> Iterator[str]:
            return map(f"{stem}{number:08x}".__add__, _ENDINGS)

        # Nearly all without a frame of Python's, since names are made by the thousand. No generator: several threads may ask.
        return itertools.chain.from_iterable(map(block, itertools.count())).__next__

    def moment(self, wall: datetime) -> float:
        """The value of the clock's `monotonic` at a time of day: what is kept across restarts are times of day."""
        return self.clock.monotonic() + (wall - self.clock.now()).total_seconds()

    def wall(self, moment: float) -> datetime:
        """The time of day at a value of the clock's `monotonic`."""
        return self.clock.now() + timedelta(seconds=moment - self.clock.monotonic())

    def moved(self, by: timedelta) -> None:
        """The clock was moved ahead of the machine's, which is kept as well."""
        self._life.ahead += by
        self._keep_life()

    def _begin_life(self, journal: Journal) -> None:
        self._lives = journal.table("world.life", _Life)
        self._life = dict(self._lives.load()).get("", self._life)
        self._life.number += 1
        self._keep_life()
        if self._life.ahead and isinstance(self.clock, RunningClock):
            self.clock.advance(self._life.ahead)

    def _keep_life(self) -> None:
        if self.journal is not None:
            self._lives.put("", self._life)
            self.journal.flush()


def _journal(settings: MockSettings) -> Journal:
    from lcplatform_mock.journal import Journal

    assert settings.state is not None
    key = settings.state_key
    return Journal(settings.state, None if key is None else key.get_secret_value().encode())

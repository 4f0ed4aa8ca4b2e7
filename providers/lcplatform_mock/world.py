"""What the services of one platform share: time, chance, work of their own, and each other. Platforms share nothing."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Self

from lcplatform_mock.settings import MockSettings

if TYPE_CHECKING:
    from lcplatform_mock.agenda import Agenda
    from lcplatform_mock.journal import Journal
    from lcplatform_mock.services import Services


class World:
    """The time and the chance of one platform.

    Attributes:
        settings: what its options say.
        clock: its time.
        adversity: how hard it is, if it is.
        journal: what it keeps across restarts; nothing if it lives in memory alone.
        services: the services of the platform, for those that deliver to others.
    """

    services: Services

    def __init__(self, settings: MockSettings) -> None:
        self.settings = settings
        self.clock = settings.clock
        self.adversity = settings.adversarial
        self.random = random.Random(settings.seed)  # noqa: S311  chance, not cryptography
        self.journal = None if settings.state is None else _journal(settings)
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
        """Makes names that nobody else makes, each another one."""
        stem, number = self.token(), itertools.count(1)
        return lambda: f"{stem}{next(number):x}"


def _journal(settings: MockSettings) -> Journal:
    from lcplatform_mock.journal import Journal

    assert settings.state is not None
    key = settings.state_key
    return Journal(settings.state, None if key is None else key.get_secret_value().encode())

"""What the services of one platform share: time and chance. Nothing is shared between platforms."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Self

from lcplatform_mock.settings import MockSettings


class World:
    """The time and the chance of one platform.

    Attributes:
        settings: what its options say.
        clock: its time.
        adversity: how hard it is, if it is.
    """

    def __init__(self, settings: MockSettings) -> None:
        self.settings = settings
        self.clock = settings.clock
        self.adversity = settings.adversarial
        self.random = random.Random(settings.seed)  # noqa: S311  chance, not cryptography

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self  # a snapshot of a service is none of its world

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

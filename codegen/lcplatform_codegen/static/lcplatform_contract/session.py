"""One provider, brought up once for all tests on one surface and in one colour."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from typing_extensions import override

from lcplatform_contract.colours import opened
from lcplatform_contract.harness import Harness, surface_of
from lcplatform_contract.tidy import tidy

if TYPE_CHECKING:
    from lcplatform import LCPlatform, Provider
    from lcplatform.platform.models import ServiceDescription


@dataclass(frozen=True, slots=True)
class Combination:
    """On which surface and in which colour a test runs."""

    surface: str
    colour: str

    @override
    def __str__(self) -> str:
        return f"{self.surface}-{self.colour}"


@dataclass(frozen=True, slots=True)
class Session:
    """A platform under test, and names that nobody else uses."""

    platform: LCPlatform
    harness: Harness
    support: Mapping[str, ServiceDescription]
    token: str = field(default_factory=lambda: secrets.token_hex(4))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def name(self, label: str) -> str:
        """A name for a resource: the label, and what makes it unique."""
        return f"{label}-{self.token}-{next(self._numbers):04}"

    def advance(self, by: timedelta) -> None:
        """Lets time pass: by moving the clock, or by waiting where there is none."""
        if self.harness.has_clock:
            self.harness.advance(self.platform, by)
        else:
            time.sleep(by.total_seconds())


@contextmanager
def session(
    provider: str | Provider, harness: Harness, combination: Combination
) -> Iterator[Session]:
    """Brings the provider up; afterwards nothing is left of what the tests created."""
    with (
        surface_of(combination.surface).open(provider, harness.platform_options()) as arguments,
        opened(combination.colour, arguments) as platform,
    ):
        support = {service.service: service for service in platform.describe().services}
        current = Session(platform, harness, support)
        try:
            yield current
        finally:
            tidy(platform, current.token)

"""Sets the mock up for the contract tests: with a clock that nobody has to wait for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lcplatform_mock import test_site, trial_job
from lcplatform_runtime.testing.clock import ManualClock

if TYPE_CHECKING:
    from lcplatform.lc_platform import LCPlatform


class MockHarness:
    """What the entry point `mock` of the group `lcplatform.harness` makes.

    Whoever waits moves the clock, so a long poll that nothing answers takes no time.

    Attributes:
        has_clock: time can be moved.
        differences: there are none, since the mock is what the contract says.
    """

    has_clock: Final = True
    differences: Final[Mapping[str, str]] = MappingProxyType({})

    def __init__(self, options: Mapping[str, object], /) -> None:
        self._options = {
            "clock": ManualClock(self_advancing=True),
            "batch": {"images": {trial_job.IMAGE: trial_job.TRIAL_JOB}},
            "web_hosting": {"images": {test_site.IMAGE: test_site.serve}},
            **options,
        }

    def platform_options(self) -> Mapping[str, object]:
        """The options of the mock."""
        return self._options

    def advance(self, platform: LCPlatform, by: timedelta, /) -> None:
        """Moves the clock of the mock behind a platform, wherever that is."""
        platform.control.advance_clock(by)

    def close(self) -> None:
        """There is nothing to take down."""

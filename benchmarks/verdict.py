"""Turns samples into a ratio with its confidence interval, and holds that against a bar."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from typing_extensions import override

_RESAMPLES: Final = 2000
_OUTSIDE: Final = 0.025
"""The share of resamples that is left out on either side: the interval covers 95 %."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a ratio has to reach."""

    limit: float
    at_least: bool = False

    def holds(self, estimate: Estimate) -> bool:
        """Whether the bar is reached.

        The median decides. Where the bar lies within the spread of 1.0, so that being equal and being better cannot be told
        apart, the confidence interval does: it has to reach the bar.
        """
        ratio = estimate.ratio
        spread = max(estimate.high - ratio, ratio - estimate.low)
        if abs(self.limit - 1.0) <= spread:
            ratio = estimate.high if self.at_least else estimate.low
        return ratio >= self.limit if self.at_least else ratio <= self.limit

    @override
    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A ratio and the 95 % interval in which it lies."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Samples:
    """What was measured, round by round: sample `n` of the one was taken right beside sample `n` of the other."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.ours or len(self.ours) != len(self.peer):
            raise ValueError("both sides need the same number of samples, and at least one")

    def estimate(self) -> Estimate:
        """The ratio of the medians, with a bootstrap over rounds: rounds stay whole, since both sides met the same
        machine in them. It is seeded, so the same samples give the same interval."""
        dice = random.Random(0)
        pairs = list(zip(self.ours, self.peer, strict=True))
        ratios = sorted(_ratio(dice.choices(pairs, k=len(pairs))) for _ in range(_RESAMPLES))
        outside = int(_RESAMPLES * _OUTSIDE)
        return Estimate(_ratio(pairs), ratios[outside], ratios[-1 - outside])


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    return median(ours for ours, _ in pairs) / median(peer for _, peer in pairs)

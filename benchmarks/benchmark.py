"""What a benchmark is, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.verdict import Bar, Estimate, Samples


@dataclass(frozen=True, slots=True)
class Effort:
    """How much time may be spent."""

    quick: bool = False

    def rounds(self, full: int, quick: int | None = None) -> int:
        """So many rounds; a quarter of them where it has to be quick, unless that is too few."""
        if not self.quick:
            return full
        return quick if quick is not None else max(5, full // 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One comparison.

    Attributes:
        name: what it is called on the command line.
        bar: what the ratio of ours to the peer's has to reach.
        compared: what is compared with what, in a few words.
        unit: of the samples.
        measure: takes the samples.
    """

    name: str
    bar: Bar
    compared: str
    unit: str
    measure: Callable[[Effort], Samples]

    def run(self, effort: Effort) -> Result:
        """Measures. Raises whatever the comparison raises."""
        samples = self.measure(effort)
        return Result(self, samples, samples.estimate())


@dataclass(frozen=True, slots=True)
class Result:
    """A benchmark with what it measured."""

    benchmark: Benchmark
    samples: Samples
    estimate: Estimate

    @property
    def holds(self) -> bool:
        """Whether the bar was reached."""
        return self.benchmark.bar.holds(self.estimate)

    @property
    def ours(self) -> float:
        """The median of our side."""
        return median(self.samples.ours)

    @property
    def peer(self) -> float:
        """The median of the other."""
        return median(self.samples.peer)

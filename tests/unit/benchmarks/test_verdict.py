"""From samples to a ratio, its interval, and whether a bar holds."""

from __future__ import annotations

import random

import pytest

from benchmarks.verdict import Bar, Estimate, Samples


def test_the_ratio_is_that_of_the_medians() -> None:
    estimate = Samples(ours=(2.0, 4.0, 99.0), peer=(2.0, 1.0, 3.0)).estimate()
    assert estimate.ratio == 2.0


def test_an_outlier_moves_the_interval_and_not_the_ratio() -> None:
    calm = Samples(ours=(1.0,) * 21, peer=(1.0,) * 21).estimate()
    assert calm == Estimate(1.0, 1.0, 1.0)
    stormy = Samples(ours=(1.0,) * 15 + (9.0,) * 6, peer=(1.0,) * 21).estimate()
    assert stormy.ratio == 1.0
    assert stormy.low == 1.0 <= stormy.high


def test_the_interval_encloses_the_ratio_and_narrows_with_more_rounds() -> None:
    dice = random.Random(1)
    noise = [dice.gauss(1.0, 0.1) for _ in range(400)]
    few = Samples(tuple(noise[:10]), tuple(noise[10:20])).estimate()
    many = Samples(tuple(noise[:200]), tuple(noise[200:])).estimate()
    for estimate in (few, many):
        assert estimate.low <= estimate.ratio <= estimate.high
    assert many.high - many.low < few.high - few.low


def test_a_disturbance_that_meets_both_sides_cancels_out() -> None:
    machine = [1.0, 3.0, 1.5, 2.0, 1.0, 4.0]
    samples = Samples(tuple(it * 0.5 for it in machine), tuple(machine))
    assert samples.estimate() == Estimate(0.5, 0.5, 0.5)


def test_the_same_samples_give_the_same_interval() -> None:
    samples = Samples(ours=(1.0, 1.2, 0.9, 1.1), peer=(1.0, 1.1, 1.0, 0.9))
    assert samples.estimate() == samples.estimate()


@pytest.mark.parametrize(("ours", "peer"), [((), ()), ((1.0,), (1.0, 2.0))])
def test_sides_without_equally_many_samples_are_refused(
    ours: tuple[float, ...], peer: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="same number of samples"):
        Samples(ours, peer)


@pytest.mark.parametrize(
    ("bar", "estimate", "holds"),
    [
        # far from 1.0 the median decides, whatever the interval
        (Bar(0.4), Estimate(0.4, 0.38, 0.42), True),
        (Bar(0.4), Estimate(0.41, 0.39, 0.43), False),
        (Bar(8, at_least=True), Estimate(8.0, 7.9, 8.1), True),
        (Bar(8, at_least=True), Estimate(7.95, 7.9, 8.1), False),
        # where 1.0 cannot be told from the bar, the interval does
        (Bar(1.0), Estimate(1.01, 0.99, 1.03), True),
        (Bar(1.0), Estimate(1.03, 1.01, 1.05), False),
        (Bar(0.95, at_least=True), Estimate(0.92, 0.86, 0.96), True),
        (Bar(0.95, at_least=True), Estimate(0.88, 0.82, 0.94), False),
    ],
)
def test_a_bar_is_held_against_the_median_or_where_it_is_near_one_against_the_interval(
    bar: Bar, estimate: Estimate, holds: bool
) -> None:
    assert bar.holds(estimate) is holds

"""Lets two sides take turns, so that whatever else the machine does meets both alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from benchmarks.verdict import Samples


def take_turns(ours: Callable[[], float], peer: Callable[[], float], rounds: int) -> Samples:
    """Lets each side take a turn in every round, the first of the last round last in the next.

    A turn before the first round is not counted: connections are opened and caches filled in it. What is in memory then is
    kept out of garbage collections, whose moment is chance, and nobody pays for what the other side left behind.
    """
    costs: tuple[list[float], list[float]] = ([], [])
    sides = ((ours, costs[0]), (peer, costs[1]))
    for side, _ in sides:
        side()
    gc.collect()
    gc.freeze()
    try:
        for number in range(rounds):
            for side, kept in sides if number % 2 else reversed(sides):
                gc.collect()
                kept.append(side())
    finally:
        gc.unfreeze()
    return Samples(tuple(costs[0]), tuple(costs[1]))


def cpu_of(work: Callable[[], object], times: int) -> Callable[[], float]:
    """A turn that does `work` so many times, and costs the CPU time of this process, all threads, for one of them."""

    def turn() -> float:
        started = time.process_time()
        for _ in range(times):
            work()
        return (time.process_time() - started) / times

    return turn

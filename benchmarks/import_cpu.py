"""What starting costs, in CPU time of fresh processes, with bytecode compiled: an import over none, a first call over boto3's import.

Each side is one `python -c`. The processes take turns; what counts is the CPU time of the whole process, the interpreter's own
start included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.fresh import Fresh
from benchmarks.turns import take_turns
from benchmarks.verdict import Bar, Samples

_FIRST_CALL: Final = (
    "from lcplatform import LCPlatform; LCPlatform('mock').object_store.create_bucket('reports')"
)


def _compared(ours: str, peer: str, rounds: int) -> Callable[[Effort], Samples]:
    def measure(effort: Effort) -> Samples:
        with Fresh() as python:
            return take_turns(
                lambda: python.cpu("-c", ours),
                lambda: python.cpu("-c", peer),
                effort.rounds(rounds),
            )

    return measure


BENCHMARKS: Final = (
    Benchmark(
        name="import_cpu",
        bar=Bar(1.2),
        compared="a process that imports lcplatform over one that does nothing",
        unit="CPU ms",
        measure=_compared("import lcplatform", "pass", 100),
    ),
    Benchmark(
        name="first_mock_call",
        bar=Bar(1.0),
        compared="a process with a first call of the mock over one that imports boto3",
        unit="CPU ms",
        measure=_compared(_FIRST_CALL, "import boto3", 60),
    ),
)

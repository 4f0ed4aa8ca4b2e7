"""What starting costs, in CPU time of fresh processes, with bytecode compiled: an import over none, a first call over boto3's import.

Each side is one `python -c`. The processes take turns; what counts is the CPU time of the whole process, the interpreter's own
start included.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from resource import RUSAGE_CHILDREN, getrusage
from typing import Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import take_turns
from benchmarks.verdict import Bar, Samples

_FIRST_CALL: Final = (
    "from lcplatform import LCPlatform; LCPlatform('mock').object_store.create_bucket('reports')"
)


def cpu_of_process(*words: str) -> float:
    """The CPU milliseconds of one run of the interpreter, and of all that it starts."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    after = getrusage(RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1000


def _compared(ours: str, peer: str, rounds: int) -> Callable[[Effort], Samples]:
    return lambda effort: take_turns(
        partial(cpu_of_process, "-c", ours),
        partial(cpu_of_process, "-c", peer),
        effort.rounds(rounds),
    )


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
        measure=_compared(_FIRST_CALL, "import boto3", 30),
    ),
)

"""To come."""
from benchmarks.benchmark import Benchmark
BENCHMARKS: tuple[Benchmark, ...] = ()

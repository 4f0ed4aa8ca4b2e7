"""`python -m benchmarks [NAME …]`: measures and compares. Exits with 1 if a bar is not reached, with 2 if a name is unknown."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks import report
from benchmarks.benchmark import Benchmark, Effort, Result
from benchmarks.catalogue import chosen, every


@dataclass(frozen=True, slots=True)
class _Format:
    """How results are written."""

    result: Callable[[Result], str]
    failure: Callable[[Benchmark, Exception], str]
    heading: Callable[[], str] | None = None


_TABLE = _Format(report.row, report.failed_row, report.heading)
_JSON = _Format(report.as_json, report.failed_as_json)


def main(words: Sequence[str] | None = None, known: Iterable[Benchmark] | None = None) -> int:
    """0 if every bar is reached, 1 if one is missed or a benchmark breaks, 2 if it cannot be understood what to run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all where none is named")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--list", action="store_true", help="tell what there is, measure nothing")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, wider intervals")
    arguments = parser.parse_args(words)
    try:
        benchmarks = chosen(arguments.names, every() if known is None else known)
    except KeyError as unknown:
        print(f"unknown benchmark {unknown}; --list names all", file=sys.stderr)
        return 2
    if arguments.list:
        print(report.listing(benchmarks))
        return 0
    return _run(benchmarks, Effort(quick=arguments.quick), _JSON if arguments.json else _TABLE)


def _run(benchmarks: Iterable[Benchmark], effort: Effort, form: _Format) -> int:
    reached = True
    if form.heading is not None:
        print(form.heading(), flush=True)
    for benchmark in benchmarks:
        try:
            result = benchmark.run(effort)
        except Exception as error:  # noqa: BLE001  one that breaks must not keep the others from being measured
            traceback.print_exc()
            line, holds = form.failure(benchmark, error), False
        else:
            line, holds = form.result(result), result.holds
        print(line, flush=True)
        reached = reached and holds
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())

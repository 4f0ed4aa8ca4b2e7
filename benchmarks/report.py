"""Shows results: a table for people, JSON lines for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from benchmarks.benchmark import Benchmark, Result

_COLUMNS: Final = ("name", "ours", "peer", "unit", "ratio", "95 %", "bar", "holds", "compared")
_WIDTHS: Final = (24, 9, 9, 10, 8, 17, 7, 5, 0)
_LEFT: Final = frozenset({"name", "unit", "compared", "holds"})


def heading() -> str:
    """The first two lines of the table."""
    return f"{_line(_COLUMNS)}\n{_line(['-' * width for width in _WIDTHS])}"


def row(result: Result) -> str:
    """The line of one result."""
    benchmark, estimate = result.benchmark, result.estimate
    return _line(
        (
            benchmark.name,
            _figure(result.ours),
            _figure(result.peer),
            benchmark.unit,
            _figure(estimate.ratio),
            f"{_figure(estimate.low)} to {_figure(estimate.high)}",
            str(benchmark.bar),
            "yes" if result.holds else "NO",
            benchmark.compared,
        )
    )


def failed_row(benchmark: Benchmark, error: Exception) -> str:
    """The line of a benchmark that broke."""
    blank = ("", "", benchmark.unit, "", "", str(benchmark.bar), "NO")
    return _line((benchmark.name, *blank, _told(error)))


def as_json(result: Result) -> str:
    """One result in one line."""
    estimate = result.estimate
    return _json(
        result.benchmark,
        ratio=_rounded(estimate.ratio),
        holds=result.holds,
        ours=_rounded(result.ours),
        peer=_rounded(result.peer),
        low=_rounded(estimate.low),
        high=_rounded(estimate.high),
        samples=len(result.samples.ours),
    )


def failed_as_json(benchmark: Benchmark, error: Exception) -> str:
    """A benchmark that broke, in one line. It has no ratio."""
    return _json(benchmark, ratio=None, holds=False, error=_told(error))


def listing(benchmarks: Iterable[Benchmark]) -> str:
    """Names, bars and what is compared."""
    return "\n".join(f"{it.name:<24} {it.bar!s:<7} {it.compared}" for it in benchmarks)


def _json(benchmark: Benchmark, **measured: object) -> str:
    bar = benchmark.bar
    return json.dumps(
        {
            "name": benchmark.name,
            "ratio": measured.pop("ratio"),
            "bar": bar.limit,
            "bar_is": "at least" if bar.at_least else "at most",
            **measured,
            "unit": benchmark.unit,
            "compared": benchmark.compared,
        },
        ensure_ascii=False,
    )


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _line(cells: Sequence[str]) -> str:
    parts = [
        cell.ljust(width) if name in _LEFT else cell.rjust(width)
        for name, cell, width in zip(_COLUMNS, cells, _WIDTHS, strict=True)
    ]
    return "  ".join(parts).rstrip()


def _figure(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")

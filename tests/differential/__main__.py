"""Compares the mock with what others have made, on many cases, and prints one table of what came out.

python -m tests.differential                                    everything, 5,000 cases each
python -m tests.differential --cases 300 --seed 7 NAME …        other numbers, some only
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.differential.comparison import Differential, Tally

CASES: Final = 5_000
SHOWN: Final = 20
HEADS: Final = ("name", "against", "cases", "same", "known", "unexplained", "seconds")


def every() -> dict[str, Differential]:
    """All differential tests, by the names of their modules."""
    found: dict[str, Differential] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith(("_", "test_")):
            continue
        one = getattr(
            importlib.import_module(f"tests.differential.{module.name}"), "DIFFERENTIAL", None
        )
        if isinstance(one, Differential):
            found[module.name] = one
    return dict(sorted(found.items()))


def main(
    words: Sequence[str] | None = None, known: Mapping[str, Differential] | None = None
) -> int:
    """0 if every difference is a known one, 1 if not, 2 if a name is unknown."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all where none is named")
    parser.add_argument("--cases", type=int, default=CASES, help="how many each makes at least")
    parser.add_argument("--seed", type=int, default=1, help="other cases for another number")
    arguments = parser.parse_args(words)
    there = every() if known is None else known
    if unknown := sorted(set(arguments.names) - set(there)):
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(there)}", file=sys.stderr)
        return 2
    rows: list[tuple[str, ...]] = []
    tallies: dict[str, Tally] = {}
    for name in arguments.names or there:
        started = time.monotonic()
        tally = tallies[name] = there[name].compare(arguments.cases, arguments.seed)
        counts = (tally.cases, tally.same, tally.known.total(), len(tally.unexplained))
        seconds = f"{time.monotonic() - started:.0f}"
        rows.append((name, there[name].against, *map(str, counts), seconds))
    _print(rows)
    for name, tally in tallies.items():
        _tell(name, there[name], tally)
    gone: list[str] = []
    # Whatever is known is met by this seed; fewer cases, or others, need not meet all of it.
    if arguments.cases >= CASES and arguments.seed == 1:
        gone = [it for name, tally in tallies.items() for it in _gone(name, there[name], tally)]
    return 1 if gone or any(it.unexplained for it in tallies.values()) else 0


def _gone(name: str, differential: Differential, tally: Tally) -> list[str]:
    """The known differences that are no longer met."""
    gone = [it for it in differential.known if differential.strict and not tally.known[it]]
    for it in gone:
        print(f"\n{name}: NO LONGER MET {it}")
    return gone


def _print(rows: Sequence[tuple[str, ...]]) -> None:
    lines = (HEADS, *rows)
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    for line in (HEADS, tuple("-" * width for width in widths), *rows):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


def _tell(name: str, differential: Differential, tally: Tally) -> None:
    """Why what is known differs, and what is not known."""
    for difference, count in sorted(tally.known.items()):
        print(f"\n{name}: {difference} ({count})\n    {differential.known[difference]}")
    for unexplained in tally.unexplained[:SHOWN]:
        print(f"\n{name}: UNEXPLAINED {unexplained}")
    if len(tally.unexplained) > SHOWN:
        print(f"\n{name}: and {len(tally.unexplained) - SHOWN} more")


if __name__ == "__main__":
    sys.exit(main())

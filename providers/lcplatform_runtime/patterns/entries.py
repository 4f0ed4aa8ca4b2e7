"""The entries of an index: which fields of which kinds it looks at, and who is filed under each value."""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from lcplatform_runtime.patterns import operators as op
from lcplatform_runtime.patterns.addresses import address_of
from lcplatform_runtime.patterns.checks import Check, Hits
from lcplatform_runtime.patterns.grammar import Field
from lcplatform_runtime.patterns.plain import Event, leaves

Key: TypeAlias = "tuple[str, Any]"
"""A kind of table, and a key of it: texts, numbers, constants, or tuples."""

NONE: Final[tuple[Check, ...]] = ()

# How well the entries of a kind tell rules apart, the best first. Prefixes and suffixes count by their length.
_RANKS: Final = {
    op.STRING: 0,
    op.NUMBER: 0,
    op.CONSTANT: 6,
    op.IGNORING_CASE: 1,
    op.NETWORK: 2,
    op.PREFIX: 3,
    op.SUFFIX: 3,
    op.FOLDED_PREFIX: 4,
    op.FOLDED_SUFFIX: 4,
    op.RANGE: 5,
    op.PRESENT: 8,
    op.ABSENT: 9,
}
_SHORT: Final = 3


def keys_of(asked: Field) -> list[Key]:
    """Under which keys a field's conjunction is filed: an event that matches is found under one of them."""
    keys = [key for operator in asked.operators for key in _keys(operator)]
    if asked.absent:
        keys.append((op.ABSENT, None))
    return keys


def _keys(operator: op.Operator) -> Iterator[Key]:
    kind, value = operator.entry
    if isinstance(operator, op.Range):
        yield from cells(operator.low, operator.high)
    elif value == "" and kind in AFFIXES:
        yield op.PRESENT, None  # any text
    else:
        yield kind, value


def decided(asked: Field) -> bool:
    """Whether whoever is found under one of the keys matches for certain."""
    return all(
        it.decided and not (isinstance(it, op.Affix) and not it.text) for it in asked.operators
    )


def rank(asked: Field) -> int:
    """How badly the keys of a field tell rules apart."""
    worst = 0
    for kind, value in keys_of(asked):
        worse = 3 if isinstance(value, str) and len(value) < _SHORT and _RANKS[kind] else 0
        worst = max(worst, _RANKS[kind] + worse)
    return worst


def cells(low: float | None, high: float | None) -> Iterator[Key]:
    """The cells of a range: the line of numbers is cut into cells as wide as the range, or up to twice as wide, so that
    two of them, or three, cover it. Without an end it is any number."""
    if low is None or high is None or max(abs(low), abs(high)) > FAR:
        yield op.RANGE, None
        return
    width = math.ldexp(1.0, max(_NEAR, math.frexp(float(high) - float(low))[1]))
    for cell in range(int(low // width), int(high // width) + 1):
        yield op.RANGE, (width, cell)


FAR: Final = 1e100
"""Beyond are numbers that nobody sorts into cells, some of them no doubles."""

_NEAR: Final = -60
"""No cell is narrower than two to the power of this."""


class Entries:
    """The tables of one field: by kind, and in each table by value, the checks that are called for it.

    Attributes:
        tables: the tables. One that was made stays, so that generated code can hold on to it.
        measures: by kind of affix, how long those are that occur; the shortest first.
    """

    def __init__(self) -> None:
        self.tables: dict[str, dict[Any, list[Check]]] = {}
        self.measures: dict[str, list[Any]] = {}
        self._counts: Counter[tuple[str, Any]] = Counter()

    def open(self, key: Key) -> list[Check]:
        """The checks of a key, to which the first is to be added."""
        kind, value = key
        self._note(kind, value, 1)
        checks: list[Check] = []
        self.tables.setdefault(kind, {})[value] = checks
        return checks

    def drop(self, key: Key) -> None:
        """Forgets a key that has no checks any more."""
        kind, value = key
        del self.tables[kind][value]
        self._note(kind, value, -1)

    def _note(self, kind: str, value: Any, change: int) -> None:
        """Keeps account of what has to be tried for a value: lengths of affixes, widths of networks and cells."""
        measure = _measure(kind, value)
        if measure is None:
            return
        measures = self.measures.setdefault(kind, [])
        self._counts[kind, measure] += change
        if not self._counts[kind, measure]:
            measures.remove(measure)
        elif measure not in measures:
            insort(measures, measure)

    # --- what an event has

    def value(self, value: op.Scalar, event: Event, hits: Hits) -> None:
        """Calls the checks for a value, whatever it is."""
        for kind, key in _looked_up(value):
            self._found(kind, key, event, hits)
        if isinstance(value, str):
            self._affixes(value, event, hits)
            self._address(value, event, hits)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._number(value, event, hits)

    def array(self, values: list[object], event: Event, hits: Hits) -> None:
        """Calls the checks for what is in an array, or for a field that has no value."""
        self.all(leaves(values), event, hits)

    def all(self, values: Iterable[op.Scalar], event: Event, hits: Hits) -> None:
        """Calls the checks for all values of a field, or for one that has none."""
        there = False
        for value in values:
            there = True
            self.value(value, event, hits)
        if not there:
            self._found(op.ABSENT, None, event, hits)

    def _address(self, value: str, event: Event, hits: Hits) -> None:
        widths = self.measures.get(op.NETWORK)
        address = address_of(value) if widths else None
        if widths and address is not None:
            for free in widths:
                self._found(op.NETWORK, (free, address >> free), event, hits)

    def _number(self, value: float, event: Event, hits: Hits) -> None:
        self._found(op.RANGE, None, event, hits)
        if -FAR <= value <= FAR:
            for width in self.measures.get(op.RANGE, ()):
                self._found(op.RANGE, (width, value // width), event, hits)

    def _affixes(self, value: str, event: Event, hits: Hits) -> None:
        for kind in AFFIXES:
            text = value.casefold() if kind in FOLDED else value
            for length in self.measures.get(kind, ()):
                affix = text[:length] if kind in PREFIXES else text[-length:]
                self._found(kind, affix, event, hits)

    def _found(self, kind: str, value: Any, event: Event, hits: Hits) -> None:
        for check in self.tables.get(kind, _EMPTY).get(value, NONE):
            check(event, hits)


PREFIXES: Final = frozenset({op.PREFIX, op.FOLDED_PREFIX})
FOLDED: Final = frozenset({op.FOLDED_PREFIX, op.FOLDED_SUFFIX})
AFFIXES: Final = (op.PREFIX, op.FOLDED_PREFIX, op.SUFFIX, op.FOLDED_SUFFIX)
_EMPTY: Final[dict[Any, list[Check]]] = {}


def _measure(kind: str, value: Any) -> Any:
    """What has to be known of the keys of a kind for a value to be looked up; nothing where it is the value itself."""
    if kind in AFFIXES:
        return len(value)
    return value[0] if kind in {op.NETWORK, op.RANGE} and value is not None else None


def _looked_up(value: op.Scalar) -> Iterator[Key]:
    yield op.PRESENT, None
    if isinstance(value, str):
        yield op.STRING, value
        yield op.IGNORING_CASE, value.casefold()
    elif value is None or isinstance(value, bool):
        yield op.CONSTANT, value
    else:
        yield op.NUMBER, value

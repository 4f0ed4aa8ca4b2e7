"""Looks through many documents for those that a filter finds. The loop is written as Python for each form of filter.

No word of a caller gets into that source: names and values are handed to it as arguments, and it is made of the fragments
below. So there is one source for all filters of the same form, and making a filter ready costs nothing after the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from lcplatform_mock.documents.columns import INTRICATE, Columns
from lcplatform_mock.documents.conditions import Equals, Ordered
from lcplatform_mock.documents.filters import AllOf, Filter, Node, OfField
from lcplatform_mock.documents.stored import Stored
from lcplatform_runtime.documents.paths import Matcher
from lcplatform_runtime.documents.values import NUMBERS, Int64, Moment, Value

ByRow: TypeAlias = Callable[[Sequence[Stored]], list[Stored]]
"""Finds the documents that match, in their order."""
ByValue: TypeAlias = Callable[[Sequence[Stored], Iterable[Value]], list[Stored]]
"""The same for who has the values of a field beside the documents, none of which is intricate."""

_EXACT: Final = frozenset({int, Int64, float})
_SIGNS: Final = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_NAMES: Final = {"EXACT": _EXACT, "INTRICATE": INTRICATE, "Moment": Moment}

# The interpreter knows a quick way to `type`, and none to `__class__`: the values are of these very types.
_TEXT: Final = "v{0} == w{0}"
_NUMBER: Final = "v{0} == w{0} and type(v{0}) is not bool"
_TEXT_ORDER: Final = "type(v{0}) is str and v{0} {1} w{0}"
_NUMBER_ORDER: Final = "type(v{0}) in EXACT and v{0} {1} w{0}"
_MOMENT_ORDER: Final = "type(v{0}) is Moment and v{0}.milliseconds {1} w{0}"
_SLOW: Final = " or type(v{0}) in INTRICATE and m{0}(row.document)"
"""What is intricate takes the slow way, which is the filter itself."""
_ANY: Final = "m{0}(row.document)"


@dataclass(frozen=True, slots=True)
class Scan:
    """What looks through documents for those that a filter finds.

    Attributes:
        field: of which a column helps; none if the filter says nothing simple of a field.
        by_row: the loop over documents.
        by_value: the loop over them and the values of the field.
    """

    field: str | None
    by_row: ByRow
    by_value: ByValue

    def found(
        self, rows: Sequence[Stored], columns: Columns | None, start: int, end: int
    ) -> list[Stored]:
        """The documents between two places that match."""
        part = rows[start:end]
        if columns is not None and self.field is not None:
            column = columns.column(self.field, end)
            if column.plain:
                return self.by_value(part, column.values[start:end])
        return self.by_row(part)


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing that is asked of each document: how, and what it is given for that."""

    fragment: str
    sign: str
    name: str
    wanted: Value
    match: Matcher


@lru_cache(1024)
def scan_of(filter: Filter) -> Scan:
    """The scan for a filter of some conditions. It begins with one that says something simple of a field."""
    steps = sorted(map(_step, _members(filter.root)), key=lambda it: it.fragment is _ANY)
    form = tuple((it.fragment, it.sign) for it in steps)
    given = [part for it in steps for part in (it.name, it.wanted, it.match)]
    return Scan(
        steps[0].name if steps and steps[0].fragment is not _ANY else None,
        _maker(form, by_value=False)(*given),
        _maker(form, by_value=True)(*given),
    )


def _members(root: AllOf) -> list[Node]:
    found: list[Node] = []
    for member in root.members:
        found += _members(member) if isinstance(member, AllOf) else [member]
    return found


def _step(node: Node) -> _Step:
    match = node.matcher()
    if isinstance(node, OfField) and len(node.path) == 1:
        wanted = getattr(node.condition, "value", None)
        kind = wanted.__class__
        fragment = sign = ""
        if isinstance(node.condition, Equals):
            fragment = _TEXT if kind is str else _NUMBER if kind in NUMBERS else ""
        elif isinstance(node.condition, Ordered):
            sign = _SIGNS[node.condition.operator]
            fragment = _ORDERS.get(kind, "")
        if fragment and wanted == wanted:  # NaN is not
            if isinstance(wanted, Moment):
                wanted = wanted.milliseconds
            return _Step(fragment, sign, node.path[0], wanted, match)
    return _Step(_ANY, "", "", None, match)


_ORDERS: Final = {
    str: _TEXT_ORDER,
    Moment: _MOMENT_ORDER,
    int: _NUMBER_ORDER,
    Int64: _NUMBER_ORDER,
    float: _NUMBER_ORDER,
}


@lru_cache(256)
def _maker(form: tuple[tuple[str, str], ...], *, by_value: bool) -> Callable[..., Any]:
    """Makes the loops of one form from names, values and matchers."""
    arguments = ", ".join(f"n{at}, w{at}, m{at}" for at in range(len(form)))
    loop = "row for row, v0 in zip(rows, values)" if by_value else "row for row in rows"
    for at, (fragment, sign) in enumerate(form):
        test = fragment.format(at, sign)
        if fragment is not _ANY and not (by_value and at == 0):
            loop += f" for v{at} in (row.document.get(n{at}),)"
            test += _SLOW.format(at)
        loop += f" if {test}"
    taken = "rows, values" if by_value else "rows"
    made: dict[str, Any] = dict(_NAMES)
    exec(f"def make({arguments}):\n    return lambda {taken}: [{loop}]", made)  # noqa: S102  our own fragments
    return cast("Callable[..., Any]", made["make"])

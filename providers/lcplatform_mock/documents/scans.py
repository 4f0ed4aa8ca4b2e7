"""Looks through many documents for those that a filter finds. The loop is written as Python for each form of filter.

No word of a caller gets into that source: names and values are handed to it as arguments, and it is made of the fragments
below. So there is one source for all filters of the same form, and making a filter ready costs nothing after the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast

from lcplatform_mock.documents.conditions import Equals, Ordered
from lcplatform_mock.documents.filters import AllOf, Filter, Node, OfField
from lcplatform_mock.documents.paths import Matcher
from lcplatform_runtime.documents.values import NUMBERS, Int64, Moment, Object, Value


class Row(Protocol):
    """Something with a document."""

    @property
    def document(self) -> Object:
        """The document."""
        ...


R = TypeVar("R", bound=Row)
Scan: TypeAlias = Callable[[Sequence[R]], list[R]]
"""Finds the rows whose document a filter finds, in their order."""

_EXACT: Final = frozenset({int, Int64, float})
_SIGNS: Final = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
# Arrays and decimals take the slow way, which is the filter itself.
_NAMES: Final = {"EXACT": _EXACT, "SLOW": frozenset({tuple, Decimal}), "Moment": Moment}

# The interpreter knows a quick way to `type`, and none to `__class__`. All values are of the very types in `values`.
_TEXT: Final = "v{0} == w{0} or type(v{0}) is tuple and m{0}(d)"
_NUMBER: Final = "v{0} == w{0} and type(v{0}) is not bool or type(v{0}) is tuple and m{0}(d)"
_TEXT_ORDER: Final = "type(v{0}) is str and v{0} {1} w{0} or type(v{0}) is tuple and m{0}(d)"
_NUMBER_ORDER: Final = "type(v{0}) in EXACT and v{0} {1} w{0} or type(v{0}) in SLOW and m{0}(d)"
_MOMENT_ORDER: Final = (
    "type(v{0}) is Moment and v{0}.milliseconds {1} w{0} or type(v{0}) is tuple and m{0}(d)"
)
_ANY: Final = "m{0}(d)"


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing that is asked of each document: how, and what it is given for that."""

    fragment: str
    sign: str
    name: str
    wanted: Value
    match: Matcher


@lru_cache(1024)
def scan_of(filter: Filter) -> Scan[Any]:  # of any rows
    """The scan for a filter."""
    steps = [_step(it) for it in _members(filter.root)]
    if not steps:
        return lambda rows: list(rows)
    make = _maker(tuple((it.fragment, it.sign) for it in steps))
    return cast(
        "Scan[Any]", make(*[part for it in steps for part in (it.name, it.wanted, it.match)])
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
def _maker(form: tuple[tuple[str, str], ...]) -> Callable[..., Any]:
    """Makes the scans of one form from names, values and matchers."""
    arguments = ", ".join(f"n{at}, w{at}, m{at}" for at in range(len(form)))
    clauses = []
    for at, (fragment, sign) in enumerate(form):
        if fragment is not _ANY:
            clauses.append(f"for v{at} in (d.get(n{at}),)")
        clauses.append(f"if {fragment.format(at, sign)}")
    loop = f"[row for row in rows for d in (row.document,) {' '.join(clauses)}]"
    made: dict[str, Any] = dict(_NAMES)
    exec(f"def make({arguments}):\n    return lambda rows: {loop}", made)  # noqa: S102  our own fragments
    return cast("Callable[..., Any]", made["make"])

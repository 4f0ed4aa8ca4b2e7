"""The rules of secantusdb that are not MongoDB's, as patches of the mock.

A difference is known only if the mock answers exactly as secantusdb does once one of these rules is put in. MongoDB's own rules
are in its manual and, where that is silent, in its sources and their tests, which are named here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import patch

from lcplatform_mock.documents import filters, updates
from lcplatform_mock.documents.conditions import Condition, Element, Equals, Every, OfType
from lcplatform_runtime.documents import paths, sorts
from lcplatform_runtime.documents.extended_json import NoDocument, parse, parse_object
from lcplatform_runtime.documents.operators import LOGICAL, is_condition
from lcplatform_runtime.documents.paths import Path, is_place
from lcplatform_runtime.documents.sorts import Order, Reversed
from lcplatform_runtime.documents.values import MISSING, NULL, UNDEFINED, Key, Object, Value, key
from tests.differential.cases import Case, Raw


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of secantusdb's: why it is not MongoDB's, how it is put into the mock, and to which cases it makes a difference."""

    why: str
    patch: AbstractContextManager[object]
    concerns: Callable[[Case, list[Raw]], bool] = lambda case, documents: True


SEVERAL: Final = "several of these rules"
IN_TURN: Final = "fields are changed as they are written"


@contextmanager
def put_in(*rules: Rule) -> Iterator[None]:
    """The mock with these rules."""
    with ExitStack() as stack:
        for it in rules:
            stack.enter_context(it.patch)
        filters._kept.cache_clear()
        try:
            yield
        finally:
            filters._kept.cache_clear()


def explain(
    case: Case,
    documents: list[Raw],
    theirs: object,
    answer: Callable[[], object],
    in_turn: Callable[[], object],
) -> str | None:
    """The name of the rule with which the mock answers as secantusdb does.

    Args:
        case: what was asked.
        documents: of which documents.
        theirs: what secantusdb answers.
        answer: asks the mock again.
        in_turn: asks it with the fields of an update one after the other.
    """
    if in_turn() == theirs:
        return IN_TURN
    rules = {name: it for name, it in RULES.items() if it.concerns(case, documents)}
    for name, rule in rules.items():
        with put_in(rule):
            if answer() == theirs:
                return name
    with put_in(*rules.values()):
        return SEVERAL if answer() == theirs else None


# --- null, and places beyond the end of an array


def _in_array(array: tuple[Value, ...], path: Path, at: int, *, leaves: bool) -> Iterator[Value]:
    yield from _MONGODB_IN_ARRAY(array, path, at, leaves=leaves)
    if is_place(path[at]):
        element = array[int(path[at])] if int(path[at]) < len(array) else MISSING
        if element is MISSING or (at + 1 < len(path) and not isinstance(element, dict | tuple)):
            yield MISSING


_MONGODB_IN_ARRAY: Final = paths._in_array


# --- $all


def _every(raw: Any, depth: int) -> Condition:  # what JSON text parses to
    """A null is to be there, and an array is to be an element."""
    if not isinstance(raw, list) or not any(it is None or isinstance(it, list) for it in raw):
        return _MONGODB_EVERY(raw, depth)
    found: list[Condition] = [OfType(frozenset({"null"}))] * (None in raw)
    found += [Element(Equals(parse(it)).test) for it in raw if isinstance(it, list)]
    others = [it for it in raw if it is not None and not isinstance(it, list)]
    return Every((*found, *([_MONGODB_EVERY(others, depth)] if others else [])))


_MONGODB_EVERY: Final = filters._every


# --- $elemMatch


def _element_test(raw: Any, depth: int = 0) -> Callable[[Value], bool]:
    test = _MONGODB_ELEMENT_TEST(raw, depth)
    if is_condition(raw) and next(iter(raw)) not in LOGICAL:
        return test
    return lambda element: isinstance(element, dict) and test(element)


_MONGODB_ELEMENT_TEST: Final = filters.element_test


# --- orders


def _key_of_document(order: Order, document: Object) -> Key:
    """Each field is looked at by itself, and elements in which it is missing are left out."""
    found: list[Any] = []
    for path, descending in order.fields:
        keys = [key(it) for it in _candidates(document, path) if it is not MISSING] or [NULL]
        found.append(Reversed(max(keys)) if descending else min(keys))
    return tuple(found)


def _candidates(value: Value, path: Path) -> list[Value]:
    if not path:
        return (list(value) or [UNDEFINED]) if isinstance(value, tuple) else [value]
    name, *below = path
    rest = tuple(below)
    if isinstance(value, dict):
        return _candidates(value.get(name, MISSING), rest)
    if not isinstance(value, tuple):
        return []
    objects = [it for it in value if isinstance(it, dict)]
    found = [it for element in objects for it in _candidates(element, path)]
    if is_place(name) and int(name) < len(value):
        place = value[int(name)]
        found += _candidates(place, rest) if rest else [place]
    return found


def _order_differs(case: Case, documents: list[Raw]) -> bool:
    """Whether an order is by several fields, or by one that an element of an array on its way lacks."""
    fields = [tuple(field.split(".")) for field, _ in case.sort if field != "_id"]
    rows = [parse_object(it) for it in documents]
    return len(fields) > 1 or any(_left_out(row, field) for row in rows for field in fields)


def _left_out(value: Value, path: Path) -> bool:
    if not path:
        return False
    name, *below = path
    rest = tuple(below)
    if isinstance(value, dict):
        return _left_out(value.get(name, MISSING), rest)
    if not isinstance(value, tuple):
        return False
    if is_place(name) and int(name) < len(value):
        place = value[int(name)]
        return _left_out(place, rest) if rest else place == ()
    return any(
        not isinstance(it, dict) or MISSING in _candidates(it, path) or _left_out(it, path)
        for it in value
    )


def _key_of_element(order: Order, element: Value) -> Key:
    """An element that is no object stands for each of its fields."""
    if isinstance(element, dict):
        return _MONGODB_KEY_OF_ELEMENT(order, element)
    return order.key_of(tuple([element] * len(order.fields)))


_MONGODB_KEY_OF_ELEMENT: Final = Order.key_of_element


# --- renaming


def _check_rename(document: Object, source: Path, target: Path) -> None:
    """Nothing is renamed where an array on the way holds nothing of that name."""
    try:
        _MONGODB_CHECK_RENAME(document, source, target)
    except NoDocument:
        through = [paths.at(document, source[:length]) for length in range(1, len(source))]
        if paths.at(document, source) is not MISSING or not any(
            isinstance(it, tuple) for it in through
        ):
            raise


_MONGODB_CHECK_RENAME: Final = updates._check_rename


RULES: Final = {
    "null matches beyond the end of an array": Rule(
        "MongoDB asks a filter for nothing where a path leads to a place that an array does not have, or into an element that"
        " holds nothing: so nothing there is equal to null (BSONElementIterator::more in src/mongo/db/matcher/path.cpp;"
        " jstests/core/null_query_semantics.js has arrays without the field). Secantusdb takes it for a missing field.",
        patch.object(paths, "_in_array", _in_array),
    ),
    "$all takes no missing field for null, and no array for a whole one": Rule(
        "MongoDB's manual: $all is equivalent to $and of its values, one by one, so that an array in it is equal to a field"
        " that is this array, and null to a missing field (https://www.mongodb.com/docs/manual/reference/operator/query/all/)."
        " Secantusdb wants a null that is there, and an element that is the array.",
        patch.dict(filters._OPERATORS, {"$all": _every}),
    ),
    "$elemMatch takes no arrays for objects": Rule(
        "MongoDB matches the filter of $elemMatch against each element that is an object or an array, whose places are names"
        " (isABSONObj in src/mongo/db/matcher/expression_array.cpp). Secantusdb leaves arrays out.",
        patch.object(filters, "element_test", _element_test),
    ),
    "each field of an order by itself": Rule(
        "MongoDB sorts by the keys of an index over the fields: fields in one array go together, element by element; an element"
        " without the field has null; several arrays are refused ('cannot sort with keys that are parallel arrays',"
        " src/mongo/db/index/btree_key_generator.cpp and sort_key_generator.cpp); an empty array at a place counts as"
        " undefined (GetKeysTrailingPositionalElementIsEmptyArray in btree_key_generator_test.cpp). Secantusdb looks at each"
        " field by itself and leaves out elements without it.",
        patch.object(sorts.Order, "key_of_document", _key_of_document),
        _order_differs,
    ),
    "push sorts what is no object by itself": Rule(
        "In MongoDB an element that is no object has none of the fields of a $sort, which are null then, and stays where it"
        " is among its like (PatternElementCmp in src/mongo/db/update/pattern_cmp.cpp). Secantusdb compares the elements.",
        patch.object(sorts.Order, "key_of_element", _key_of_element),
    ),
    "rename passes over arrays without its field": Rule(
        "MongoDB refuses to rename along a path that a value cannot have, such as a name in an array or anything in a number"
        " (PathNotViable in src/mongo/db/update/rename_node.cpp and path_support.cpp). Secantusdb renames nothing then, if an"
        " array is on the way.",
        patch.object(updates, "_check_rename", _check_rename),
    ),
}
KNOWN: Final = {
    **{name: it.why for name, it in RULES.items()},
    IN_TURN: (
        "MongoDB's manual: the fields of an update are processed in their lexicographic order, numbers in numeric order,"
        " whatever their operators are (https://www.mongodb.com/docs/manual/reference/operator/update/). Secantusdb goes"
        " through them as they are written."
    ),
    SEVERAL: "More than one of the others at once.",
}

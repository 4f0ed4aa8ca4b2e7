"""Filters, orders and projections as DocumentDB takes them.

Whatever the contract does not know is refused here, with the name of the field, before anything is sent: DocumentDB would
refuse some of it, ignore some, and do some of it in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

from bson import Decimal128
from bson.regex import Regex

from lcplatform.document_store.models import Direction, FieldOrder
from lcplatform_aws.document_store_values import Bson, Raw, reading, value_of
from lcplatform_runtime.documents.extended_json import MAX_DEPTH, is_special, pattern_of
from lcplatform_runtime.documents.operators import (
    LOGICAL,
    check_filter,
    is_condition,
)
from lcplatform_runtime.documents.values import NAMES, Bound
from lcplatform_runtime.errors import ValidationError, invalid
from lcplatform_runtime.json_value import Json

_KEPT: Final = 1024
_NUMBERS: Final = ("int", "long", "double", "decimal")
_TYPES: Final = frozenset({*NAMES.values(), *(it.value for it in Bound)})
# The numbers that BSON has for them, as far as the contract knows the types.
_CODES: Final = frozenset({1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 16, 17, 18, 19, -1, 127})


# --- filters


def filter_of(given: Json | None, prefix: str = "") -> dict[str, Bson]:
    """The filter that a request gives. Nobody changes what it is made of.

    Args:
        given: the filter; none is every document.
        prefix: what stands before every path, where documents lie in something else.

    Raises:
        ValidationError: it is none, or has an operator that is not one of the contract's.
    """
    if given is None:
        return {}
    if not prefix and _compares_texts(given.plain):
        return dict(given.plain)
    return dict(_kept_filter(given.text, prefix))


def _compares_texts(raw: Raw) -> bool:
    """Whether a filter compares fields with texts and does nothing else, as one for an identity. It is as DocumentDB takes
    it."""
    for name, item in raw.items():
        if item.__class__ is not str or not item.isascii() or not _is_path(name):
            return False
    return True


@lru_cache(_KEPT)
def _is_path(name: str) -> bool:
    """Whether whoever reads filters takes a name for a path."""
    try:
        return read_filter({name: ""}, "filter") == {name: ""}
    except ValidationError:
        return False


def read_filter(raw: Raw, field: str, prefix: str = "") -> dict[str, Bson]:
    """The filter that parsed JSON writes."""
    check_filter(raw, field)
    return reading(field, filter_in, raw, prefix, 0)


def identity_in(filter: Mapping[str, Bson]) -> bool:
    """Whether a filter is for one `_id` and nothing else."""
    if list(filter) != ["_id"]:
        return False
    wanted = filter["_id"]
    if isinstance(wanted, dict) and list(wanted) == ["$eq"]:
        wanted = wanted["$eq"]
    elif isinstance(wanted, dict) and next(iter(wanted), "")[:1] == "$":
        return False
    return wanted is not None and not isinstance(wanted, list | Regex)


@lru_cache(_KEPT)
def _kept_filter(text: str, prefix: str) -> dict[str, Bson]:
    return read_filter(Json.from_text(text).plain, "filter", prefix)


def filter_in(raw: Raw, prefix: str, depth: int) -> dict[str, Bson]:
    """A filter that lies so deep in another, or in an update."""
    _within(depth)
    made: dict[str, Bson] = {}
    for name, content in raw.items():
        if name in LOGICAL:
            made[name] = [filter_in(it, prefix, depth + 1) for it in content]
        else:
            made[f"{prefix}{path_of(name)}"] = _condition(content, depth)
    return made


def path_of(name: str) -> str:
    """A path whose parts are not empty."""
    if not all(name.split(".")):
        raise ValueError("a path whose parts are not empty")
    return name


def _within(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"at most {MAX_DEPTH} levels")


def _condition(raw: Raw, depth: int) -> Bson:
    """What a field is compared with: a value, or conditions."""
    return conditions(raw, depth) if is_condition(raw) else value_of(raw)


def conditions(raw: Raw, depth: int) -> dict[str, Bson]:
    """The operators that a value is compared with."""
    _within(depth)
    if "$options" in raw and "$regex" not in raw:
        raise ValueError("$options goes with $regex")
    made: dict[str, Bson] = {}
    for name, operand in raw.items():
        if name == "$regex":
            made |= _regex(operand, raw.get("$options", ""))
        elif name != "$options":
            made[name] = _OPERANDS[name](operand, depth + 1)
    return made


def _compared(raw: Raw, depth: int) -> Bson:
    value = value_of(raw)
    if isinstance(value, Regex):
        raise ValueError("$gt, $gte, $lt and $lte take no regular expression")
    return value


def _one_of(raw: Raw, depth: int) -> Bson:
    if not isinstance(raw, list):
        raise ValueError("$in and $nin take a list of values")
    if any(is_condition(it) for it in raw):
        raise ValueError("$in and $nin take no operators")
    return [value_of(it) for it in raw]


def _exists(raw: Raw, depth: int) -> Bson:
    value = value_of(raw)
    # As in MongoDB: what is neither false, nor zero, nor null says yes.
    return value is not None and (bool(value) if isinstance(value, int | float) else True)


def _not(raw: Raw, depth: int) -> Bson:
    if is_special(raw):
        value = value_of(raw)
        if isinstance(value, Regex):
            return value
    if not is_condition(raw):
        raise ValueError("$not takes operators or a regular expression")
    return conditions(raw, depth)


def _size(raw: Raw, depth: int) -> Bson:
    size = whole(raw, "$size")
    if size < 0:
        raise ValueError("$size takes no negative number")
    return size


def whole(raw: Raw, name: str) -> int:
    """A whole number, whatever its type is."""
    value = value_of(raw)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError(f"{name} takes a whole number")
    return int(value)


def _every(raw: Raw, depth: int) -> Bson:
    if not isinstance(raw, list):
        raise ValueError("$all takes a list")
    elements = [is_condition(it) and list(it) == ["$elemMatch"] for it in raw]
    if any(elements) and not all(elements):
        raise ValueError("$all takes values, or $elemMatch for each element")
    if any(elements):
        return [{"$elemMatch": _element(it["$elemMatch"], depth)} for it in raw]
    if any(is_condition(it) for it in raw):
        raise ValueError("$all takes no operators but $elemMatch")
    return [value_of(it) for it in raw]


def _element(raw: Raw, depth: int) -> Bson:
    if not isinstance(raw, dict):
        raise ValueError("$elemMatch takes an object")
    if is_condition(raw) and next(iter(raw)) not in LOGICAL:
        return conditions(raw, depth)
    return filter_in(raw, "", depth)


def _of_type(raw: Raw, depth: int) -> Bson:
    kinds = raw if isinstance(raw, list) else [raw]
    if not kinds:
        raise ValueError("$type takes at least one type")
    made: list[Bson] = []
    for kind in kinds:
        if kind == "number":
            made += _NUMBERS
        elif isinstance(kind, str) and kind in _TYPES:
            made.append(kind)
        elif not isinstance(kind, str) and whole(kind, "$type") in _CODES:
            made.append(whole(kind, "$type"))
        else:
            raise ValueError(f"$type knows {', '.join(sorted(_TYPES))} and number")
    return made


def _regex(raw: Raw, options: Raw) -> dict[str, Bson]:
    value = value_of(raw)
    if not isinstance(options, str):
        raise ValueError("$options takes a text")
    if isinstance(value, Regex):
        given = raw["$regularExpression"]
        found = pattern_of(given["pattern"], options or given["options"])
    elif isinstance(value, str):
        found = pattern_of(value, options)
    else:
        raise ValueError("$regex takes a text or a regular expression")
    return {"$regex": found.pattern, "$options": found.options}


_OPERANDS: Final[Mapping[str, Callable[[Raw, int], Bson]]] = {
    "$eq": lambda raw, depth: value_of(raw),
    "$ne": lambda raw, depth: value_of(raw),
    "$gt": _compared,
    "$gte": _compared,
    "$lt": _compared,
    "$lte": _compared,
    "$in": _one_of,
    "$nin": _one_of,
    "$not": _not,
    "$exists": _exists,
    "$type": _of_type,
    "$elemMatch": _element,
    "$all": _every,
    "$size": _size,
}


# --- orders and projections


def order_of(fields: Iterable[FieldOrder], field: str = "sort") -> dict[str, int]:
    """The fields of an order or an index, each with 1 or -1.

    Raises:
        ValidationError: there can be no such order.
    """
    made: dict[str, int] = {}
    for it in fields:
        name = reading(field, path_of, it.field)
        if any(part[0] == "$" for part in name.split(".")):
            raise invalid(field, "fields, whose names do not begin with a dollar")
        if name in made:
            raise invalid(field, "each field once")
        made[name] = -1 if it.direction is Direction.DESCENDING else 1
    return made


def projection_of(given: Json | None) -> dict[str, bool] | None:
    """The fields that a request wants; none if it wants everything.

    Raises:
        ValidationError: it names fields to show and fields to hide, or a field and one below it.
    """
    return None if given is None else reading("projection", _projection, given.plain)


def _projection(raw: Raw) -> dict[str, bool] | None:
    wanted = {name: _flag(content) for name, content in raw.items()}
    with_identity = wanted.pop("_id", None)
    if len(set(wanted.values())) > 1:
        raise ValueError(
            "fields to show or fields to hide, not both; _id alone may be an exception"
        )
    paths = Paths()
    for name in wanted:
        paths.add(name)
    showing = next(iter(wanted.values()), bool(with_identity))
    if with_identity is not None and (showing or not with_identity):
        wanted["_id"] = with_identity
    return wanted or None


def _flag(raw: Raw) -> bool:
    value = value_of(raw)
    if isinstance(value, Decimal128):
        return bool(value.to_decimal())
    if not isinstance(value, bool | int | float):
        raise ValueError("each field is given 1 to show it or 0 to hide it")
    return bool(value)


class Paths:
    """Paths that neither are the same nor lie in each other."""

    def __init__(self) -> None:
        self._known: set[tuple[str, ...]] = set()
        self._above: set[tuple[str, ...]] = set()

    def add(self, name: str) -> None:
        """One more.

        Raises:
            ValueError: it is no path of a field, or lies in another one.
        """
        parts = tuple(path_of(name).split("."))
        if any(part[0] == "$" for part in parts):
            raise ValueError("fields, whose names do not begin with a dollar")
        above = [parts[:length] for length in range(1, len(parts))]
        if parts in self._known or parts in self._above or not self._known.isdisjoint(above):
            raise ValueError(f"{name[:100]!r} is named twice, or together with a part of it")
        self._known.add(parts)
        self._above.update(above)

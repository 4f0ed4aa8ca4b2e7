"""The functions of expressions: those that are given the values of all their parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, TypeAlias

from lcplatform_mock.documents import conversions, numbers, times
from lcplatform_runtime.documents.extended_json import NoDocument
from lcplatform_runtime.documents.values import MISSING, Moment, Value, is_number, key, name_of

Values: TypeAlias = Sequence[Value]
"""What a function is given."""

_MANY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Function:
    """A function of values."""

    call: Callable[[Values], Value]
    fewest: int
    most: int
    over_one_array: bool = False
    """Given one value that is an array, it is a function of the elements of that array."""

    @property
    def counted(self) -> str:
        """How many values it takes, in words."""
        if self.most == _MANY:
            return f"at least {self.fewest}"
        return f"{self.fewest}" if self.fewest == self.most else f"{self.fewest} to {self.most}"


def is_true(value: Value) -> bool:
    """Whether a value says yes: all but false, zero, null and nothing."""
    if value is None or value is MISSING or value is False:
        return False
    return not is_number(value) or value != 0


def is_null(value: Value) -> bool:
    """Whether a value is null, or none."""
    return value is None or value is MISSING


def fixed(function: Callable[..., Value], count: int) -> Function:
    """A function of so many values. If one of them is null, so is the result."""

    def call(values: Values) -> Value:
        return None if any(map(is_null, values)) else function(*values)

    return Function(call, count, count)


def raw(function: Callable[..., Value], count: int) -> Function:
    """A function of so many values, null among them."""
    return Function(lambda values: function(*values), count, count)


# --- numbers


def add(values: Values) -> Value:
    """The sum of numbers, perhaps with one time among them."""
    if any(map(is_null, values)):
        return None
    moments = [it for it in values if it.__class__ is Moment]
    if len(moments) > 1:
        raise NoDocument("$add takes one time at most")
    others = [numbers.number(it, "$add") for it in values if it.__class__ is not Moment]
    result = reduce(numbers.growing_total, others, 0)
    return numbers.moved(moments[0], result) if moments else result


def multiply(values: Values) -> Value:
    """The product of numbers."""
    if any(map(is_null, values)):
        return None
    return reduce(numbers.product, [numbers.number(it, "$multiply") for it in values], 1)


def total(values: Values) -> Value:
    """The sum of what is a number."""
    return reduce(numbers.growing_total, filter(is_number, values), 0)


def average(values: Values) -> Value:
    """The average of what is a number; null if nothing is."""
    found = list(filter(is_number, values))
    return numbers.quotient(total(found), len(found)) if found else None


def least(values: Values) -> Value:
    """The least that is not null; null if nothing is."""
    return min((it for it in values if not is_null(it)), key=key, default=None)


def greatest(values: Values) -> Value:
    """The greatest that is not null; null if nothing is."""
    return max((it for it in values if not is_null(it)), key=key, default=None)


# --- comparisons


def compared(one: Value, other: Value) -> int:
    """-1, 0 or 1: how two values stand to each other. What is not there comes before everything else."""
    first, second = _order(one), _order(other)
    return (first > second) - (first < second)


def _order(value: Value) -> tuple[Any, ...]:
    return (-2,) if value is MISSING else key(value)


# --- text


def _text(value: Value, name: str) -> str:
    if not isinstance(value, str):
        raise NoDocument(f"{name} takes text, not a value of type {name_of(value)}")
    return value


def concatenated(values: Values) -> Value:
    """Texts joined."""
    if any(map(is_null, values)):
        return None
    return "".join([_text(it, "$concat") for it in values])


def part_of(value: Value, start: Value, count: Value) -> str:
    """So many characters from a place on."""
    text = _as_text(value, "$substrCP")
    first, length = _place(start, "$substrCP"), _place(count, "$substrCP")
    if first < 0 or length < 0:
        raise NoDocument("$substrCP takes no negative numbers")
    return text[first : first + length]


def _as_text(value: Value, name: str) -> str:
    if is_null(value):
        return ""
    if isinstance(value, str):
        return value
    if is_number(value) or value.__class__ is Moment:
        return conversions.to_text(value)
    raise NoDocument(f"{name} takes text, not a value of type {name_of(value)}")


def _place(value: Value, name: str) -> int:
    if not is_number(value) or value != value // 1:
        raise NoDocument(f"{name} takes whole numbers")
    return int(value)


def index_in(values: Values) -> Value:
    """Where in a text another one begins; -1 if nowhere."""
    if is_null(values[0]):
        return None
    text, wanted = _text(values[0], "$indexOfCP"), _text(values[1], "$indexOfCP")
    bounds = [_place(it, "$indexOfCP") for it in values[2:]]
    if any(it < 0 for it in bounds):
        raise NoDocument("$indexOfCP takes no negative numbers")
    return text.find(wanted, *bounds) if not bounds or bounds[0] <= len(text) else -1


def split(text: Value, separator: Value) -> Value:
    """The parts of a text between separators."""
    if not _text(separator, "$split"):
        raise NoDocument("$split takes a separator that is not empty")
    return tuple(_text(text, "$split").split(separator))


def compared_without_case(one: Value, other: Value) -> int:
    """-1, 0 or 1: how two texts stand to each other whatever the case of their letters."""
    first, second = _as_text(one, "$strcasecmp").upper(), _as_text(other, "$strcasecmp").upper()
    return (first > second) - (first < second)


# --- arrays and objects


def _array(value: Value, name: str) -> tuple[Value, ...]:
    if not isinstance(value, tuple):
        raise NoDocument(f"{name} takes an array, not a value of type {_type(value)}")
    return value


def element(array: Value, place: Value) -> Value:
    """The element at a place, counted from the end if negative."""
    items, at = _array(array, "$arrayElemAt"), _place(place, "$arrayElemAt")
    return items[at] if -len(items) <= at < len(items) else MISSING


def joined(values: Values) -> Value:
    """Arrays joined."""
    if any(map(is_null, values)):
        return None
    return tuple([item for it in values for item in _array(it, "$concatArrays")])


def contained(value: Value, array: Value) -> bool:
    """Whether a value is in an array."""
    wanted = key(value)
    return any(key(it) == wanted for it in _array(array, "$in"))


def slice_of(values: Values) -> Value:
    """So many elements from the beginning, from the end if negative, or from a place on."""
    if any(map(is_null, values)):
        return None
    items = _array(values[0], "$slice")
    first, *rest = [_place(it, "$slice") for it in values[1:]]
    if not rest:
        return items[:first] if first >= 0 else items[first:]
    if rest[0] <= 0:
        raise NoDocument("$slice takes a positive number of elements")
    start = first if first >= 0 else max(0, len(items) + first)
    return items[start : start + rest[0]]


def merged(values: Values) -> Value:
    """Objects in one; what comes later wins."""
    result: dict[str, Value] = {}
    for it in values:
        if is_null(it):
            continue
        if it.__class__ is not dict:
            raise NoDocument(f"$mergeObjects takes objects, not a value of type {name_of(it)}")
        result |= it
    return result


def pairs_of(value: Value) -> Value:
    """The fields of an object as an array of {k, v}."""
    if value.__class__ is not dict:
        raise NoDocument(f"$objectToArray takes an object, not a value of type {name_of(value)}")
    return tuple([{"k": name, "v": item} for name, item in value.items()])


def from_pairs(value: Value) -> Value:
    """The object of such an array, or of one of pairs."""
    result: dict[str, Value] = {}
    for it in _array(value, "$arrayToObject"):
        if it.__class__ is dict and set(it) == {"k", "v"}:
            name, item = it["k"], it["v"]
        elif it.__class__ is tuple and len(it) == 2:
            name, item = it
        else:
            raise NoDocument("$arrayToObject takes an array of {k, v} or of pairs")
        if not isinstance(name, str) or "\0" in name:
            raise NoDocument("$arrayToObject takes text as the names")
        result[name] = item
    return result


def _type(value: Value) -> str:
    return "missing" if value is MISSING else name_of(value)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "$not": raw(lambda value: not is_true(value), 1),
    "$cmp": raw(compared, 2),
    "$eq": raw(lambda one, other: compared(one, other) == 0, 2),
    "$ne": raw(lambda one, other: compared(one, other) != 0, 2),
    "$gt": raw(lambda one, other: compared(one, other) > 0, 2),
    "$gte": raw(lambda one, other: compared(one, other) >= 0, 2),
    "$lt": raw(lambda one, other: compared(one, other) < 0, 2),
    "$lte": raw(lambda one, other: compared(one, other) <= 0, 2),
    "$abs": fixed(numbers.absolute, 1),
    "$add": Function(add, 0, _MANY),
    "$ceil": fixed(lambda value: numbers.rounded(value, up=True), 1),
    "$divide": fixed(numbers.quotient, 2),
    "$floor": fixed(lambda value: numbers.rounded(value, up=False), 1),
    "$mod": fixed(numbers.remainder, 2),
    "$multiply": Function(multiply, 0, _MANY),
    "$subtract": fixed(numbers.difference, 2),
    "$sum": Function(total, 0, _MANY, over_one_array=True),
    "$avg": Function(average, 0, _MANY, over_one_array=True),
    "$min": Function(least, 0, _MANY, over_one_array=True),
    "$max": Function(greatest, 0, _MANY, over_one_array=True),
    "$concat": Function(concatenated, 0, _MANY),
    "$indexOfCP": Function(index_in, 2, 4),
    "$split": fixed(split, 2),
    "$strLenCP": raw(lambda value: len(_text(value, "$strLenCP")), 1),
    "$strcasecmp": raw(compared_without_case, 2),
    "$substrCP": raw(part_of, 3),
    "$toLower": raw(lambda value: _as_text(value, "$toLower").lower(), 1),
    "$toUpper": raw(lambda value: _as_text(value, "$toUpper").upper(), 1),
    "$arrayElemAt": fixed(element, 2),
    "$concatArrays": Function(joined, 0, _MANY),
    "$in": raw(contained, 2),
    "$isArray": raw(lambda value: value.__class__ is tuple, 1),
    "$reverseArray": fixed(lambda value: _array(value, "$reverseArray")[::-1], 1),
    "$size": raw(lambda value: len(_array(value, "$size")), 1),
    "$slice": Function(slice_of, 2, 3),
    "$arrayToObject": fixed(from_pairs, 1),
    "$mergeObjects": Function(merged, 0, _MANY, over_one_array=True),
    "$objectToArray": fixed(pairs_of, 1),
    "$type": raw(_type, 1),
    "$toBool": fixed(conversions.to_bool, 1),
    "$toDate": fixed(conversions.to_moment, 1),
    "$toDecimal": fixed(conversions.to_decimal, 1),
    "$toDouble": fixed(conversions.to_double, 1),
    "$toInt": fixed(conversions.to_int, 1),
    "$toLong": fixed(conversions.to_long, 1),
    "$toString": fixed(conversions.to_text, 1),
    **{name: fixed(part, 1) for name, part in times.PARTS.items()},
    "$dateToString": fixed(times.written, 2),
}
"""The functions by their names."""

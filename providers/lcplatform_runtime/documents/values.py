"""The values in documents: those of BSON, as Python values that do not change, and the order in which they stand.

Null, booleans, 32-bit integers, doubles, text, objects and arrays are None, bool, int, float, str, dict and tuple; a decimal
is a `Decimal`. Whoever holds an object does not change it. The types that BSON has deprecated are none of them.

https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/ says how values of different types compare.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeAlias


class Int64(int):
    """An integer of 64 bits. It equals the same number of any other type."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ObjectId:
    """Twelve bytes that identify a document."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, to the millisecond."""

    milliseconds: int
    """Since 1970-01-01, in UTC."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A second and the place of something that happened in it."""

    seconds: int
    increment: int


@dataclass(frozen=True, slots=True)
class Binary:
    """Bytes of some kind."""

    subtype: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression."""

    pattern: str
    options: str


class Bound(Enum):
    """What stands before and after everything else."""

    LEAST = "minKey"
    GREATEST = "maxKey"


class Nothing(Enum):
    """What is no value."""

    MISSING = "missing"
    """There is no such field."""
    UNDEFINED = "undefined"
    """What an empty array counts as in an index and in a sort order: less than null."""


MISSING: Final = Nothing.MISSING
UNDEFINED: Final = Nothing.UNDEFINED

Value: TypeAlias = Any
"""A value of one of the types above. Python has no type for a tree of them that a checker could follow."""
Object: TypeAlias = dict[str, Value]
"""An object. Nobody changes one that somebody else may hold."""
Key: TypeAlias = tuple[Any, ...]
"""What stands for a value where values are compared, sorted and looked up: its place among the types, and what tells it from
others of its type."""

NUMBERS: Final = (int, Int64, float, Decimal)
"""The types of numbers. A bool is none."""

RANK_NAN: Final = 9
RANK_NUMBER: Final = 10
RANK_TEXT: Final = 15
NULL: Final[Key] = (5,)
"""The key of null, and of what is missing."""
_UNDEFINED: Final[Key] = (0,)
_NAN: Final[Key] = (RANK_NAN,)


def key(value: Value) -> Key:
    """The key of a value. Equal values have equal keys, whatever the types of their numbers are."""
    return _KEYS[value.__class__](value)


def equal(one: Value, other: Value) -> bool:
    """Whether two values are equal in a filter: 1 is 1.0, and the order of names counts."""
    return key(one) == key(other)


def identical(one: Value, other: Value) -> bool:
    """Whether two values are equal and of the same type, down to the last number."""
    kind = one.__class__
    if kind is not other.__class__:
        return False
    if kind is dict:
        return (
            len(one) == len(other)
            and list(one) == list(other)
            and all(map(identical, one.values(), other.values()))
        )
    if kind is tuple:
        return len(one) == len(other) and all(map(identical, one, other))
    if kind is float or kind is Decimal:
        return str(one) == str(other)
    return bool(one == other)


def is_number(value: Value) -> bool:
    """Whether a value is a number."""
    return value.__class__ in NUMBERS


def name_of(value: Value) -> str:
    """The name of a value's type, as `$type` knows it."""
    return NAMES[value.__class__] if value.__class__ is not Bound else str(value.value)


NAMES: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    Int64: "long",
    float: "double",
    Decimal: "decimal",
    str: "string",
    dict: "object",
    tuple: "array",
    ObjectId: "objectId",
    Moment: "date",
    Timestamp: "timestamp",
    Binary: "binData",
    Pattern: "regex",
}
"""The names of the types, but for those of the bounds."""


def _number_key(value: int) -> Key:
    return (RANK_NUMBER, value)


def _float_key(value: float) -> Key:
    return _NAN if math.isnan(value) else (RANK_NUMBER, value)


def _decimal_key(value: Decimal) -> Key:
    return _NAN if value.is_nan() else (RANK_NUMBER, value)


def _object_key(value: Object) -> Key:
    # Field by field: first the type of the value, then the name, then the value. NaN is a number.
    fields = []
    for name, item in value.items():
        rank, *rest = _KEYS[item.__class__](item)
        kind = RANK_NUMBER if rank == RANK_NAN else rank
        fields.append((kind, name, rank, *rest))
    return (20, tuple(fields))


def _array_key(value: tuple[Value, ...]) -> Key:
    return (25, tuple([_KEYS[item.__class__](item) for item in value]))


def _nothing_key(value: Nothing) -> Key:
    return NULL if value is MISSING else _UNDEFINED


_KEYS: Final[Mapping[type, Callable[[Any], Key]]] = {
    Nothing: _nothing_key,
    type(None): lambda _: NULL,
    int: _number_key,
    Int64: _number_key,
    float: _float_key,
    Decimal: _decimal_key,
    str: lambda it: (RANK_TEXT, it),
    dict: _object_key,
    tuple: _array_key,
    Binary: lambda it: (30, len(it.data), it.subtype, it.data),
    ObjectId: lambda it: (35, it.data),
    bool: lambda it: (40, it),
    Moment: lambda it: (45, it.milliseconds),
    Timestamp: lambda it: (47, it.seconds, it.increment),
    Pattern: lambda it: (50, it.pattern, it.options),
    Bound: lambda it: (-1,) if it is Bound.LEAST else (127,),
}

"""The type that a parameter has: that of a constant of its value (idl/…/data_store.proto), and its text form in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from lcplatform.data_store.models import ArrayValue, Interval, OtherValue, Value
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.sqlstate import failure

INT4: Final = range(-(2**31), 2**31)
INT8: Final = range(-(2**63), 2**63)

NAMES: Final[Mapping[str, str]] = {
    "bigint": "int8",
    "bigserial": "int8",
    "boolean": "bool",
    "character varying": "varchar",
    "decimal": "numeric",
    "double precision": "float8",
    "int": "int4",
    "integer": "int4",
    "real": "float4",
    "smallint": "int2",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}
"""The names of types that SQL has besides those of the database."""


def _number(value: int) -> str:
    return "int4" if value in INT4 else "int8"


_TYPES: Final[dict[type, Callable[[Any], str | None]]] = {
    type(None): lambda _: None,
    bool: lambda _: "bool",
    int: _number,
    float: lambda _: "float8",
    Decimal: lambda _: "numeric",
    str: lambda _: "text",
    bytes: lambda _: "bytea",
    datetime: lambda value: "timestamp" if value.utcoffset() is None else "timestamptz",
    date: lambda _: "date",
    time: lambda value: "time" if value.utcoffset() is None else "timetz",
    Interval: lambda _: "interval",
    UUID: lambda _: "uuid",
    Json: lambda _: "jsonb",
    OtherValue: lambda value: NAMES.get(value.type_name.lower(), value.type_name),
    ArrayValue: lambda value: _array_type(value),
}


def type_of(value: Value) -> str | None:
    """The name of the type of a value. None: it has the type that its place asks for."""
    kind = type(value)
    tell = _TYPES.get(kind) or next(_TYPES[base] for base in kind.__mro__ if base in _TYPES)
    return tell(value)


def _array_type(value: ArrayValue) -> str | None:
    item = _item_type(value)
    return None if item is None else f"{item}[]"


def _item_type(value: ArrayValue) -> str | None:
    """The type of what is in it, however deep. None: nothing tells."""
    if value.item_type is not None:
        named = value.item_type.lower()
        return NAMES.get(named, named)
    found: set[str] = set()
    for item in value.items:
        one = _item_type(item) if isinstance(item, ArrayValue) else type_of(item)
        if one is not None:
            found.add(one)
    if found == {"int4", "int8"}:
        return "int8"
    if len(found) > 1:
        raise failure("42804", "the items of an array are of one type: give its item_type")
    return next(iter(found), None)


_FLOATS: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_TEXTS: Final[dict[type, Callable[[Any], str]]] = {
    bool: lambda value: "t" if value else "f",
    int: str,
    float: lambda value: _FLOATS.get(repr(value)) or repr(value),
    Decimal: lambda value: _decimal(value),
    str: lambda value: _text(value),
    bytes: lambda value: f"\\x{value.hex()}",
    datetime: lambda value: _moment(value),
    date: date.isoformat,
    time: time.isoformat,
    Interval: lambda it: f"{it.months} mons {it.days} days {it.microseconds} microseconds",
    UUID: str,
    Json: lambda value: _text(value.text),
    OtherValue: lambda value: _text(value.text),
    ArrayValue: lambda value: _array(value.items),
}


def to_text(value: Value) -> str:
    """The text form of a value that is not null."""
    kind = type(value)
    write = _TEXTS.get(kind) or next(_TEXTS[base] for base in kind.__mro__ if base in _TEXTS)
    return write(value)


def _text(value: str) -> str:
    """Text that the database can hold."""
    try:
        value.encode()
    except UnicodeEncodeError:
        problem = _unstorable()
    else:
        if "\0" not in value:
            return value
        problem = _unstorable()
    raise problem


def _unstorable() -> LCPlatformError:
    return failure("22021", "text cannot hold a null character, nor half of a surrogate pair")


def _decimal(value: Decimal) -> str:
    if value.is_snan():
        raise failure("22P02", "an exact number is a number, NaN or an infinity")
    if value.is_finite() and not -16_384 <= value.adjusted() < 131_072:
        raise failure("22003", "an exact number is out of range")
    return str(value)


def _moment(value: datetime) -> str:
    if value.utcoffset() is None:
        return value.isoformat(" ")
    try:
        return value.astimezone(UTC).isoformat(" ")
    except OverflowError:
        problem = failure("22008", "a timestamp is out of range")
    raise problem


def _array(items: Iterable[Value]) -> str:
    return "{" + ",".join(map(_item, items)) + "}"


def _item(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, ArrayValue):
        return _array(value.items)
    escaped = to_text(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

"""The type that a parameter has: that of a constant of its value (idl/…/data_store.proto), and its text form in SQL.

The messages that stand for intervals, arrays and whatever else there is are the contract's, which is built on this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

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
    UUID: lambda _: "uuid",
    Json: lambda _: "jsonb",
}
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
    UUID: str,
    Json: lambda value: _text(value.text),
}


class Writing:
    """Writes values for a database.

    Attributes:
        type_of: the name of the type of a value. None: it has the type that its place asks for.
        to_text: the text form of a value that is not null.
    """

    def __init__(self, interval: type[Any], array: type[Any], other: type[Any]) -> None:
        """Knows the values of Python, and these messages."""
        self._array = array
        self._types: dict[type, Callable[[Any], str | None]] = {
            **_TYPES,
            interval: lambda _: "interval",
            other: lambda value: NAMES.get(value.type_name.lower(), value.type_name),
            array: self._array_type,
        }
        self._texts: dict[type, Callable[[Any], str]] = {
            **_TEXTS,
            interval: lambda it: f"{it.months} mons {it.days} days {it.microseconds} microseconds",
            other: lambda value: _text(value.text),
            array: lambda value: self._written(value.items),
        }

    def type_of(self, value: Any) -> str | None:
        """The name of the type of a value. None: it has the type that its place asks for."""
        kind = type(value)
        types = self._types
        tell = types.get(kind) or next(types[base] for base in kind.__mro__ if base in types)
        return tell(value)

    def to_text(self, value: Any) -> str:
        """The text form of a value that is not null."""
        kind = type(value)
        texts = self._texts
        write = texts.get(kind) or next(texts[base] for base in kind.__mro__ if base in texts)
        return write(value)

    def _array_type(self, value: Any) -> str | None:
        item = self._item_type(value)
        return None if item is None else f"{item}[]"

    def _item_type(self, value: Any) -> str | None:
        """The type of what is in an array, however deep. None: nothing tells."""
        if value.item_type is not None:
            named: str = value.item_type.lower()
            return NAMES.get(named, named)
        found: set[str] = set()
        for item in value.items:
            one = self.type_of(item) if not isinstance(item, self._array) else self._item_type(item)
            if one is not None:
                found.add(one)
        if found == {"int4", "int8"}:
            return "int8"
        if len(found) > 1:
            raise failure("42804", "the items of an array are of one type: give its item_type")
        return next(iter(found), None)

    def _written(self, items: Iterable[object]) -> str:
        return "{" + ",".join(map(self._item, items)) + "}"

    def _item(self, value: Any) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, self._array):
            return self._written(value.items)
        escaped = self.to_text(value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'


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

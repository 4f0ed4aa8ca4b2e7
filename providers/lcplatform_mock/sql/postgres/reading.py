"""What PostgreSQL answers as text, as values: by the type of the column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

from lcplatform.data_store.models import ArrayValue, Interval, OtherValue, Value
from lcplatform_mock.ready import trusted
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json

Read: TypeAlias = Callable[[str], Value]

_array = trusted(ArrayValue)
_interval = trusted(Interval)
_other = trusted(OtherValue)


class _Unfit(Exception):
    """A value that has no form in Python: it is told as the database writes it."""


def _date(text: str) -> date:
    return date.fromisoformat(text)


def _time(text: str) -> time:
    value = time.fromisoformat(text)
    zone = value.utcoffset()
    if zone is not None and zone.seconds % 60:
        raise _Unfit
    return value


def _timestamp(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_PARTS: Final = re.compile(
    r"(?:(?P<years>[+-]?\d+) years? ?)?(?:(?P<months>[+-]?\d+) mons? ?)?(?:(?P<days>[+-]?\d+) days? ?)?"
    r"(?:(?P<sign>[+-]?)(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)(?:\.(?P<fraction>\d{1,6}))?)?"
)


def _read_interval(text: str) -> Interval:
    found = _PARTS.fullmatch(text)
    if found is None:
        raise _Unfit
    part = {name: int(value or 0) for name, value in found.groupdict("0").items() if name != "sign"}
    fraction = int((found["fraction"] or "").ljust(6, "0"))
    seconds = part["hours"] * 3600 + part["minutes"] * 60 + part["seconds"]
    micros = seconds * 1_000_000 + fraction
    return _interval(
        months=part["years"] * 12 + part["months"],
        days=part["days"],
        microseconds=-micros if found["sign"] == "-" else micros,
    )


_READERS: Final[Mapping[str, Read]] = {
    "bool": lambda text: text == "t",
    "bytea": lambda text: bytes.fromhex(text[2:]),
    "date": _date,
    "float4": float,
    "float8": float,
    "int2": int,
    "int4": int,
    "int8": int,
    "interval": _read_interval,
    "json": Json.from_text,
    "jsonb": Json.from_text,
    "bpchar": str,
    "name": str,
    "numeric": Decimal,
    "text": str,
    "time": _time,
    "timestamp": _timestamp,
    "timestamptz": _moment,
    "timetz": _time,
    "unknown": str,
    "uuid": UUID,
    "varchar": str,
}


def reader_of(type_name: str) -> Read:
    """Reads values of a type, of which `type_name` is the name: `int8`, `text[]`."""
    if type_name.endswith("[]"):
        item = type_name[:-2]
        one = reader_of(item)
        return lambda text: _read_array(text, item, one)
    read = _READERS.get(type_name)
    if read is None:
        return lambda text: _other(type_name=type_name, text=text)

    def checked(text: str) -> Value:
        try:
            return read(text)
        except (_Unfit, OverflowError, ValidationError, ValueError):
            return _other(type_name=type_name, text=text)

    return checked


def _read_array(text: str, item: str, read: Read) -> Value:
    if not text.startswith("{"):  # its first item has another number than 1
        return _other(type_name=f"{item}[]", text=text)
    value, _ = _Array(text, item, read).at(0)
    return value


_ITEM: Final = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^,{}"]+)', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class _Array:
    """Reads one array, which may hold others."""

    def __init__(self, text: str, item: str, read: Read) -> None:
        self._text = text
        self._item = item
        self._read = read

    def at(self, start: int) -> tuple[ArrayValue, int]:
        """The array that begins there, and where it ends."""
        items: list[Value] = []
        position = start + 1
        while self._text[position] != "}":
            if self._text[position] == ",":
                position += 1
            value: Value
            if self._text[position] == "{":
                value, position = self.at(position)
            else:
                value, position = self._one(position)
            items.append(value)
        return _array(items=tuple(items), item_type=self._item), position + 1

    def _one(self, position: int) -> tuple[Value, int]:
        found = _ITEM.match(self._text, position)
        assert found is not None, "what PostgreSQL writes is well formed"
        quoted, plain = found["quoted"], found["plain"]
        if quoted is not None:
            return self._read(_ESCAPED.sub(r"\1", quoted)), found.end()
        return (None if plain == "NULL" else self._read(plain)), found.end()

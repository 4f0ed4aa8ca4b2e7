"""What PostgreSQL answers as text, as values: by the type of the column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, Generic, TypeAlias, TypeVar
from uuid import UUID

from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json

V = TypeVar("V")
"""The values of the contract."""
Read: TypeAlias = Callable[[str], V]


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


def _interval_parts(text: str) -> dict[str, int]:
    found = _PARTS.fullmatch(text)
    if found is None:
        raise _Unfit
    part = {name: int(value or 0) for name, value in found.groupdict("0").items() if name != "sign"}
    fraction = int((found["fraction"] or "").ljust(6, "0"))
    seconds = part["hours"] * 3600 + part["minutes"] * 60 + part["seconds"]
    micros = seconds * 1_000_000 + fraction
    return {
        "months": part["years"] * 12 + part["months"],
        "days": part["days"],
        "microseconds": -micros if found["sign"] == "-" else micros,
    }


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "bool": lambda text: text == "t",
    "bytea": lambda text: bytes.fromhex(text[2:]),
    "date": _date,
    "float4": float,
    "float8": float,
    "int2": int,
    "int4": int,
    "int8": int,
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


class Reading(Generic[V]):
    """Reads values, some of which are messages of the contract: it is told how those are made."""

    def __init__(
        self,
        interval: Callable[..., V],
        array: Callable[..., V],
        other: Callable[..., V],
    ) -> None:
        self._other = other
        self._array = array
        self._readers: Mapping[str, Read[V]] = {
            **_READERS,
            "interval": lambda text: interval(**_interval_parts(text)),
        }

    def reader_of(self, type_name: str) -> Read[V]:
        """Reads values of a type, of which `type_name` is the name: `int8`, `text[]`."""
        other = self._other
        if type_name.endswith("[]"):
            return self._array_reader(type_name[:-2])
        read = self._readers.get(type_name)
        if read is None:
            return lambda text: other(type_name=type_name, text=text)

        def checked(text: str) -> V:
            try:
                return read(text)
            except (_Unfit, OverflowError, ValidationError, ValueError):
                return other(type_name=type_name, text=text)

        return checked

    def _array_reader(self, item: str) -> Read[V]:
        one = self.reader_of(item)

        def read(text: str) -> V:
            if not text.startswith("{"):  # its first item has another number than 1
                return self._other(type_name=f"{item}[]", text=text)
            value, _ = _Array(text, item, one, self._array).at(0)
            return value

        return read


_ITEM: Final = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^,{}"]+)', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class _Array(Generic[V]):
    """Reads one array, which may hold others."""

    def __init__(self, text: str, item: str, read: Read[V], array: Callable[..., V]) -> None:
        self._text = text
        self._item = item
        self._read = read
        self._array = array

    def at(self, start: int) -> tuple[V, int]:
        """The array that begins there, and where it ends."""
        items: list[V | None] = []
        position = start + 1
        while self._text[position] != "}":
            if self._text[position] == ",":
                position += 1
            value: V | None
            if self._text[position] == "{":
                value, position = self.at(position)
            else:
                value, position = self._one(position)
            items.append(value)
        return self._array(items=tuple(items), item_type=self._item), position + 1

    def _one(self, position: int) -> tuple[V | None, int]:
        found = _ITEM.match(self._text, position)
        assert found is not None, "what PostgreSQL writes is well formed"
        quoted, plain = found["quoted"], found["plain"]
        if quoted is not None:
            return self._read(_ESCAPED.sub(r"\1", quoted)), found.end()
        return (None if plain == "NULL" else self._read(plain)), found.end()

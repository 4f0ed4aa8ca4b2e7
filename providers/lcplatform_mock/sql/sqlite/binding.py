"""Values on their way into SQLite and out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeAlias
from uuid import UUID

from lcplatform.data_store.models import ArrayValue, Interval, OtherValue, Value
from lcplatform_mock.sql import values
from lcplatform_mock.sql.sqlite import arrays, documents, forms, moments, numbers
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.sql.refusals import refused
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.trusted import trusted

Stored: TypeAlias = int | float | str | bytes | None
Read: TypeAlias = Callable[[Any], Value]

_array = trusted(ArrayValue)
_interval = trusted(Interval)
_other = trusted(OtherValue)


def _text(value: str) -> str:
    return values.to_text(value) if "\0" in value or not value.isascii() else value


def _exact(value: Decimal) -> str:
    return forms.read_exact(values.to_text(value))


def _moment(value: datetime) -> int:
    return moments.to_micros(value)


def _clock(value: time) -> int:
    if value.utcoffset() is not None:
        raise unsupported("the type time with time zone")
    return moments.to_clock(value)


def _span(value: Interval) -> str:
    return moments.pack((value.months, value.days, value.microseconds))


def _document(value: Json) -> str:
    return documents.read(values.to_text(value))


def _other_value(value: OtherValue) -> Stored:
    name = values.type_of(value)
    assert name is not None
    stored: Stored = forms.reader(name)(values.to_text(value))
    return stored


def _items(value: ArrayValue) -> list[Any]:
    return [_items(it) if isinstance(it, ArrayValue) else to_stored(it) for it in value.items]


def _packed(value: ArrayValue) -> str:
    items = _items(value)
    if len({len(it) if isinstance(it, list) else -1 for it in items}) > 1:
        raise refused("22P02")
    return arrays.pack(items)


_STORES: Final[dict[type, Callable[[Any], Stored]]] = {
    type(None): lambda value: value,
    bool: int,
    int: lambda value: value,
    float: numbers.checked,
    Decimal: _exact,
    str: _text,
    bytes: lambda value: value,
    datetime: _moment,
    date: moments.to_days,
    time: _clock,
    Interval: _span,
    UUID: str,
    Json: _document,
    OtherValue: _other_value,
    ArrayValue: _packed,
}


def to_stored(value: Value) -> Stored:
    """A value as it is stored."""
    kind = type(value)
    store = _STORES.get(kind) or next(_STORES[base] for base in kind.__mro__ if base in _STORES)
    return store(value)


def _read_span(text: str) -> Value:
    months, days, micros = moments.unpack(text)
    return _interval(months=months, days=days, microseconds=micros)


def _read_document(name: str) -> Read:
    def read(text: str) -> Value:
        try:
            return Json.from_text(text)
        except ValidationError:  # a number that no double holds
            return _other(type_name=name, text=text)

    return read


_READS: Final[Mapping[str, Read]] = {
    "bool": bool,
    "numeric": Decimal,
    "float4": lambda number: float(numbers.single_text(number)),
    "date": moments.from_days,
    "time": moments.from_clock,
    "timestamp": moments.from_micros,
    "timestamptz": lambda micros: moments.from_micros(micros).replace(tzinfo=UTC),
    "interval": _read_span,
    "uuid": UUID,
    "json": _read_document("json"),
    "jsonb": _read_document("jsonb"),
}


@cache
def reader(name: str) -> Read | None:
    """What reads values of a type from what is stored; None if they are stored as they are."""
    if name.endswith("[]"):
        item = name[:-2]
        one: Read | None = bytes.fromhex if item == "bytea" else reader(item)
        return lambda text: _read_array(arrays.unpack(text), item, one)
    return _READS.get(name)


def _read_array(items: list[Any], item: str, read: Read | None) -> Value:
    return _array(
        items=tuple(
            _read_array(it, item, read)
            if isinstance(it, list)
            else (it if it is None or read is None else read(it))
            for it in items
        ),
        item_type=item,
    )

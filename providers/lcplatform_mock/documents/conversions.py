"""Values as values of another type, as `$toInt` and its like make them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import NoReturn

from lcplatform_mock.documents.numbers import as_decimal
from lcplatform_mock.documents.times import calendar, written
from lcplatform_runtime.documents.extended_json import (
    INT32,
    INT64,
    NoDocument,
    decimal_of,
    iso_moment,
)
from lcplatform_runtime.documents.values import (
    Int64,
    Moment,
    ObjectId,
    Timestamp,
    Value,
    is_number,
    name_of,
)


def to_text(value: Value) -> str:
    """As text."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _double_text(value)
        case int():
            return int.__repr__(value)
        case Decimal():
            return str(value)
        case Moment():
            return written(value, "%Y-%m-%dT%H:%M:%S.%LZ")
        case ObjectId():
            return value.data.hex()
        case _:
            return _refuse(value, "text")


def _double_text(value: float) -> str:
    if not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def to_bool(value: Value) -> bool:
    """As true or false: all but false and zero is true."""
    return bool(value) if isinstance(value, bool | int | float | Decimal) else True


def to_int(value: Value) -> int:
    """As an integer of 32 bits."""
    found = _whole(value, "int")
    if found not in INT32:
        raise NoDocument("$toInt takes what 32 bits hold")
    return found


def to_long(value: Value) -> Int64:
    """As an integer of 64 bits."""
    found = value.milliseconds if isinstance(value, Moment) else _whole(value, "long")
    if found not in INT64:
        raise NoDocument("$toLong takes what 64 bits hold")
    return Int64(found)


def _whole(value: Value, name: str) -> int:
    if isinstance(value, str):
        if re.fullmatch(r"[+-]?[0-9]{1,20}", value) is None:
            raise NoDocument(f"a text is no {name}")
        return int(value)
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        raise NoDocument("NaN and infinities are no integers")
    return int(value) if isinstance(value, bool) or is_number(value) else _refuse(value, name)


def to_double(value: Value) -> float:
    """As a double."""
    if isinstance(value, Moment):
        return float(value.milliseconds)
    return float(_decimal(value, "double"))


def to_decimal(value: Value) -> Decimal:
    """As a decimal."""
    if isinstance(value, Moment):
        return Decimal(value.milliseconds)
    found = _decimal(value, "decimal")
    return found if isinstance(found, Decimal) else as_decimal(found)


def _decimal(value: Value, name: str) -> float | Decimal:
    if isinstance(value, str):
        return decimal_of(value)
    if isinstance(value, bool):
        return int(value)
    return value if is_number(value) else _refuse(value, name)  # type: ignore[no-any-return]  # it is a number


def to_moment(value: Value) -> Moment:
    """As a point in time."""
    match value:
        case Moment():
            return value
        case str():
            return iso_moment(value)
        case bool():
            return _refuse(value, "date")
        case Int64() | float() | Decimal() if math.isfinite(value) and int(value) in INT64:
            return Moment(int(value))
        case ObjectId() | Timestamp():
            return Moment(int(calendar(value).timestamp()) * 1000)
        case _:
            return _refuse(value, "date")


def _refuse(value: Value, wanted: str) -> NoReturn:
    raise NoDocument(f"a value of type {name_of(value)} is no {wanted}")

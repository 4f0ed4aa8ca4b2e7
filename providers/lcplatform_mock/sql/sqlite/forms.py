"""The text form of what is stored: what `'…'::type` reads, and what `…::text` writes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from typing import Any, Final
from uuid import UUID

from lcplatform_mock.sql.sqlite import arrays, documents, moments, numbers, texts
from lcplatform_mock.sql.sqlite.types import RANGES
from lcplatform_runtime.sql.refusals import refused
from lcplatform_runtime.sql.words import unsupported

_WHOLE: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_ENDLESS: Final[Mapping[str, str]] = {
    "nan": "NaN",
    **dict.fromkeys(("infinity", "inf", "+infinity", "+inf"), "Infinity"),
    **dict.fromkeys(("-infinity", "-inf"), "-Infinity"),
}
_FALSE: Final = frozenset({"f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0"})
_TRUE: Final = frozenset({"t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"})


def read_bool(text: str) -> int:
    """The truth value that a text says."""
    word = text.strip().lower()
    if word in _TRUE:
        return 1
    if word in _FALSE:
        return 0
    raise refused("22P02")


def _read_integer(low: int, high: int, text: str) -> int:
    body = text.strip()
    if not _WHOLE.fullmatch(body):
        if re.fullmatch(r"[+-]?0[xXoObB][0-9A-Fa-f_]+|[+-]?[0-9]+(_[0-9]+)+", body):
            raise unsupported("an integer in this notation")
        raise refused("22P02")
    if len(body) > 30:
        raise refused("22003")
    return numbers.within(int(body), low, high)


def read_exact(text: str) -> str:
    """The exact number that a text says."""
    body = text.strip()
    endless = _ENDLESS.get(body.lower())
    if endless is not None:
        return endless
    if not _NUMBER.fullmatch(body):
        raise refused("22P02")
    try:
        return numbers.stored(Decimal(body))
    except InvalidOperation:
        raise refused("22003") from None


def read_float(text: str) -> float:
    """The floating-point number that a text says."""
    body = text.strip()
    endless = _ENDLESS.get(body.lower())
    if endless == "NaN":
        raise unsupported("NaN as a floating-point number")
    if endless is None and not _NUMBER.fullmatch(body):
        raise refused("22P02")
    value = float(body)
    if endless is None and (math.isinf(value) or (not value and Decimal(body))):
        raise refused("22003")
    return value


def _read_single(text: str) -> float:
    return numbers.single(read_float(text))


def read_uuid(text: str) -> str:
    """The UUID that a text says."""
    body = text.strip()
    if body.startswith("{") != body.endswith("}") or not re.fullmatch(r"\{?[0-9A-Fa-f-]+\}?", body):
        raise refused("22P02")
    digits = body.strip("{}").replace("-", "")
    if len(digits) != 32 or not re.fullmatch(
        r"(?:[0-9A-Fa-f]{4}-?){7}[0-9A-Fa-f]{4}", body.strip("{}")
    ):
        raise refused("22P02")
    return str(UUID(digits))


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "bool": read_bool,
    **{
        name: partial(_read_integer, limits.start, limits.stop - 1)
        for name, limits in RANGES.items()
    },
    "numeric": read_exact,
    "float4": _read_single,
    "float8": read_float,
    "text": str,
    "varchar": str,
    "bytea": texts.read_bytes,
    "date": moments.read_date,
    "time": moments.read_time,
    "timestamp": partial(moments.read_moment, zoned=False),
    "timestamptz": partial(moments.read_moment, zoned=True),
    "interval": moments.read_interval,
    "uuid": read_uuid,
    "json": documents.check,
    "jsonb": documents.read,
}
_WRITERS: Final[Mapping[str, Callable[[Any], str]]] = {
    "bool": lambda value: "true" if value else "false",
    **dict.fromkeys(RANGES, str),
    "numeric": str,
    "float4": numbers.single_text,
    "float8": numbers.float_text,
    "text": str,
    "varchar": str,
    "bytea": texts.write_bytes,
    "date": moments.write_date,
    "time": moments.write_time,
    "timestamp": moments.write_moment,
    "timestamptz": moments.write_zoned,
    "interval": moments.write_interval,
    "uuid": str,
    "json": str,
    "jsonb": str,
}


@cache
def reader(name: str) -> Callable[[str], Any]:
    """What reads the text form of a type into what is stored."""
    if name.endswith("[]"):
        return partial(arrays.read, convert=reader(name[:-2]))
    return _READERS[name]


@cache
def writer(name: str) -> Callable[[Any], str]:
    """What writes the text form of what is stored."""
    if name.endswith("[]"):
        show = in_array(name[:-2])
        return lambda array: arrays.write(arrays.unpack(array), show)
    return _WRITERS[name]


@cache
def in_array(name: str) -> Callable[[Any], str]:
    """The same for an item of an array: a truth value is one letter there, and bytes are stored in hexadecimal."""
    if name == "bool":
        return lambda value: "t" if value else "f"
    if name == "bytea":
        return lambda value: f"\\x{value}"
    return _WRITERS[name]

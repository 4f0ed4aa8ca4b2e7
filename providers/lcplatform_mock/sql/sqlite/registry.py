"""The functions and collations of PostgreSQL, as a connection to SQLite is given them."""

from __future__ import annotations

import functools
import json
import math
import os
import random
import sqlite3
import struct
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lcplatform_mock.sql.sqlite import arrays, documents, forms, moments, numbers, texts
from lcplatform_mock.sql.sqlite.aggregates import AGGREGATES
from lcplatform_mock.sql.sqlite.types import NUMBERS, RANGES, TYPES
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sql.refusals import refused
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    from datetime import datetime


class Surroundings(Protocol):
    """What functions know of the statement that calls them."""

    problem: LCPlatformError | None
    """What a function refused: SQLite tells only that one did."""

    def now(self) -> int:
        """When the transaction began."""
        ...

    def statement_now(self) -> int:
        """When the statement began."""
        ...

    def clock_now(self) -> int:
        """What time it is."""
        ...

    def next_number(self, sequence: str) -> int:
        """The next number of a sequence."""
        ...

    def last_number(self, sequence: str) -> int:
        """The number that this connection took last."""
        ...

    def set_number(self, sequence: str, value: int, *, called: bool) -> int:
        """Sets a sequence."""
        ...


def _raise(sqlstate: str) -> None:
    raise refused(sqlstate)


def _not_null(table: str, column: str) -> None:
    raise refused("23502", table=table, column=column)


def _not_negative(number: int, sqlstate: str) -> int:
    if number < 0:
        raise refused(sqlstate)
    return number


def _direction(step: int | str) -> int:
    """Whether a series goes up or down."""
    size = step if isinstance(step, int) else moments.span(step)
    if not size:
        raise failure("22023", "step size cannot equal zero")
    return 1 if size > 0 else -1


def _plain_order(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def _extreme(sign: int, family: str, *values: Any) -> Any:
    given = [it for it in values if it is not None]
    if not given:
        return None
    compare: Callable[[Any, Any], int] = _COLLATIONS.get(f"pg_{family}") or _plain_order
    best = given[0]
    for it in given[1:]:
        if compare(it, best) * sign > 0:
            best = it
    return best


def _concat_ws(separator: str | None, *parts: str | None) -> str | None:
    return None if separator is None else separator.join(it for it in parts if it is not None)


def _to_json(kind: str, value: Any) -> str:
    return documents.dump(_plain_json(kind, value))


def _plain_json(kind: str, value: Any) -> Any:
    """A stored value as JSON has it."""
    if value is None:
        return None
    if kind.endswith("[]"):
        return [
            _plain_json(kind if isinstance(it, list) else kind[:-2], it)
            for it in (value if isinstance(value, list) else arrays.unpack(value))
        ]
    if kind == "bool":
        return bool(value)
    if kind in {"json", "jsonb"}:
        return documents.load(value)
    text = (
        forms.writer(kind)(value) if kind != "bytea" or isinstance(value, bytes) else f"\\x{value}"
    )
    if kind in NUMBERS:
        return text if text in {"NaN", "Infinity", "-Infinity"} else documents.load(text)
    return (
        text.replace(" ", "T") + (":00" if kind == "timestamptz" else "")
        if kind.startswith("timestamp")
        else text
    )


def _json_array(*items: str | None) -> str:
    return "[" + ", ".join("null" if it is None else it for it in items) + "]"


def _json_object(*parts: str | None) -> str:
    pairs = []
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        if name is None:
            raise failure("22004", "the name of an entry must not be null")
        pairs.append((name, None if value is None else documents.load(value)))
    return documents.built_object(pairs)


def _convert_items(source: str, target: str, array: str) -> str:
    read, write = forms.reader(target[:-2]), forms.in_array(source[:-2])
    return arrays.converted(array, lambda it: read(write(it)))


def _zone(name: str, micros: int, sign: int) -> int:
    """A moment of a zone in UTC, or the other way round."""
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        if name.upper() in {"UTC", "GMT", "Z"}:
            return micros
        raise unsupported(f"the time zone {name!r}") from None
    there: datetime = moments.from_micros(micros)
    if sign > 0:
        return moments.to_micros(there.replace(tzinfo=zone))
    from datetime import UTC

    return moments.to_micros(there.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None))


def _make_date(year: int, month: int, day: int) -> int:
    return moments.days_of(str(year), str(month), str(day))  # the rules are those of reading one


def _float_whole(choose: Callable[[float], int], number: float) -> float:
    return number if math.isinf(number) else math.copysign(choose(number), number)


def _exact_to_integer(number: str, low: int, high: int) -> int:
    return numbers.to_integer(number, low, high)


def _uuid() -> str:
    """A random UUID."""
    high, low = struct.unpack(">QQ", os.urandom(16))
    high = high & ~0xF000 | 0x4000
    low = low & ~(0xC << 60) | (0x8 << 60)
    digits = f"{high:016x}{low:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


_STRICT: Final[Mapping[str, Callable[..., Any]]] = {
    # integers
    "pg_within": numbers.within,
    "pg_integer_add": numbers.integer_add,
    "pg_integer_subtract": numbers.integer_subtract,
    "pg_integer_multiply": numbers.integer_multiply,
    "pg_integer_divide": numbers.integer_divide,
    "pg_integer_modulo": numbers.integer_modulo,
    "pg_integer_abs": lambda it: numbers.within(
        abs(it), RANGES["int8"].start, RANGES["int8"].stop - 1
    ),
    # exact numbers
    "pg_add": numbers.add,
    "pg_subtract": numbers.subtract,
    "pg_multiply": numbers.multiply,
    "pg_divide": numbers.divide,
    "pg_modulo": numbers.modulo,
    "pg_negate": numbers.negate,
    "pg_absolute": numbers.absolute,
    "pg_sign": numbers.sign,
    "pg_round": numbers.round_to,
    "pg_truncate": numbers.truncate,
    "pg_ceiling": numbers.ceiling,
    "pg_floor": numbers.floor,
    "pg_fit": numbers.fit,
    "pg_exact_to_integer": _exact_to_integer,
    "pg_exact_to_float": numbers.to_float,
    # floating-point numbers
    "pg_float_add": numbers.float_add,
    "pg_float_subtract": numbers.float_subtract,
    "pg_float_multiply": numbers.float_multiply,
    "pg_float_divide": numbers.float_divide,
    "pg_float_round": numbers.float_round,
    "pg_float_trunc": partial(_float_whole, math.trunc),
    "pg_float_ceiling": partial(_float_whole, math.ceil),
    "pg_float_floor": partial(_float_whole, math.floor),
    "pg_float_to_integer": numbers.float_to_integer,
    "pg_float_to_exact": numbers.float_to_exact,
    "pg_single": numbers.single,
    "pg_power": numbers.power,
    "pg_square_root": numbers.square_root,
    # text
    "pg_length": len,
    "pg_octets": texts.octets,
    "pg_upper": texts.upper,
    "pg_lower": texts.lower,
    "pg_initcap": texts.capitalised,
    "pg_substring": texts.substring,
    "pg_left": texts.left,
    "pg_right": texts.right,
    "pg_trim": texts.trim,
    "pg_trim_left": texts.trim_left,
    "pg_trim_right": texts.trim_right,
    "pg_position": texts.position,
    "pg_replace": texts.replace,
    "pg_translate": texts.translated,
    "pg_repeat": texts.repeat,
    "pg_reverse": texts.reverse,
    "pg_split_part": texts.split_part,
    "pg_pad_left": texts.pad_left,
    "pg_pad_right": texts.pad_right,
    "pg_starts_with": texts.starts_with,
    "pg_ascii": texts.ascii_of,
    "pg_character": texts.character,
    "pg_md5": texts.md5,
    "pg_bounded": texts.bounded,
    "pg_like": texts.like,
    "pg_ilike": texts.ilike,
    "pg_bytes_md5": texts.bytes_md5,
    "pg_sha256": texts.sha256,
    "pg_encode": texts.encode,
    "pg_decode": texts.decode,
    "pg_part_of_bytes": texts.part_of_bytes,
    # dates and times
    "pg_day": lambda micros: micros // moments.DAY,
    "pg_clock": lambda micros: micros % moments.DAY,
    "pg_add_days": moments.add_days,
    "pg_later": moments.add,
    "pg_earlier": moments.subtract,
    "pg_between": moments.between,
    "pg_clock_add": moments.clock_add,
    "pg_clock_subtract": moments.clock_subtract,
    "pg_interval_add": moments.sum_of,
    "pg_interval_subtract": moments.difference,
    "pg_interval_multiply": moments.multiply,
    "pg_interval_divide": moments.divide,
    "pg_interval_negate": moments.negate,
    "pg_trunc_moment": moments.truncate,
    "pg_part_of_moment": moments.part_of_moment,
    "pg_part_of_date": moments.part_of_date,
    "pg_part_of_clock": moments.part_of_clock,
    "pg_part_of_interval": moments.part_of_interval,
    "pg_age": moments.age,
    "pg_make_date": _make_date,
    "pg_zone": _zone,
    "pg_direction": _direction,
    # JSON
    "pg_json_item": documents.item,
    "pg_json_text": documents.item_text,
    "pg_json_at": documents.at_path,
    "pg_json_text_at": documents.text_at_path,
    "pg_json_contains": documents.contains,
    "pg_json_has": documents.has,
    "pg_json_joined": documents.joined,
    "pg_json_without": documents.without,
    "pg_json_without_place": documents.without_place,
    "pg_json_set": documents.with_value,
    "pg_json_kind": documents.kind,
    "pg_json_length": documents.length,
    "pg_json_stripped": documents.stripped,
    "pg_json_elements": lambda it: json.dumps([documents.dump(one) for one in documents.items(it)]),
    "pg_json_texts": lambda it: json.dumps([documents.as_text(one) for one in documents.items(it)]),
    "pg_json_names": lambda it: json.dumps([name for name, _ in documents.entries(it)]),
    "pg_json_pairs": lambda it: json.dumps(
        [[name, documents.dump(value)] for name, value in documents.entries(it)]
    ),
    "pg_json_text_pairs": lambda it: json.dumps(
        [[name, documents.as_text(value)] for name, value in documents.entries(it)]
    ),
    "pg_to_json": _to_json,
    # arrays
    "pg_array_at": arrays.at,
    "pg_array_size": arrays.size,
    "pg_array_length": arrays.length,
    "pg_array_joined": arrays.joined,
    "pg_array_contains": arrays.contains,
    "pg_array_overlaps": arrays.overlaps,
    "pg_flat": lambda it: arrays.pack(arrays.flat(it)),
    "pg_convert_items": _convert_items,
    # others
    "pg_not_negative": _not_negative,
}
_OPEN: Final[Mapping[str, Callable[..., Any]]] = {
    "pg_greatest": partial(_extreme, 1),
    "pg_least": partial(_extreme, -1),
    "pg_concat_ws": _concat_ws,
    "pg_json_array": _json_array,
    "pg_json_object": _json_object,
    "pg_array": arrays.made,
    "pg_array_nested": arrays.nested,
    "pg_array_part": lambda array, start, end: (
        None if array is None else arrays.part(array, start, end)
    ),
    "pg_array_append": arrays.appended,
    "pg_array_prepend": arrays.prepended,
    "pg_array_remove": arrays.removed,
    "pg_array_position": arrays.position,
    "pg_array_to_text": lambda array, separator, null=None: (
        None if array is None or separator is None else arrays.to_text(array, separator, null)
    ),
    "pg_text_to_array": arrays.from_text,
}
_COLLATIONS: Final[Mapping[str, Callable[[str, str], int]]] = {
    "pg_numeric": numbers.compare,
    "pg_interval": moments.compare,
    "pg_jsonb": documents.compare,
    "pg_array": arrays.compare,
}


def register(connection: sqlite3.Connection, around: Surroundings) -> None:
    """Gives a connection everything that translated statements call."""
    for name, function in _fixed().items():
        add = _watched(function, around)
        connection.create_function(name, -1, add, deterministic=True)
    changing: dict[str, Callable[..., Any]] = {
        "pg_raise": _raise,
        "pg_not_null": _not_null,
        "pg_now": around.now,
        "pg_statement_now": around.statement_now,
        "pg_clock_now": around.clock_now,
        "pg_random": random.random,
        "pg_uuid": _uuid,
        "pg_nextval": around.next_number,
        "pg_currval": around.last_number,
        "pg_setval": lambda name, value, called=1: around.set_number(
            name, value, called=bool(called)
        ),
    }
    for name, function in changing.items():
        connection.create_function(name, -1, _watched(function, around))
    for name, compare in _COLLATIONS.items():
        connection.create_collation(name, compare)
    for name, aggregate in AGGREGATES.items():
        # A window function is an aggregate as well.
        connection.create_window_function(name, -1, _kept(aggregate, around))


@functools.cache
def _fixed() -> dict[str, Callable[..., Any]]:
    """The functions that give the same for the same arguments."""
    reading = {f"pg_read_{name}": _strict(forms.reader(name)) for name in TYPES}
    writing = {f"pg_write_{name}": _strict(forms.writer(name)) for name in TYPES}
    strict = {name: _strict(function) for name, function in _STRICT.items()}
    return {**strict, **_OPEN, **reading, **writing}


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that answers null with null."""

    def call(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return call


def _watched(function: Callable[..., Any], around: Surroundings) -> Callable[..., Any]:
    """A function whose error is kept: SQLite tells nothing of it."""

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except LCPlatformError as error:
            around.problem = error
            raise

    return call


def _kept(aggregate: type, around: Surroundings) -> type:
    """An aggregate whose errors are kept like those of functions."""
    methods = {
        name: _watched(getattr(aggregate, name), around)
        for name in ("step", "inverse", "value", "finalize")
    }
    return type(aggregate.__name__, (aggregate,), methods)

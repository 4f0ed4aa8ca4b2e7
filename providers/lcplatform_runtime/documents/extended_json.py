"""Documents as MongoDB Extended JSON (v2): read in any of its forms, written in the canonical one.

https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any, Final, TypeAlias
from uuid import UUID

from lcplatform_runtime.documents.values import (
    Binary,
    Bound,
    Int64,
    Moment,
    Object,
    ObjectId,
    Pattern,
    Timestamp,
    Value,
)

Raw: TypeAlias = Any
"""What JSON text parses to."""

MAX_DEPTH: Final = 100
"""How deeply objects and arrays lie in each other at most."""

INT32: Final = range(-(2**31), 2**31)
INT64: Final = range(-(2**63), 2**63)
DECIMALS: Final = Context(
    prec=34, Emin=-6143, Emax=6144, clamp=1, capitals=1, traps=[InvalidOperation, Overflow]
)
"""How decimals are reckoned with: IEEE 754's decimal128."""
_EXACT: Final = Context(
    prec=34,
    Emin=-6143,
    Emax=6144,
    clamp=1,
    capitals=1,
    traps=[InvalidOperation, Overflow, Inexact],
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SEPARATORS: Final = (",", ":")
_GOOD_NAMES: Final[set[str]] = set()
_REMEMBERED: Final = 10_000
_DIGITS: Final = re.compile(r"-?[0-9]{1,19}")
_PLAIN: Final = frozenset({str, bool, float, type(None)})


class NoDocument(ValueError):
    """Something is no value of a document. The message says why, and quotes no value."""


def parse(raw: Raw, depth: int = 0) -> Value:
    """The value that parsed JSON stands for.

    Raises:
        NoDocument: it stands for none.
    """
    kind = type(raw)
    if kind in _PLAIN:
        return raw
    if kind is int:
        return integer(raw)
    if depth >= MAX_DEPTH:
        raise NoDocument(f"at most {MAX_DEPTH} levels")
    if kind is dict:
        return _object(raw, depth + 1)
    if _PLAIN.issuperset(map(type, raw)):
        return tuple(raw)
    return tuple([parse(item, depth + 1) for item in raw])


def parse_object(raw: Raw) -> Object:
    """The object that a parsed JSON object stands for.

    Raises:
        NoDocument: it stands for no object.
    """
    if raw.__class__ is not dict:
        raise NoDocument("a JSON object")
    made = _object(raw, 1)
    if made.__class__ is not dict:
        raise NoDocument("a document, which is an object of fields")
    return made


def integer(value: int) -> int:
    """A whole number that is written plainly: of 32 bits where that is enough, otherwise of 64."""
    if value in INT32:
        return value
    if value in INT64:
        return Int64(value)
    raise NoDocument("integers of 64 bits; write larger numbers as $numberDecimal")


def is_special(raw: Raw) -> bool:
    """Whether a JSON object stands for a value that is no object, such as a date."""
    return raw.__class__ is dict and next(iter(raw), None) in _READERS


def text_of(value: Value) -> str:
    """The canonical text of a value."""
    return json.dumps(canonical(value), ensure_ascii=False, separators=_SEPARATORS)


def canonical(value: Value) -> Raw:
    """The canonical form of a value, as JSON that is still to be written."""
    return _WRITERS[value.__class__](value)


def bson_size(value: Value) -> int:
    """How many bytes a value takes up in BSON."""
    kind = value.__class__
    if kind is dict:
        return 5 + sum(2 + len(name.encode()) + bson_size(item) for name, item in value.items())
    if kind is tuple:
        return 5 + sum(2 + len(str(at)) + bson_size(item) for at, item in enumerate(value))
    if kind is str:
        return 5 + len(value.encode())
    if kind is Binary:
        return 5 + len(value.data)
    if kind is Pattern:
        return 2 + len(value.pattern.encode()) + len(value.options)
    return _SIZES.get(kind, 0)


_SIZES: Final[Mapping[type, int]] = {
    bool: 1,
    int: 4,
    Int64: 8,
    float: 8,
    Decimal: 16,
    ObjectId: 12,
    Moment: 8,
    Timestamp: 8,
}


def iso_moment(text: str) -> Moment:
    """The point in time that an ISO 8601 text with a time zone names."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise NoDocument("$date takes a time of ISO 8601, or milliseconds") from None
    if moment.tzinfo is None or moment.microsecond % 1000:
        raise NoDocument("$date takes a time with a time zone, to the millisecond")
    return Moment((moment - _EPOCH) // timedelta(milliseconds=1))


def decimal_of(text: str) -> Decimal:
    """The decimal that a text writes, exactly."""
    try:
        number = _EXACT.create_decimal(text)
    except (ArithmeticError, ValueError):
        raise NoDocument(
            "$numberDecimal takes a number of 34 digits at most, NaN or an infinity"
        ) from None
    if number.is_snan() or (number.is_nan() and len(text) > len("-NaN")):
        raise NoDocument("$numberDecimal knows one NaN")
    return Decimal("NaN") if number.is_nan() else number


# --- reading


def _object(raw: dict[str, Raw], depth: int) -> Value:
    if not _GOOD_NAMES.issuperset(raw) and not all(map(_is_name, raw)):
        return _special(raw)
    made = dict(raw)
    for name, item in raw.items():
        kind = type(item)
        if kind in _PLAIN or (kind is int and -0x80000000 <= item <= 0x7FFFFFFF):
            continue
        made[name] = parse(item, depth)
    return made


def _is_name(name: str) -> bool:
    """Whether a name is one of a field. What begins with a dollar is none, and may name a type."""
    if name in _GOOD_NAMES:
        return True
    if name[:1] == "$":
        return False
    if "." in name or "\0" in name:
        raise NoDocument("names of fields without dots and null characters")
    if len(_GOOD_NAMES) < _REMEMBERED:
        _GOOD_NAMES.add(name)
    return True


def _special(raw: dict[str, Raw]) -> Value:
    (first, content), *others = raw.items()
    reader = _READERS.get(first)
    if reader is None or others:
        name = next(name for name in raw if name[:1] == "$")
        if reader is None and name in DEPRECATED:
            raise NoDocument(f"{name} is deprecated and no part of the contract")
        raise NoDocument(f"names of fields that do not begin with a dollar, not {name[:40]!r}")
    return reader(content)


DEPRECATED: Final = frozenset({"$undefined", "$symbol", "$dbPointer", "$code", "$scope"})
"""Types of BSON that are no part of the contract."""


def _text(content: Raw, name: str) -> str:
    if content.__class__ is not str:
        raise NoDocument(f"{name} takes a text")
    return str(content)


def _parts(content: Raw, name: str, *parts: str) -> list[Raw]:
    if content.__class__ is not dict or set(content) != set(parts):
        raise NoDocument(f"{name} takes an object with {' and '.join(parts)}")
    return [content[part] for part in parts]


def _whole(content: Raw, name: str, allowed: range) -> int:
    text = _text(content, name)
    if _DIGITS.fullmatch(text) is None or int(text) not in allowed:
        raise NoDocument(f"{name} takes the digits of an integer in its bounds")
    return int(text)


def _double(content: Raw) -> float:
    text = _text(content, "$numberDouble")
    if text in {"NaN", "Infinity", "-Infinity"}:
        return float(text)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number - number != 0 or text.strip() != text or "_" in text:
        raise NoDocument("$numberDouble takes a number, NaN, Infinity or -Infinity")
    return number


def _object_id(content: Raw) -> ObjectId:
    text = _text(content, "$oid")
    if re.fullmatch("[0-9a-fA-F]{24}", text) is None:
        raise NoDocument("$oid takes 24 hexadecimal digits")
    return ObjectId(bytes.fromhex(text))


def _date(content: Raw) -> Moment:
    if content.__class__ is str:
        return iso_moment(content)
    if content.__class__ is dict and list(content) == ["$numberLong"]:
        return Moment(_whole(content["$numberLong"], "$date", INT64))
    raise NoDocument('$date takes a time of ISO 8601, or {"$numberLong": milliseconds}')


def _binary(content: Raw) -> Binary:
    data, subtype = _parts(content, "$binary", "base64", "subType")
    kind = _text(subtype, "subType")
    if re.fullmatch("[0-9a-fA-F]{1,2}", kind) is None:
        raise NoDocument("subType takes one or two hexadecimal digits")
    try:
        return Binary(int(kind, 16), base64.b64decode(_text(data, "base64"), validate=True))
    except binascii.Error:
        raise NoDocument("base64 takes base64") from None


def _uuid(content: Raw) -> Binary:
    text = _text(content, "$uuid")
    if re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is None:
        raise NoDocument("$uuid takes a UUID with its hyphens")
    return Binary(4, UUID(text).bytes)


def _timestamp(content: Raw) -> Timestamp:
    seconds, increment = _parts(content, "$timestamp", "t", "i")
    if not all(it.__class__ is int and 0 <= it < 2**32 for it in (seconds, increment)):
        raise NoDocument("$timestamp takes integers of 32 bits without a sign")
    return Timestamp(seconds, increment)


def _pattern(content: Raw) -> Pattern:
    pattern, options = _parts(content, "$regularExpression", "pattern", "options")
    return pattern_of(_text(pattern, "pattern"), _text(options, "options"))


def pattern_of(pattern: str, options: str) -> Pattern:
    """A regular expression, with its options in the order of the alphabet."""
    if "\0" in pattern or set(options) - set("imsx"):
        raise NoDocument(
            "a regular expression has the options i, m, s and x, and no null character"
        )
    return Pattern(pattern, "".join(sorted(set(options))))


def _bound(bound: Bound) -> Callable[[Raw], Bound]:
    def read(content: Raw) -> Bound:
        if content.__class__ is not int or content != 1:
            raise NoDocument(f"${bound.value} takes 1")
        return bound

    return read


_READERS: Final[Mapping[str, Callable[[Raw], Value]]] = {
    "$numberInt": lambda it: _whole(it, "$numberInt", INT32),
    "$numberLong": lambda it: Int64(_whole(it, "$numberLong", INT64)),
    "$numberDouble": _double,
    "$numberDecimal": lambda it: decimal_of(_text(it, "$numberDecimal")),
    "$oid": _object_id,
    "$date": _date,
    "$binary": _binary,
    "$uuid": _uuid,
    "$timestamp": _timestamp,
    "$regularExpression": _pattern,
    "$minKey": _bound(Bound.LEAST),
    "$maxKey": _bound(Bound.GREATEST),
}


# --- writing


def _written_double(value: float) -> Raw:
    if value - value == 0:
        return {"$numberDouble": repr(value)}
    if value != value:
        return {"$numberDouble": "NaN"}
    return {"$numberDouble": "Infinity" if value > 0 else "-Infinity"}


def _written_object(value: Object) -> Raw:
    return {name: _WRITERS[item.__class__](item) for name, item in value.items()}


def _same(value: Value) -> Raw:
    return value


_WRITERS: Final[Mapping[type, Callable[[Any], Raw]]] = {
    type(None): _same,
    bool: _same,
    str: _same,
    int: lambda it: {"$numberInt": str(it)},
    Int64: lambda it: {"$numberLong": int.__repr__(it)},
    float: _written_double,
    Decimal: lambda it: {"$numberDecimal": str(it)},
    dict: _written_object,
    tuple: lambda it: [_WRITERS[item.__class__](item) for item in it],
    ObjectId: lambda it: {"$oid": it.data.hex()},
    Moment: lambda it: {"$date": {"$numberLong": str(it.milliseconds)}},
    Timestamp: lambda it: {"$timestamp": {"t": it.seconds, "i": it.increment}},
    Binary: lambda it: {
        "$binary": {"base64": base64.b64encode(it.data).decode(), "subType": f"{it.subtype:02x}"}
    },
    Pattern: lambda it: {"$regularExpression": {"pattern": it.pattern, "options": it.options}},
    Bound: lambda it: {f"${it.value}": 1},
}

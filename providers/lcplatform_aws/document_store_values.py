"""Documents on their way to DocumentDB and back: from Extended JSON to BSON, and from BSON to its canonical form.

What goes out is read by the rules that hold for every provider, so that a document is refused here or nowhere. What comes in
may have been written by anybody: the types that the contract does not know are shown as Extended JSON writes them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

import bson
from bson import DatetimeMS, Decimal128, MaxKey, MinKey
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.dbref import DBRef
from bson.raw_bson import RawBSONDocument
from bson.regex import Regex

from lcplatform_runtime.documents.extended_json import parse, parse_object
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
from lcplatform_runtime.errors import invalid
from lcplatform_runtime.json_value import Json, unwritten

P = ParamSpec("P")
T = TypeVar("T")
Raw: TypeAlias = Any
"""What JSON text parses to."""
Bson: TypeAlias = Any
"""What pymongo takes and gives: a tree of values, for which Python has no type that a checker could follow."""
Stored: TypeAlias = dict[str, Any]
"""A document as it is read, by the rules of `READ`."""

MAX_BYTES: Final = 16 * 1024**2
"""The largest document, in BSON."""
READ: Final[CodecOptions[Stored]] = CodecOptions(
    document_class=dict, datetime_conversion=DatetimeConversion.DATETIME_MS
)
"""How what is stored is read: times may lie outside of those that Python has."""
_ETAG_BYTES: Final = 12


def reading(field: str, read: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """What `read` makes of what it is given. What it does not understand is refused as the part `field` of the request."""
    try:
        return read(*given, **named)
    except ValueError as error:
        problem = invalid(field, str(error))
    raise problem


# --- to BSON


def value_of(raw: Raw) -> Bson:
    """The value that parsed Extended JSON writes.

    Raises:
        ValueError: it writes none.
    """
    return bson_of(parse(raw))


def document_of(given: Json, field: str = "document") -> dict[str, Bson]:
    """The document that a request gives.

    Raises:
        ValidationError: it is none.
    """
    made: dict[str, Bson] = bson_of(reading(field, parse_object, given.plain))
    identity = made.get("_id")
    if isinstance(identity, list | Regex):
        raise invalid(field, "an _id that is no array and no regular expression")
    return made


def identity_of(given: str | Json) -> Bson:
    """The `_id` that a request names.

    Raises:
        ValidationError: nothing can have it.
    """
    if isinstance(given, str):
        return given
    identity = reading("id", value_of, given.plain)
    if isinstance(identity, list | Regex):
        raise invalid("id", "neither an array nor a regular expression")
    return identity


def stored(document: Mapping[str, Bson], field: str = "document") -> RawBSONDocument:
    """A document as it is stored, its `_id` first.

    Raises:
        ValidationError: it is too large.
    """
    if next(iter(document)) != "_id":
        document = {"_id": document["_id"], **document}
    raw = bson.encode(document)
    if len(raw) > MAX_BYTES:
        raise invalid(field, f"at most {MAX_BYTES} bytes in BSON")
    return RawBSONDocument(raw)


def etag_of(document: Mapping[str, Bson]) -> str:
    """The mark of what a document holds, to the last bit."""
    # Asked for its class, since `isinstance` goes through the abstract classes of collections.
    is_raw = document.__class__ is RawBSONDocument
    raw: bytes = document.raw if is_raw else bson.encode(document)  # type: ignore[attr-defined]  # it has one
    return blake2b(raw, digest_size=_ETAG_BYTES).hexdigest()


def bson_of(value: Value) -> Bson:
    """A value as pymongo takes it."""
    convert = _TO_BSON.get(value.__class__)
    return value if convert is None else convert(value)


def _object(value: Object) -> Bson:
    return {
        name: item if (convert := _TO_BSON.get(item.__class__)) is None else convert(item)
        for name, item in value.items()
    }


_TO_BSON: Final[Mapping[type, Callable[[Any], Bson]]] = {
    dict: _object,
    tuple: lambda it: [bson_of(item) for item in it],
    Int64: bson.Int64,
    Decimal: Decimal128,
    ObjectId: lambda it: bson.ObjectId(it.data),
    Moment: lambda it: DatetimeMS(it.milliseconds),
    Timestamp: lambda it: bson.Timestamp(it.seconds, it.increment),
    Binary: lambda it: bson.Binary(it.data, it.subtype),
    Pattern: lambda it: Regex(it.pattern, it.options),
    Bound: lambda it: MinKey() if it is Bound.LEAST else MaxKey(),
}
"""By the class of a value. Those that are missing are the same in both."""


# --- from BSON


def json_of(value: Bson) -> Json:
    """A value in canonical Extended JSON."""
    return unwritten(canonical(value))


def shown_identity(value: Bson) -> str | Json:
    """An `_id` as it is answered: text as it is."""
    return value if isinstance(value, str) else json_of(value)


def canonical(value: Bson) -> Raw:
    """The canonical form of a value, as JSON that is still to be written."""
    return _TO_JSON[value.__class__](value)


def relaxed(value: Bson) -> Raw:
    """The same, with numbers as they are: for what is JSON by itself, such as a schema."""
    if isinstance(value, dict):
        return {name: relaxed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [relaxed(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value - value == 0:
        return value
    return canonical(value)


def _double(value: float) -> Raw:
    if value - value == 0:
        return {"$numberDouble": repr(value)}
    if value != value:
        return {"$numberDouble": "NaN"}
    return {"$numberDouble": "Infinity" if value > 0 else "-Infinity"}


def _binary(value: bytes) -> Raw:
    subtype = value.subtype if isinstance(value, bson.Binary) else 0
    return {"$binary": {"base64": base64.b64encode(value).decode(), "subType": f"{subtype:02x}"}}


def _pattern(value: Regex[str]) -> Raw:
    options = "".join(letter for letter, flag in _FLAGS if value.flags & flag)
    return {"$regularExpression": {"pattern": value.pattern, "options": options}}


def _code(value: Code) -> Raw:
    code = {"$code": str(value)}
    return code if value.scope is None else {**code, "$scope": canonical(dict(value.scope))}


def _same(value: Bson) -> Raw:
    return value


_FLAGS: Final = (("i", 2), ("l", 4), ("m", 8), ("s", 16), ("u", 32), ("x", 64))

_TO_JSON: Final[Mapping[type, Callable[[Any], Raw]]] = {
    type(None): _same,
    bool: _same,
    str: _same,
    int: lambda it: {"$numberInt": str(it)},
    bson.Int64: lambda it: {"$numberLong": str(it)},
    float: _double,
    Decimal128: lambda it: {"$numberDecimal": str(it)},
    dict: lambda it: {name: _TO_JSON[item.__class__](item) for name, item in it.items()},
    list: lambda it: [_TO_JSON[item.__class__](item) for item in it],
    bson.ObjectId: lambda it: {"$oid": str(it)},
    DatetimeMS: lambda it: {"$date": {"$numberLong": str(int(it))}},
    datetime: lambda it: canonical(DatetimeMS(it)),
    bson.Timestamp: lambda it: {"$timestamp": {"t": it.time, "i": it.inc}},
    bytes: _binary,
    bson.Binary: _binary,
    Regex: _pattern,
    MinKey: lambda _: {"$minKey": 1},
    MaxKey: lambda _: {"$maxKey": 1},
    # Others may have written these.
    Code: _code,
    DBRef: lambda it: canonical(dict(it.as_doc())),
}

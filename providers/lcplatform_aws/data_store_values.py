"""The contract's values as PostgreSQL writes them, and the numbers of their types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from psycopg.postgres import types

from lcplatform.data_store.models import (
    ArrayValue,
    Column,
    Interval,
    IsolationLevel,
    OtherValue,
    Row,
    Value,
)
from lcplatform_runtime.sql.reading import Reading
from lcplatform_runtime.sql.writing import Writing
from lcplatform_runtime.trusted import trusted, trusted_value

_WRITING: Final = Writing(Interval, ArrayValue, OtherValue)
type_of = _WRITING.type_of
to_text = _WRITING.to_text

_READING: Final[Reading[Value]] = Reading(
    trusted(Interval), trusted(ArrayValue), trusted(OtherValue)
)
Reader: TypeAlias = Callable[[bytes], Value]
# What Python reads as it comes.
_AT_ONCE: Final[Mapping[str, Reader]] = {
    "int2": int,
    "int4": int,
    "int8": int,
    "float4": float,
    "float8": float,
    "text": bytes.decode,
    "varchar": bytes.decode,
    "bool": b"t".__eq__,
}


def reader_of(type_name: str) -> Reader:
    """Reads values of a type, of which `type_name` is the name: `int8`, `text[]`."""
    at_once = _AT_ONCE.get(type_name)
    if at_once is not None:
        return at_once
    read = _READING.reader_of(type_name)
    return lambda value: read(value.decode())


column = trusted(Column)
row = trusted_value(Row, "values", tuple)

LEVELS: Final[Mapping[IsolationLevel | None, str]] = {
    None: "",
    IsolationLevel.READ_UNCOMMITTED: " ISOLATION LEVEL READ UNCOMMITTED",
    IsolationLevel.READ_COMMITTED: " ISOLATION LEVEL READ COMMITTED",
    IsolationLevel.REPEATABLE_READ: " ISOLATION LEVEL REPEATABLE READ",
    IsolationLevel.SERIALIZABLE: " ISOLATION LEVEL SERIALIZABLE",
}

OIDS: Final[dict[str, int]] = {
    name: number
    for it in types
    if it.name.isidentifier()
    for name, number in ((it.name, it.oid), (f"{it.name}[]", it.array_oid))
    if number
}
"""The numbers of the types that every server has, by their names."""
NAMES: Final[dict[int, str]] = {number: name for name, number in OIDS.items()}

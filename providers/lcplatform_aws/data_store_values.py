"""The contract's values as PostgreSQL writes them, and the numbers of their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
from lcplatform_runtime.sql.reading import Read, Reading
from lcplatform_runtime.sql.writing import Writing
from lcplatform_runtime.trusted import trusted, trusted_value

_WRITING: Final = Writing(Interval, ArrayValue, OtherValue)
type_of = _WRITING.type_of
to_text = _WRITING.to_text

_READING: Final[Reading[Value]] = Reading(
    trusted(Interval), trusted(ArrayValue), trusted(OtherValue)
)
reader_of = _READING.reader_of
Reader = Read[Value]

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

"""Many rows by one statement: what `execute_batch` does with an INSERT whose values are its parameters, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from lcplatform.data_store.models import ArrayValue, Value
from lcplatform_aws.data_store_values import to_text, type_of
from lcplatform_runtime.sql.writing import INT4

FEW: Final = 4
"""Fewer rows are not worth it."""

_NAME: Final = r'(?:"(?:[^"]|"")+"|[A-Za-z_][A-Za-z0-9_]*)'
_INSERT: Final = re.compile(
    rf"\s*INSERT\s+INTO\s+(?P<table>{_NAME}(?:\.{_NAME})?)\s*"
    rf"(?P<columns>\(\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\))?\s*"
    r"VALUES\s*\((?P<places>\s*\$\d+(?:\s*,\s*\$\d+)*\s*)\)\s*;?\s*",
    re.IGNORECASE,
)
# One statement is to an ordinary table what many are, unless a trigger or a rule counts statements.
_ALIKE: Final = """EXISTS (
SELECT FROM pg_catalog.pg_class c WHERE c.oid = {table}::regclass AND c.relkind IN ('r', 'p') AND NOT c.relhasrules
AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 1 = 0))"""


@dataclass(frozen=True, slots=True)
class Insert:
    """A statement that inserts one row, all of whose values are parameters.

    Attributes:
        places: the number of the parameter of each column, counted from 0.
    """

    table: str
    columns: str
    places: tuple[int, ...]


@lru_cache(256)
def read(sql: str) -> Insert | None:
    """The statement, if it is one of these."""
    found = _INSERT.fullmatch(sql)
    if found is None:
        return None
    places = tuple(int(it.strip()[1:]) - 1 for it in found["places"].split(","))
    if sorted(places) != list(range(len(places))):
        return None
    return Insert(found["table"], found["columns"] or "", places)


def gathered(
    sql: str, runs: Sequence[Sequence[Value]]
) -> tuple[str, tuple[str, ...], list[bytes | None]] | None:
    """The statement that inserts all the rows, and for each column but those that are all null the name of an array's type
    and the array. None if there is no such statement."""
    insert = read(sql) if len(runs) >= FEW else None
    if insert is None or set(map(len, runs)) != {len(insert.places)}:
        return None
    columns = list(zip(*runs, strict=True))
    types: list[str] = []
    arrays: list[bytes | None] = []
    told: list[str] = []
    for place in insert.places:
        values = columns[place]
        kind = _kind(values)
        if kind is None:
            return None
        if kind:
            types.append(f"{kind}[]")
            arrays.append(_array(values).encode())
        told.append(f"u.c{len(types)}" if kind else "NULL")
    return (_statement(insert, told, len(types)), tuple(types), arrays) if types else None


def _statement(insert: Insert, told: Sequence[str], arrays: int) -> str:
    numbers = range(1, arrays + 1)
    params = ", ".join(f"${number}" for number in numbers)
    names = ", ".join(f"c{number}" for number in numbers)
    table = "'" + insert.table.replace("'", "''") + "'"
    return (
        f"INSERT INTO {insert.table} {insert.columns} SELECT {', '.join(told)}"
        f" FROM unnest({params}) AS u({names}) WHERE {_ALIKE.format(table=table)}"
    )


def _kind(values: Sequence[Any]) -> str | None:
    """The type of a column: empty where all are null, None where there is more than one or it is an array."""
    kinds = set(map(type, values))
    if kinds == {int}:  # so are most
        return "int4" if min(values) in INT4 and max(values) in INT4 else "int8"
    if kinds == {str}:
        return "text"
    names = set(map(type_of, values)) - {None}
    if names == {"int4", "int8"}:
        return "int8"
    if len(names) > 1:
        return None
    name = str(names.pop()) if names else ""
    return None if name.endswith("[]") else name


def _array(values: Sequence[Any]) -> str:
    """The text form of an array. Each of these is the same as what stands last, in a tenth of the time."""
    kinds = set(map(type, values))
    if kinds == {int} or kinds == {UUID}:
        return "{" + ",".join(map(str, values)) + "}"
    if kinds == {float}:
        return "{" + ",".join(map(repr, values)) + "}"
    if kinds == {datetime}:
        return '{"' + '","'.join(map(str, values)) + '"}'
    if kinds == {str}:
        joined = '","'.join(values)
        plain = "\\" not in joined and "\0" not in joined and joined.isprintable()
        if plain and joined.count('"') == 2 * (len(values) - 1):
            return f'{{"{joined}"}}'
    return to_text(ArrayValue.model_construct(items=tuple(values)))

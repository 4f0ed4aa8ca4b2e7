"""Statements that were translated, kept for when they come again: with the same text, and parameters of the same types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import call
from typing import Any, Final, TypeAlias
from uuid import UUID

from lcplatform.data_store.models import Value
from lcplatform_mock.sql.engine import Params
from lcplatform_mock.sql.sqlite.binding import Stored, to_stored
from lcplatform_mock.sql.sqlite.catalog import Catalog
from lcplatform_mock.sql.sqlite.compiled import Compiled
from lcplatform_mock.sql.sqlite.statement import EMPTY_ARRAY
from lcplatform_mock.sql.sqlite.translating import translate
from lcplatform_mock.sql.sqlite.types import known
from lcplatform_mock.sql.values import type_of
from lcplatform_runtime.sql.writing import INT4

_KEPT: Final = 2000
"""So many are kept."""
Ready: TypeAlias = tuple[Compiled, Sequence[Stored]]
"""A statement with its parameters as they are stored."""


class Translations:
    """The statements of one schema."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog: Final = catalog
        self._statements: dict[tuple[str, tuple[str | None, ...]], Compiled] = {}
        self._quick: dict[tuple[object, ...], tuple[Compiled, tuple[_Store, ...]]] = {}

    def ready(self, sql: str, params: Params) -> Ready:
        """A statement, and what is bound to it."""
        # The classes of most values tell their types, and are told in no time.
        found = self._quick.get((sql, *map(type, params)))
        if found is not None:
            statement, stores = found
            try:
                # As many as the statement takes.
                return statement, [*map(call, stores, params)]  # pyright: ignore[reportArgumentType]  a store and its value
            except _UnusualError:
                pass
        return self._slowly(sql, params)

    def _slowly(self, sql: str, params: Params) -> Ready:
        kinds = tuple([_kind(value) for value in params])
        statement = self._statements.get((sql, kinds))
        if statement is None:
            statement = translate(self.catalog, sql, kinds)
            if len(self._statements) >= _KEPT:
                self._statements.clear()
                self._quick.clear()
            self._statements[sql, kinds] = statement
        classes = [type(value) for value in params]
        if all(_USUAL.get(it) == kind for it, kind in zip(classes, kinds, strict=True)):
            stores = tuple([_STORES[it] for it in classes[: statement.width]])
            self._quick[(sql, *classes)] = statement, stores
        return statement, [to_stored(value) for value in params[: statement.width]]


class _UnusualError(Exception):
    """A value has another type than most of its class."""


_LEAST: Final = INT4.start
_MOST: Final = INT4.stop - 1


def _int4(value: int) -> int:
    if _LEAST <= value <= _MOST:
        return value
    raise _UnusualError


def _ascii(value: str) -> str:
    if value.isascii() and "\0" not in value:
        return value
    raise _UnusualError


_Store: TypeAlias = Callable[[Any], Stored]
_USUAL: Final[dict[type, str | None]] = {
    int: "int4",
    str: "text",
    bool: "bool",
    float: "float8",
    bytes: "bytea",
    UUID: "uuid",
    type(None): None,
}
_STORES: Final[dict[type, _Store]] = {
    int: _int4,
    str: _ascii,
    bool: to_stored,
    float: to_stored,
    bytes: lambda value: value,
    UUID: str,
    type(None): lambda value: value,
}


def _kind(value: Value) -> str | None:
    """The type of a parameter; a mark of its own for an empty array whose type nothing tells."""
    kind = type_of(value)
    if kind is None:
        return None if value is None else EMPTY_ARRAY
    return known(kind).name

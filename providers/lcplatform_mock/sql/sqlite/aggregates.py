"""Aggregates that SQLite does not have, or not with the types of PostgreSQL. Each is written once, for groups and windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cmp_to_key
from typing import Any, ClassVar, Final, Protocol

from typing_extensions import override

from lcplatform_mock.sql.sqlite import arrays, documents, moments, numbers


class Aggregate(Protocol):
    """What SQLite asks of an aggregate: `value` and `inverse` where it is used over a window."""

    @property
    def step(self) -> Callable[..., None]: ...

    @property
    def inverse(self) -> Callable[..., None]: ...

    def value(self) -> Any: ...

    def finalize(self) -> Any: ...


class _Gathered:
    """Keeps the values that are not null, in their order."""

    def __init__(self) -> None:
        self._values: list[Any] = []

    def step(self, value: Any) -> None:
        if value is not None:
            self._values.append(value)

    def inverse(self, value: Any) -> None:
        if value is not None:
            self._values.pop(0)

    def value(self) -> Any:
        return self._result(self._values) if self._values else None

    def finalize(self) -> Any:
        return self.value()

    def _result(self, values: list[Any]) -> Any:
        raise NotImplementedError


class ExactSum(_Gathered):
    """The sum of exact numbers or of integers, as an exact number."""

    @override
    def _result(self, values: list[Any]) -> str:
        total = "0"
        for value in values:
            total = numbers.add(total, str(value))
        return total


class ExactAverage(_Gathered):
    """Their average."""

    @override
    def _result(self, values: list[Any]) -> str:
        total = "0"
        for value in values:
            total = numbers.add(total, str(value))
        return numbers.stored(numbers.quotient(Decimal(total), Decimal(len(values))))


class FloatSum(_Gathered):
    """The sum of floating-point numbers, one after the other."""

    @override
    def _result(self, values: list[Any]) -> float:
        total = 0.0
        for value in values:
            total = numbers.float_add(total, value)
        return total


class SingleSum(FloatSum):
    """The sum of numbers of single precision."""

    @override
    def _result(self, values: list[Any]) -> float:
        total = 0.0
        for value in values:
            total = numbers.single(numbers.float_add(total, value))
        return total


class FloatAverage(FloatSum):
    """Their average."""

    @override
    def _result(self, values: list[Any]) -> float:
        return super()._result(values) / len(values)


class IntervalSum(_Gathered):
    """The sum of intervals."""

    @override
    def _result(self, values: list[Any]) -> str:
        total = "0:0:0"
        for value in values:
            total = moments.sum_of(total, value)
        return total


class IntervalAverage(IntervalSum):
    """Their average."""

    @override
    def _result(self, values: list[Any]) -> str:
        return moments.divide(super()._result(values), len(values))


class BitAnd(_Gathered):
    """The bits that all integers have."""

    @override
    def _result(self, values: list[Any]) -> int:
        result = -1
        for value in values:
            result &= value
        return result


class BitOr(_Gathered):
    """The bits that some integer has."""

    @override
    def _result(self, values: list[Any]) -> int:
        result = 0
        for value in values:
            result |= value
        return result


# --- in an order


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], int]]] = {
    "numeric": numbers.compare,
    "interval": moments.compare,
    "jsonb": documents.compare,
    "array": arrays.compare,
}


def _plain(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


class Ordered:
    """Keeps rows and gives them in the order that is asked for.

    The first argument says how: a word for each key, of `asc` or `desc`, `first` or `last` for nulls, and what compares it, as
    `desc last numeric`; and `distinct` with what compares the values, if each is to count once. Keys follow the values.
    """

    width: ClassVar[int] = 1
    skips_null: ClassVar[bool] = False

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []
        self._how = ""

    def step(self, how: str, *arguments: Any) -> None:
        self._how = how
        if not self.skips_null or arguments[0] is not None:
            self._rows.append(arguments)

    def inverse(self, how: str, *arguments: Any) -> None:
        if not self.skips_null or arguments[0] is not None:
            self._rows.pop(0)

    def value(self) -> Any:
        return self.result(self._ordered())

    def finalize(self) -> Any:
        return self.value()

    def result(self, rows: list[tuple[Any, ...]]) -> Any:
        """What comes of the rows, which are in order."""
        raise NotImplementedError

    def _ordered(self) -> list[tuple[Any, ...]]:
        distinct, _, keys = self._how.partition("|")
        rows = self._rows
        if distinct:
            rows = _once(rows, distinct)
        for index, key in reversed(list(enumerate(filter(None, keys.split(","))))):
            rows = sorted(rows, key=_sort_key(key, self.width + index))
        return rows


def _once(rows: list[tuple[Any, ...]], by: str) -> list[tuple[Any, ...]]:
    """Each value once, in its own order, which is what sorting for it comes to."""
    order = _sort_key(f"asc last {by}", 0)
    found: list[tuple[Any, ...]] = []
    for row in sorted(rows, key=order):
        if not found or order(found[-1]) != order(row):
            found.append(row)
    return found


def _sort_key(how: str, place: int) -> Callable[[tuple[Any, ...]], Any]:
    direction, nulls, kind = how.split(" ")
    compare = _COMPARISONS.get(kind, _plain)

    def order(one: Any, other: Any) -> int:
        if one is None or other is None:
            if one is other:
                return 0
            return (1 if one is None else -1) * (1 if nulls == "last" else -1)
        found = compare(one, other)
        return -found if direction == "desc" else found

    key = cmp_to_key(order)
    return lambda row: key(row[place])


class Texts(Ordered):
    """`string_agg`: texts with what stands between them. Each brings its own separator."""

    width = 2
    skips_null = True

    @override
    def result(self, rows: list[tuple[Any, ...]]) -> str | None:
        if not rows:
            return None
        parts = [rows[0][0]]
        for row in rows[1:]:
            parts += ["" if row[1] is None else row[1], row[0]]
        return "".join(parts)


class Items(Ordered):
    """`array_agg`."""

    @override
    def result(self, rows: list[tuple[Any, ...]]) -> str | None:
        return arrays.pack([row[0] for row in rows]) if rows else None


class Documents(Ordered):
    """`jsonb_agg`: values that are JSON already."""

    @override
    def result(self, rows: list[tuple[Any, ...]]) -> str | None:
        if not rows:
            return None
        return "[" + ", ".join("null" if row[0] is None else row[0] for row in rows) + "]"


AGGREGATES: Final[Mapping[str, type[Aggregate]]] = {
    "pg_sum_numeric": ExactSum,
    "pg_avg_numeric": ExactAverage,
    "pg_sum_float8": FloatSum,
    "pg_sum_float4": SingleSum,
    "pg_avg_float8": FloatAverage,
    "pg_sum_interval": IntervalSum,
    "pg_avg_interval": IntervalAverage,
    "pg_bit_and": BitAnd,
    "pg_bit_or": BitOr,
    "pg_string_agg": Texts,
    "pg_array_agg": Items,
    "pg_jsonb_agg": Documents,
}
"""The aggregates by the names under which SQLite knows them."""

"""How a value of one type becomes one of another, and where that happens by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Final

from lcplatform_mock.sql.sqlite.forms import reader
from lcplatform_mock.sql.sqlite.lexing import quoted
from lcplatform_mock.sql.sqlite.scope import Expr, merged
from lcplatform_mock.sql.sqlite.types import INTEGERS, NUMBERS, RANGES, TYPES, Declared, title
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure


class Cast(IntEnum):
    """When a cast may happen."""

    IMPLICIT = 0
    ASSIGNMENT = 1
    EXPLICIT = 2


_DAY: Final = "86400000000"
_TEXTS: Final = ("text", "varchar")
# What becomes something else, when, and in which words of SQLite.
_SPECIAL: Final[Mapping[tuple[str, str], tuple[Cast, str]]] = {
    ("date", "timestamp"): (Cast.IMPLICIT, f"({{}} * {_DAY})"),
    ("date", "timestamptz"): (Cast.IMPLICIT, f"({{}} * {_DAY})"),
    ("timestamp", "timestamptz"): (Cast.IMPLICIT, "{}"),
    ("timestamptz", "timestamp"): (Cast.ASSIGNMENT, "{}"),
    ("timestamp", "date"): (Cast.ASSIGNMENT, "pg_day({})"),
    ("timestamptz", "date"): (Cast.ASSIGNMENT, "pg_day({})"),
    ("timestamp", "time"): (Cast.ASSIGNMENT, "pg_clock({})"),
    ("timestamptz", "time"): (Cast.ASSIGNMENT, "pg_clock({})"),
    ("time", "interval"): (Cast.IMPLICIT, "('0:0:' || {})"),
    ("json", "jsonb"): (Cast.ASSIGNMENT, "pg_read_jsonb({})"),
    ("jsonb", "json"): (Cast.ASSIGNMENT, "{}"),
    ("bool", "int4"): (Cast.EXPLICIT, "{}"),
    ("int4", "bool"): (Cast.EXPLICIT, "({} <> 0)"),
}


def _number(source: str, target: str) -> str:
    """How a number becomes one of another type."""
    if target in INTEGERS:
        limits = RANGES[target]
        bounds = f"{limits.start}, {limits.stop - 1}"
        if source in INTEGERS:
            return (
                "{}"
                if INTEGERS.index(source) < INTEGERS.index(target)
                else f"pg_within({{}}, {bounds})"
            )
        return f"pg_{'exact' if source == 'numeric' else 'float'}_to_integer({{}}, {bounds})"
    if target == "numeric":
        digits = {"float4": 6, "float8": 15}.get(source)
        return f"pg_float_to_exact({{}}, {digits})" if digits else "CAST({} AS TEXT)"
    wide = {"numeric": "pg_exact_to_float({})", "float4": "{}", "float8": "{}"}.get(
        source, "CAST({} AS REAL)"
    )
    return f"pg_single({wide})" if target == "float4" and source != "float4" else wide


def how(source: str, target: str) -> tuple[Cast, str] | None:
    """When a value becomes one of another type, and how. None if it never does."""
    if source == target:
        return Cast.IMPLICIT, "{}"
    if source in NUMBERS and target in NUMBERS:
        wider = NUMBERS.index(source) < NUMBERS.index(target)
        return (Cast.IMPLICIT if wider else Cast.ASSIGNMENT), _number(source, target)
    special = _SPECIAL.get((source, target))
    if special is not None:
        return special
    if source in _TEXTS and target in _TEXTS:
        return Cast.IMPLICIT, "{}"
    if target in _TEXTS:
        return Cast.ASSIGNMENT, f'"pg_write_{source}"({{}})'
    if source in _TEXTS:
        return Cast.EXPLICIT, f'"pg_read_{target}"({{}})'
    return _array(source, target)


def _array(source: str, target: str) -> tuple[Cast, str] | None:
    if not (source.endswith("[]") and target.endswith("[]")):
        return None
    inner = how(source[:-2], target[:-2])
    if inner is None:
        return None
    if inner[1] == "{}" and TYPES[source[:-2]].storage == TYPES[target[:-2]].storage:
        return inner
    return inner[0], f"pg_convert_items('{source}', '{target}', {{}})"


def fits(source: str | None, target: str, when: Cast = Cast.IMPLICIT) -> bool:
    """Whether a value of one type may stand where another is asked for."""
    if source is None:
        return True
    found = how(source, target)
    return found is not None and found[0] <= when


def cast(expr: Expr, target: str, when: Cast = Cast.EXPLICIT) -> Expr | None:
    """The expression as one of another type; None if it cannot become one there."""
    if expr.type is None:
        return settled(expr, target)
    found = how(expr.type, target)
    if found is None or found[0] > when:
        return None
    sql = found[1].format(expr.sql)
    if sql == expr.sql:
        return replace(expr, type=target, literal=None)
    return merged(sql, target, expr, name=expr.name, sure=expr.sure)


def settled(expr: Expr, target: str) -> Expr:
    """An expression whose type its place decides, once that is known."""
    if expr.type is not None:
        return expr
    if expr.unknown is not None:
        expr.unknown.settle(target)
    if expr.literal is None:
        return Expr(expr.sql, target, name=expr.name, plain=True)
    value = reader(target)(expr.literal)
    return Expr(literal(value), target, name=expr.name, sure=True, plain=True)


def literal(value: float | str | bytes) -> str:
    """A stored value as SQLite's literal."""
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        return {"inf": "9e999", "-inf": "-9e999"}.get(repr(value), repr(value))
    return f"({value})" if value < 0 else str(value)


def shaped(expr: Expr, to: Declared, when: Cast) -> Expr:
    """The expression within the length or the digits of a type. Only an explicit cast cuts text off."""
    if to.size is None:
        return expr
    if to.name == "varchar":
        words = (
            f"substr({expr.sql}, 1, {to.size})"
            if when is Cast.EXPLICIT
            else f"pg_bounded({expr.sql}, {to.size})"
        )
        return merged(words, to.name, expr, name=expr.name, sure=expr.sure)
    words = f"pg_fit({expr.sql}, {to.size}, {to.scale or 0})"
    return merged(words, to.name, expr, name=expr.name, sure=expr.sure)


def assigned(expr: Expr, to: Declared, column: str) -> Expr:
    """The expression as a value of a column."""
    found = cast(expr, to.name, Cast.ASSIGNMENT)
    if found is None:
        raise failure(
            "42804",
            f'column "{column}" is of type {title(to.name)} but expression is of type {title(expr.type)}',
        )
    return shaped(found, to, Cast.ASSIGNMENT)


def explicit(expr: Expr, to: Declared) -> Expr:
    """`CAST(… AS …)`."""
    found = cast(expr, to.name)
    if found is None:
        raise _no_cast(expr.type, to.name)
    return shaped(found, to, Cast.EXPLICIT)


def _no_cast(source: str | None, target: str) -> LCPlatformError:
    if source in {"json", "jsonb"}:  # PostgreSQL casts some of what is inside
        return unsupported(f"a cast from {source} to {target}", "take it out as text first")
    if source == "interval" and target == "time":
        return unsupported("a cast from interval to time")
    return failure("42846", f"cannot cast type {title(source)} to {title(target)}")


def common(types: list[str | None], what: str) -> str:
    """The one type for several values that stand for each other: the widest of their family. Text if nothing tells."""
    given = [it for it in types if it is not None]
    if not given:
        return "text"
    best = given[0]
    for other in given[1:]:
        if other == best or fits(other, best):
            # Text stays what it was first; a number becomes the wider one.
            continue
        if not fits(best, other):
            raise failure(
                "42804", f"{what} types {title(best)} and {title(other)} cannot be matched"
            )
        best = other
    return best

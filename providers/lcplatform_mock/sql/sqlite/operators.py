"""Operators by the types of their sides, as PostgreSQL chooses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lcplatform_mock.sql.sqlite.casts import cast, fits, literal, settled
from lcplatform_mock.sql.sqlite.scope import Expr, merged
from lcplatform_mock.sql.sqlite.types import INTEGERS, NUMBERS, RANGES, TYPES, collation, title
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
_WORDS: Final[Mapping[str, str]] = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "%": "modulo",
}


def missing(operator: str, *sides: Expr) -> LCPlatformError:
    """There is no such operator for these types."""
    if len(sides) == 1:
        return failure("42883", f"operator does not exist: {operator} {title(sides[0].type)}")
    left, right = sides
    return failure(
        "42883", f"operator does not exist: {title(left.type)} {operator} {title(right.type)}"
    )


# --- comparisons


def compared(operator: str, left: Expr, right: Expr) -> Expr:
    """A comparison."""
    left, right = alike(operator, left, right)
    return merged(
        f"({_plain(operator, left, right)})", "bool", left, right, sure=left.sure and right.sure
    )


def distinct(left: Expr, right: Expr, *, negated: bool) -> Expr:
    """`IS DISTINCT FROM`: null is a value like any other."""
    left, right = alike("=", left, right)
    return merged(
        f"({_plain('IS' if negated else 'IS NOT', left, right)})", "bool", left, right, sure=True
    )


def _plain(operator: str, left: Expr, right: Expr) -> str:
    return f"{left.sql}{collation(left.type)} {operator} {right.sql}"


def alike(operator: str, left: Expr, right: Expr) -> tuple[Expr, Expr]:
    """Both sides as values of the type in which they are compared."""
    if left.type is None and right.type is None:
        return settled(left, "text"), settled(right, "text")
    if left.type is None or right.type is None:
        kind = left.type or right.type
        assert kind is not None
        # A literal beside a varchar is text, however long.
        return settled(left, kind), settled(right, kind)
    kind = _meeting(left.type, right.type)
    if kind is None:
        raise missing(operator, left, right)
    one, other = cast(left, kind), cast(right, kind)
    assert one is not None
    assert other is not None
    return one, other


def _meeting(left: str, right: str) -> str | None:
    """The type in which two are compared, if they are."""
    if left == right:
        return left
    if TYPES[left].family != TYPES[right].family:
        return None
    if left in NUMBERS:
        wider = max(left, right, key=NUMBERS.index)
        # There are no operators between a number of single precision and one of another kind.
        return "float8" if wider == "float4" else wider
    return right if fits(left, right) else left


# --- arithmetic


def arithmetic(operator: str, left: Expr, right: Expr) -> Expr:
    """`+`, `-`, `*`, `/` and `%`."""
    left, right = _decided(operator, left, right)
    assert left.type is not None
    assert right.type is not None
    if left.type in NUMBERS and right.type in NUMBERS:
        return _numbers(operator, left, right)
    found = _MOMENTS.get((operator, left.type, right.type))
    if found is None:
        found = _widened(operator, left, right)
    if found is None:
        raise missing(operator, left, right)
    kind, words = found
    return merged(words.format(left.sql, right.sql), kind, left, right)


def _decided(operator: str, left: Expr, right: Expr) -> tuple[Expr, Expr]:
    """A side whose type nothing tells is taken for one like the other, if there is such an operator."""
    if left.type is None and right.type is None:
        raise failure("42725", f"operator is not unique: unknown {operator} unknown")
    kind = left.type or right.type
    assert kind is not None
    if left.type is None or right.type is None:
        if kind not in NUMBERS and (operator, kind, kind) not in _MOMENTS:
            if kind in {"jsonb", "date", "timestamp", "timestamptz", "time"}:
                raise unsupported(f"{operator} of {title(kind)} and a literal without a type")
            raise missing(operator, left, right)
        return settled(left, kind), settled(right, kind)
    return left, right


def _numbers(operator: str, left: Expr, right: Expr) -> Expr:
    assert left.type is not None
    assert right.type is not None
    kind = max(left.type, right.type, key=NUMBERS.index)
    if "float4" in {left.type, right.type} and left.type != right.type:
        kind = "float8"
    if operator == "%" and kind.startswith("float"):
        raise missing(operator, left, right)
    one, other = cast(left, kind), cast(right, kind)
    assert one is not None
    assert other is not None
    word = _WORDS[operator]
    both = f"{one.sql}, {other.sql}"
    if kind in INTEGERS:
        limits = RANGES[kind]
        bounds = f"{limits.start}, {limits.stop - 1}"
        if operator == "%":
            return merged(f"pg_integer_modulo({both})", kind, one, other)
        if kind != "int8" and operator in "+-*":
            # What SQLite reckons with is wide enough, so only the result is checked.
            return merged(
                f"pg_within(({one.sql} {operator} {other.sql}), {bounds})", kind, one, other
            )
        return merged(f"pg_integer_{word}({both}, {bounds})", kind, one, other)
    if kind == "numeric":
        return merged(f"pg_{word}({both})", kind, one, other)
    words = f"pg_float_{word}({both})"
    return merged(f"pg_single({words})" if kind == "float4" else words, kind, one, other)


_STAMPS: Final = ("timestamp", "timestamptz")
_MOMENTS: Final[Mapping[tuple[str, str, str], tuple[str, str]]] = {
    ("+", "date", "int4"): ("date", "pg_add_days({0}, {1})"),
    ("+", "int4", "date"): ("date", "pg_add_days({1}, {0})"),
    ("-", "date", "int4"): ("date", "pg_add_days({0}, -({1}))"),
    ("-", "date", "date"): ("int4", "({0} - {1})"),
    ("+", "date", "time"): ("timestamp", "({0} * 86400000000 + {1})"),
    ("+", "time", "date"): ("timestamp", "({1} * 86400000000 + {0})"),
    ("+", "date", "interval"): ("timestamp", "pg_later({0} * 86400000000, {1})"),
    ("+", "interval", "date"): ("timestamp", "pg_later({1} * 86400000000, {0})"),
    ("-", "date", "interval"): ("timestamp", "pg_earlier({0} * 86400000000, {1})"),
    **{("+", it, "interval"): (it, "pg_later({0}, {1})") for it in _STAMPS},
    **{("+", "interval", it): (it, "pg_later({1}, {0})") for it in _STAMPS},
    **{("-", it, "interval"): (it, "pg_earlier({0}, {1})") for it in _STAMPS},
    **{("-", it, it): ("interval", "pg_between({0}, {1})") for it in _STAMPS},
    ("+", "time", "interval"): ("time", "pg_clock_add({0}, {1})"),
    ("+", "interval", "time"): ("time", "pg_clock_add({1}, {0})"),
    ("-", "time", "interval"): ("time", "pg_clock_subtract({0}, {1})"),
    ("-", "time", "time"): ("interval", "('0:0:' || ({0} - {1}))"),
    ("+", "interval", "interval"): ("interval", "pg_interval_add({0}, {1})"),
    ("-", "interval", "interval"): ("interval", "pg_interval_subtract({0}, {1})"),
    ("*", "interval", "float8"): ("interval", "pg_interval_multiply({0}, {1})"),
    ("*", "float8", "interval"): ("interval", "pg_interval_multiply({1}, {0})"),
    ("/", "interval", "float8"): ("interval", "pg_interval_divide({0}, {1})"),
    ("-", "jsonb", "text"): ("jsonb", "pg_json_without({0}, {1})"),
    ("-", "jsonb", "int4"): ("jsonb", "pg_json_without_place({0}, {1})"),
}


def _widened(operator: str, left: Expr, right: Expr) -> tuple[str, str] | None:
    """An operator that takes both sides after casts that happen by themselves. None if there is none, or no one best."""
    found = []
    for (name, one, other), result in _MOMENTS.items():
        if (
            name == operator
            and left.type
            and right.type
            and fits(left.type, one)
            and fits(right.type, other)
        ):
            first, second = cast(left, one), cast(right, other)
            if first is not None and second is not None:
                kept = (one == left.type) + (other == right.type)
                found.append((kept, result[0], result[1].format(first.sql, second.sql)))
    best = [it for it in found if it[0] == max(one for one, _, _ in found)]
    return (
        (best[0][1], best[0][2].replace("{", "{{").replace("}", "}}")) if len(best) == 1 else None
    )


def negated(expr: Expr) -> Expr:
    """`-…`"""
    if expr.type is None:
        raise failure("42725", "operator is not unique: - unknown")
    if expr.type in INTEGERS:
        limits = RANGES[expr.type]
        words = f"pg_integer_subtract(0, {expr.sql}, {limits.start}, {limits.stop - 1})"
        if expr.plain and expr.sql.isdigit():
            words = literal(-int(expr.sql))
        return merged(words, expr.type, expr, sure=expr.sure)
    words = {
        "numeric": "pg_negate({})",
        "float4": "pg_float_multiply({}, -1)",  # SQLite's minus makes no negative zero
        "float8": "pg_float_multiply({}, -1)",
        "interval": "pg_interval_negate({})",
    }.get(expr.type, "")
    if not words:
        raise missing("-", expr)
    return merged(words.format(expr.sql), expr.type, expr, sure=expr.sure)


# --- concatenation


def concatenated(left: Expr, right: Expr) -> Expr:
    """`||` of text, arrays, JSON and bytes."""
    kinds = (left.type, right.type)
    if any(it is not None and it.endswith("[]") for it in kinds):
        return _arrays_joined(left, right)
    if "jsonb" in kinds and _either(kinds, "jsonb"):
        one, other = settled(left, "jsonb"), settled(right, "jsonb")
        return merged(f"pg_json_joined({one.sql}, {other.sql})", "jsonb", one, other)
    if "bytea" in kinds and _either(kinds, "bytea"):
        one, other = settled(left, "bytea"), settled(right, "bytea")
        return merged(f"CAST({one.sql} || {other.sql} AS BLOB)", "bytea", one, other)
    if not any(it in {None, "text", "varchar"} for it in kinds):
        raise missing("||", left, right)
    one, other = _as_text(left), _as_text(right)
    return merged(f"({one.sql} || {other.sql})", "text", one, other, sure=one.sure and other.sure)


def _either(kinds: tuple[str | None, ...], kind: str) -> bool:
    return all(it in {None, kind} for it in kinds)


def _as_text(expr: Expr) -> Expr:
    found = cast(expr, "text")
    assert found is not None
    return found


def _arrays_joined(left: Expr, right: Expr) -> Expr:
    kinds = [it.type for it in (left, right)]
    array = next(it for it in kinds if it is not None and it.endswith("[]"))
    sides = []
    for it in (left, right):
        if it.type is None and it.literal is not None and not it.literal.startswith("{"):
            raise unsupported("|| of an array and a literal without a type")
        wanted = array if it.type is None or it.type.endswith("[]") else array[:-2]
        found = cast(it, wanted)
        if found is None or not fits(it.type, wanted):
            raise missing("||", left, right)
        sides.append(found)
    word = {
        (True, True): "pg_array_joined",
        (True, False): "pg_array_append",
        (False, True): "pg_array_prepend",
    }[str(sides[0].type).endswith("[]"), str(sides[1].type).endswith("[]")]
    if word == "pg_array_joined":
        words = f"coalesce({word}({sides[0].sql}, {sides[1].sql}), {sides[0].sql}, {sides[1].sql})"
        return merged(words, array, *sides)
    return merged(f"{word}({sides[0].sql}, {sides[1].sql})", array, *sides)


# --- inside of arrays and JSON

_INSIDE: Final[Mapping[tuple[str, str, str], tuple[str, str]]] = {
    ("->", "jsonb", "text"): ("jsonb", "pg_json_item({0}, {1})"),
    ("->", "jsonb", "int4"): ("jsonb", "pg_json_item({0}, {1})"),
    ("->>", "jsonb", "text"): ("text", "pg_json_text({0}, {1})"),
    ("->>", "jsonb", "int4"): ("text", "pg_json_text({0}, {1})"),
    ("#>", "jsonb", "text[]"): ("jsonb", "pg_json_at({0}, {1})"),
    ("#>>", "jsonb", "text[]"): ("text", "pg_json_text_at({0}, {1})"),
    ("@>", "jsonb", "jsonb"): ("bool", "pg_json_contains({0}, {1})"),
    ("<@", "jsonb", "jsonb"): ("bool", "pg_json_contains({1}, {0})"),
    ("?", "jsonb", "text"): ("bool", "pg_json_has({0}, {1})"),
}
_OF_ARRAYS: Final[Mapping[str, str]] = {
    "@>": "pg_array_contains({0}, {1})",
    "<@": "pg_array_contains({1}, {0})",
    "&&": "pg_array_overlaps({0}, {1})",
}


def inside(operator: str, left: Expr, right: Expr) -> Expr:
    """`->`, `->>`, `#>`, `#>>`, `@>`, `<@`, `&&` and `?`."""
    if "json" in {left.type, right.type}:
        raise unsupported(f"{operator} of json", "cast it to jsonb")
    arrays = [it.type for it in (left, right) if it.type is not None and it.type.endswith("[]")]
    if operator in _OF_ARRAYS and arrays:
        kind = arrays[0]
        collation(kind)  # items that cannot be compared here cannot be looked for
        one, other = (settled(it, kind) if it.type is None else it for it in (left, right))
        if one.type != other.type:
            raise missing(operator, left, right)
        return merged(_OF_ARRAYS[operator].format(one.sql, other.sql), "bool", one, other)
    for (name, subject, key), (kind, words) in _INSIDE.items():
        if name == operator and left.type in {subject, None} and _takes(key, right):
            one, other = settled(left, subject), settled(right, key)
            if left.type is None and right.type is None:
                continue
            return merged(words.format(one.sql, other.sql), kind, one, other)
    raise missing(operator, left, right)


def _takes(key: str, right: Expr) -> bool:
    return (
        right.type is None
        or (right.type == "varchar" and key == "text")
        or (right.type == "int2" and key == "int4")
        or right.type == key
    )


def subscript(array: Expr, place: Expr) -> Expr:
    """`array[place]`"""
    if array.type is None or not array.type.endswith("[]"):
        if array.type == "jsonb":
            return inside("->", array, place).named(array.name)
        raise failure(
            "42804",
            f"cannot subscript type {title(array.type)} because it does not support subscripting",
        )
    index = cast(place, "int4")
    if index is None:
        raise failure("42804", "array subscript must have type integer")
    item = array.type[:-2]
    if item == "bytea":
        raise unsupported("an item of bytea[]")
    return merged(f"pg_array_at({array.sql}, {index.sql})", item, array, index, name=array.name)

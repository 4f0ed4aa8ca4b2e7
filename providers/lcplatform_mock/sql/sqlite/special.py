"""Functions that take values of any type, or any number of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from lcplatform_mock.sql.sqlite import operators
from lcplatform_mock.sql.sqlite.casts import Cast, cast, common, settled
from lcplatform_mock.sql.sqlite.functions import missing
from lcplatform_mock.sql.sqlite.scope import Expr, merged
from lcplatform_mock.sql.sqlite.types import collation, title
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

Special: TypeAlias = Callable[[str, Sequence[Expr]], Expr]


def _alike(name: str, given: Sequence[Expr]) -> tuple[str, list[Expr]]:
    """All of them as values of one type."""
    if not given:
        raise failure("42601", "syntax error")
    kind = common([it.type for it in given], name.upper())
    found = [cast(it, kind, Cast.IMPLICIT) for it in given]
    if any(it is None for it in found):
        raise failure("42804", f"{name.upper()} types cannot be matched")
    return kind, [it for it in found if it is not None]


def _coalesce(name: str, given: Sequence[Expr]) -> Expr:
    kind, values = _alike(name, given)
    words = values[0].sql if len(values) == 1 else f"coalesce({', '.join(it.sql for it in values)})"
    return merged(words, kind, *values, name=name, sure=any(it.sure for it in values))


def _nullif(name: str, given: Sequence[Expr]) -> Expr:
    if len(given) != 2:
        raise failure("42601", "syntax error")
    left, right = given
    test = operators.compared("=", left, right)
    kept, _ = operators.alike("=", left, right)
    if kept.type == "varchar":  # whose operators are those of text
        kept = cast(kept, "text") or kept
    words = f"(CASE WHEN {test.sql} THEN NULL ELSE {kept.sql} END)"
    return merged(words, kept.type, left, right, name=name)


def _extreme(name: str, given: Sequence[Expr]) -> Expr:
    """`greatest` and `least`, which leave null out."""
    kind, values = _alike(name, given)
    collation(kind)
    family = "array" if kind.endswith("[]") else kind
    words = ", ".join(it.sql for it in values)
    return merged(f"pg_{name}('{family}', {words})", kind, *values, name=name)


def _shown(expr: Expr) -> Expr:
    """A value as `concat` writes it: as in a column, so a truth value is one letter."""
    expr = settled(expr, "text")
    if expr.type == "bool":
        return merged(f"(CASE {expr.sql} WHEN 1 THEN 't' WHEN 0 THEN 'f' END)", "text", expr)
    found = cast(expr, "text")
    assert found is not None
    return found


def _concat(name: str, given: Sequence[Expr]) -> Expr:
    if not given:
        raise missing(name, given)
    texts = [_shown(it) for it in given]
    words = " || ".join(f"coalesce({it.sql}, '')" for it in texts)
    return merged(f"({words})", "text", *texts, name=name, sure=True)


def _concat_ws(name: str, given: Sequence[Expr]) -> Expr:
    if len(given) < 2:
        raise missing(name, given)
    separator = cast(given[0], "text", Cast.IMPLICIT)
    if separator is None:
        raise missing(name, given)
    texts = [_shown(it) for it in given[1:]]
    words = ", ".join(it.sql for it in (separator, *texts))
    return merged(f"pg_concat_ws({words})", "text", separator, *texts, name=name)


# --- JSON


def as_json(expr: Expr) -> Expr:
    """A value as jsonb: numbers and truth values as they are, JSON as it is, everything else as text."""
    expr = settled(expr, "text")
    kind = expr.type
    assert kind is not None
    if kind == "jsonb":
        return expr
    if kind.endswith("[]") or kind in {"timestamp", "timestamptz"}:
        word = f"pg_to_json('{kind}', {expr.sql})"
    elif kind == "bool":
        word = f"(CASE {expr.sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)"
    elif kind == "json":
        word = f"pg_read_jsonb({expr.sql})"
    elif kind in {"int2", "int4", "int8"}:
        word = f"CAST({expr.sql} AS TEXT)"
    else:
        word = f"pg_to_json('{kind}', {expr.sql})"
    return merged(word, "jsonb", expr, sure=expr.sure)


def _to_jsonb(name: str, given: Sequence[Expr]) -> Expr:
    if len(given) != 1:
        raise missing(name, given)
    if given[0].type is None:
        raise failure(
            "42804", "could not determine polymorphic type because input has type unknown"
        )
    return as_json(given[0]).named(name)


def _built_array(name: str, given: Sequence[Expr]) -> Expr:
    parts = [as_json(it) for it in given]
    words = ", ".join(it.sql for it in parts)
    return merged(f"pg_json_array({words})", "jsonb", *parts, name=name, sure=True)


def _built_object(name: str, given: Sequence[Expr]) -> Expr:
    if len(given) % 2:
        raise failure("22023", "argument list must have even number of elements")
    parts = [_shown(it) if index % 2 == 0 else as_json(it) for index, it in enumerate(given)]
    words = ", ".join(it.sql for it in parts)
    return merged(f"pg_json_object({words})", "jsonb", *parts, name=name, sure=True)


# --- arrays


def _array(name: str, expr: Expr) -> Expr:
    if expr.type is None:
        raise failure(
            "42804", "could not determine polymorphic type because input has type unknown"
        )
    if not expr.type.endswith("[]"):
        raise failure("42883", f"function {name}({title(expr.type)}) does not exist")
    return expr


def _of_array(words: str, gives: str, count: int) -> Special:
    """A function of an array, and of whole numbers."""

    def special(name: str, given: Sequence[Expr]) -> Expr:
        if len(given) != count:
            raise missing(name, given)
        array = _array(name, given[0])
        rest = [cast(it, "int4", Cast.IMPLICIT) for it in given[1:]]
        if any(it is None for it in rest):
            raise missing(name, given)
        parts = [array, *(it for it in rest if it is not None)]
        return merged(words.format(*(it.sql for it in parts)), gives, *parts, name=name)

    return special


def _with_item(words: str, gives: str | None, place: int) -> Special:
    """A function of an array and an item of it."""

    def special(name: str, given: Sequence[Expr]) -> Expr:
        if len(given) != 2:
            raise missing(name, given)
        array = _array(name, given[place])
        assert array.type is not None
        collation(array.type)
        item = cast(given[1 - place], array.type[:-2], Cast.IMPLICIT)
        if item is None:
            raise missing(name, given)
        sides = [array, item] if place == 0 else [item, array]
        return merged(
            words.format(*(it.sql for it in sides)), gives or array.type, *sides, name=name
        )

    return special


def _array_to_string(name: str, given: Sequence[Expr]) -> Expr:
    if len(given) not in {2, 3}:
        raise missing(name, given)
    array = _array(name, given[0])
    texts = [cast(it, "text", Cast.IMPLICIT) for it in given[1:]]
    if any(it is None for it in texts):
        raise missing(name, given)
    if array.type not in {"text[]", "varchar[]"}:
        if array.type in {"bool[]", "bytea[]"}:
            raise unsupported(f"array_to_string of {title(array.type)}")
        array = merged(f"pg_convert_items('{array.type}', 'text[]', {array.sql})", "text[]", array)
    parts = [array, *(it for it in texts if it is not None)]
    return merged(
        f"pg_array_to_text({', '.join(it.sql for it in parts)})", "text", *parts, name=name
    )


def _array_cat(name: str, given: Sequence[Expr]) -> Expr:
    if len(given) != 2 or any(it.type is not None and not it.type.endswith("[]") for it in given):
        raise missing(name, given)
    return operators.concatenated(*given).named(name)


SPECIAL: Final[Mapping[str, Special]] = {
    "coalesce": _coalesce,
    "nullif": _nullif,
    "greatest": _extreme,
    "least": _extreme,
    "concat": _concat,
    "concat_ws": _concat_ws,
    "to_jsonb": _to_jsonb,
    "jsonb_build_array": _built_array,
    "jsonb_build_object": _built_object,
    "cardinality": _of_array("pg_array_size({0})", "int4", 1),
    "array_length": _of_array("pg_array_length({0}, {1})", "int4", 2),
    "array_upper": _of_array("pg_array_length({0}, {1})", "int4", 2),
    "array_lower": _of_array(
        "(CASE WHEN pg_array_length({0}, {1}) IS NULL THEN NULL ELSE 1 END)", "int4", 2
    ),
    "array_append": _with_item("pg_array_append({0}, {1})", None, 0),
    "array_prepend": _with_item("pg_array_prepend({0}, {1})", None, 1),
    "array_remove": _with_item("pg_array_remove({0}, {1})", None, 0),
    "array_position": _with_item("pg_array_position({0}, {1})", "int4", 0),
    "array_cat": _array_cat,
    "array_to_string": _array_to_string,
}
"""These functions by name."""

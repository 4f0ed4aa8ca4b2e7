"""Aggregates and window functions, and the order of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from lcplatform_mock.sql.sqlite.casts import Cast, cast, common, settled
from lcplatform_mock.sql.sqlite.functions import missing
from lcplatform_mock.sql.sqlite.lexing import quoted
from lcplatform_mock.sql.sqlite.names import name_of, only
from lcplatform_mock.sql.sqlite.scope import Expr, merged
from lcplatform_mock.sql.sqlite.special import as_json
from lcplatform_mock.sql.sqlite.types import collation, title
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    from lcplatform_mock.sql.sqlite.expressions import Expressions

_SUMS: Final[Mapping[str, tuple[str, str]]] = {
    "int2": ("int8", "sum({})"),
    "int4": ("int8", "sum({})"),
    "int8": ("numeric", "pg_sum_numeric({})"),
    "numeric": ("numeric", "pg_sum_numeric({})"),
    "float4": ("float4", "pg_sum_float4({})"),
    "float8": ("float8", "pg_sum_float8({})"),
    "interval": ("interval", "pg_sum_interval({})"),
}
_AVERAGES: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("int2", "int4", "int8", "numeric"), ("numeric", "pg_avg_numeric({})")),
    **dict.fromkeys(("float4", "float8"), ("float8", "pg_avg_float8({})")),
    "interval": ("interval", "pg_avg_interval({})"),
}
_BITS: Final = ("int2", "int4", "int8")
_BY_TYPE: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "sum": _SUMS,
    "avg": _AVERAGES,
    "bool_and": {"bool": ("bool", "min({})")},
    "every": {"bool": ("bool", "min({})")},
    "bool_or": {"bool": ("bool", "max({})")},
    "bit_and": {it: (it, "pg_bit_and({})") for it in _BITS},
    "bit_or": {it: (it, "pg_bit_or({})") for it in _BITS},
}
_UNORDERED: Final = frozenset({"bool", "jsonb", "json"})
_ORDERED: Final = frozenset({"string_agg", "array_agg", "jsonb_agg"})
AGGREGATES: Final = frozenset({"count", "min", "max", *_BY_TYPE, *_ORDERED})
_RANKS: Final[Mapping[str, str]] = {
    "row_number": "int8",
    "rank": "int8",
    "dense_rank": "int8",
    "percent_rank": "float8",
    "cume_dist": "float8",
}
WINDOWS: Final = frozenset(
    {*_RANKS, "ntile", "lag", "lead", "first_value", "last_value", "nth_value"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of an aggregate, with what it says of them."""

    arguments: tuple[exp.Expr, ...]
    distinct: bool = False
    order: tuple[exp.Expr, ...] = ()
    star: bool = False


def _parts(node: exp.Anonymous) -> Call:
    arguments = list(node.expressions)
    order: tuple[exp.Expr, ...] = ()
    if arguments and isinstance(arguments[-1], exp.Order):
        last = arguments.pop()
        order = tuple(last.expressions)
        arguments.append(last.this)
    if arguments and isinstance(arguments[0], exp.Distinct):
        first = arguments.pop(0)
        if first.args.get("on"):
            raise unsupported("DISTINCT ON in an aggregate")
        return Call((*first.expressions, *arguments), distinct=True, order=order)
    if len(arguments) == 1 and isinstance(arguments[0], exp.Star):
        return Call((), star=True)
    return Call(tuple(arguments), order=order)


def kind_of(type_name: str | None) -> str:
    """What compares values of a type outside of SQLite."""
    found = collation(type_name)
    return found.split('"')[1].removeprefix("pg_") if found else "plain"


class Grouping:
    """Translates aggregates and window functions."""

    def call(
        self,
        make: Expressions,
        name: str,
        node: exp.Anonymous,
        condition: exp.Expr | None,
        over: str | None,
    ) -> Expr:
        """A call: of an aggregate, of a window function, or of any other one."""
        from lcplatform_mock.sql.sqlite.expressions import function

        if name in WINDOWS and over is not None:
            if condition is not None:
                raise failure(
                    "0A000", "FILTER is not implemented for non-aggregate window functions"
                )
            return self._ranked(make, name, node, over)
        if name in WINDOWS:
            raise failure("42809", f"window function {name} requires an OVER clause")
        if name in AGGREGATES:
            return self._aggregate(make, name, _parts(node), condition, over)
        if over is not None or condition is not None:
            raise failure("42809", f"{name} is not an aggregate function")
        if any(isinstance(it, exp.Order | exp.Distinct | exp.Star) for it in node.expressions):
            raise unsupported(f"DISTINCT, ORDER BY or * in {name}")
        return function(make, name, node.expressions)

    def filtered(self, make: Expressions, node: exp.Filter, over: str | None = None) -> Expr:
        """`… FILTER (WHERE …)`"""
        if not isinstance(node.this, exp.Anonymous):
            raise unsupported("FILTER of this construct")
        name = str(node.this.this).lower()
        return self.call(make, name, node.this, node.expression.this, over)

    def window(self, make: Expressions, node: exp.Window) -> Expr:
        """`… OVER (…)`"""
        only(node, "this", "partition_by", "order", "spec", "alias", "over")
        over = self.frame(make, node)
        inner = node.this
        if isinstance(inner, exp.Filter):
            return self.filtered(make, inner, over)
        if not isinstance(inner, exp.Anonymous):
            raise unsupported(f"{type(inner).__name__} as a window function")
        return self.call(make, str(inner.this).lower(), inner, None, over)

    def frame(self, make: Expressions, node: exp.Window) -> str:
        """What stands after OVER, or after the name of a window."""
        parts = []
        alias = node.args.get("alias")
        if alias is not None:
            name = name_of(alias)
            if name not in make.windows:
                raise failure("42704", f'window "{name}" does not exist')
            parts.append(make.windows[name])
        by = [make(it) for it in node.args.get("partition_by") or ()]
        if by:
            parts.append("PARTITION BY " + ", ".join(f"{it.sql}{collation(it.type)}" for it in by))
        order = node.args.get("order")
        if order is not None:
            keys = [key(make(it.this), it) for it in order.expressions]
            parts.append("ORDER BY " + ", ".join(keys))
        spec = node.args.get("spec")
        if spec is not None:
            parts.append(_spec(make, spec))
        return " ".join(parts)

    # --- aggregates

    def _aggregate(
        self,
        make: Expressions,
        name: str,
        call: Call,
        condition: exp.Expr | None,
        over: str | None,
    ) -> Expr:
        if over is not None and (call.distinct or call.order):
            raise failure("0A000", "DISTINCT and ORDER BY are not implemented for window functions")
        was, make.inside_aggregate = make.inside_aggregate, over is None
        if was and over is None:
            raise failure("42803", "aggregate function calls cannot be nested")
        try:
            arguments = [make(it) for it in call.arguments]
            test = None if condition is None else make.truth(condition, "FILTER")
            keys = [(make(it.this), it) for it in call.order]
        finally:
            make.inside_aggregate = was
        everything = [*arguments, *(it for it, _ in keys), *([test] if test else [])]
        if over is None and any(it.aggregate for it in everything):
            raise failure("42803", "aggregate function calls cannot be nested")
        if any(it.window for it in everything):
            raise failure("42P20", "aggregate function calls cannot contain window function calls")
        if name in _ORDERED:
            gives, words = self._gathered(name, arguments, keys, distinct=call.distinct)
        else:
            gives, words = self._folded(name, arguments, call)
        return self._wrapped(make, name, words, gives, everything, test, over)

    @staticmethod
    def _wrapped(
        make: Expressions,
        name: str,
        words: str,
        gives: str,
        parts: Sequence[Expr],
        test: Expr | None,
        over: str | None,
    ) -> Expr:
        if test is not None:
            words = f"{words} FILTER (WHERE {test.sql})"
        if over is not None:
            found = merged(f"{words} OVER ({over})", gives, *parts, name=name)
            return Expr(found.sql, gives, None, name, found.loose, found.aggregate, window=True)
        loose = frozenset().union(*(it.loose for it in parts))
        outer = frozenset(it for it in loose if it[0] != make.scope.number)
        if outer and outer == loose:
            raise unsupported("an aggregate of the query around")
        return Expr(words, gives, None, name, outer, aggregate=True, sure=name == "count")

    def _folded(self, name: str, arguments: Sequence[Expr], call: Call) -> tuple[str, str]:
        if call.star:
            if name != "count":
                raise missing(name, arguments)
            return "int8", "count(*)"
        if len(arguments) != 1:
            raise missing(name, arguments)
        (value,) = arguments
        once = "DISTINCT " if call.distinct else ""
        if name == "count":
            value = settled(value, "text")
            order = collation(value.type) if call.distinct else ""
            return "int8", f"count({once}{value.sql}{order})"
        if name in {"min", "max"}:
            return self._extreme(name, settled(value, "text"))
        forms = _BY_TYPE[name]
        if value.type is None:
            if name in {"sum", "avg"}:
                raise failure("42725", f"function {name}(unknown) is not unique")
            value = settled(value, next(iter(forms)))
        form = forms.get(str(value.type))
        if form is None:
            raise missing(name, arguments)
        order = collation(value.type) if call.distinct else ""
        return form[0], form[1].format(f"{once}{value.sql}{order}")

    @staticmethod
    def _extreme(name: str, value: Expr) -> tuple[str, str]:
        """`min` and `max`"""
        if value.type in _UNORDERED:
            raise missing(name, [value])
        if value.type in {"uuid", "bytea"}:
            raise unsupported(f"{name} of {title(value.type)}")
        kind = "text" if value.type == "varchar" else str(value.type)
        return kind, f"{name}({value.sql}{collation(value.type)})"

    @staticmethod
    def _gathered(
        name: str,
        arguments: Sequence[Expr],
        keys: Sequence[tuple[Expr, exp.Expr]],
        *,
        distinct: bool,
    ) -> tuple[str, str]:
        gives, given, word = _gathered_words(name, arguments)
        how = ",".join(
            f"{'desc' if it.args.get('desc') else 'asc'} "
            f"{'first' if it.args.get('nulls_first') else 'last'} {kind_of(value.type)}"
            for value, it in keys
        )
        if distinct and any(value.sql != arguments[0].sql for value, _ in keys):
            raise failure(
                "42P10",
                "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
            )
        once = kind_of(arguments[0].type or "text") if distinct else ""
        every = [quoted(f"{once}|{how}"), *given, *(value.sql for value, _ in keys)]
        return gives, f"{word}({', '.join(every)})"

    # --- windows

    def _ranked(self, make: Expressions, name: str, node: exp.Anonymous, over: str) -> Expr:
        arguments = [make(it) for it in node.expressions]
        gives, given = _window_arguments(name, arguments)
        words = f"{name}({', '.join(it.sql for it in given)}) OVER ({over})"
        found = merged(words, gives, *given, name=name)
        return Expr(words, gives, None, name, found.loose, found.aggregate, window=True)


def _gathered_words(name: str, arguments: Sequence[Expr]) -> tuple[str, list[str], str]:
    """The type, the arguments and the word of an aggregate that gathers values."""
    if name == "string_agg":
        if len(arguments) != 2:
            raise missing(name, arguments)
        texts = [cast(it, "text", Cast.IMPLICIT) for it in arguments]
        if any(it is None for it in texts):
            if any(it.type == "bytea" for it in arguments):
                raise unsupported("string_agg of bytea")
            raise missing(name, arguments)
        return "text", [it.sql for it in texts if it is not None], "pg_string_agg"
    if len(arguments) != 1:
        raise missing(name, arguments)
    value = settled(arguments[0], "text")
    if name == "jsonb_agg":
        return "jsonb", [as_json(value).sql], "pg_jsonb_agg"
    kind = str(value.type)
    if kind.endswith("[]"):
        raise unsupported("array_agg of arrays")
    return f"{kind}[]", [value.sql], "pg_array_agg"


def _window_arguments(name: str, arguments: Sequence[Expr]) -> tuple[str, list[Expr]]:
    if name in _RANKS:
        if arguments:
            raise missing(name, arguments)
        return _RANKS[name], []
    if not arguments:
        raise missing(name, arguments)
    if name == "ntile":
        return "int4", [_whole(name, arguments, 0)]
    if all(it.type is None for it in (arguments[0], *arguments[2:])):
        raise failure(
            "42804", "could not determine polymorphic type because input has type unknown"
        )
    value = settled(arguments[0], "text")
    kind = str(value.type)
    if name in {"first_value", "last_value"}:
        if len(arguments) != 1:
            raise missing(name, arguments)
        return kind, [value]
    if name == "nth_value":
        return kind, [value, _whole(name, arguments, 1)]
    return _shifted(name, value, arguments)


def _shifted(name: str, value: Expr, arguments: Sequence[Expr]) -> tuple[str, list[Expr]]:
    """The arguments of `lag` and `lead`: a value, how many rows away, and what stands where there is none."""
    kind, given = str(value.type), [value]
    if len(arguments) > 1:
        given.append(_whole(name, arguments, 1))
    if len(arguments) > 2:
        kind = common([value.type, arguments[2].type], name)
        found = [cast(it, kind, Cast.IMPLICIT) for it in (value, arguments[2])]
        if any(it is None for it in found):
            raise missing(name, arguments)
        given = [it for it in (found[0], given[1], found[1]) if it is not None]
    return kind, given


def _whole(name: str, arguments: Sequence[Expr], place: int) -> Expr:
    found = cast(arguments[place], "int4", Cast.IMPLICIT) if len(arguments) > place else None
    if found is None or len(arguments) > 3:
        raise missing(name, arguments)
    return found


def key(value: Expr, node: exp.Expr) -> str:
    """A key of ORDER BY. Null comes after every value, unless the statement says otherwise."""
    value = settled(value, "text")
    down = bool(node.args.get("desc"))
    nulls = (
        ""
        if value.sure and value.plain
        else f" NULLS {'FIRST' if node.args.get('nulls_first') else 'LAST'}"
    )
    return f"{value.sql}{collation(value.type)}{' DESC' if down else ''}{nulls}"


_SIDES: Final = {"preceding": "PRECEDING", "following": "FOLLOWING"}


def _spec(make: Expressions, spec: exp.Expr) -> str:
    """The frame of a window."""
    only(spec, "kind", "start", "start_side", "end", "end_side", "exclude")
    kind = str(spec.args["kind"]).upper()
    if spec.args.get("exclude"):
        raise unsupported("EXCLUDE in a window")
    start = _bound(make, kind, spec.args.get("start"), spec.args.get("start_side"))
    end = _bound(make, kind, spec.args.get("end"), spec.args.get("end_side"))
    return f"{kind} BETWEEN {start} AND {end}" if spec.args.get("end") else f"{kind} {start}"


def _bound(make: Expressions, kind: str, value: object, side: object) -> str:
    words: Mapping[str, Callable[[], str]] = {
        "CURRENT ROW": lambda: "CURRENT ROW",
        "UNBOUNDED": lambda: f"UNBOUNDED {_SIDES[str(side).lower()]}",
    }
    if isinstance(value, str) and value.upper() in words:
        return words[value.upper()]()
    if value is None:
        return "CURRENT ROW"
    if kind == "RANGE" or not isinstance(value, exp.Expr):
        raise unsupported("a window whose range is a distance")
    return f"{make.number(value, 'window offset').sql} {_SIDES[str(side).lower()]}"

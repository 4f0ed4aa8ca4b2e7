"""Expressions: from the syntax tree to SQLite's words, with the types that PostgreSQL would give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlglot import exp

from lcplatform_mock.sql.sqlite import elsewhere, operators
from lcplatform_mock.sql.sqlite.casts import Cast, cast, common, explicit, literal, settled
from lcplatform_mock.sql.sqlite.functions import VOLATILE, WRITING, called, missing
from lcplatform_mock.sql.sqlite.lexing import quoted
from lcplatform_mock.sql.sqlite.names import name_of, only
from lcplatform_mock.sql.sqlite.scope import NAMELESS, Expr, Scope, merged
from lcplatform_mock.sql.sqlite.special import SPECIAL
from lcplatform_mock.sql.sqlite.types import RANGES, collation, declared, title
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    from lcplatform_mock.sql.sqlite.statement import Statement

Handler: TypeAlias = Callable[["Expressions", Any], Expr]


class Expressions:
    """Translates the expressions of one query."""

    def __init__(self, statement: Statement, scope: Scope) -> None:
        self.statement = statement
        self.scope = scope
        self.groups: frozenset[str] | None = None
        """The expressions by which the query is grouped, if it is."""
        self.windows: Mapping[str, str] = {}
        """The windows that the query names."""
        self.inside_aggregate = False

    def __call__(self, node: exp.Expr) -> Expr:
        """The expression."""
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise unsupported(f"the construct {type(node).__name__}")
        found = handler(self, node)
        if self.groups and found.sql in self.groups and not self.inside_aggregate:
            return Expr(found.sql, found.type, found.literal, found.name, sure=found.sure)
        return found

    def each(self, nodes: Sequence[exp.Expr]) -> list[Expr]:
        """Several of them."""
        return [self(node) for node in nodes]

    def truth(self, node: exp.Expr, what: str) -> Expr:
        """A condition."""
        found = settled(self(node), "bool")
        if found.type != "bool":
            raise failure(
                "42804", f"argument of {what} must be type boolean, not type {title(found.type)}"
            )
        return found

    def number(self, node: exp.Expr, what: str) -> Expr:
        """An expression that must be an int4."""
        found = cast(self(node), "int4", Cast.IMPLICIT)
        if found is None:
            raise failure("42804", f"{what} must be type integer")
        return found


# --- what stands for itself


def _literal(_: Expressions, node: exp.Literal) -> Expr:
    text = str(node.this)
    if node.is_string:
        return Expr(quoted(text), None, text, sure=True, plain=True)
    return _digits(text)


def _digits(text: str) -> Expr:
    """A number that is written out: of the first type that it fits."""
    if text.removeprefix("-").isdigit():
        number = int(text)
        for kind in ("int4", "int8"):
            if number in RANGES[kind]:
                return Expr(literal(number), kind, sure=True, plain=True)
    value = settled(Expr("", None, text), "numeric")
    return Expr(value.sql, "numeric", sure=True, plain=True)


def _parameter(make: Expressions, node: exp.Parameter) -> Expr:
    inner = node.this
    if not isinstance(inner, exp.Literal) or not str(inner.this).isdigit():
        raise failure("42601", "syntax error")
    return make.statement.parameter(int(inner.this))


def _null(_: Expressions, __: exp.Null) -> Expr:
    return Expr("NULL", None, plain=True)


def _boolean(_: Expressions, node: exp.Boolean) -> Expr:
    return Expr("1" if node.this else "0", "bool", sure=True, plain=True)


def _column(make: Expressions, node: exp.Column) -> Expr:
    if isinstance(node.this, exp.Star):
        raise unsupported("a whole row as a value")
    only(node, "this", "table")
    table = node.args.get("table")
    name = name_of(node.this)
    if table is None and make.scope.source(name) is not None:
        source = make.scope.source(name)
        assert source is not None
        if not any(it.name == name for it in source.fields):
            raise unsupported("a whole row as a value")
    return make.scope.column(name, None if table is None else name_of(table))


def _paren(make: Expressions, node: exp.Paren) -> Expr:
    only(node, "this")
    return make(node.this)


# --- casts


def _cast(make: Expressions, node: exp.Cast) -> Expr:
    only(node, "this", "to")
    to = declared(node.args["to"])
    if to.serial:
        raise failure("42704", 'type "serial" does not exist')
    if isinstance(node.this, exp.Array) and not node.this.expressions:
        return settled(Expr("", None, "{}"), to.name).named("array")
    inner = make(node.this)
    found = explicit(inner, to)
    if inner.name != NAMELESS and not inner.weak:
        return found.named(inner.name)
    return found.named(to.name.removesuffix("[]"), weak=True)


def _at_time_zone(make: Expressions, node: exp.AtTimeZone) -> Expr:
    only(node, "this", "zone")
    return _function(make, "timezone", [make(node.args["zone"]), make(node.this)])


# --- operators


def _binary(operator: str) -> Handler:
    def handle(make: Expressions, node: exp.Binary) -> Expr:
        only(node, "this", "expression")
        right = node.expression
        if isinstance(node.this, exp.Tuple) or isinstance(right, exp.Tuple):
            return _rows(make, operator, node)
        if operator in operators.COMPARISONS and _is_any(right):
            return _any(make, operator, node)
        left, other = make(node.this), make(right)
        if operator in operators.COMPARISONS:
            return operators.compared(operator, left, other)
        return operators.arithmetic(operator, left, other)

    return handle


def _is_any(node: exp.Expr) -> bool:
    return isinstance(node, exp.Any | exp.All) or (
        isinstance(node, exp.Anonymous) and str(node.this).lower() in {"all", "some"}
    )


def _any(make: Expressions, operator: str, node: exp.Binary) -> Expr:
    """`x = ANY (…)` and `x = ALL (…)`, of an array or a subquery."""
    right = node.expression
    every = isinstance(right, exp.All) or (
        isinstance(right, exp.Anonymous) and str(right.this).lower() == "all"
    )
    inner = right.expressions[0] if isinstance(right, exp.Anonymous) else right.this
    while isinstance(inner, exp.Paren):
        inner = inner.this
    left = make(node.this)
    if isinstance(inner, exp.Query):
        if operator == "=" and not every:
            return _in_query(make, left, inner)
        raise unsupported("ANY or ALL of a subquery, but for = ANY")
    array = make(inner)
    kind = f"{left.type or 'text'}[]" if array.type is None else array.type
    array = settled(array, kind)
    if not kind.endswith("[]"):
        raise failure("42809", "op ANY/ALL (array) requires array on right side")
    item = Expr("item.value", kind[:-2])
    if kind == "bytea[]":
        raise unsupported("ANY of bytea[]")
    one, other = operators.alike(operator, left, item)
    items = f"json_each({array.sql}) AS item"
    order = collation(one.type)
    if operator == "=" and not every and other.sql == item.sql and array.sure:
        words = f"({one.sql}{order} IN (SELECT item.value FROM {items}))"
        return merged(words, "bool", left, array)
    test = f"{one.sql}{order} {operator} {other.sql}"
    # Null where no item decides and one is null: the least (or greatest) of false, null and true.
    folded = f"SELECT {'min' if every else 'max'}(coalesce({test}, 0.5)) FROM {items}"
    empty = 1 if every else 0
    words = f"(CASE WHEN {array.sql} IS NULL THEN NULL ELSE nullif(coalesce(({folded}), {empty}), 0.5) END)"
    return merged(words, "bool", left, array)


def _rows(make: Expressions, operator: str, node: exp.Binary) -> Expr:
    """`(a, b) = (c, d)`"""
    left, right = node.this, node.expression
    if not isinstance(left, exp.Tuple) or not isinstance(right, exp.Tuple):
        raise unsupported("a comparison of a row with something else")
    if operator not in {"=", "<>"}:
        raise unsupported(f"{operator} of rows")
    if len(left.expressions) != len(right.expressions):
        raise failure("42601", "unequal number of entries in row expressions")
    pairs = [
        operators.compared(operator, make(one), make(other))
        for one, other in zip(left.expressions, right.expressions, strict=True)
    ]
    joint = " AND " if operator == "=" else " OR "
    return merged(f"({joint.join(it.sql for it in pairs)})", "bool", *pairs)


def _power(make: Expressions, node: exp.Pow) -> Expr:
    only(node, "this", "expression")
    left, right = make(node.this), make(node.expression)
    return _function(make, "power", [left, right]).named("?column?")


def _negative(make: Expressions, node: exp.Neg) -> Expr:
    only(node, "this")
    inner = node.this
    if isinstance(inner, exp.Literal) and not inner.is_string:
        return _digits(f"-{inner.this}")  # what does not fit without its sign may fit with it
    return operators.negated(make(inner))


def _joined(make: Expressions, node: exp.DPipe) -> Expr:
    only(node, "this", "expression")
    return operators.concatenated(make(node.this), make(node.expression))


def _inside(operator: str) -> Handler:
    def handle(make: Expressions, node: exp.Binary) -> Expr:
        only(node, "this", "expression")
        return operators.inside(operator, make(node.this), make(node.expression))

    return handle


def _subscript(make: Expressions, node: exp.Bracket) -> Expr:
    only(node, "this", "expressions")
    if len(node.expressions) != 1:
        raise unsupported("a subscript of several places")
    array = make(node.this)
    place = node.expressions[0]
    if isinstance(place, exp.Slice):
        only(place, "this", "expression")
        if array.type is None or not array.type.endswith("[]"):
            raise unsupported("a slice of something other than an array")
        ends = [
            "NULL" if it is None else make.number(it, "array subscript").sql
            for it in (place.args.get("this"), place.args.get("expression"))
        ]
        return merged(
            f"pg_array_part({array.sql}, {', '.join(ends)})", array.type, array, name=array.name
        )
    return operators.subscript(array, make(place))


# --- logic


def _logic(word: str) -> Handler:
    def handle(make: Expressions, node: exp.Connector) -> Expr:
        only(node, "this", "expression")
        left, right = make.truth(node.this, word), make.truth(node.expression, word)
        return merged(f"({left.sql} {word} {right.sql})", "bool", left, right)

    return handle


def _not(make: Expressions, node: exp.Not) -> Expr:
    only(node, "this")
    inner = make.truth(node.this, "NOT")
    return merged(f"(NOT {inner.sql})", "bool", inner, sure=inner.sure)


def _is(make: Expressions, node: exp.Is) -> Expr:
    only(node, "this", "expression", "negate")
    negated = "NOT " if node.args.get("negate") else ""
    if isinstance(node.this, exp.Tuple):
        raise unsupported("IS NULL of a row")
    right = node.expression
    if isinstance(right, exp.Null):
        inner = make(node.this)
        if inner.unknown is not None:
            inner.unknown.untold = True
        return merged(f"({inner.sql} IS {negated}NULL)", "bool", inner, sure=True)
    if isinstance(right, exp.Boolean):
        inner = make.truth(node.this, "IS TRUE")
        return merged(f"({inner.sql} IS {negated}{int(right.this)})", "bool", inner, sure=True)
    raise unsupported("IS with something other than NULL, TRUE or FALSE")


def _distinct(*, negated: bool) -> Handler:
    def handle(make: Expressions, node: exp.Binary) -> Expr:
        only(node, "this", "expression")
        return operators.distinct(make(node.this), make(node.expression), negated=negated)

    return handle


def _between(make: Expressions, node: exp.Between) -> Expr:
    only(node, "this", "low", "high")
    low = operators.compared(">=", make(node.this), make(node.args["low"]))
    high = operators.compared("<=", make(node.this), make(node.args["high"]))
    return merged(f"({low.sql} AND {high.sql})", "bool", low, high)


def _in(make: Expressions, node: exp.In) -> Expr:
    only(node, "this", "expressions", "query")
    if isinstance(node.this, exp.Tuple):
        raise unsupported("IN of rows")
    value = make(node.this)
    query = node.args.get("query")
    if query is not None:
        return _in_query(make, value, query.this if isinstance(query, exp.Subquery) else query)
    options = make.each(node.expressions)
    kinds = {it.type for it in options} | {value.type}
    if len(kinds - {None}) > 1 or None in kinds:
        tests = [operators.compared("=", value, it) for it in options]
        return merged(f"({' OR '.join(it.sql for it in tests)})", "bool", *tests)
    words = ", ".join(it.sql for it in options)
    return merged(f"({value.sql}{collation(value.type)} IN ({words}))", "bool", value, *options)


def _in_query(make: Expressions, value: Expr, query: exp.Expr) -> Expr:
    inner = make.statement.query(query, make.scope, 1)
    ((_, kind),) = inner.columns
    one, other = operators.alike("=", value, Expr("c0", kind))
    words = inner.sql if other.sql == "c0" else f"SELECT {other.sql} FROM ({inner.sql})"
    outer = Expr("", None, loose=make.statement.outer(inner, make.scope))
    return merged(f"({one.sql}{collation(one.type)} IN ({words}))", "bool", one, outer)


def _exists(make: Expressions, node: exp.Exists) -> Expr:
    only(node, "this")
    inner = make.statement.query(node.this, make.scope)
    outer = Expr("", None, loose=make.statement.outer(inner, make.scope))
    return merged(f"EXISTS ({inner.sql})", "bool", outer, name="exists", sure=True)


def _subquery(make: Expressions, node: exp.Subquery) -> Expr:
    only(node, "this")
    inner = make.statement.query(node.this, make.scope, 1)
    ((name, kind),) = inner.columns
    outer = Expr("", None, loose=make.statement.outer(inner, make.scope))
    # SQLite would take the first of several rows.
    return merged(f"({make.statement.single(inner)})", kind, outer, name=name)


def _like(word: str) -> Handler:
    def handle(make: Expressions, node: exp.Binary, escape: Expr | None = None) -> Expr:
        only(node, "this", "expression", "negate")
        sides = []
        for it in (node.this, node.expression):
            found = make(it)
            text = cast(found, "text", Cast.IMPLICIT)
            if text is None:
                raise operators.missing(
                    "~~" if word == "pg_like" else "~~*", make(node.this), make(node.expression)
                )
            sides.append(text)
        given = [*sides, *([escape] if escape else [])]
        negated = "NOT " if node.args.get("negate") else ""
        words = ", ".join(it.sql for it in given)
        return merged(f"({negated}{word}({words}))", "bool", *given)

    return handle


def _escape(make: Expressions, node: exp.Escape) -> Expr:
    only(node, "this", "expression")
    if not isinstance(node.this, exp.Like | exp.ILike):
        raise unsupported("ESCAPE of something other than LIKE")
    escape = settled(make(node.expression), "text")
    word = "pg_like" if isinstance(node.this, exp.Like) else "pg_ilike"
    return _like(word)(make, node.this, escape)  # type: ignore[call-arg]  # the handler of LIKE takes one more


def _case(make: Expressions, node: exp.Case) -> Expr:
    only(node, "this", "ifs", "default")
    subject = node.args.get("this")
    tests: list[Expr] = []
    results: list[Expr] = []
    value = None if subject is None else make(subject)
    for branch in node.args["ifs"]:
        only(branch, "this", "true")
        if value is None:
            tests.append(make.truth(branch.this, "CASE/WHEN"))
        else:
            tests.append(operators.compared("=", value, make(branch.this)))
        results.append(make(branch.args["true"]))
    default = node.args.get("default")
    otherwise = Expr("NULL", None) if default is None else make(default)
    telling = default is not None and otherwise.name != NAMELESS and not otherwise.weak
    name = otherwise.name if telling else "case"
    # PostgreSQL looks at ELSE first.
    kind = common([otherwise.type, *(it.type for it in results)], "CASE")
    results = [_as(it, kind) for it in results]
    otherwise = _as(otherwise, kind)
    branches = " ".join(
        f"WHEN {test.sql} THEN {result.sql}" for test, result in zip(tests, results, strict=True)
    )
    words = f"(CASE {branches} ELSE {otherwise.sql} END)"
    return merged(words, kind, *tests, *results, otherwise).named(name, weak=not telling)


def _as(expr: Expr, kind: str) -> Expr:
    found = cast(expr, kind, Cast.IMPLICIT)
    if found is None:
        raise failure("42804", f"types {title(kind)} and {title(expr.type)} cannot be matched")
    return found


# --- functions


def _call(make: Expressions, node: exp.Anonymous) -> Expr:
    only(node, "this", "expressions")
    return make.statement.aggregates.call(make, str(node.this).lower(), node, None, None)


def _window(make: Expressions, node: exp.Window) -> Expr:
    return make.statement.aggregates.window(make, node)


def _filter(make: Expressions, node: exp.Filter) -> Expr:
    only(node, "this", "expression")
    return make.statement.aggregates.filtered(make, node)


def function(make: Expressions, name: str, nodes: Sequence[exp.Expr]) -> Expr:
    """A call of a function that is no aggregate."""
    return _function(make, name, make.each(nodes))


def _function(make: Expressions, name: str, arguments: Sequence[Expr]) -> Expr:
    if name in WRITING:
        make.statement.writes = True
    if name in VOLATILE:
        make.statement.volatile = True
    if name in {"nextval", "currval", "setval"}:
        arguments = [make.statement.sequence(arguments[0]), *arguments[1:]] if arguments else []
    special = SPECIAL.get(name)
    if special is not None:
        return special(name, arguments)
    found = called(name, arguments)
    if found is None:
        if name in elsewhere.FUNCTIONS:
            raise unsupported(f"the function {name}")
        raise missing(name, arguments)
    return found


def _keyword(name: str, words: str, kind: str) -> Handler:
    def handle(make: Expressions, node: exp.Expr) -> Expr:
        only(node)
        return Expr(words, kind, name=name, sure=True)

    return handle


def _extract(make: Expressions, node: exp.Extract) -> Expr:
    only(node, "this", "expression")
    unit = node.this
    word = str(unit.this) if isinstance(unit, exp.Literal) else unit.name
    return _function(make, "extract", [Expr(quoted(word), "text"), make(node.expression)])


def _position(make: Expressions, node: exp.StrPosition) -> Expr:
    only(node, "this", "substr")
    both = [make(node.this), make(node.args["substr"])]
    return _function(make, "strpos", both).named("position")


def _substring(make: Expressions, node: exp.Substring) -> Expr:
    only(node, "this", "start", "length")
    parts = [node.this, node.args.get("start"), node.args.get("length")]
    given = [make(it) for it in parts if it is not None]
    if any(it.type in {None, "text", "varchar"} and not it.sql.isdigit() for it in given[1:]):
        raise unsupported("substring by a pattern")
    return _function(make, "substring", given)


def _trim(make: Expressions, node: exp.Trim) -> Expr:
    only(node, "this", "expression", "position")
    word = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(
        str(node.args.get("position") or "").upper(), "btrim"
    )
    letters = node.args.get("expression")
    return _function(make, word, [make(it) for it in (node.this, letters) if it is not None])


def _array(make: Expressions, node: exp.Array) -> Expr:
    only(node, "expressions")
    if any(isinstance(it, exp.Array) for it in node.expressions):
        inner = make.each(node.expressions)
        kind = common([it.type for it in inner], "ARRAY")
        words = ", ".join(_as(it, kind).sql for it in inner)
        return merged(f"pg_array_nested({words})", kind, *inner, name="array")
    items = make.each(node.expressions)
    if not items:
        raise failure("42P18", "cannot determine type of empty array")
    kind = common([it.type for it in items], "ARRAY")
    if kind.endswith("[]"):
        raise unsupported("ARRAY of arrays that are no constructors")
    words = ", ".join(_as(it, kind).sql for it in items)
    return merged(f"pg_array({words})", f"{kind}[]", *items, name="array", sure=True)


def _interval(make: Expressions, node: exp.Interval) -> Expr:
    only(node, "this", "unit")
    unit = node.args.get("unit")
    if not isinstance(node.this, exp.Literal) or not node.this.is_string:
        raise unsupported("INTERVAL of an expression")
    text = f"{node.this.this} {unit.name if unit is not None else ''}".strip()
    return settled(Expr("", None, text, name="interval"), "interval")


def _collate(make: Expressions, node: exp.Collate) -> Expr:
    only(node, "this", "expression")
    if node.expression.name not in {"C", "POSIX", "default", "C.UTF-8", "pg_c_utf8"}:
        raise unsupported(f"the collation {node.expression.name}")
    found = settled(make(node.this), "text")
    if found.type not in {"text", "varchar"}:
        raise failure("42804", f"collations are not supported by type {title(found.type)}")
    return found


_HANDLERS: Final[Mapping[type[exp.Expr], Handler]] = {
    exp.Literal: _literal,
    exp.Parameter: _parameter,
    exp.Null: _null,
    exp.Boolean: _boolean,
    exp.Column: _column,
    exp.Paren: _paren,
    exp.Cast: _cast,
    exp.AtTimeZone: _at_time_zone,
    exp.Add: _binary("+"),
    exp.Sub: _binary("-"),
    exp.Mul: _binary("*"),
    exp.Div: _binary("/"),
    exp.Mod: _binary("%"),
    exp.EQ: _binary("="),
    exp.NEQ: _binary("<>"),
    exp.LT: _binary("<"),
    exp.LTE: _binary("<="),
    exp.GT: _binary(">"),
    exp.GTE: _binary(">="),
    exp.Pow: _power,
    exp.Neg: _negative,
    exp.DPipe: _joined,
    exp.JSONExtract: _inside("->"),
    exp.JSONExtractScalar: _inside("->>"),
    exp.JSONBExtract: _inside("#>"),
    exp.JSONBExtractScalar: _inside("#>>"),
    exp.ArrayContainsAll: _inside("@>"),
    exp.ArrayContainedBy: _inside("<@"),
    exp.ArrayOverlaps: _inside("&&"),
    exp.JSONBContainsTopKey: _inside("?"),
    exp.Bracket: _subscript,
    exp.And: _logic("AND"),
    exp.Or: _logic("OR"),
    exp.Not: _not,
    exp.Is: _is,
    exp.NullSafeEQ: _distinct(negated=True),
    exp.NullSafeNEQ: _distinct(negated=False),
    exp.Between: _between,
    exp.In: _in,
    exp.Exists: _exists,
    exp.Subquery: _subquery,
    exp.Like: _like("pg_like"),
    exp.ILike: _like("pg_ilike"),
    exp.Escape: _escape,
    exp.Case: _case,
    exp.Anonymous: _call,
    exp.Window: _window,
    exp.Filter: _filter,
    exp.Extract: _extract,
    exp.StrPosition: _position,
    exp.Substring: _substring,
    exp.Trim: _trim,
    exp.Array: _array,
    exp.Interval: _interval,
    exp.Collate: _collate,
    exp.CurrentTimestamp: _keyword("current_timestamp", "pg_now()", "timestamptz"),
    exp.Localtimestamp: _keyword("localtimestamp", "pg_now()", "timestamp"),
    exp.CurrentDate: _keyword("current_date", "pg_day(pg_now())", "date"),
    exp.Localtime: _keyword("localtime", "pg_clock(pg_now())", "time"),
}

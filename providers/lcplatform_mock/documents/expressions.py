"""Expressions: what a pipeline computes from a document, made ready once for all documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeAlias

from lcplatform_mock.documents.functions import FUNCTIONS, Function, is_true
from lcplatform_runtime.documents.extended_json import NoDocument, is_special, parse
from lcplatform_runtime.documents.paths import Path, parts
from lcplatform_runtime.documents.values import MISSING, Value

Raw: TypeAlias = Any
"""What JSON text parses to."""
Scope: TypeAlias = Mapping[str, Value]
"""The variables that are known, `ROOT` among them, which is the document."""
Expression: TypeAlias = Callable[[Scope], Value]
"""The value in a scope; `MISSING` if there is none."""

_MAX_NESTING: Final = 100


def expression_of(
    raw: Raw, depth: int = 0, known: frozenset[str] = frozenset({"ROOT"})
) -> Expression:
    """The expression that parsed JSON writes.

    Args:
        raw: the parsed JSON.
        depth: how deeply it lies in others.
        known: the variables that it may use.

    Raises:
        NoDocument: it writes none.
    """
    if depth > _MAX_NESTING:
        raise NoDocument(f"at most {_MAX_NESTING} levels")
    if isinstance(raw, str) and raw[:1] == "$":
        return _field(raw, known)
    if isinstance(raw, list):
        return _array([expression_of(it, depth + 1, known) for it in raw])
    if isinstance(raw, dict) and not is_special(raw):
        name = next(iter(raw), "")
        if name[:1] == "$":
            return _operator(name, raw, depth + 1, known)
        return _object(raw, depth + 1, known)
    return _constant(parse(raw))


def _constant(value: Value) -> Expression:
    return lambda scope: value


def _field(text: str, known: frozenset[str]) -> Expression:
    if text[:2] != "$$":
        path = ("ROOT", *parts(text[1:]))
    else:
        path = parts(text[2:])
        if path[0] not in known:
            raise NoDocument(f"the variable {text[:40]} is not known")
    name, rest = path[0], path[1:]
    return lambda scope: value_at(scope[name], rest)


def value_at(value: Value, path: Path) -> Value:
    """What lies at a path. In an array it is the array of what lies at the path in its elements."""
    for at, part in enumerate(path):
        if value.__class__ is dict:
            value = value.get(part, MISSING)
        elif value.__class__ is tuple:
            found = [value_at(it, path[at:]) for it in value if it.__class__ in {dict, tuple}]
            return tuple([it for it in found if it is not MISSING])
        else:
            return MISSING
    return value


def _array(items: list[Expression]) -> Expression:
    def make(scope: Scope) -> Value:
        values = [it(scope) for it in items]
        return tuple([None if it is MISSING else it for it in values])

    return make


def _object(raw: dict[str, Raw], depth: int, known: frozenset[str]) -> Expression:
    fields: list[tuple[str, Expression]] = []
    for name, content in raw.items():
        if not name or name[0] == "$" or "." in name or "\0" in name:
            raise NoDocument("names of fields without dollars, dots and null characters")
        fields.append((name, expression_of(content, depth, known)))

    def make(scope: Scope) -> Value:
        values = [(name, it(scope)) for name, it in fields]
        return {name: value for name, value in values if value is not MISSING}

    return make


def _operator(name: str, raw: dict[str, Raw], depth: int, known: frozenset[str]) -> Expression:
    if len(raw) > 1:
        raise NoDocument(f"an object with {name} has no other name")
    operand = raw[name]
    special = _FORMS.get(name)
    if special is not None:
        return special(operand, depth, known)
    return _function(name, FUNCTIONS[name], operand, depth, known)


def _function(
    name: str, function: Function, operand: Raw, depth: int, known: frozenset[str]
) -> Expression:
    if not isinstance(operand, list):
        operand = [operand]
        if function.over_one_array:
            only = expression_of(operand[0], depth, known)
            return lambda scope: function.call(_items(only(scope)))
    if not function.fewest <= len(operand) <= function.most:
        raise NoDocument(f"{name} takes {function.counted} values")
    arguments = [expression_of(it, depth, known) for it in operand]
    return lambda scope: function.call([it(scope) for it in arguments])


def _items(value: Value) -> list[Value]:
    return list(value) if value.__class__ is tuple else [value]


# --- operators that are no functions of their values


def _literal(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    return _constant(parse(raw))


def _named(
    raw: Raw, name: str, required: AbstractSet[str], optional: AbstractSet[str] = frozenset()
) -> dict[str, Raw]:
    if not isinstance(raw, dict) or not required <= set(raw) <= required | optional:
        names = ", ".join(sorted(required | optional))
        raise NoDocument(f"{name} takes an object with {names}")
    return raw


def _cond(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    if isinstance(raw, list):
        if len(raw) != 3:
            raise NoDocument("$cond takes three values")
        raw = dict(zip(("if", "then", "else"), raw, strict=True))
    given = _named(raw, "$cond", {"if", "then", "else"})
    test, yes, no = [expression_of(given[it], depth, known) for it in ("if", "then", "else")]
    return lambda scope: yes(scope) if is_true(test(scope)) else no(scope)


def _if_null(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    if not isinstance(raw, list) or len(raw) < 2:
        raise NoDocument("$ifNull takes at least two values")
    *tried, last = [expression_of(it, depth, known) for it in raw]

    def first(scope: Scope) -> Value:
        for it in tried:
            value = it(scope)
            if value is not None and value is not MISSING:
                return value
        return last(scope)

    return first


def _switch(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    given = _named(raw, "$switch", {"branches"}, {"default"})
    if not isinstance(given["branches"], list) or not given["branches"]:
        raise NoDocument("$switch takes a list of branches")
    branches = [_named(it, "a branch", {"case", "then"}) for it in given["branches"]]
    cases = [
        (expression_of(it["case"], depth, known), expression_of(it["then"], depth, known))
        for it in branches
    ]
    default = expression_of(given["default"], depth, known) if "default" in given else None

    def choose(scope: Scope) -> Value:
        for case, then in cases:
            if is_true(case(scope)):
                return then(scope)
        if default is None:
            raise NoDocument("$switch found no branch, and has no default")
        return default(scope)

    return choose


def _and(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    tests = [expression_of(it, depth, known) for it in (raw if isinstance(raw, list) else [raw])]
    return lambda scope: all(is_true(it(scope)) for it in tests)


def _or(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    tests = [expression_of(it, depth, known) for it in (raw if isinstance(raw, list) else [raw])]
    return lambda scope: any(is_true(it(scope)) for it in tests)


def _let(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    given = _named(raw, "$let", {"vars", "in"})
    if not isinstance(given["vars"], dict):
        raise NoDocument("$let takes an object of variables")
    made = {_variable(name): expression_of(it, depth, known) for name, it in given["vars"].items()}
    inner = expression_of(given["in"], depth, known | set(made))
    return lambda scope: inner({**scope, **{name: it(scope) for name, it in made.items()}})


def _variable(name: Raw) -> str:
    if not isinstance(name, str) or not name[:1].islower() or not name.replace("_", "a").isalnum():
        raise NoDocument("a variable begins with a small letter and has letters, digits and _")
    return name


def _over(
    raw: Raw, name: str, body: str, depth: int, known: frozenset[str]
) -> tuple[Expression, str, Expression]:
    given = _named(raw, name, {"input", body}, {"as"})
    variable = _variable(given.get("as", "this"))
    inner = expression_of(given[body], depth, known | {variable})
    return expression_of(given["input"], depth, known), variable, inner


def _array_or_null(value: Value, name: str) -> Value:
    if value is MISSING or value is None:
        return None
    if value.__class__ is not tuple:
        raise NoDocument(f"{name} takes an array")
    return value


def _filter(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    given, variable, test = _over(raw, "$filter", "cond", depth, known)

    def make(scope: Scope) -> Value:
        array = _array_or_null(given(scope), "$filter")
        if array is None:
            return None
        return tuple([it for it in array if is_true(test({**scope, variable: it}))])

    return make


def _map(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    given, variable, inner = _over(raw, "$map", "in", depth, known)

    def make(scope: Scope) -> Value:
        array = _array_or_null(given(scope), "$map")
        if array is None:
            return None
        values = [inner({**scope, variable: it}) for it in array]
        return tuple([None if it is MISSING else it for it in values])

    return make


def _reduce(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    given = _named(raw, "$reduce", {"input", "initialValue", "in"})
    source = expression_of(given["input"], depth, known)
    start = expression_of(given["initialValue"], depth, known)
    inner = expression_of(given["in"], depth, known | {"this", "value"})

    def make(scope: Scope) -> Value:
        array = _array_or_null(source(scope), "$reduce")
        if array is None:
            return None
        value = start(scope)
        for it in array:
            value = inner({**scope, "this": it, "value": value})
        return value

    return make


def _date_to_string(raw: Raw, depth: int, known: frozenset[str]) -> Expression:
    given = _named(raw, "$dateToString", {"date"}, {"format", "onNull"})
    form = given.get("format", "%Y-%m-%dT%H:%M:%S.%LZ")
    if not isinstance(form, str):
        raise NoDocument("$dateToString takes a text as its format")
    date = expression_of(given["date"], depth, known)
    instead = expression_of(given.get("onNull"), depth, known)
    written = FUNCTIONS["$dateToString"].call

    def make(scope: Scope) -> Value:
        value = date(scope)
        return instead(scope) if value is None or value is MISSING else written([value, form])

    return make


_FORMS: Final[Mapping[str, Callable[[Raw, int, frozenset[str]], Expression]]] = {
    "$literal": _literal,
    "$cond": _cond,
    "$ifNull": _if_null,
    "$switch": _switch,
    "$and": _and,
    "$or": _or,
    "$let": _let,
    "$filter": _filter,
    "$map": _map,
    "$reduce": _reduce,
    "$dateToString": _date_to_string,
}
"""Operators that decide themselves which of their parts are computed, and in which scope."""

"""Reads patterns, and refuses what is none: with the place of the mistake, and what is expected there."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patterns import operators as op
from lcplatform_runtime.patterns.addresses import address_of, width_of

Path: TypeAlias = tuple[str, ...]
"""The names that lead to a field of an event."""

OR: Final = "$or"
_MOST_COMBINATIONS: Final = 1000
_DEEPEST: Final = 50
# Ruler keeps these names for the objects of `$or`, some of them for operators that are still to come.
_RESERVED: Final = frozenset(
    {
        "exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
        "=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after",
        "date-before", "date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """What a pattern asks of one field: that one of its values matches one of these, or that it has none.

    Attributes:
        path: where the field is.
        operators: what may match.
        absent: whether it matches if there is no value.
    """

    path: Path
    operators: tuple[op.Operator, ...]
    absent: bool = False


Conjunction: TypeAlias = tuple[Field, ...]
"""Fields that have to match together."""


@dataclass(frozen=True)
class Pattern:
    """A pattern, as conjunctions of which one has to match."""

    conjunctions: tuple[Conjunction, ...]

    @cached_property
    def basic(self) -> bool:
        """Whether it asks for nothing but exact texts and prefixes of source, type and subject, as any provider can."""
        return len(self.conjunctions) == 1 and all(map(_basic, self.conjunctions[0]))

    @property
    def fields(self) -> Iterator[Field]:
        """Every field of every conjunction."""
        for conjunction in self.conjunctions:
            yield from conjunction


def _basic(field: Field) -> bool:
    name, *below = field.path
    if below or name not in {"source", "type", "subject"} or field.absent:
        return False
    return all(
        isinstance(it, op.Text) or (isinstance(it, op.Affix) and it.at_start and not it.folded)
        for it in field.operators
    )


def parse(pattern: Json, name: str = "pattern") -> Pattern:
    """The pattern that a JSON value is.

    Args:
        pattern: the value.
        name: of the field of the request that holds it, for the error.

    Raises:
        ValidationError: it is no pattern. It names the field.
    """
    try:
        value = json.loads(pattern.text, object_pairs_hook=_unrepeated)
        conjunctions = _Reader().read(value)
    except _Wrong as wrong:
        problem = f"{wrong.place}: {wrong}" if wrong.place else str(wrong)
    else:
        return Pattern(conjunctions)
    raise ValidationError(f"{name}: {problem}", violations=[FieldViolation(name, problem)])


class _Wrong(Exception):
    """What is no pattern, and where."""

    def __init__(self, problem: str, place: Path = ()) -> None:
        super().__init__(problem)
        self.place = ".".join(place)


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Wrong("a name stands twice in one object")
    return made


class _Reader:
    """Reads one pattern into its disjunctive normal form."""

    def read(self, value: object) -> tuple[Conjunction, ...]:
        if not isinstance(value, dict):
            raise _Wrong("a JSON object")
        return tuple(tuple(it.values()) for it in self._object([{}], (), value, reserved=False))

    def _object(
        self,
        made: list[dict[Path, Field]],
        path: Path,
        value: Mapping[str, object],
        *,
        reserved: bool,
    ) -> list[dict[Path, Field]]:
        """The conjunctions so far, each with what the object asks for beside."""
        if not value:
            raise _Wrong("at least one field", path)
        if len(path) > _DEEPEST:
            raise _Wrong(f"at most {_DEEPEST} levels")
        for name, inner in value.items():
            here = (*path, name)
            match inner:
                case _ if name == OR:
                    made = self._either(made, path, inner)
                case _ if reserved and name in _RESERVED:
                    raise _Wrong(f"{name} is no name of a field inside of {OR}", path)
                case dict():
                    made = self._object(made, here, inner, reserved=reserved)
                case list():
                    field = _field(here, inner)
                    made = [_with(it, field) for it in made]
                case _:
                    raise _Wrong("a list of what matches, or an object of further fields", here)
        return made

    def _either(
        self, made: list[dict[Path, Field]], path: Path, value: object
    ) -> list[dict[Path, Field]]:
        here = (*path, OR)
        if not isinstance(value, list) or len(value) < 2:
            raise _Wrong("a list of two objects or more", here)
        found: list[dict[Path, Field]] = []
        for inner in value:
            if not isinstance(inner, dict):
                raise _Wrong("a list of objects", here)
            found += self._object(made, path, inner, reserved=True)
            if len(found) > _MOST_COMBINATIONS:
                raise _Wrong(f"at most {_MOST_COMBINATIONS} combinations of {OR}", here)
        return found


def _with(conjunction: dict[Path, Field], field: Field) -> dict[Path, Field]:
    if field.path in conjunction:
        raise _Wrong("a field is named once", field.path)
    return {**conjunction, field.path: field}


def _field(path: Path, values: list[object]) -> Field:
    if not values:
        raise _Wrong("at least one value", path)
    found: list[op.Operator] = []
    absent = False
    for value in values:
        try:
            operator = _operator(value)
        except _Wrong as wrong:
            raise _Wrong(str(wrong), path) from None
        if operator is None:
            absent = True
        elif operator not in found:
            found.append(operator)
    return Field(path, tuple(found), absent)


def _operator(value: object) -> op.Operator | None:
    """What a value in the list of a field asks for; nothing for `{"exists": false}`."""
    match value:
        case str():
            return op.Text(value)
        case bool() | None:
            return op.Constant(value)
        case int() | float():
            return op.Number(value)
        case dict():
            name, operand = _only(value, _OPERATORS)
            if name == "exists" and operand is False:
                return None
            return _OPERATORS[name](operand)
        case _:
            raise _Wrong("a text, a number, true, false, null, or an object with one operator")


def _only(value: Mapping[str, object], known: Mapping[str, object]) -> tuple[str, object]:
    """The one operator of an object."""
    if len(value) != 1:
        raise _Wrong("one operator in an object")
    ((name, operand),) = value.items()
    if name not in known:
        raise _Wrong(f"there is no operator {name!r} here; there is {', '.join(known)}")
    return name, operand


def _text(operand: object, name: str) -> str:
    if not isinstance(operand, str):
        raise _Wrong(f"{name}: a text")
    return operand


def _exists(operand: object) -> op.Operator:
    if operand is not True:
        raise _Wrong("exists: true or false")
    return op.Exists()


def _affix(name: str, *, at_start: bool) -> Callable[[object], op.Operator]:
    def read(operand: object) -> op.Operator:
        if isinstance(operand, dict):
            _, inner = _only(operand, {"equals-ignore-case": None})
            return op.Affix(_text(inner, name).casefold(), at_start=at_start, folded=True)
        return op.Affix(_text(operand, name), at_start=at_start)

    return read


def _ignoring_case(operand: object) -> op.Operator:
    return op.IgnoringCase(_text(operand, "equals-ignore-case").casefold())


def _wildcard(operand: object) -> op.Operator:
    """Stars stand for anything. A backslash takes its meaning from a star, and from another backslash."""
    pieces = [""]
    letters = iter(_text(operand, "wildcard"))
    starred = False
    for letter in letters:
        if letter == "*":
            if starred:
                raise _Wrong("wildcard: no two stars in a row")
            pieces.append("")
        elif letter == "\\":
            escaped = next(letters, "")
            if escaped not in {"*", "\\"}:
                raise _Wrong("wildcard: a backslash before a star or another backslash only")
            pieces[-1] += escaped
        else:
            pieces[-1] += letter
        starred = letter == "*"
    return op.Wildcard(tuple(pieces)) if len(pieces) > 1 else op.Text(pieces[0])


def _network(operand: object) -> op.Operator:
    address, slash, bits = _text(operand, "cidr").partition("/")
    found = address_of(address)
    if found is None or not slash:
        raise _Wrong("cidr: an IP address, a slash, and a number of bits")
    # The whole width is a single address, for which its text is written.
    width = width_of(found)
    if not (bits.isascii() and bits.isdecimal() and int(bits[:4]) < width):
        raise _Wrong(f"cidr: 0 to {width - 1} bits")
    free = width - int(bits)
    return op.Network(free, found >> free)


def _numeric(operand: object) -> op.Operator:
    """One comparison, or a lower bound and then an upper one."""
    match operand:
        case ["=", number]:
            return op.Number(_number(number))
        case [">" | ">=" as above, low]:
            return op.Range(_number(low), None, low_open=above == ">")
        case ["<" | "<=" as below, high]:
            return op.Range(None, _number(high), high_open=below == "<")
        case [">" | ">=" as above, low, "<" | "<=" as below, high]:
            if not _number(low) < _number(high):
                raise _Wrong("numeric: a lower bound below the upper one")
            return op.Range(
                _number(low), _number(high), low_open=above == ">", high_open=below == "<"
            )
        case _:
            raise _Wrong(
                'numeric: a list like ["=", 5], ["<", 5], or [">=", 0, "<", 5], the lower bound first'
            )


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Wrong("numeric: a number to compare with")
    return value


def _anything_but(operand: object) -> op.Operator:
    if isinstance(operand, dict):
        name, inner = _only(operand, _NEGATED)
        texts = inner if isinstance(inner, list) else [inner]
        if not texts:
            raise _Wrong(f"anything-but: {name}: at least one text")
        if name in {"prefix", "suffix"} and "" in texts:
            raise _Wrong(f"anything-but: {name}: no empty text")
        if not all(isinstance(it, str) for it in texts):
            raise _Wrong(f"anything-but: {name}: a text or a list of texts")
        return op.AnythingBut(tuple(_NEGATED[name](it) for it in texts))
    values = operand if isinstance(operand, list) else [operand]
    texts = [it for it in values if isinstance(it, str)]
    numbers = [it for it in values if isinstance(it, int | float) and not isinstance(it, bool)]
    if not values or len(values) not in {len(texts), len(numbers)}:
        raise _Wrong(
            "anything-but: a text or a number, a list of texts or of numbers, or an operator"
        )
    return op.AnythingBut((*map(op.Text, texts), *map(op.Number, numbers)))


_OPERATORS: Final[Mapping[str, Callable[[object], op.Operator]]] = {
    "prefix": _affix("prefix", at_start=True),
    "suffix": _affix("suffix", at_start=False),
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _network,
    "exists": _exists,
}
_NEGATED: Final = {
    name: _OPERATORS[name] for name in ("prefix", "suffix", "equals-ignore-case", "wildcard")
}

"""Filters: what documents must be like, read once and kept by their text (FR-022)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

from lcplatform_mock.documents.conditions import (
    Condition,
    Element,
    Equals,
    Every,
    Exists,
    Matches,
    Negated,
    Never,
    OfType,
    OneOf,
    Ordered,
    Sized,
    both,
)
from lcplatform_runtime.documents.extended_json import NoDocument, is_special, parse, pattern_of
from lcplatform_runtime.documents.operators import LOGICAL, check_filter, is_condition, refused
from lcplatform_runtime.documents.paths import Matcher, Path, parts
from lcplatform_runtime.documents.values import NAMES, Bound, Object, Pattern, Value
from lcplatform_runtime.json_value import Json

P = ParamSpec("P")
T = TypeVar("T")
Raw: TypeAlias = Any
"""What JSON text parses to."""

_KEPT: Final = 1024
_MAX_PATTERN: Final = 32_764
_MAX_NESTING: Final = 100


@dataclass(frozen=True, slots=True)
class OfField:
    """A field meets a condition."""

    path: Path
    condition: Condition

    def matcher(self) -> Matcher:
        """Says whether a document is so."""
        return self.condition.matcher(self.path)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Several filters say yes."""

    members: tuple[Node, ...]

    def matcher(self) -> Matcher:
        """Says whether a document is so."""
        return both([it.matcher() for it in self.members]) if self.members else _anything


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of several filters says yes."""

    members: tuple[Node, ...]

    def matcher(self) -> Matcher:
        """Says whether a document is so."""
        matchers = [it.matcher() for it in self.members]
        return lambda document: any(match(document) for match in matchers)


@dataclass(frozen=True, slots=True)
class NoneOf:
    """None of several filters says yes."""

    members: tuple[Node, ...]

    def matcher(self) -> Matcher:
        """Says whether a document is so."""
        matchers = [it.matcher() for it in self.members]
        return lambda document: not any(match(document) for match in matchers)


Node: TypeAlias = OfField | AllOf | AnyOf | NoneOf
"""A filter, or a part of one."""


@dataclass(frozen=True, eq=False)
class Filter:
    """A filter that was read. One is equal to itself alone, so that what is made for it is found quickly.

    Attributes:
        root: what it is made of.
    """

    root: AllOf

    @cached_property
    def required(self) -> tuple[OfField, ...]:
        """What of single fields is required in any case, which is where an index can help."""
        return tuple(_required(self.root))

    @cached_property
    def matches(self) -> Matcher:
        """Whether a document is so."""
        return self.root.matcher()

    @property
    def is_everything(self) -> bool:
        """Whether every document is so."""
        return not self.root.members

    @property
    def identity(self) -> Value:
        """The one `_id` that a document must have, and nothing else about it; `None` otherwise. Null is no help."""
        if len(self.root.members) == 1 and len(self.required) == 1:
            only = self.required[0]
            if only.path == ("_id",) and isinstance(only.condition, Equals):
                return only.condition.value
        return None


EVERYTHING: Final = Filter(AllOf(()))
"""The filter of whoever gives none."""


def read(given: Json | None, name: str = "filter") -> Filter:
    """The filter that a request gives.

    Raises:
        ValidationError: it is none, or has an operator that is not one of the contract's.
    """
    return EVERYTHING if given is None else _kept(given.text, name)


@lru_cache(_KEPT)
def _kept(text: str, name: str) -> Filter:
    return filter_of(Json.from_text(text).plain, name)


def filter_of(raw: Raw, name: str) -> Filter:
    """The filter that parsed JSON writes."""
    check_filter(raw, name)
    return reading(name, lambda: Filter(_filter(raw, 0)))


def reading(name: str, read: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """What `read` makes of what it is given. What it does not understand is refused as the part `name` of the request."""
    try:
        return read(*given, **named)
    except ValueError as error:
        problem = refused(name, str(error))
    raise problem


def _required(node: AllOf) -> Iterator[OfField]:
    for member in node.members:
        if isinstance(member, OfField):
            yield member
        elif isinstance(member, AllOf):
            yield from _required(member)


def _anything(document: Object) -> bool:
    return True


def _filter(raw: Raw, depth: int) -> AllOf:
    if depth > _MAX_NESTING:
        raise NoDocument(f"at most {_MAX_NESTING} levels")
    members: list[Node] = []
    for name, content in raw.items():
        if name in LOGICAL:
            members.append(_LOGICAL[name](tuple([_filter(it, depth + 1) for it in content])))
        else:
            path = parts(name)
            members += [OfField(path, it) for it in _conditions(content, depth)]
    return AllOf(tuple(members))


_LOGICAL: Final[Mapping[str, Callable[[tuple[Node, ...]], Node]]] = {
    "$and": AllOf,
    "$or": AnyOf,
    "$nor": NoneOf,
}


def _conditions(raw: Raw, depth: int) -> list[Condition]:
    """What a field is compared with: a value, or conditions."""
    if not is_condition(raw):
        return [_equals(parse(raw))]
    if "$options" in raw and "$regex" not in raw:
        raise NoDocument("$options goes with $regex")
    found: list[Condition] = []
    for name, operand in raw.items():
        if name == "$regex":
            found.append(_regex(operand, raw.get("$options", "")))
        elif name != "$options":
            found.append(_OPERATORS[name](operand, depth + 1))
    return found


def _equals(value: Value) -> Condition:
    return _matches(value) if value.__class__ is Pattern else Equals(value)


def _ordered(operator: str) -> _Reader:
    def read(raw: Raw, depth: int) -> Condition:
        value = parse(raw)
        if value.__class__ is Pattern:
            raise NoDocument(f"{operator} takes no regular expression")
        return Ordered(operator, value)

    return read


def _equal_to(raw: Raw, depth: int) -> Condition:
    return Equals(parse(raw))


def _one_of(raw: Raw, depth: int) -> Condition:
    if not isinstance(raw, list):
        raise NoDocument("$in and $nin take a list of values")
    if any(is_condition(it) for it in raw):
        raise NoDocument("$in and $nin take no operators")
    values = [parse(it) for it in raw]
    patterns = [_matches(it) for it in values if it.__class__ is Pattern]
    return OneOf(tuple(values), tuple(patterns))


def _exists(raw: Raw, depth: int) -> Condition:
    value = parse(raw)
    # As in MongoDB: what is neither false, nor zero, nor null says yes.
    wanted = value is not None and (bool(value) if isinstance(value, int | float) else True)
    return Exists() if wanted else Negated(Exists())


def _not(raw: Raw, depth: int) -> Condition:
    if is_special(raw):
        value = parse(raw)
        if value.__class__ is Pattern:
            return Negated(_matches(value))
    if not is_condition(raw) or depth > _MAX_NESTING:
        raise NoDocument("$not takes operators or a regular expression")
    return Negated(Every(tuple(_conditions(raw, depth))))


def _size(raw: Raw, depth: int) -> Condition:
    value = parse(raw)
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value // 1:
        raise NoDocument("$size takes a whole number")
    if value < 0:
        raise NoDocument("$size takes no negative number")
    return Sized(int(value))


def _every(raw: Raw, depth: int) -> Condition:
    if not isinstance(raw, list):
        raise NoDocument("$all takes a list")
    elements = [is_condition(it) and list(it) == ["$elemMatch"] for it in raw]
    if any(elements) and not all(elements):
        raise NoDocument("$all takes values, or $elemMatch for each element")
    if any(elements):
        return Every(tuple([_element(it["$elemMatch"], depth) for it in raw]))
    if any(is_condition(it) for it in raw):
        raise NoDocument("$all takes no operators but $elemMatch")
    return Every(tuple([_equals(parse(it)) for it in raw])) if raw else Never()


def _element(raw: Raw, depth: int) -> Condition:
    return Element(element_test(raw, depth))


def field_test(raw: Raw, path: Path) -> Matcher:
    """Whether a field of a document is as a value or conditions demand."""
    return both([it.matcher(path) for it in _conditions(raw, 0)])


def element_test(raw: Raw, depth: int = 0) -> Callable[[Value], bool]:
    """Whether an element of an array is as conditions or a filter demand."""
    if not isinstance(raw, dict) or depth > _MAX_NESTING:
        raise NoDocument("$elemMatch takes an object")
    if is_condition(raw) and next(iter(raw)) not in LOGICAL:
        return Every(tuple(_conditions(raw, depth))).test
    match = _filter(raw, depth).matcher()

    def met(element: Value) -> bool:
        if element.__class__ is dict:
            return match(element)
        # In an array, places are names.
        return element.__class__ is tuple and match(
            {str(place): item for place, item in enumerate(element)}
        )

    return met


def _of_type(raw: Raw, depth: int) -> Condition:
    kinds = raw if isinstance(raw, list) else [raw]
    if not kinds:
        raise NoDocument("$type takes at least one type")
    names: set[str] = set()
    for kind in kinds:
        name = kind if isinstance(kind, str) else _CODES.get(_code(kind))
        if name == "number":
            names |= {"int", "long", "double", "decimal"}
        elif name in _TYPE_NAMES:
            names.add(str(name))
        else:
            raise NoDocument(f"$type knows {', '.join(sorted(_TYPE_NAMES))} and number")
    return OfType(frozenset(names))


def _code(kind: Raw) -> object:
    value = parse(kind)
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return int(value) if whole else None


_TYPE_NAMES: Final = frozenset(NAMES.values()) | {it.value for it in Bound}
_CODES: Final[Mapping[object, str]] = {
    1: "double",
    2: "string",
    3: "object",
    4: "array",
    5: "binData",
    7: "objectId",
    8: "bool",
    9: "date",
    10: "null",
    11: "regex",
    16: "int",
    17: "timestamp",
    18: "long",
    19: "decimal",
    -1: "minKey",
    127: "maxKey",
}


def _regex(raw: Raw, options: Raw) -> Condition:
    value = parse(raw)
    if not isinstance(options, str):
        raise NoDocument("$options takes a text")
    if value.__class__ is Pattern:
        return _matches(pattern_of(value.pattern, options or value.options))
    if not isinstance(value, str):
        raise NoDocument("$regex takes a text or a regular expression")
    return _matches(pattern_of(value, options))


def _matches(pattern: Pattern) -> Matches:
    return Matches(pattern, compiled(pattern))


def compiled(pattern: Pattern) -> re.Pattern[str]:
    """A regular expression, ready to be used."""
    if len(pattern.pattern) > _MAX_PATTERN:
        raise NoDocument(f"a regular expression of at most {_MAX_PATTERN} characters")
    flags = re.NOFLAG if "i" in pattern.options else re.ASCII
    for option in pattern.options:
        flags |= _FLAGS[option]
    try:
        return re.compile(pattern.pattern, flags)
    except (re.error, OverflowError, RecursionError):
        raise NoDocument("a regular expression that is well-formed") from None


_FLAGS: Final[Mapping[str, re.RegexFlag]] = {
    "i": re.IGNORECASE,
    "m": re.MULTILINE,
    "s": re.DOTALL,
    "x": re.VERBOSE,
}

_Reader: TypeAlias = Callable[[Raw, int], Condition]
_OPERATORS: Final[Mapping[str, _Reader]] = {
    "$eq": _equal_to,
    "$ne": lambda raw, depth: Negated(_equal_to(raw, depth)),
    "$gt": _ordered("$gt"),
    "$gte": _ordered("$gte"),
    "$lt": _ordered("$lt"),
    "$lte": _ordered("$lte"),
    "$in": _one_of,
    "$nin": lambda raw, depth: Negated(_one_of(raw, depth)),
    "$not": _not,
    "$exists": _exists,
    "$type": _of_type,
    "$elemMatch": _element,
    "$all": _every,
    "$size": _size,
}

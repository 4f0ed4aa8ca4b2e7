"""The operators of patterns: what each asks of one value of an event, said as code and as an entry of an index."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from typing_extensions import override

from lcplatform_runtime.patterns.addresses import address_of

Scalar: TypeAlias = "str | int | float | bool | None"
"""A value that is no container: the only kind that operators look at."""

Bind: TypeAlias = Callable[[object], str]
"""Gives a constant a name in generated code."""

Entry: TypeAlias = tuple[str, object]
"""Where an index files an operator: a kind of table, and the key in it."""

STRING: Final = "string"
IGNORING_CASE: Final = "ignoring_case"
PREFIX: Final = "prefix"
FOLDED_PREFIX: Final = "folded_prefix"
SUFFIX: Final = "suffix"
FOLDED_SUFFIX: Final = "folded_suffix"
NUMBER: Final = "number"
RANGE: Final = "range"
CONSTANT: Final = "constant"
NETWORK: Final = "network"
PRESENT: Final = "present"
ABSENT: Final = "absent"


class Operator(ABC):
    """What a pattern asks of one value."""

    __slots__ = ()

    decided = True
    """Whether a value that is found under `entry` matches for certain."""

    scalar = True
    """Whether `source` is false for arrays and objects, so that nobody need look before whether the value is one."""

    @abstractmethod
    def holds(self, value: Scalar, /) -> bool:
        """Whether the value matches."""

    @abstractmethod
    def source(self, value: str, bind: Bind, /) -> str:
        """The same as a Python expression over the variable `value`."""

    @property
    @abstractmethod
    def entry(self) -> Entry:
        """Under which entry an index has to look for a value that matches."""


@dataclass(frozen=True, slots=True)
class Text(Operator):
    """The very text."""

    text: str

    @override
    def holds(self, value: Scalar, /) -> bool:
        return value == self.text

    @override
    def source(self, value: str, bind: Bind, /) -> str:
        return f"{value} == {bind(self.text)}"

    @property
    @override
    def entry(self) -> Entry:
        return STRING, self.text


@dataclass(frozen=True, slots=True)
class Number(Operator):
    """A number of this value, however it is written. `true` is none."""

    number: int | float

    @override
    def holds(self, value: Scalar, /) -> bool:
        return type(value) is not bool and value == self.number

    @override
    def source(self, value: str, bind: Bind, /) -> str:
        return f"({value} == {bind(self.number)} and type({value}) is not bool)"

    @property
    @override
    def entry(self) -> Entry:
        return NUMBER, self.number


@dataclass(frozen=True, slots=True)
class Constant(Operator):
    """True, false or null."""

    value: bool | None

    @override
    def holds(self, value: Scalar, /) -> bool:
        return value is self.value

    @override
    def source(self, value: str, bind: Bind, /) -> str:
        return f"{value} is {self.value}"

    @property
    @override
    def entry(self) -> Entry:
        return CONSTANT, self.value


@dataclass(frozen=True, slots=True)
class IgnoringCase(Operator):
    """A text, in upper or lower case (as Unicode's default caseless matching has it)."""

    folded: str

    @override
    def holds(self, value: Scalar, /) -> bool:
        return isinstance(value, str) and value.casefold() == self.folded

    @override
    def source(self, value: str, bind: Bind, /) -> str:
        return f"(type({value}) is str and {value}.casefold() == {bind(self.folded)})"

    @property
    @override
    def entry(self) -> Entry:
        return IGNORING_CASE, self.folded


@dataclass(frozen=True, slots=True)
class Affix(Operator):
    """A text that begins or ends so. An empty one is that of any text."""

    text: str
    at_start: bool
    folded: bool = False

    @override
    def holds(self, value: Scalar, /) -> bool:
        if not isinstance(value, str):
            return False
        text = value.casefold() if self.folded else value
        return text.startswith(self.text) if self.at_start else text.endswith(self.text)

    @override
    def source(self, value: str, bind: Bind, /) -> str:
        fold = ".casefold()" if self.folded else ""
        method = "startswith" if self.at_start else "endswith"
        return f"(type({value}) is str and {value}{fold}.{method}({bind(self.text)}))"

    @property
    @override
    def entry(self) -> Entry:
        at_start, folded = _AFFIXES[self.at_start]
        return (folded if self.folded else at_start), self.text


_AFFIXES: Final = {True: (PREFIX, FOLDED_PREFIX), False: (SUFFIX, FOLDED_SUFFIX)}


@dataclass(frozen=True, slots=True)
class Wildcard(Operator):
    """A text with these pieces in this order: the first at its start, the last at its end, anything between them."""

    pieces: tuple[str, ...]

    decided = False

    @override
    def holds(self, value: Scalar, /) -> bool:
        return isinstance(value, str) and has_pieces(value, self.pieces)

    @override
    def source(self, value: str, bind: Bind, /) -> str:
        return f"(type({value}) is str and {bind(has_pieces)}({value}, {bind(self.pieces)}))"

    @property
    @override
    def entry(self) -> Entry:
        if self.pieces[0]:
            return PREFIX, self.pieces[0]
        return SUFFIX, self.pieces[-1]


def has_pieces(text: str, pieces: tuple[str, ...]) -> bool:
    """Whether a text consists of these pieces with anything between them. It takes each where it comes first, so no text
    makes it try again and again."""
    first, last = pieces[0], pieces[-1]
    start, end = len(first), len(text) - len(last)
    if start > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in pieces[1:-1]:
        found = text.find(piece, start, end)
        if found < 0:
            return False
        start = found + len(piece)
    return True


@dataclass(frozen=True, slots=True)
class Range(Operator):
    """A number between two others; one that is not there bounds nothing."""

    low: int | float | None
    high: int | float | None
    low_open: bool = False
    high_open: bool = False

    decided = False

    @override
    def holds(self, value: Scalar, /) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if self.low is not None and (value <= self.low if self.low_open else value < self.low):
            return False
        return self.high is None or (value < self.high if self.high_open else value <= self.high)

    @override
    def source(self, value: str, bind: Bind, /) -> str:
        low = high = ""
        if self.low is not None:
            low = f"{bind(self.low)} {'<' if self.low_open else '<='} "
        if self.high is not None:
            high = f" {'<' if self.high_open else '<='} {bind(self.high)}"
        return f"((type({value}) is int or type({value}) is float) and {low}{value}{high})"

    @property
    @override
    def entry(self) -> Entry:
        return RANGE, None


@dataclass(frozen=True, slots=True)
class Network(Operator):
    """An IP address of a network: one whose number, without so many bits at its end, is this."""

    free: int
    start: int

    @override
    def holds(self, value: Scalar, /) -> bool:
        return isinstance(value, str) and in_network(value, self)

    @override
    def source(self, value: str, bind: Bind, /) -> str:
        return f"(type({value}) is str and {bind(in_network)}({value}, {bind(self)}))"

    @property
    @override
    def entry(self) -> Entry:
        return NETWORK, (self.free, self.start)


def in_network(text: str, network: Network) -> bool:
    """Whether a text is an address of a network."""
    address = address_of(text)
    return address is not None and address >> network.free == network.start


@dataclass(frozen=True, slots=True)
class AnythingBut(Operator):
    """A value that matches none of these."""

    those: tuple[Operator, ...]

    decided = False
    scalar = False

    @override
    def holds(self, value: Scalar, /) -> bool:
        return not any(it.holds(value) for it in self.those)

    @override
    def source(self, value: str, bind: Bind, /) -> str:
        return f"not ({any_of(self.those, value, bind)})"

    @property
    @override
    def entry(self) -> Entry:
        return PRESENT, None


@dataclass(frozen=True, slots=True)
class Exists(Operator):
    """Any value at all."""

    scalar = False

    @override
    def holds(self, value: Scalar, /) -> bool:
        return True

    @override
    def source(self, value: str, bind: Bind, /) -> str:
        return "True"

    @property
    @override
    def entry(self) -> Entry:
        return PRESENT, None


def any_of(operators: tuple[Operator, ...], value: str, bind: Bind) -> str:
    """The expression that is true if one of the operators holds. Many texts are looked up at once."""
    texts = [it.text for it in operators if isinstance(it, Text)]
    if len(texts) < 2:
        return " or ".join(it.source(value, bind) for it in operators)
    others = [it.source(value, bind) for it in operators if not isinstance(it, Text)]
    # What cannot be hashed is no text.
    return " or ".join([f"(type({value}) is str and {value} in {bind(frozenset(texts))})", *others])

"""Generates the function that looks an event up in the entries of an index, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lcplatform_runtime.patterns import operators as op
from lcplatform_runtime.patterns.addresses import address_of
from lcplatform_runtime.patterns.checks import Check, Hits, compiled
from lcplatform_runtime.patterns.entries import AFFIXES, FAR, FOLDED, PREFIXES, Entries
from lcplatform_runtime.patterns.grammar import Path
from lcplatform_runtime.patterns.plain import Event, values_at

SPREAD: Final = -1
"""A hit that is no rule: an object that leads to a field is inside of an array, so fields found one by one need not belong
together."""


def probe(fields: Mapping[Path, Entries], always: list[Check]) -> Check:
    """Calls the checks of all fields, and those that are always called. It is good until a field or a kind is added, or the
    first of those that are always called."""
    writer = _Writer()
    lines = list(writer.lines(fields))
    body = [*lines, *(writer.call(writer.bind(always), "        ") if always else [])]
    if not body:
        body = ["        pass"]
    names = ", ".join(f"c{number}" for number in range(len(writer.constants)))
    source = "\n".join([f"def make({names}):", "    def probe(event, hits):", *body, _FOOT])
    made: Check = compiled(source)(*writer.constants)
    return made


_FOOT: Final = "    return probe"


@dataclass(slots=True)
class _Fields:
    """The fields below one name."""

    here: Entries | None = None
    below: dict[str, _Fields] = field(default_factory=dict)

    def add(self, path: Path, entries: Entries) -> None:
        node = self
        for name in path:
            node = node.below.setdefault(name, _Fields())
        node.here = entries

    def all(self, path: Path = ()) -> Iterator[tuple[Path, Entries]]:
        """Every field, with its path from here."""
        if self.here is not None:
            yield path, self.here
        for name, inner in self.below.items():
            yield from inner.all((*path, name))


class _Writer:
    def __init__(self) -> None:
        self.constants: list[object] = []
        self._variables = 0

    def lines(self, fields: Mapping[Path, Entries]) -> Iterator[str]:
        root = _Fields()
        for path, entries in fields.items():
            root.add(path, entries)
        yield from self._object(root, "event", "        ")

    def _object(self, fields: _Fields, value: str, indent: str) -> Iterator[str]:
        for name, inner in fields.below.items():
            self._variables += 1
            here = f"v{self._variables}"
            yield f"{indent}{here} = {value}.get({self.bind(name)}, MISSING)"
            yield f"{indent}k = type({here})"
            if inner.here is not None:
                yield from self._leaf(inner.here, here, indent)
            if inner.below:
                yield from self._below(inner, here, indent)

    def _below(self, fields: _Fields, here: str, indent: str) -> Iterator[str]:
        inner = _Fields(None, fields.below)
        yield f"{indent}if type({here}) is dict:"
        yield from self._object(inner, here, indent + "    ")
        yield f"{indent}elif type({here}) is list:"
        yield f"{indent}    {self.bind(_spread(inner))}({here}, event, hits)"
        absent = [it.tables[op.ABSENT] for _, it in inner.all() if op.ABSENT in it.tables]
        if absent:
            yield f"{indent}else:"
            for table in absent:
                yield from self.call(f"{self.bind(table)}.get(None, NONE)", indent + "    ")

    def _leaf(self, entries: Entries, here: str, indent: str) -> Iterator[str]:
        inner = indent + "    "
        scalar = list(self._scalar(entries, here, indent))
        yield from scalar
        word = "elif" if scalar and op.PRESENT not in entries.tables else "if"
        yield f"{indent}{word} k is list:"
        if op.ABSENT in entries.tables:  # all of them have to be seen
            yield f"{inner}{self.bind(entries.array)}({here}, event, hits)"
        else:
            yield f"{inner}for it in {here}:"
            yield f"{inner}    k = type(it)"
            yield from self._scalar(entries, "it", inner + "    ")
            yield f"{inner}    if k is list:"
            yield f"{inner}        {self.bind(entries.array)}(it, event, hits)"
        if op.ABSENT in entries.tables:
            yield f"{indent}elif k is dict:"
            yield from self._table(entries, op.ABSENT, "None", inner)

    def _scalar(self, entries: Entries, here: str, indent: str) -> Iterator[str]:
        """The look-up of one value, of type `k`."""
        inner = indent + "    "
        branches = {
            "k is str": list(self._texts(entries, here, inner)),
            "k is int or k is float": list(self._numbers(entries, here, inner)),
            f"k is bool or {here} is None": list(self._table(entries, op.CONSTANT, here, inner)),
        }
        word = "if"
        for condition, lines in branches.items():
            if lines:
                yield f"{indent}{word} {condition}:"
                yield from lines
                word = "elif"
        if op.PRESENT in entries.tables:
            yield f"{indent}if k is not dict and k is not list:"
            yield from self._table(entries, op.PRESENT, "None", inner)

    def _texts(self, entries: Entries, here: str, indent: str) -> Iterator[str]:
        yield from self._table(entries, op.STRING, here, indent)
        if not FOLDED.union({op.IGNORING_CASE}).isdisjoint(entries.tables):
            yield f"{indent}f = {here}.casefold()"
        yield from self._table(entries, op.IGNORING_CASE, "f", indent)
        for kind in AFFIXES:
            if kind in entries.tables:
                text = "f" if kind in FOLDED else here
                yield f"{indent}for n in {self.bind(entries.measures[kind])}:"
                part = f"{text}[:n]" if kind in PREFIXES else f"{text}[-n:]"
                yield from self._table(entries, kind, part, indent + "    ")
        if op.NETWORK in entries.tables:
            yield f"{indent}a = {self.bind(address_of)}({here})"
            yield f"{indent}if a is not None:"
            yield f"{indent}    for n in {self.bind(entries.measures[op.NETWORK])}:"
            yield from self._table(entries, op.NETWORK, "(n, a >> n)", indent + "        ")

    def _numbers(self, entries: Entries, here: str, indent: str) -> Iterator[str]:
        yield from self._table(entries, op.NUMBER, here, indent)
        if op.RANGE in entries.tables:
            widths = entries.measures.setdefault(op.RANGE, [])
            yield from self._table(entries, op.RANGE, "None", indent)
            yield f"{indent}if {-FAR} <= {here} <= {FAR}:"
            yield f"{indent}    for n in {self.bind(widths)}:"
            yield from self._table(entries, op.RANGE, f"(n, {here} // n)", indent + "        ")

    def _table(self, entries: Entries, kind: str, key: str, indent: str) -> Iterator[str]:
        if kind in entries.tables:
            yield from self.call(f"{self.bind(entries.tables[kind].get)}({key}, NONE)", indent)

    def call(self, checks: str, indent: str) -> Iterator[str]:
        """Calls each of some checks."""
        yield f"{indent}for call in {checks}:"
        yield f"{indent}    call(event, hits)"

    def bind(self, constant: object) -> str:
        """Gives a constant a name."""
        self.constants.append(constant)
        return f"c{len(self.constants) - 1}"


def _spread(fields: _Fields) -> object:
    """What looks up fields of objects in an array."""
    every = list(fields.all())

    def look(array: object, event: Event, hits: Hits) -> None:
        hits.append(SPREAD)
        for path, entries in every:
            entries.all(values_at(path, array), event, hits)

    return look

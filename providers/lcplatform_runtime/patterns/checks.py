"""Turns what several fields ask into one Python function.

Functions that differ in their constants alone share their code, which is compiled once: thousands of rules have few shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, TypeAlias

from lcplatform_runtime.patterns.grammar import Conjunction, Field, Path
from lcplatform_runtime.patterns.operators import any_of
from lcplatform_runtime.patterns.plain import Event, leaves, objects, together

Hits: TypeAlias = "list[int]"
"""The numbers of the rules that an event matches so far."""

Check: TypeAlias = Callable[[Event, Hits], None]
"""Adds its rule to the hits if the event matches."""

MISSING: Final[Mapping[str, object]] = {}
"""What stands for a field that is not there: like an object, it is no value."""


def check(rule: int, left: Sequence[Field], whole: Conjunction) -> Check:
    """The check of a rule.

    Args:
        rule: its number, which is added to the hits.
        left: the fields that are still to be looked at.
        whole: all its fields: where some are inside of arrays, they have to match together.
    """
    writer = _Writer()
    lines = list(writer.lines(left))
    source = "\n".join([_head(len(writer.constants)), *lines, "        hits.append(rule)", _FOOT])

    def slow(event: Event, hits: Hits) -> None:
        if together(whole, event):
            hits.append(rule)

    made: Check = compiled(source)(rule, slow, *writer.constants)
    return made


def _head(constants: int) -> str:
    names = ", ".join(f"c{number}" for number in range(constants))
    return f"def make(rule, slow{', ' if names else ''}{names}):\n    def check(event, hits):"


_FOOT: Final = "    return check"


@lru_cache(maxsize=4096)
def compiled(source: str) -> Callable[..., Any]:  # of any signature
    """The function `make` that a text defines."""
    names: dict[str, Any] = {"MISSING": MISSING, "NONE": (), "some": _some, "has": _has}
    exec(compile(source, "<pattern>", "exec"), names)  # noqa: S102  the text is made here, and holds no word of a pattern
    make: Callable[..., Any] = names["make"]
    return make


def _some(values: list[object], matching: Callable[[Any], bool]) -> bool:
    """Whether a value in an array matches."""
    for it in values:
        if type(it) is list:
            if _some(it, matching):
                return True
        elif type(it) is not dict and matching(it):
            return True
    return False


def _has(values: list[object]) -> bool:
    """Whether there is a value in an array."""
    return any(True for _ in leaves(values))


class _Within:
    """Whether one object in an array has what is asked. It is made when the first array comes."""

    __slots__ = ("_check", "_fields")

    def __init__(self, fields: Conjunction) -> None:
        self._fields = fields
        self._check: Check | None = None

    def __call__(self, array: list[object]) -> bool:
        if self._check is None:
            self._check = check(0, self._fields, self._fields)
        found: Hits = []
        for item in objects(array):
            self._check(item, found)
            if found:
                return True
        return False


class _Writer:
    """Writes the body of a check. Every word of a pattern, names of fields included, is a constant."""

    def __init__(self) -> None:
        self.constants: list[object] = []
        self._variables = 0

    def lines(self, fields: Sequence[Field]) -> Iterator[str]:
        yield from self._object([(it.path, it) for it in fields], "event")

    def _object(self, fields: list[tuple[Path, Field]], value: str) -> Iterator[str]:
        below: dict[str, list[tuple[Path, Field]]] = {}
        for path, field in fields:
            if len(path) > 1:
                below.setdefault(path[0], []).append((path[1:], field))
            else:
                yield from self._leaf(field, value)
        for name, inner in below.items():
            yield from self._below(name, inner, value)

    def _below(self, name: str, inner: list[tuple[Path, Field]], value: str) -> Iterator[str]:
        here = self._variable()
        yield f"        {here} = {value}.get({self._bind(name)})"
        yield f"        if type({here}) is not dict:"
        absent = [field for _, field in inner if field.absent]
        if absent:  # which is only seen in the event as a whole
            yield f"            if type({here}) is list:"
            yield "                return slow(event, hits)"
            yield (
                f"            {here} = MISSING"
                if len(absent) == len(inner)
                else "            return"
            )
            yield from self._object(inner, here)
            return
        within = _Within(tuple(replace(field, path=path) for path, field in inner))
        yield f"            if type({here}) is not list or not {self._bind(within)}({here}):"
        yield "                return"
        yield "        else:"
        for line in self._object(inner, here):
            yield f"    {line}"

    def _leaf(self, field: Field, value: str) -> Iterator[str]:
        here = self._variable()
        name = self._bind(field.path[-1])
        yield f"        {here} = {value}.get({name}, MISSING)"
        asked = any_of(field.operators, here, self._bind) if field.operators else "False"
        kind = f"type({here})"
        many = any_of(field.operators, "it", self._bind) if field.operators else "False"
        inside = f"some({here}, lambda it: {many})"
        if not field.absent and all(it.scalar for it in field.operators):
            yield f"        if not ({asked}) and ({kind} is not list or not {inside}):"
            yield "            return"
            return
        yield f"        if {kind} is list:"
        absent = f" and has({here})" if field.absent else ""
        yield f"            if not {inside}{absent}:"
        yield "                return"
        if field.absent:
            yield f"        elif {kind} is not dict and not ({asked}):"
        else:
            yield f"        elif {kind} is dict or not ({asked}):"
        yield "            return"

    def _variable(self) -> str:
        self._variables += 1
        return f"v{self._variables}"

    def _bind(self, constant: object) -> str:
        self.constants.append(constant)
        return f"c{len(self.constants) - 1}"

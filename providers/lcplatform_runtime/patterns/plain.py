"""Whether an event matches a pattern, said as plainly as the language is defined. `rules` says the same, and fast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from lcplatform_runtime.patterns.grammar import Conjunction, Field, Path, Pattern
from lcplatform_runtime.patterns.operators import Scalar

Event: TypeAlias = Mapping[str, object]
"""An event as JSON: objects are dicts, arrays are lists."""


def matches(pattern: Pattern, event: Event) -> bool:
    """Whether the event matches."""
    return any(together(it, event) for it in pattern.conjunctions)


def together(conjunction: Conjunction, event: Event) -> bool:
    """Whether every field matches, those inside of an array in one and the same of its items."""
    return _inside([(it.path, it) for it in conjunction], event, event)


def _inside(fields: list[tuple[Path, Field]], value: Event, event: Event) -> bool:
    """The same for fields inside of an object, each with the rest of its path."""
    below: dict[str, list[tuple[Path, Field]]] = {}
    for path, field in fields:
        if rest := path[1:]:
            below.setdefault(path[0], []).append((rest, field))
        elif not _matches(field, value.get(path[0], {}), event):
            return False
    return all(
        any(_inside(inner, it, event) for it in (list(objects(value.get(name))) or [{}]))
        for name, inner in below.items()
    )


def _matches(field: Field, value: object, event: Event) -> bool:
    if any(it.holds(leaf) for leaf in leaves(value) for it in field.operators):
        return True
    # A field is absent if no object in the whole event has a value for it (so does Ruler).
    return field.absent and not any(True for _ in values_at(field.path, event))


def leaves(value: object) -> Iterator[Scalar]:
    """The values that operators look at: the value itself, those in an array, and none if it is an object."""
    for item in _items(value):
        if item is None or isinstance(item, str | int | float):
            yield item


def objects(value: object) -> Iterator[Event]:
    """The objects that further names lead into: the value itself, or those in an array."""
    for item in _items(value):
        if isinstance(item, dict):
            yield item


def _items(value: object) -> Iterator[object]:
    """The value itself, or what is in an array, and in the arrays in it, however deep."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += reversed(item)
        else:
            yield item


def values_at(path: Path, event: object) -> Iterator[Scalar]:
    """All values of a field, whichever item of an array they are in."""
    for value in objects(event):
        if path[0] in value:
            inner = value[path[0]]
            yield from leaves(inner) if len(path) == 1 else values_at(path[1:], inner)

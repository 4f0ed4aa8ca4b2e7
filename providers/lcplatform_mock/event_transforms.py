"""Gives events another shape: a template with names in it that stand for values of the event."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from lcplatform.event_bus.models import InputTransform
from lcplatform_runtime.errors import ValidationError, invalid
from lcplatform_runtime.json_value import Json, inside

Steps: TypeAlias = tuple[str | int, ...]
"""The names and places in arrays that lead to a value."""

_STEP: Final = re.compile(
    r"""\.(?P<name>[^.\[\]"'\s]+)|\[(?P<place>0|[1-9][0-9]{0,8})\]|\[(?P<quote>["'])(?P<quoted>[^"']+)(?P=quote)\]"""
)
_NAME: Final = re.compile(r"<([A-Za-z0-9_.-]{1,64})>")
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class _Value:
    """Stands for a value of the event.

    Attributes:
        steps: where the value is.
        within: whether it is a part of a text.
    """

    steps: Steps
    within: bool

    def text(self, event: object) -> str:
        """The JSON of the value, or what stands in the text."""
        found = _found(self.steps, event)
        if not self.within:
            return _dumped(None if found is _MISSING else found)
        if found is _MISSING:
            return ""
        return _dumped(found if isinstance(found, str) else _dumped(found))[1:-1]


@dataclass(frozen=True, slots=True)
class Transform:
    """A template, taken apart: texts that stay as they are, and values."""

    parts: tuple[str | _Value, ...]

    def apply(self, event: Json) -> Json:
        """The event in the other shape."""
        value = inside(event)
        return Json.from_text(
            "".join([it if isinstance(it, str) else it.text(value) for it in self.parts])
        )


def transform(given: InputTransform) -> Transform:
    """A transform that can be applied.

    Raises:
        ValidationError: a path is none, or the template is not JSON once its names stand for values. It names the field.
    """
    made = _made(given.template, tuple(given.paths.items()))
    try:
        made.apply(_NOTHING)
    except ValidationError as error:
        expected = "JSON in which names of paths stand in angle brackets"
        raise invalid("transform.template", f"{expected}; {error.message}") from None
    return made


_NOTHING: Final = Json({})


@lru_cache(maxsize=1024)
def _made(template: str, paths: tuple[tuple[str, str], ...]) -> Transform:
    steps = {name: _steps(name, path) for name, path in paths}
    parts: list[str | _Value] = []
    within = False
    end = 0
    for found in _NAME.finditer(template):
        within = _within(template[end : found.start()], within=within)
        parts.append(template[end : found.start()])
        if found[1] in steps:
            parts.append(_Value(steps[found[1]], within))
        else:
            parts.append(
                found[0]
            )  # no name of a value: in a text it is what it says, elsewhere no JSON
        end = found.end()
    return Transform((*parts, template[end:]))


def _within(piece: str, *, within: bool) -> bool:
    """Whether a text is open at the end of a piece of JSON, at whose beginning one was or not."""
    escaped = False
    for letter in piece:
        if escaped:
            escaped = False
        elif letter == "\\" and within:
            escaped = True
        elif letter == '"':
            within = not within
    return within


def _steps(name: str, path: str) -> Steps:
    steps: list[str | int] = []
    end = 1
    while end < len(path):
        found = _STEP.match(path, end)
        if found is None:
            raise invalid(
                f"transform.paths.{name}", "a path like $, $.data.lines[0].sku or $.data['a name']"
            )
        place = found["place"]
        steps.append(int(place) if place is not None else found["name"] or found["quoted"])
        end = found.end()
    return tuple(steps)


def _found(steps: Steps, value: object) -> object:
    for step in steps:
        match value:
            case Mapping() if isinstance(step, str) and step in value:
                value = value[step]
            case list() if isinstance(step, int) and step < len(value):
                value = value[step]
            case _:
                return _MISSING
    return value


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

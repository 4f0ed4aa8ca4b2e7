"""Filter policies: which messages a subscription is sent, by their attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from lcplatform_runtime.errors import invalid
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patterns.grammar import Field, Pattern, parse
from lcplatform_runtime.patterns.operators import Number, Range

_FIELD: Final = "filter_policy"
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DIGITS: Final = 300
"""Longer texts are no numbers that anybody compares."""


def check_policy(policy: Json) -> None:
    """Refuses what is no filter policy.

    Raises:
        ValidationError: it names the field.
    """
    for field in parse(policy, _FIELD).fields:
        if len(field.path) > 1:
            raise invalid(
                _FIELD, f"{'.'.join(field.path)}: a list of what the attribute may be, no object"
            )


def allows(policy: str, attributes: Mapping[str, str]) -> bool:
    """Whether a message with these attributes is let through by a policy that was checked."""
    return any(
        all(_matches(it, attributes) for it in conjunction)
        for conjunction in _parsed(policy).conjunctions
    )


@lru_cache(maxsize=1024)
def _parsed(policy: str) -> Pattern:
    return parse(Json.from_text(policy), _FIELD)


def _matches(field: Field, attributes: Mapping[str, str]) -> bool:
    value = attributes.get(field.path[0])
    if value is None:
        return field.absent
    number = (
        _number(value) if any(isinstance(it, Number | Range) for it in field.operators) else None
    )
    return any(
        it.holds(value)
        or (number is not None and isinstance(it, Number | Range) and it.holds(number))
        for it in field.operators
    )


def _number(text: str) -> int | float | None:
    if len(text) > _DIGITS or _NUMBER.fullmatch(text) is None:
        return None
    return int(text) if text.lstrip("-").isdecimal() else float(text)

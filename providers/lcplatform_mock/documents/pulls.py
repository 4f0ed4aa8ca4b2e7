"""What `pull` takes out of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from lcplatform_mock.documents.filters import element_test
from lcplatform_runtime.documents.extended_json import parse
from lcplatform_runtime.documents.operators import check_element, is_condition
from lcplatform_runtime.documents.values import Pattern, Value, key

Raw: TypeAlias = Any
"""What JSON text parses to."""


def pulled(raw: Raw) -> Callable[[Value], bool]:
    """Whether an element goes: it meets conditions, is an object that a filter finds, or equals a value."""
    if isinstance(raw, dict):
        if is_condition(raw):
            check_element(raw, "update.pull")
            return element_test(raw)
        value = parse(raw)
        if value.__class__ is dict:
            check_element(raw, "update.pull")
            test = element_test(raw)
            return lambda element: element.__class__ is dict and test(element)
        if value.__class__ is Pattern:
            return element_test({"$regex": raw})
    wanted = key(parse(raw))
    return lambda element: key(element) == wanted

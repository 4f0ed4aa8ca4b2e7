"""What `pull` takes out of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from lcplatform_mock.documents.filters import element_test, field_test
from lcplatform_runtime.documents.extended_json import is_special, parse
from lcplatform_runtime.documents.operators import check_element, is_condition
from lcplatform_runtime.documents.values import Pattern, Value, key

Raw: TypeAlias = Any
"""What JSON text parses to."""


def pulled(raw: Raw) -> Callable[[Value], bool]:
    """Whether an element goes: it meets conditions, is an object that a filter finds, or equals a value.

    Conditions are met as those of a field are: an element that is an array is asked for its own elements too.
    """
    if isinstance(raw, dict) and not is_special(raw):
        check_element(raw, "update.pull")
        if is_condition(raw):
            return _as_field(raw)
        test = element_test(raw)
        return lambda element: element.__class__ is dict and test(element)
    value = parse(raw)
    if value.__class__ is Pattern:
        return _as_field(raw)
    wanted = key(value)
    return lambda element: key(element) == wanted


def _as_field(raw: Raw) -> Callable[[Value], bool]:
    matches = field_test(raw, ("",))
    return lambda element: matches({"": element})

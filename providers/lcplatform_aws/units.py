"""What AWS does not take as it is: lengths of time, and requests that it would understand otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from lcplatform_runtime.errors import invalid

_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)


def given(**parameters: Any) -> dict[str, Any]:
    """The parameters that are given: the SDK wants the others left out. Any, since they are of every type."""
    return {name: value for name, value in parameters.items() if value is not None}


def seconds(length: timedelta, /) -> int:
    """Whole seconds, the next larger where there is a fraction: nothing lasts shorter than asked for."""
    return -(-length // _SECOND)


def days(length: timedelta, field: str, /) -> int:
    """Whole days. Raises ValidationError for anything else: rounding days is no small thing."""
    if length % _DAY:
        raise invalid(field, "a whole number of days")
    return length // _DAY

"""What is refused before anything happens: a capability that the provider lacks, a limit that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from lcplatform_runtime.errors import FieldViolation, UnsupportedError, ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import idl_name

if TYPE_CHECKING:
    from lcplatform_runtime.operation import FieldLimit, FieldNeed, Operation
    from lcplatform_runtime.support import Support

Check: TypeAlias = Callable[[Any], None]
"""Refuses a request, or lets it pass."""


def checks_of(operation: Operation, support: Support) -> tuple[Check, ...]:
    """The checks that are left for this provider: none for what it has, and none for a limit that it does not have."""
    have = support.capabilities
    if operation.capability is not None and operation.capability not in have:
        return (_unsupported(operation.title, operation.capability),)
    needs = (_need(it) for it in operation.needs if it.capability not in have)
    limits = (
        _limit(it, support.limits[it.limit])
        for it in operation.limits
        if it.limit in support.limits
    )
    return (*needs, *limits)


def _unsupported(what: str, capability: str) -> Check:
    def refuse(request: object) -> None:
        raise UnsupportedError(
            f"{what} needs the capability {capability}, which this provider lacks",
            details={"capability": capability},
        )

    return refuse


def _need(need: FieldNeed) -> Check:
    def refuse_if_set(request: object) -> None:
        for path, value, default in _values(request, need.field):
            # A value that is the default is not asked for, as far as anybody can see.
            asked = (
                bool(value) and value != default
                if need.kind is None
                else isinstance(value, need.kind)
            )
            if asked:
                _unsupported(path, need.capability)(request)

    return refuse_if_set


def _limit(limit: FieldLimit, most: int) -> Check:
    measure = _MEASURES[limit.unit]
    field = limit.field

    def refuse_if_exceeded(request: object) -> None:
        for path, value, _ in _values(request, field):
            actual = measure(value)
            if actual > most:
                expected = f"at most {most} {limit.unit} ({limit.limit}), not {_shown(actual)}"
                raise ValidationError(
                    f"{path}: {expected}",
                    details={"limit": limit.limit, "maximum": str(most), "actual": _shown(actual)},
                    violations=(FieldViolation(path, expected),),
                )

    return refuse_if_exceeded if "." in field else _unless_short(field, most, refuse_if_exceeded)


def _unless_short(field: str, most: int, check: Check) -> Check:
    """`check`, for values that are not far below any limit at first sight, as most are: no character has more than four
    bytes."""
    value_of = attrgetter(field)
    characters = most // 4

    def check_if_long(request: object) -> None:
        value = value_of(request)
        text = value.text if isinstance(value, Json) else value
        if len(text) > characters if type(text) is str else text:
            check(request)

    return check_if_long


def _values(message: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """The values at `path` that are set, in every entry on the way, each with its own path and default."""
    name, _, rest = path.partition(".")
    value = getattr(message, name)
    if value is None:
        return
    if not rest:
        yield idl_name(name), value, type(message).model_fields[name].default
        return
    entries = enumerate(value) if isinstance(value, tuple | list) else ((None, value),)
    for index, entry in entries:
        prefix = idl_name(name) if index is None else f"{idl_name(name)}.{index}"
        for inner, found, default in _values(entry, rest):
            yield f"{prefix}.{inner}", found, default


def _bytes(value: object) -> float:
    match value:
        case str():
            return len(value.encode())
        case bytes():
            return len(value)
        case Json():
            return len(value.text.encode())
        case Mapping():
            return sum(_bytes(name) + _bytes(item) for name, item in value.items())
        case int():
            return value
        case _:
            raise TypeError(f"a {type(value).__name__} has no size in bytes")


def _count(value: Any) -> float:
    return value if isinstance(value, int) else len(value)


def _seconds(value: Any) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value


_MEASURES: Mapping[str, Callable[[Any], float]] = {
    "bytes": _bytes,
    "count": _count,
    "seconds": _seconds,
}


def _shown(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)

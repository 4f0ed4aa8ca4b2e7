"""How `push` appends to an array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from lcplatform_runtime.documents.extended_json import NoDocument, parse
from lcplatform_runtime.documents.operators import PUSH_MODIFIERS, is_condition, refused
from lcplatform_runtime.documents.sorts import Order, order_of
from lcplatform_runtime.documents.values import MISSING, Object, Value, identical, key, name_of

Raw: TypeAlias = Any
"""What JSON text parses to."""


@dataclass(frozen=True, slots=True)
class Push:
    """Values are appended, or put in at a place; then the array is sorted, then cut."""

    values: tuple[Value, ...]
    position: int | None = None
    slice: int | None = None
    sort: Order | bool | None = None
    """By fields of the elements; or by the elements themselves, and whether the greatest comes first."""
    creates: bool = True

    def apply(self, value: Value, document: Object) -> Value:
        """The longer array."""
        if value is MISSING:
            value = ()
        elif value.__class__ is not tuple:
            raise NoDocument(f"push needs an array, and there is a value of type {name_of(value)}")
        elif not self.values and self.sort is None and self.slice is None:
            return value
        at = len(value) if self.position is None else self.position
        made = list(value)
        made[at:at] = self.values
        if isinstance(self.sort, Order):
            made.sort(key=self.sort.key_of_element)
        elif self.sort is not None:
            made.sort(key=key, reverse=self.sort)
        if self.slice is not None:
            made = made[: self.slice] if self.slice >= 0 else made[self.slice :]
        result = tuple(made)
        return value if value and identical(value, result) else result


def push_of(raw: Raw) -> Push:
    """What a value says is to be appended: itself, or several values and how."""
    if not (isinstance(raw, dict) and is_condition(raw)):
        return Push((parse(raw),))
    unknown = set(raw) - PUSH_MODIFIERS
    if unknown:
        known = ", ".join(sorted(PUSH_MODIFIERS))
        raise refused("update.push", f"{min(unknown)[:40]} is unknown; there is {known}")
    if not isinstance(raw.get("$each"), list):
        raise NoDocument("$each takes a list of values")
    return Push(
        tuple([parse(it) for it in raw["$each"]]),
        _whole(raw, "$position"),
        _whole(raw, "$slice"),
        _sort(raw["$sort"]) if "$sort" in raw else None,
    )


def _whole(raw: Raw, name: str) -> int | None:
    if name not in raw:
        return None
    value = parse(raw[name])
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value // 1:
        raise NoDocument(f"{name} takes a whole number")
    return int(value)


def _sort(raw: Raw) -> Order | bool:
    value = parse(raw)
    if isinstance(value, dict):
        return order_of(value)
    if value.__class__ is bool or value not in (1, -1):
        raise NoDocument("$sort takes 1, -1 or an object of fields with 1 or -1")
    return bool(value == -1)

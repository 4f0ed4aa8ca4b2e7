"""Updates as DocumentDB takes them. What the contract does not know is refused here, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from bson import Decimal128

from lcplatform.document_store.models import Update
from lcplatform_aws.document_store_queries import Paths, conditions, filter_in, path_of, whole
from lcplatform_aws.document_store_values import Bson, Raw, reading, value_of
from lcplatform_runtime.documents.extended_json import is_special
from lcplatform_runtime.documents.operators import (
    LOGICAL,
    PUSH_MODIFIERS,
    check_element,
    is_condition,
)
from lcplatform_runtime.errors import invalid
from lcplatform_runtime.json_value import Json


def update_of(update: Update) -> dict[str, Bson]:
    """The operators that do what a request asks for.

    Raises:
        ValidationError: it asks for nothing, contradicts itself or cannot be understood.
    """
    paths = Paths()
    made: dict[str, Bson] = {}
    for name, operator, convert in _PARTS:
        content: Json | None = getattr(update, name)
        if content is None or not content.plain:
            continue
        field = f"update.{name}"
        made[operator] = {}
        for path, raw in content.plain.items():
            reading(field, paths.add, path)
            made[operator][path] = reading(field, partial(convert, raw))
    for path in update.unset:
        reading("update.unset", paths.add, path)
        made.setdefault("$unset", {})[path] = ""
    for old, new in update.rename.items():
        reading("update.rename", paths.add, old)
        reading("update.rename", paths.add, new)
        made.setdefault("$rename", {})[old] = new
    if not made:
        raise invalid("update", "at least one change")
    return made


def _increment(raw: Raw) -> Bson:
    amount = value_of(raw)
    if isinstance(amount, bool) or not isinstance(amount, int | float | Decimal128):
        raise ValueError("increment takes numbers")
    return amount


def _push(raw: Raw) -> Bson:
    if not is_condition(raw):
        return value_of(raw)
    if unknown := set(raw) - PUSH_MODIFIERS:
        known = ", ".join(sorted(PUSH_MODIFIERS))
        raise ValueError(f"{min(unknown)[:40]} is unknown; there is {known}")
    if not isinstance(raw.get("$each"), list):
        raise ValueError("$each takes a list of values")
    made: dict[str, Bson] = {"$each": [value_of(it) for it in raw["$each"]]}
    for name in ("$position", "$slice"):
        if name in raw:
            made[name] = whole(raw[name], name)
    if "$sort" in raw:
        made["$sort"] = _push_order(raw["$sort"])
    return made


def _push_order(raw: Raw) -> Bson:
    if isinstance(raw, dict) and not is_special(raw):
        return fields_of(raw)
    direction = value_of(raw)
    if isinstance(direction, bool) or direction not in (1, -1):
        raise ValueError("$sort takes 1, -1 or an object of fields with 1 or -1")
    return int(direction)


def fields_of(raw: dict[str, Raw]) -> dict[str, int]:
    """An object of fields with 1 or -1."""
    if not raw:
        raise ValueError("an order by at least one field")
    made: dict[str, int] = {}
    for name, content in raw.items():
        direction: Any = value_of(content)
        if isinstance(direction, bool) or direction not in (1, -1):
            raise ValueError("each field is given 1 for ascending or -1 for descending")
        made[path_of(name)] = int(direction)
    return made


def _pull(raw: Raw) -> Bson:
    if not isinstance(raw, dict) or is_special(raw):
        return value_of(raw)
    check_element(raw, "update.pull")
    return (
        conditions(raw, 0)
        if is_condition(raw) and next(iter(raw)) not in LOGICAL
        else filter_in(raw, "", 0)
    )


_PARTS: Final[tuple[tuple[str, str, Callable[[Raw], Bson]], ...]] = (
    ("set", "$set", value_of),
    ("increment", "$inc", _increment),
    ("push", "$push", _push),
    ("pull", "$pull", _pull),
    ("set_on_insert", "$setOnInsert", value_of),
)
"""The parts of an update that have contents: name, operator, what makes a value of a content."""

"""What a request writes: documents that are checked, replaced, updated and made where there were none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Final

from lcplatform_mock.documents.collection import Collection
from lcplatform_mock.documents.conditions import Equals, Every, OneOf
from lcplatform_mock.documents.filters import AllOf, AnyOf, Filter, Node, OfField, reading
from lcplatform_mock.documents.updates import Changes
from lcplatform_runtime.documents.extended_json import (
    MAX_DEPTH,
    NoDocument,
    bson_size,
    parse,
    parse_object,
)
from lcplatform_runtime.documents.operators import refused
from lcplatform_runtime.documents.paths import Path
from lcplatform_runtime.documents.values import MISSING, Object, ObjectId, Pattern, Value, key
from lcplatform_runtime.errors import invalid
from lcplatform_runtime.json_value import Json, inside

MAX_BYTES: Final = 16 * 1024**2
"""The largest document, in BSON."""
_SURELY_SMALL: Final = 1024**2
"""Text of this length is never a document of more than 16 MiB: BSON takes up eight times as much at most."""
_NO_IDENTITIES: Final = frozenset({tuple, Pattern})


def document_of(given: Json, name: str = "document") -> Object:
    """The document that a request gives.

    Raises:
        ValidationError: it is none, or too large.
    """
    try:
        document = parse_object(inside(given))
    except NoDocument as error:
        problem = refused(name, str(error))
    else:
        if len(given.text) > _SURELY_SMALL:
            check_size(document, name)
        return document
    raise problem


def check_size(document: Object, name: str = "document") -> None:
    """Refuses a document that is too large."""
    if bson_size(document) > MAX_BYTES:
        raise invalid(name, f"at most {MAX_BYTES} bytes in BSON")


def identified(document: Object, new: Callable[[], ObjectId]) -> Object:
    """A document whose `_id` comes first. One without gets a new one."""
    identity = document.get("_id", MISSING)
    if identity is MISSING:
        return {"_id": new(), **document}
    if type(identity) is not str:
        check_identity(identity)
    if next(iter(document)) == "_id":
        return document
    return {"_id": identity} | document


def check_identity(identity: Value) -> None:
    """Refuses what is no `_id`."""
    if identity.__class__ in _NO_IDENTITIES:
        raise invalid("document", "an _id that is no array and no regular expression")


def identity_from(given: str | Json) -> Value:
    """The `_id` that a request names."""
    return given if isinstance(given, str) else reading("id", lambda: parse(given.plain))


def replacement(document: Object, identity: Value) -> Object:
    """A document that takes the place of the one with this `_id`, and has it too."""
    own = document.get("_id", MISSING)
    if own is not MISSING and key(own) != key(identity):
        raise invalid("document", "the _id of the document that it replaces, or none")
    return {"_id": identity} | {name: it for name, it in document.items() if name != "_id"}


def updated(collection: Collection, before: Object, changes: Changes) -> Object:
    """A document after an update; the same object if it does not change.

    Raises:
        ValidationError: it cannot be changed so, or must not be as it would become.
    """
    after = reading("update", lambda: changes.apply(before))
    if after is before:
        return before
    if key(after.get("_id", MISSING)) != key(before["_id"]):
        raise invalid("update", "nothing that changes _id")
    check_document(collection, after, "update")
    return after


def check_document(collection: Collection, document: Object, name: str) -> None:
    """Refuses what an update made of a document if it is too large or too deep, or its collection refuses it."""
    if not _is_shallow(document, MAX_DEPTH):
        raise invalid(name, f"at most {MAX_DEPTH} levels")
    check_size(document, name)
    if collection.validator is not None:
        collection.validator.check(document)


def _is_shallow(value: Value, levels: int) -> bool:
    if value.__class__ is dict:
        return levels > 0 and all(_is_shallow(it, levels - 1) for it in value.values())
    if value.__class__ is tuple:
        return levels > 0 and all(_is_shallow(it, levels - 1) for it in value)
    return True


def upserted(filter: Filter, changes: Changes, new: Callable[[], ObjectId]) -> Object:
    """The document that is made because none matched: of what the filter says is equal, and of the update.

    Raises:
        ValidationError: the filter says two things of a field, or the update contradicts it.
    """
    base = reading("filter", lambda: _base(filter))
    made = reading("update", lambda: changes.apply(base))
    if "_id" in base and key(made.get("_id", MISSING)) != key(base["_id"]):
        raise invalid("update", "nothing that contradicts the _id of the filter")
    return identified(made, new)


def _base(filter: Filter) -> Object:
    base: Object = {}
    seen: set[Path] = set()
    for path, value in _equalities(filter.root):
        if any(path[: len(it)] == it or it[: len(path)] == path for it in seen):
            raise NoDocument(
                "a filter that says one thing of each field, since a document is made of it"
            )
        seen.add(path)
        inside = base
        for part in path[:-1]:
            inside = inside.setdefault(part, {})
        inside[path[-1]] = value
    return base


def _equalities(node: Node) -> Iterator[tuple[Path, Value]]:
    if isinstance(node, AllOf) or (isinstance(node, AnyOf) and len(node.members) == 1):
        for member in node.members:
            yield from _equalities(member)
    elif isinstance(node, OfField):
        condition = node.condition
        if isinstance(condition, Equals):
            yield node.path, condition.value
        elif isinstance(condition, OneOf) and len(condition.values) == 1 and not condition.patterns:
            yield node.path, condition.values[0]
        elif isinstance(condition, Every) and len(condition.conditions) == 1:
            only = condition.conditions[0]
            if isinstance(only, Equals):
                yield node.path, only.value


def object_ids(seconds: Callable[[], float]) -> Callable[[], ObjectId]:
    """Makes identities, each another one: the second, what nobody else has, and a number."""
    stem = os.urandom(5)
    number = int.from_bytes(os.urandom(3))

    def new() -> ObjectId:
        nonlocal number
        number = (number + 1) % 2**24
        return ObjectId(int(seconds()).to_bytes(4) + stem + number.to_bytes(3))

    return new

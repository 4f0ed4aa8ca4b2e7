"""Pages of the documents that match a filter.

A page without an order goes by `_id`, and the next one begins after the last `_id`. MongoDB compares values of one type alone in
a filter, so the types that come later are asked for when a type is through.

A page in an order begins at a number of documents. Its token also names the last document, which tells whether others have
come or gone before it: then the place is looked for again, by what the documents are sorted by.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import bson

from lcplatform_aws.document_store_queries import identity_in
from lcplatform_aws.document_store_values import Bson, Stored, bson_of, canonical, value_of
from lcplatform_runtime.documents.extended_json import parse
from lcplatform_runtime.documents.sorts import Order
from lcplatform_runtime.documents.values import MISSING, UNDEFINED, Key, Value
from lcplatform_runtime.errors import invalid

Find = Callable[..., list[Stored]]
"""Asks the server for documents: by a filter, with `sort`, `limit`, `skip` and `projection`."""

_TYPES: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (bson.MinKey, ("minKey",)),
    (type(None), ("null",)),
    (float, ("int", "long", "double", "decimal")),
    (str, ("string",)),
    (dict, ("object",)),
    (bytes, ("binData",)),
    (bson.ObjectId, ("objectId",)),
    (bool, ("bool",)),
    (bson.DatetimeMS, ("date",)),
    (bson.Timestamp, ("timestamp",)),
    (bson.MaxKey, ("maxKey",)),
)
"""The types of identities in the order in which they stand."""


@dataclass(slots=True)
class Query:
    """What is asked for. An order, if there is one, ends with `_id`, so that no two documents stand in the same place."""

    filter: dict[str, Bson]
    sort: dict[str, int]
    projection: dict[str, bool] | None
    size: int

    @property
    def order(self) -> Order:
        """The order, for whoever compares documents here."""
        fields = [(tuple(name.split(".")), way < 0) for name, way in self.sort.items()]
        return Order(tuple(fields))


def page(find: Find, query: Query, token: str) -> tuple[list[Stored], str]:
    """A page, and where the next one begins, empty on the last."""
    if query.sort:
        return _ordered(find, query, token)
    if not token and identity_in(query.filter):
        return find(query.filter, limit=1, projection=query.projection), ""
    return _by_identity(find, query, token)


# --- without an order


def _by_identity(find: Find, query: Query, token: str) -> tuple[list[Stored], str]:
    steps = _after(_parts(token, 1)[0]) if token else [None]
    rows: list[Stored] = []
    for step in steps:
        filter = query.filter if step is None else _both(query.filter, {"_id": step})
        rows += find(
            filter,
            sort={"_id": 1},
            limit=query.size + 1 - len(rows),
            projection=query.projection,
        )
        if len(rows) > query.size:
            rows.pop()
            return rows, _token(rows[-1]["_id"])
    return rows, ""


def _after(identity: Bson) -> list[dict[str, Bson] | None]:
    """What identities are like that come after one: first those of its own type, then those of others."""
    place = _place(identity)
    later = [name for _, names in _TYPES[place + 1 :] for name in names]
    steps: list[dict[str, Bson] | None] = []
    if isinstance(identity, float) and identity != identity:
        steps.append({"$type": list(_TYPES[place][1]), "$ne": identity})
    elif not isinstance(identity, bson.MinKey | bson.MaxKey | None):
        steps.append({"$gt": identity})
    if later:
        steps.append({"$type": later})
    return steps


def _place(identity: Bson) -> int:
    kind = type(identity)
    if kind in (int, bson.Int64, bson.Decimal128):
        kind = float
    elif kind is bson.Binary:
        kind = bytes
    return next(place for place, (known, _) in enumerate(_TYPES) if known is kind)


def _both(filter: dict[str, Bson], other: dict[str, Bson]) -> dict[str, Bson]:
    return {"$and": [filter, other]} if filter else other


# --- in an order


def _ordered(find: Find, query: Query, token: str) -> tuple[list[Stored], str]:
    def rows_from(skip: int, size: int) -> list[Stored]:
        return find(
            query.filter, sort=query.sort, skip=skip, limit=size, projection=query.projection
        )

    if not token:
        return _cut(find, query, rows_from(0, query.size + 1), 0)
    done, identity, values = _parts(token, 3)
    rows = rows_from(done - 1, query.size + 2)
    if rows and canonical(rows[0]["_id"]) == canonical(identity):
        return _cut(find, query, rows[1:], done)
    done = _found_again(find, query, _place_of(query, values))
    return _cut(find, query, rows_from(done, query.size + 1), done)


def _found_again(find: Find, query: Query, last: Key) -> int:
    """How many documents stand up to a place. They are counted here, since no filter tells where a document stands."""
    shown = dict.fromkeys(query.sort, True)
    rows = find(query.filter, sort=query.sort, limit=0, projection=shown)
    return sum(_key_of(query, it) <= last for it in rows)


def _key_of(query: Query, row: Stored) -> Key:
    return query.order.key_of_document(_seen(row))


def _place_of(query: Query, written: Bson) -> Key:
    values = [
        UNDEFINED if it == () else MISSING if it is None else it[0]
        for it in parse(canonical(written))
    ]
    return query.order.key_of(tuple(values))


def _seen(row: Stored) -> Value:
    """A document as the order knows its values. What the contract does not know counts as nothing."""
    raw = canonical(row)
    made: dict[str, Value] = {}
    for name, item in raw.items():
        with suppress(ValueError):
            made[name] = parse(item)
    return made


def _cut(find: Find, query: Query, rows: list[Stored], done: int) -> tuple[list[Stored], str]:
    if len(rows) <= query.size:
        return rows, ""
    last = rows[query.size - 1]
    identity = last["_id"]
    if query.projection is not None:  # which may have left out what the documents are sorted by
        shown = dict.fromkeys(query.sort, True)
        last = next(iter(find({"_id": identity}, limit=1, projection=shown)), last)
    return rows[: query.size], _token(done + query.size, identity, _standing(query, last))


def _standing(query: Query, row: Stored) -> Bson:
    """What a document is sorted by: each value in a list, which is empty for an empty array, and none for what is missing."""
    return [
        [] if it is UNDEFINED else None if it is MISSING else [bson_of(it)]
        for it in query.order.values_of(_seen(row))
    ]


# --- tokens


def _token(*parts: Bson) -> str:
    return json.dumps([canonical(it) for it in parts], separators=(",", ":"))


def _parts(token: str, count: int) -> Sequence[Bson]:
    """What a token says. The platform has seen to it that it is one that this request was given."""
    try:
        parts = value_of(json.loads(token))
    except ValueError:
        parts = None
    if not isinstance(parts, list) or len(parts) != count:
        raise invalid("page_token", "the next_page_token of this very request")
    return parts

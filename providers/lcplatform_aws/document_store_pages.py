"""Pages of the documents that match a filter.

A page without an order goes by `_id`, and the next one begins after the last `_id`. MongoDB compares values of one type alone in
a filter, so the types that come later are asked for when a type is through.

A page in an order begins at a number of documents. Its token also names the last document, which tells whether others have
come or gone before it: then the place is looked for again, by what the documents are sorted by.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import bson
from bson.raw_bson import RawBSONDocument

from lcplatform_aws.document_store_queries import identity_in
from lcplatform_aws.document_store_values import READ, Bson, canonical, value_of
from lcplatform_aws.units import invalid

Find = Callable[..., list[RawBSONDocument]]
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


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for."""

    filter: dict[str, Bson]
    sort: dict[str, int]
    projection: dict[str, bool] | None
    size: int


def page(find: Find, query: Query, token: str) -> tuple[list[RawBSONDocument], str]:
    """A page, and where the next one begins, empty on the last."""
    if query.sort:
        return _ordered(find, query, token)
    if not token and identity_in(query.filter):
        return find(query.filter, limit=1, projection=query.projection), ""
    return _by_identity(find, query, token)


# --- without an order


def _by_identity(find: Find, query: Query, token: str) -> tuple[list[RawBSONDocument], str]:
    steps = _after(_parts(token, 1)[0]) if token else [None]
    rows: list[RawBSONDocument] = []
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
            return rows, _token(_identity(rows[-1]))
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


def _ordered(find: Find, query: Query, token: str) -> tuple[list[RawBSONDocument], str]:
    sort = query.sort if "_id" in query.sort else {**query.sort, "_id": 1}

    def rows_from(skip: int, size: int) -> list[RawBSONDocument]:
        return find(query.filter, sort=sort, skip=skip, limit=size, projection=query.projection)

    if not token:
        return _cut(rows_from(0, query.size + 1), query.size, 0)
    done, last = _parts(token, 2)
    rows = rows_from(done - 1, query.size + 2)
    if rows and canonical(_identity(rows[0])) == canonical(last):
        return _cut(rows[1:], query.size, done)
    done = _found_again(find, query.filter, sort, last, done)
    return _cut(rows_from(done, query.size + 1), query.size, done)


def _found_again(
    find: Find, filter: dict[str, Bson], sort: Mapping[str, int], last: Bson, done: int
) -> int:
    """How many documents come up to the last one that was seen. If that is gone, as many as were seen."""
    identities = find(filter, sort=sort, skip=0, limit=0, projection={"_id": True})
    wanted = canonical(last)
    for place, it in enumerate(identities):
        if canonical(_identity(it)) == wanted:
            return place + 1
    return done


def _cut(rows: list[RawBSONDocument], size: int, done: int) -> tuple[list[RawBSONDocument], str]:
    if len(rows) <= size:
        return rows, ""
    return rows[:size], _token(done + size, _identity(rows[size - 1]))


# --- tokens


def _identity(row: RawBSONDocument) -> Bson:
    return bson.decode(row.raw, READ)["_id"]


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

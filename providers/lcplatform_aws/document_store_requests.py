"""What requests say of documents, as DocumentDB is asked for it."""

from __future__ import annotations

from collections.abc import Iterable

import bson

from lcplatform.document_store.models import FieldOrder, FindDocumentsRequest
from lcplatform_aws.document_store_pages import Query
from lcplatform_aws.document_store_queries import filter_of, identity_in, order_of, projection_of
from lcplatform_aws.document_store_values import Bson
from lcplatform_runtime.errors import invalid
from lcplatform_runtime.json_value import Json


def identified(document: dict[str, Bson]) -> dict[str, Bson]:
    """A document with its identity, a new one if it brings none."""
    return document if "_id" in document else {"_id": bson.ObjectId(), **document}


def same_identity(one: Bson, other: Bson) -> bool:
    """Whether two identities are the same to the server, to which 1 is 1.0."""
    numbers = (int, float)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return isinstance(one, bool) == isinstance(other, bool) and one == other
    if isinstance(one, bson.Decimal128) or isinstance(other, bson.Decimal128):
        both = [it.to_decimal() if isinstance(it, bson.Decimal128) else it for it in (one, other)]
        return bool(both[0] == both[1])
    return bson.encode({"": one}) == bson.encode({"": other})


def guardable(given: Json, if_match: str | None) -> dict[str, Bson]:
    """A filter, which is for one document if that must have an etag."""
    filter = filter_of(given)
    if if_match is not None and not identity_in(filter):
        raise invalid("if_match", "only with a filter for one _id and nothing else")
    return filter


def query_of(request: FindDocumentsRequest) -> Query:
    """What a request looks for. Raises ValidationError if it cannot be understood."""
    assert request.page_size is not None
    projection = request.projection
    return Query(
        filter_of(request.filter),
        _whole_order(request.sort) if request.sort else {},
        None if projection is None else _with_identity(projection_of(projection)),
        request.page_size,
    )


def _with_identity(projection: dict[str, bool] | None) -> dict[str, bool] | None:
    """What is asked for: the identity comes in any case, since a page ends at one."""
    return projection and {name: show for name, show in projection.items() if name != "_id" or show}


def _whole_order(fields: Iterable[FieldOrder]) -> dict[str, int]:
    """An order in which no two documents stand in the same place."""
    order = order_of(fields)
    return {**order, "_id": order.get("_id", 1)} if order else order

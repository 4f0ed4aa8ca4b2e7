"""Indexes: what may be asked for, what there is, and what a plan says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from lcplatform.document_store.models import Direction, FieldOrder, Index, IndexDefinition
from lcplatform_aws.document_store_queries import order_of
from lcplatform_aws.document_store_values import Bson
from lcplatform_aws.units import seconds
from lcplatform_runtime.errors import invalid

IDENTITY: Final = "_id_"
"""The name of the index of `_id`, which every collection has."""


def specification(definition: IndexDefinition, field: str = "fields") -> dict[str, Bson]:
    """How an index is asked for.

    Raises:
        ValidationError: there can be no such index.
    """
    keys = order_of(definition.fields, field)
    if definition.expire_after is not None and (len(keys) > 1 or "_id" in keys):
        raise invalid("expire_after", "with one field only, which is not _id")
    if definition.sparse and list(keys) == ["_id"]:
        raise invalid("sparse", "not for _id, which every document has")
    made: dict[str, Bson] = {"key": keys, "name": definition.name or _name(keys)}
    if definition.unique:
        made["unique"] = True
    if definition.sparse:
        made["sparse"] = True
    if definition.expire_after is not None:
        made["expireAfterSeconds"] = seconds(definition.expire_after)
    return made


def _name(keys: Mapping[str, int]) -> str:
    return "_".join(f"{name}_{direction}" for name, direction in keys.items())


def made(wanted: Mapping[str, Bson]) -> Index:
    """What is told of an index that was asked for."""
    index = index_of(wanted)
    assert index is not None
    return index


def index_of(found: Mapping[str, Any]) -> Index | None:
    """What is told of an index. Others may have made some, such as for text, that the contract has no words for."""
    keys = dict(found["key"])
    if not all(isinstance(it, int | float) for it in keys.values()):
        return None
    fields = [
        FieldOrder(field=name, direction=Direction.DESCENDING if way < 0 else Direction.ASCENDING)
        for name, way in keys.items()
    ]
    expires = found.get("expireAfterSeconds")
    name = str(found["name"])
    return Index(
        name=name,
        definition=IndexDefinition(
            fields=tuple(fields),
            name=name,
            unique=bool(found.get("unique", name == IDENTITY)),
            sparse=bool(found.get("sparse", False)),
            expire_after=None if expires is None else timedelta(seconds=int(expires)),
        ),
    )


def same_fields(wanted: Mapping[str, Bson], found: Mapping[str, Any]) -> bool:
    """Whether an index is over the same fields in the same orders."""
    return list(wanted["key"].items()) == list(found["key"].items())


def same(wanted: Mapping[str, Bson], found: Mapping[str, Any]) -> bool:
    """Whether an index is the one that is asked for, whatever it is called."""
    return (
        same_fields(wanted, found)
        and all(bool(wanted.get(it)) == bool(found.get(it)) for it in ("unique", "sparse"))
        and wanted.get("expireAfterSeconds") == found.get("expireAfterSeconds")
    )


def stages(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The stages of a plan, from the last to the first."""
    yield plan
    below = [plan[name] for name in ("inputStage", "queryPlan") if name in plan]
    for stage in (*below, *plan.get("inputStages", ())):
        yield from stages(stage)


def index_in(plan: Mapping[str, Any]) -> str | None:
    """The index that a plan uses; none if it looks at every document."""
    for stage in stages(plan):
        if "indexName" in stage:
            return str(stage["indexName"])
        if stage.get("stage") in {"IDHACK", "EXPRESS_IXSCAN"}:
            return IDENTITY
    return None


def sorts(plan: Mapping[str, Any]) -> bool:
    """Whether a plan sorts documents after it has found them."""
    return any(stage.get("stage") == "SORT" for stage in stages(plan))

"""Pipelines as DocumentDB takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from lcplatform_aws.document_store_queries import read_filter, whole
from lcplatform_aws.document_store_updates import fields_of
from lcplatform_aws.document_store_values import Bson, Raw, reading, value_of
from lcplatform_runtime.documents.extended_json import MAX_DEPTH, is_special
from lcplatform_runtime.documents.operators import check_pipeline
from lcplatform_runtime.json_value import Json


def pipeline_of(stages: Iterable[Json]) -> list[dict[str, Bson]]:
    """The pipeline that a request gives.

    Raises:
        ValidationError: it is none, or has something that is not one of the contract's.
    """
    raw = [it.plain for it in stages]
    check_pipeline(raw)
    return [_stage(it) for it in raw]


def _stage(raw: Raw) -> dict[str, Bson]:
    ((name, content),) = raw.items()
    if name == "$match":
        return {name: read_filter(content, "pipeline")}
    return {name: reading("pipeline", _STAGES[name], content)}


def _shape(raw: Raw) -> Bson:
    if not isinstance(raw, dict) or not raw:
        raise ValueError("$project takes an object with at least one field")
    return expression_of(raw)


def _limit(raw: Raw) -> Bson:
    if (most := whole(raw, "$limit")) < 1:
        raise ValueError("$limit takes a positive number")
    return most


def _skip(raw: Raw) -> Bson:
    if (left_out := whole(raw, "$skip")) < 0:
        raise ValueError("$skip takes a number of documents")
    return left_out


def _count(raw: Raw) -> Bson:
    if not isinstance(raw, str) or not raw or raw[0] == "$" or "." in raw or "\0" in raw:
        raise ValueError("$count takes the name of a field")
    return raw


def _sort(raw: Raw) -> Bson:
    if not isinstance(raw, dict):
        raise ValueError("$sort takes an object of fields with 1 or -1")
    return fields_of(raw)


def _group(raw: Raw) -> Bson:
    if "_id" not in raw:
        raise ValueError("$group takes an _id")
    return expression_of(raw)


def _unwind(raw: Raw) -> Bson:
    given = {"path": raw} if isinstance(raw, str) else raw
    known = {"path", "includeArrayIndex", "preserveNullAndEmptyArrays"}
    if not isinstance(given, dict) or not {"path"} <= set(given) <= known:
        raise ValueError(f"$unwind takes a path, or an object with {', '.join(sorted(known))}")
    path, place = given["path"], given.get("includeArrayIndex")
    keep = given.get("preserveNullAndEmptyArrays", False)
    if not isinstance(path, str) or path[:1] != "$" or path[1:2] == "$":
        raise ValueError("$unwind takes a path that begins with a dollar")
    named = isinstance(place, str) and bool(place) and place[0] != "$"
    if not isinstance(keep, bool) or not (place is None or named):
        raise ValueError("$unwind takes the name of a field for the index, and true or false")
    return given


def expression_of(raw: Raw, depth: int = 0) -> Bson:
    """An expression, or an object or an array of some, whose operators are known."""
    if depth > MAX_DEPTH:
        raise ValueError(f"at most {MAX_DEPTH} levels")
    if isinstance(raw, dict) and not is_special(raw):
        return {
            name: value_of(it) if name == "$literal" else expression_of(it, depth + 1)
            for name, it in raw.items()
        }
    if isinstance(raw, list):
        return [expression_of(it, depth + 1) for it in raw]
    return value_of(raw)


_STAGES: Final[Mapping[str, Callable[[Raw], Bson]]] = {
    "$project": _shape,
    "$group": _group,
    "$sort": _sort,
    "$limit": _limit,
    "$skip": _skip,
    "$unwind": _unwind,
    "$count": _count,
}

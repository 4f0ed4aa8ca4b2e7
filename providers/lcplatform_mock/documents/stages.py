"""Pipelines: the stages through which documents pass, made ready once and kept by their texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TypeAlias

from lcplatform_mock.documents.expressions import Expression, expression_of
from lcplatform_mock.documents.filters import EVERYTHING, Filter, filter_of, reading
from lcplatform_mock.documents.functions import average, greatest, is_null, least, merged, total
from lcplatform_mock.documents.shapes import shaper_of
from lcplatform_runtime.documents.extended_json import INT64, NoDocument, parse, parse_object
from lcplatform_runtime.documents.operators import check_pipeline
from lcplatform_runtime.documents.paths import Path, parts
from lcplatform_runtime.documents.sorts import order_of
from lcplatform_runtime.documents.values import MISSING, Int64, Object, Value, key
from lcplatform_runtime.json_value import Json

Raw: TypeAlias = Any
"""What JSON text parses to."""
Stage: TypeAlias = Callable[[Iterable[Object]], Iterable[Object]]
"""What becomes of documents."""

_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline.

    Attributes:
        filter: what documents must be like to begin with, which an index may find.
        stages: what becomes of them then.
    """

    filter: Filter
    stages: tuple[Stage, ...]

    def run(self, documents: Iterable[Object]) -> Iterable[Object]:
        """What comes out.

        Raises:
            ValidationError: a document has what an expression cannot take.
        """
        for stage in self.stages:
            documents = stage(documents)
        return documents


def read(stages: Iterable[Json]) -> Pipeline:
    """The pipeline that a request gives.

    Raises:
        ValidationError: it is none, or has something that is not one of the contract's.
    """
    return _kept(tuple([it.text for it in stages]))


@lru_cache(_KEPT)
def _kept(texts: tuple[str, ...]) -> Pipeline:
    raw = [Json.from_text(text).plain for text in texts]
    check_pipeline(raw)
    found = EVERYTHING
    if "$match" in raw[0]:
        found = filter_of(raw.pop(0)["$match"], "pipeline")
    stages = reading("pipeline", lambda: [_stage(it) for it in raw])
    return Pipeline(found, tuple(stages))


def _stage(raw: Raw) -> Stage:
    ((name, content),) = raw.items()
    return _STAGES[name](content)


def _match(raw: Raw) -> Stage:
    matches = filter_of(raw, "pipeline").matches
    return lambda documents: filter(matches, documents)


def _project(raw: Raw) -> Stage:
    shape = shaper_of(raw)
    return lambda documents: map(shape, documents)


def _sort(raw: Raw) -> Stage:
    order = order_of(parse_object(raw))
    return lambda documents: sorted(documents, key=order.key_of_document)


def _limit(raw: Raw) -> Stage:
    most = _whole(raw, "$limit")
    if not most:
        raise NoDocument("$limit takes a positive number")
    return lambda documents: islice(documents, most)


def _skip(raw: Raw) -> Stage:
    left_out = _whole(raw, "$skip")
    return lambda documents: islice(documents, left_out, None)


def _whole(raw: Raw, name: str) -> int:
    value = parse(raw)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise NoDocument(f"{name} takes a whole number")
    if value < 0 or int(value) not in INT64:
        raise NoDocument(f"{name} takes a number of documents")
    return int(value)


def _count(raw: Raw) -> Stage:
    if not isinstance(raw, str) or not raw or raw[0] == "$" or "." in raw or "\0" in raw:
        raise NoDocument("$count takes the name of a field")

    def count(documents: Iterable[Object]) -> Iterator[Object]:
        found = sum(1 for _ in documents)
        if found:
            yield {raw: found}

    return count


# --- unwind


def _unwind(raw: Raw) -> Stage:
    given = {"path": raw} if isinstance(raw, str) else raw
    known = {"path", "includeArrayIndex", "preserveNullAndEmptyArrays"}
    if not isinstance(given, dict) or not {"path"} <= set(given) <= known:
        raise NoDocument(f"$unwind takes a path, or an object with {', '.join(sorted(known))}")
    text = given["path"]
    if not isinstance(text, str) or text[:1] != "$" or text[1:2] == "$":
        raise NoDocument("$unwind takes a path that begins with a dollar")
    path = parts(text[1:])
    place, keep = given.get("includeArrayIndex"), given.get("preserveNullAndEmptyArrays", False)
    if not isinstance(keep, bool) or not (place is None or _is_plain(place)):
        raise NoDocument("$unwind takes the name of a field for the index, and true or false")

    def unwind(documents: Iterable[Object]) -> Iterator[Object]:
        for document in documents:
            for at, value in _unwound(_plain_value(document, path), keep=keep):
                made = document if value is _AS_IT_IS else _with(document, path, value)
                yield made if place is None else _with(made, parts(place), at)

    return unwind


def _is_plain(name: Raw) -> bool:
    return isinstance(name, str) and bool(name) and name[0] != "$"


_AS_IT_IS: Final = object()


def _plain_value(document: Object, path: Path) -> Value:
    """What lies at a path that leads through no array."""
    value: Value = document
    for part in path:
        value = value.get(part, MISSING) if value.__class__ is dict else MISSING
    return value


def _unwound(value: Value, *, keep: bool) -> Iterator[tuple[Value, Value]]:
    """The places and the values that take the place of an array."""
    if value.__class__ is tuple and value:
        for at, item in enumerate(value):
            yield Int64(at), item
    elif value.__class__ is tuple:
        if keep:
            yield None, MISSING
    elif not is_null(value) or keep:
        yield None, _AS_IT_IS


def _with(document: Object, path: Path, value: Value) -> Object:
    """A document with another value at a path."""
    name, *rest = path
    made = dict(document)
    if rest:
        inside = made.get(name)
        made[name] = _with(inside if isinstance(inside, dict) else {}, tuple(rest), value)
    elif value is MISSING:
        made.pop(name, None)
    else:
        made[name] = value
    return made


# --- group


def _group(raw: Raw) -> Stage:
    if "_id" not in raw:
        raise NoDocument("$group takes an _id")
    identity = expression_of(raw["_id"])
    fields: list[tuple[str, Callable[[list[Value]], Value], Expression]] = []
    for name, content in raw.items():
        if name != "_id":
            if not name or name[0] == "$" or "." in name:
                raise NoDocument("$group takes names of fields without dollars and dots")
            ((accumulator, operand),) = content.items()
            fields.append((name, _ACCUMULATORS[accumulator], expression_of(operand)))

    def group(documents: Iterable[Object]) -> Iterator[Object]:
        groups: dict[Any, tuple[Value, list[list[Value]]]] = {}
        for document in documents:
            scope = {"ROOT": document}
            found = identity(scope)
            found = None if found is MISSING else found
            _, columns = groups.setdefault(key(found), (found, [[] for _ in fields]))
            for column, (_, _, expression) in zip(columns, fields, strict=True):
                column.append(expression(scope))
        for found, columns in groups.values():
            made: Object = {"_id": found}
            for column, (name, accumulate, _) in zip(columns, fields, strict=True):
                made[name] = accumulate(column)
            yield made

    return group


def _there(values: list[Value]) -> Value:
    return tuple([it for it in values if it is not MISSING])


def _distinct(values: list[Value]) -> Value:
    found: dict[Any, Value] = {}
    for it in _there(values):
        found.setdefault(key(it), it)
    return tuple(found.values())


def _or_null(value: Value) -> Value:
    return None if value is MISSING else value


_ACCUMULATORS: Final[Mapping[str, Callable[[list[Value]], Value]]] = {
    "$sum": total,
    "$avg": average,
    "$min": least,
    "$max": greatest,
    "$first": lambda values: _or_null(values[0]),
    "$last": lambda values: _or_null(values[-1]),
    "$push": _there,
    "$addToSet": _distinct,
    "$mergeObjects": merged,
}

_STAGES: Final[Mapping[str, Callable[[Raw], Stage]]] = {
    "$match": _match,
    "$project": _project,
    "$group": _group,
    "$sort": _sort,
    "$limit": _limit,
    "$skip": _skip,
    "$unwind": _unwind,
    "$count": _count,
}

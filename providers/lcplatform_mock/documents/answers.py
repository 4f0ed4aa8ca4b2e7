"""What requests name and answers tell of collections: indexes, orders, documents, changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lcplatform.document_store.models import (
    ChangeKind,
    FieldOrder,
    Index,
    IndexDefinition,
    WatchCollectionResponse,
)
from lcplatform_mock.documents import finding
from lcplatform_mock.documents.changes import Change, Log
from lcplatform_mock.documents.collection import Collection
from lcplatform_mock.documents.filters import Filter, reading
from lcplatform_mock.documents.indexes import Shape, shape_of
from lcplatform_mock.documents.stored import Stored, identity_of
from lcplatform_mock.refusals import missing, stale
from lcplatform_runtime.documents.extended_json import parse
from lcplatform_runtime.documents.sorts import Order, sort_of
from lcplatform_runtime.documents.values import key, name_of
from lcplatform_runtime.errors import (
    FieldViolation,
    PreconditionFailedError,
    ValidationError,
    invalid,
)
from lcplatform_runtime.json_value import Json


def order_of(fields: Iterable[FieldOrder]) -> Order | None:
    """The order that a request asks for."""
    return reading("sort", lambda: sort_of(fields))


def shape(definition: IndexDefinition, field: str = "fields") -> Shape:
    """The shape of an index that a request describes.

    Raises:
        ValidationError: there can be no such index.
    """
    made = shape_of(definition)
    paths = reading(field, lambda: made.paths)
    if len(set(paths)) < len(paths):
        raise invalid(field, "each field once")
    if any(part[0] == "$" for path in paths for part in path):
        raise invalid(field, "fields, whose names do not begin with a dollar")
    if definition.expire_after is not None and (len(paths) > 1 or paths == (("_id",),)):
        raise invalid("expire_after", "with one field only, which is not _id")
    if definition.sparse and paths == (("_id",),):
        raise invalid("sparse", "not for _id, which every document has")
    return made


def twin(collection: Collection, wanted: Shape) -> Shape | None:
    """The index of a collection over the same fields in the same orders, if there is one."""
    fields = wanted.definition.fields
    return next((it for it in collection.shapes if it.definition.fields == fields), None)


def index(shape: Shape) -> Index:
    """What is told of an index."""
    return Index(name=shape.name, definition=shape.definition)


def shown_id(identity: str | Json) -> str:
    """An `_id` as errors name it."""
    return identity if isinstance(identity, str) else f"of type {name_of(parse(identity.plain))}"


def targets(
    collection: Collection, filter: Filter, if_match: str | None, *, first: bool
) -> list[Stored]:
    """The documents that a change is about.

    Raises:
        ConflictError: `if_match` is not the etag of the one.
        ResourceNotFoundError: there is none, and `if_match` is given.
        ValidationError: `if_match` is given, and the filter is not for one `_id`.
    """
    if if_match is None:
        rows = finding.found(collection, filter)
        one = next(rows, None) if first else None
        return list(rows) if not first else [] if one is None else [one]
    identity = filter.identity
    if identity is None:
        raise invalid("if_match", "only with a filter for one _id and nothing else")
    found = collection.documents.get(key(identity))
    if found is None:
        raise missing("document", shown_id(identity_of(identity)))
    check_etag(found, if_match)
    return [found]


def check_etag(stored: Stored, if_match: str | None) -> None:
    """Refuses a change whose condition does not hold."""
    if if_match is not None and if_match != stored.etag:
        raise stale("document", shown_id(stored.identity))


def within_limit(given: Json, most: int) -> Json:
    """A document of a batch. The limit of its text is looked at here, since the pipeline counts the entries."""
    if len(given.text) * 4 > most and len(given.text.encode()) > most:
        raise invalid("documents", f"at most {most} bytes each")
    return given


# --- changes


def resumed(token: str | None, incarnation: str, log: Log) -> int:
    """The change after which a watcher goes on.

    Raises:
        PreconditionFailedError: what happened since is not kept any more.
        ValidationError: it is no token.
    """
    if token is None:
        return log.last
    life, _, text = token.rpartition(".")
    if not life or not text.isdecimal() or not text.isascii():
        expected = "the resume_token of a change of this collection"
        raise ValidationError(
            f"resume_token must be {expected}",
            violations=[FieldViolation("resume_token", f"must be {expected}")],
        )
    if life != incarnation or not log.before <= int(text) <= log.last:
        raise PreconditionFailedError(
            "the changes since then are not known any more: read the collection, and watch it from now on"
        )
    return int(text)


def concerns(change: Change, filter: Filter) -> bool:
    """Whether a watcher with this filter is told of a change."""
    if filter.is_everything or change.kind in {ChangeKind.DELETED, ChangeKind.DROPPED}:
        return True
    return change.stored is not None and filter.matches(change.stored.document)


def begun(now: datetime, token: str) -> WatchCollectionResponse:
    """What a watcher is told first."""
    return WatchCollectionResponse(kind=ChangeKind.STARTED, changed_at=now, resume_token=token)


def told(change: Change, token: str) -> WatchCollectionResponse:
    """What a watcher is told of a change."""
    stored = change.stored
    gone = change.kind is ChangeKind.DELETED
    return WatchCollectionResponse(
        kind=change.kind,
        id=None if stored is None else stored.identity,
        document=None if stored is None or gone else stored.answer,
        changed_at=change.at,
        resume_token=token,
    )

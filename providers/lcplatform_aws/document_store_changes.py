"""The changes of a collection, as a change stream tells of them.

DocumentDB keeps what has changed only where it is told to, so whoever watches a collection first switches that on. What was kept
before lasts for hours (three, unless the cluster says otherwise).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, nullcontext, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import bson
from pymongo.errors import OperationFailure

from lcplatform.document_store.models import (
    ChangeKind,
    Document,
    WatchCollectionRequest,
    WatchCollectionResponse,
)
from lcplatform_aws.document_store_queries import filter_of
from lcplatform_aws.document_store_server import Server, within_deadline
from lcplatform_aws.document_store_values import (
    READ,
    Bson,
    Stored,
    bson_of,
    etag_of,
    json_of,
    shown_identity,
)
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.context import current_call
from lcplatform_runtime.documents.extended_json import NoDocument, parse_object
from lcplatform_runtime.errors import (
    DeadlineExceededError,
    LCPlatformError,
    OperationCancelledError,
    Outcome,
    invalid,
)
from lcplatform_runtime.json_value import Json

if TYPE_CHECKING:
    from pymongo.change_stream import ChangeStream
    from pymongo.client_session import ClientSession

_LOOK_SECONDS: Final = 0.25
"""How long the server is asked to wait for a change: so long it takes to notice that the caller has given up."""
_UNKNOWN_COMMAND: Final = 59
_KINDS: Final[Mapping[str, ChangeKind]] = {
    "insert": ChangeKind.INSERTED,
    "update": ChangeKind.UPDATED,
    "replace": ChangeKind.REPLACED,
    "delete": ChangeKind.DELETED,
    "drop": ChangeKind.DROPPED,
    # Under its name there is nothing any more.
    "rename": ChangeKind.DROPPED,
}


class Watch:
    """What a watcher wants to be told."""

    def __init__(self, request: WatchCollectionRequest) -> None:
        """Raises `ValidationError` for a filter or a token that is none."""
        self._name = request.collection
        filter = filter_of(request.filter, "fullDocument.")
        self._pipeline: list[dict[str, Bson]] = []
        if filter:
            gone = {"operationType": {"$in": ["delete", "drop", "rename", "invalidate"]}}
            self._pipeline.append({"$match": {"$or": [gone, filter]}})
        self._begin = {} if request.resume_token is None else _place(request.resume_token)

    def changes(self, server: Server) -> Iterator[WatchCollectionResponse]:
        """The changes, one after the other."""
        with server.client.start_session() as session, ExitStack() as opened:
            with within_deadline() or nullcontext():
                _keep_changes(server, self._name)
                stream = opened.enter_context(self._stream(server, session))
            yield WatchCollectionResponse(
                kind=ChangeKind.STARTED,
                changed_at=datetime.now(UTC),
                resume_token=_token(stream, self._begin, session.operation_time),
            )
            yield from _told(stream)

    def _stream(self, server: Server, session: ClientSession) -> ChangeStream[Stored]:
        return server.database[self._name].watch(
            self._pipeline,
            full_document="updateLookup",
            max_await_time_ms=round(_LOOK_SECONDS * 1000),
            session=session,
            **self._begin,
        )


def _told(stream: ChangeStream[Stored]) -> Iterator[WatchCollectionResponse]:
    while stream.alive:
        _check_patience()
        with within_deadline() or nullcontext():
            change = stream.try_next()
        if change is None:
            continue
        found = _KINDS.get(str(change["operationType"]))
        if found is None:
            return  # the collection is no more
        yield _change(found, change)
        if found is ChangeKind.DROPPED:
            return


def _check_patience() -> None:
    cancellation = CANCELLATION.get()
    if cancellation is not None and cancellation.cancelled:
        raise OperationCancelledError(
            "the caller gave up before the collection changed", outcome=Outcome.NOT_EXECUTED
        )
    call = current_call()
    if call is not None and call.remaining() == 0:
        raise DeadlineExceededError(
            "the deadline passed before the collection changed", outcome=Outcome.NOT_EXECUTED
        )


def _keep_changes(server: Server, name: str) -> None:
    """Has the cluster keep what changes. MongoDB does so anyway, and does not know the command."""
    try:
        server.client.admin.command(
            {
                "modifyChangeStreams": 1,
                "database": server.database.name,
                "collection": name,
                "enable": True,
            }
        )
    except OperationFailure as error:
        if error.code != _UNKNOWN_COMMAND:
            raise


def _change(kind: ChangeKind, change: Stored) -> WatchCollectionResponse:
    document: Stored | None = change.get("fullDocument")
    key: Mapping[str, Any] | None = change.get("documentKey")
    at: bson.Timestamp | None = change.get("clusterTime")
    return WatchCollectionResponse(
        kind=kind,
        id=None if key is None else shown_identity(key["_id"]),
        document=None
        if document is None
        else Document(content=json_of(document), etag=etag_of(document)),
        changed_at=datetime.now(UTC) if at is None else at.as_datetime(),
        resume_token=_written({"after": change["_id"]}),
    )


# --- tokens


def _token(
    stream: ChangeStream[Stored],
    begin: Mapping[str, Bson],
    operation_time: bson.Timestamp | None,
) -> str:
    """Where a watch has begun: after a change, or at a moment of the cluster."""
    if stream.resume_token is not None:
        return _written({"after": stream.resume_token})
    if "resume_after" in begin:
        return _written({"after": begin["resume_after"]})
    return _written({"at": begin.get("start_at_operation_time", operation_time)})


def _written(place: Mapping[str, Any]) -> str:
    return json_of(bson.decode(bson.encode(place), READ)).text


def _place(token: str) -> dict[str, Bson]:
    """Where to go on."""
    with suppress(NoDocument, LCPlatformError):
        place = bson_of(parse_object(Json.from_text(token).plain))
        if isinstance(place.get("after"), dict):
            return {"resume_after": place["after"]}
        if isinstance(place.get("at"), bson.Timestamp):
            return {"start_at_operation_time": place["at"]}
    raise invalid("resume_token", "the resume_token of a change of this collection")

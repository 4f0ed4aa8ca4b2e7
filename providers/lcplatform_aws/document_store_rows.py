"""Documents as they are read, inserted and shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError, WriteError

from lcplatform.document_store.models import Document, InsertDocumentsRequest
from lcplatform.type.models import BatchFailure, ErrorCode
from lcplatform_aws.document_store_errors import of_code
from lcplatform_aws.document_store_values import READ, Bson, Stored, etag_of, json_of
from lcplatform_aws.error_table import BROKEN
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

PART_DOCUMENTS: Final = 100
"""The documents in a part of what comes out of a pipeline, at most."""
_PART_BYTES: Final = 1024**2

# What they are made of comes from the server, and is made here.
_shown = trusted(Document)


def find_rows(
    database: Database[Stored],
    name: str,
    session: ClientSession | None,
    filter: dict[str, Bson],
    *,
    limit: int,
    skip: int = 0,
    sort: Mapping[str, int] | None = None,
    projection: Mapping[str, bool] | None = None,
) -> list[Stored]:
    """So many documents, or all if none is said.

    A command costs half of what a cursor does, and gives the same unless the answer is larger than one message.
    """
    if limit:
        # One more than there can be, so that the server has nothing to keep for later.
        asked: dict[str, Bson] = {
            "find": name,
            "filter": filter,
            "limit": limit,
            "batchSize": limit + 1,
        }
        if skip:
            asked["skip"] = skip
        if sort:
            asked["sort"] = sort
        if projection:
            asked["projection"] = projection
        answer = database.command(asked, session=session, codec_options=READ)["cursor"]
        if not answer["id"]:
            rows: list[Stored] = answer["firstBatch"]
            return rows
        database.command({"killCursors": name, "cursors": [answer["id"]]}, session=session)
    cursor = database[name].find(
        filter, projection or None, skip=skip, limit=limit, session=session
    )
    return list(cursor.sort(list(sort.items())) if sort else cursor)


def insert_rows(
    database: Database[Stored],
    request: InsertDocumentsRequest,
    entries: Mapping[int, tuple[Bson, RawBSONDocument]],
    session: ClientSession | None,
) -> dict[int, BatchFailure]:
    """Inserts the entries of a batch, and tells of those that failed."""
    if not entries:
        return {}
    places = list(entries)
    try:
        database[request.collection].insert_many(
            [raw for _, raw in entries.values()], ordered=session is not None, session=session
        )
    except BulkWriteError as error:
        problems = error.details["writeErrors"]
        if not problems:
            raise
        if session is not None:
            first = problems[0]
            raise WriteError(str(first["errmsg"]), int(first["code"]), first) from error
        return {places[it["index"]]: _refused(places[it["index"]], it) for it in problems}
    return {}


def _refused(index: int, problem: Mapping[str, Any]) -> BatchFailure:
    code, text = int(problem["code"]), str(problem.get("errmsg", ""))
    meaning = of_code(code, text, "insert_document") or BROKEN
    said = f"the document server refused it with code {code}"
    return failure(index, meaning.kind.code, said, retryable=meaning.retryable)


def failure(index: int, code: str, message: str, *, retryable: bool) -> BatchFailure:
    """What is told of an entry of a batch that failed."""
    return BatchFailure(
        index=index, code=ErrorCode(code.lower()), message=message, retryable=retryable
    )


def shown(row: Stored) -> Document:
    """A document as it is answered."""
    return _shown(content=json_of(row), etag=etag_of(row))


def shown_part(projection: Mapping[str, bool], row: Stored) -> Document:
    """A document of which only a part is shown."""
    if projection.get("_id") is False:
        row.pop("_id", None)
    return _shown(content=json_of(row), etag=None)


def next_part(rows: Iterator[Stored]) -> list[Json]:
    """The next part of what comes out of a pipeline; empty at the end."""
    part: list[Json] = []
    size = 0
    for row in rows:
        part.append(json_of(row))
        size += len(part[-1].text)
        if len(part) >= PART_DOCUMENTS or size >= _PART_BYTES:
            break
    return part

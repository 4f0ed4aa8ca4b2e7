"""Collections and their indexes on DocumentDB (FR-024, FR-025)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pymongo.errors import OperationFailure
from typing_extensions import override

from lcplatform.document_store.models import (
    Collection,
    CreateCollectionRequest,
    CreateCollectionResponse,
    CreateIndexRequest,
    CreateIndexResponse,
    DropCollectionRequest,
    DropCollectionResponse,
    DropIndexRequest,
    DropIndexResponse,
    FieldOrder,
    IndexDefinition,
    ListCollectionsRequest,
    ListCollectionsResponse,
    ListIndexesRequest,
    ListIndexesResponse,
)
from lcplatform_aws import document_store_indexes
from lcplatform_aws.document_store_base import LIMITS, Collections
from lcplatform_aws.document_store_values import Bson, Stored, relaxed
from lcplatform_runtime.documents.operators import check_schema
from lcplatform_runtime.errors import AlreadyExistsError, invalid
from lcplatform_runtime.json_value import Json

if TYPE_CHECKING:
    from pymongo.database import Database

_INDEX_CONFLICTS: Final = frozenset({85, 86})
_NOT_THERE: Final = 26


class Schema(Collections):
    """What collections there are, and which indexes they have."""

    # --- collections

    @override
    def create_collection(self, request: CreateCollectionRequest, /) -> CreateCollectionResponse:
        name, options = request.name, _options_of(request.validator)
        wanted = _indexes_of(request)
        with self._asking() as database:
            # Some versions take the creation of what is there for done.
            if database.list_collection_names(filter={"name": name}):
                raise AlreadyExistsError(f"collection {name!r} exists", resource=name)
            database.command({"create": name, **options})
            try:
                if wanted:
                    database.command({"createIndexes": name, "indexes": wanted})
            except BaseException:
                database.command({"drop": name})  # all of it is there, or none
                raise
        return CreateCollectionResponse(
            collection=Collection(name=name, validator=request.validator)
        )

    @override
    def list_collections(self, request: ListCollectionsRequest, /) -> ListCollectionsResponse:
        with self._asking() as database:
            found = {
                str(it["name"]): it
                for it in database.list_collections(filter={"type": "collection"})
            }
        names, token = _names_page(
            [it for it in found if not it.startswith("system.")],
            request.page_size,
            request.page_token,
        )
        collections = [Collection(name=it, validator=_validator_in(found[it])) for it in names]
        return ListCollectionsResponse(collections=tuple(collections), next_page_token=token)

    @override
    def drop_collection(self, request: DropCollectionRequest, /) -> DropCollectionResponse:
        self._there.pop(request.name, None)
        with self._asking() as database:
            try:
                database.command({"drop": request.name})
            except OperationFailure as error:
                if error.code != _NOT_THERE:
                    raise
        return DropCollectionResponse()

    # --- indexes

    @override
    def create_index(self, request: CreateIndexRequest, /) -> CreateIndexResponse:
        name = request.collection
        wanted = document_store_indexes.specification(
            IndexDefinition(**{it: getattr(request, it) for it in IndexDefinition.model_fields})
        )
        with self._asking() as database:
            self._check_there(name)
            for it in _indexes(database, name):
                named = request.name in {None, it["name"]}
                if named and document_store_indexes.same(wanted, it):
                    return CreateIndexResponse(index=document_store_indexes.made(it))
                # Newer versions take several indexes over the same fields.
                if it["name"] == wanted["name"] or document_store_indexes.same_fields(wanted, it):
                    raise _another_index(name, str(wanted["name"]))
            try:
                database.command({"createIndexes": name, "indexes": [wanted]})
            except OperationFailure as error:
                if error.code in _INDEX_CONFLICTS:  # somebody else was faster
                    raise _another_index(name, str(wanted["name"])) from error
                raise
        return CreateIndexResponse(index=document_store_indexes.made(wanted))

    @override
    def list_indexes(self, request: ListIndexesRequest, /) -> ListIndexesResponse:
        with self._asking() as database:
            self._check_there(request.collection)
            found = [
                document_store_indexes.index_of(it) for it in _indexes(database, request.collection)
            ]
        known = {it.name: it for it in found if it is not None}
        names, token = _names_page(known, request.page_size, request.page_token)
        return ListIndexesResponse(
            indexes=tuple([known[it] for it in names]), next_page_token=token
        )

    @override
    def drop_index(self, request: DropIndexRequest, /) -> DropIndexResponse:
        with self._asking() as database:
            self._check_there(request.collection)
            if request.name == document_store_indexes.IDENTITY:
                raise invalid("name", "another index than that of _id")
            database.command({"dropIndexes": request.collection, "index": request.name})
        return DropIndexResponse()


def _options_of(validator: Json | None) -> dict[str, Bson]:
    if validator is None:
        return {}
    check_schema(validator.plain)
    return {"validator": {"$jsonSchema": validator.plain}}


def _validator_in(found: Mapping[str, Any]) -> Json | None:
    schema = found.get("options", {}).get("validator", {}).get("$jsonSchema")
    return None if schema is None else Json.of_plain(relaxed(schema))


def _indexes_of(request: CreateCollectionRequest) -> list[dict[str, Bson]]:
    definitions = list(request.indexes)
    if request.ttl is not None:
        field = FieldOrder(field=request.ttl.field)
        definitions.append(IndexDefinition(fields=(field,), expire_after=request.ttl.expire_after))
    wanted = [document_store_indexes.specification(it, "indexes") for it in definitions]
    names = {str(it["name"]) for it in wanted} | {document_store_indexes.IDENTITY}
    keys = {tuple(it["key"].items()) for it in wanted} | {(("_id", 1),)}
    if len(names) <= len(wanted) or len(keys) <= len(wanted):
        raise invalid("indexes", "each index once")
    if len(wanted) > LIMITS.max_indexes:
        raise invalid("indexes", f"at most {LIMITS.max_indexes}")
    return wanted


def _indexes(database: Database[Stored], name: str) -> list[dict[str, Any]]:
    return [dict(it) for it in database[name].list_indexes()]


def _another_index(collection: str, name: str) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"another index has the name or the fields of {name!r}", resource=collection
    )


def _names_page(
    names: Mapping[str, object] | list[str], size: int | None, token: str
) -> tuple[list[str], str]:
    """A page of names in their order, after the one that ended the page before."""
    left = [it for it in sorted(names) if it > token]
    assert size is not None
    return left[:size], left[size - 1] if len(left) > size else ""

"""Documents of the mock beside those of secantusdb, which speaks MongoDB's protocol: generated filters, orders, projections
and updates on generated documents."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeAlias

from bson import json_util
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, WriteError

from lcplatform import Json, LCPlatform
from lcplatform.document_store.client import DocumentStore
from lcplatform.document_store.models import Direction, FieldOrder, Update
from lcplatform.errors import ValidationError
from tests.differential.cases import Case, Cases, Raw
from tests.differential.comparison import Differential, Tally
from tests.differential.secantusdb import KNOWN, explain
from tests.emulators import start_secantusdb

_REFUSED: Final = "refused"
_DOCUMENTS: Final = 12
_NAME: Final = "things"
_OPERATORS: Final = {
    "set": "$set",
    "unset": "$unset",
    "increment": "$inc",
    "push": "$push",
    "pull": "$pull",
    "rename": "$rename",
    "set_on_insert": "$setOnInsert",
}

Theirs: TypeAlias = Collection[dict[str, Any]]


class Sides:
    """The same documents on both sides."""

    def __init__(self, ours: DocumentStore, theirs: Theirs) -> None:
        self._ours = ours
        self._theirs = theirs

    def begin(self, documents: list[Raw]) -> None:
        """Both sides have these documents and no others."""
        self._theirs.drop()
        self._theirs.insert_many([_bson(it) for it in documents])
        self._begin_ours(documents)

    def _begin_ours(self, documents: list[Raw]) -> None:
        self._ours.drop_collection(_NAME)
        self._ours.create_collection(_NAME)
        assert not self._ours.insert_documents(_NAME, [Json(it) for it in documents]).failed

    def ours(self, case: Case) -> Raw:
        """What the mock makes of a case."""
        return _asked(lambda: self._our(case))

    def theirs(self, case: Case) -> Raw:
        """What secantusdb makes of a case."""
        return _asked(lambda: self._their(case))

    def explain(self, case: Case, documents: list[Raw], theirs: Raw) -> str | None:
        """The known difference that makes secantusdb answer so."""

        def again() -> Raw:
            if case.update is not None:
                self._begin_ours(documents)
            return self.ours(case)

        def in_turn() -> Raw:
            pieces = [] if case.update is None or case.upsert else _pieces(case.update)
            if len(pieces) < 2:
                return None
            self._begin_ours(documents)
            answers = [self.ours(replace(case, update=it)) for it in pieces]
            return _REFUSED if _REFUSED in answers else answers[-1]

        return explain(case, documents, theirs, again, in_turn)

    def _our(self, case: Case) -> Raw:
        return answered(self._ours, case)

    def _their(self, case: Case) -> Raw:
        filter = _bson(case.filter)
        if case.update is not None:
            update = {_OPERATORS[name]: content for name, content in case.update.items()}
            if "unset" in case.update:
                update["$unset"] = dict.fromkeys(case.update["unset"], "")
            self._theirs.update_one(filter, _bson(update), upsert=case.upsert)
            found = self._theirs.find({"_id": filter["_id"]})
        else:
            found = self._theirs.find(
                filter, None if case.projection is None else _bson(case.projection)
            )
            found = found.sort(case.sort) if case.sort else found
        return _looked_at(case, [_plain(it) for it in found])


def answered(store: DocumentStore, case: Case) -> Raw:
    """What a document store makes of a case."""
    if case.update is not None:
        update = Update.model_validate(
            {
                name: content if name in {"unset", "rename"} else Json(content)
                for name, content in case.update.items()
            }
        )
        store.update_documents(_NAME, filter=Json(case.filter), update=update, upsert=case.upsert)
        found = store.find_documents(_NAME, filter=Json({"_id": case.filter["_id"]}))
    else:
        found = store.find_documents(
            _NAME,
            filter=Json(case.filter),
            sort=[
                FieldOrder(
                    field=name,
                    direction=Direction.DESCENDING if way < 0 else Direction.ASCENDING,
                )
                for name, way in case.sort
            ],
            projection=None if case.projection is None else Json(case.projection),
        )
    return _looked_at(case, [it.content.value for it in found.documents])


def _pieces(update: Raw) -> list[Raw]:
    """An update as one for each field, in the order in which they are written."""
    return [
        {name: [path] if name == "unset" else {path: part[path]}}
        for name, part in update.items()
        for path in part
    ]


def _looked_at(case: Case, found: list[Raw]) -> list[Raw]:
    """Of documents that were found their identities; all of those that were changed or reshaped."""
    if case.update is not None or case.projection is not None:
        return found
    return [int(it["_id"]["$numberInt"]) for it in found]


def _asked(ask: Callable[[], Raw]) -> Raw:
    try:
        return ask()
    except (ValidationError, WriteError, OperationFailure):
        return _REFUSED


def _bson(raw: Raw) -> Any:  # what pymongo takes
    return json_util.loads(json.dumps(raw), json_options=json_util.CANONICAL_JSON_OPTIONS)


def _plain(document: object) -> Raw:
    return json.loads(json_util.dumps(document, json_options=json_util.CANONICAL_JSON_OPTIONS))


@contextmanager
def _sides() -> Iterator[Sides]:
    with (
        start_secantusdb() as server,
        MongoClient[dict[str, Any]](server.url) as client,
        LCPlatform("mock") as platform,
    ):
        yield Sides(platform.document_store, client["differential"][_NAME])


def compare(cases: int, seed: int) -> Tally:
    """Compares that many cases, on new documents every now and then."""
    return compared(_sides(), cases, seed)


def compared(both: AbstractContextManager[Sides], cases: int, seed: int) -> Tally:
    """The same for whatever two sides there are."""
    tally = Tally()
    made = Cases(random.Random(seed))
    with both as sides:
        while tally.cases < cases:
            documents = [made.document(number) for number in range(_DOCUMENTS)]
            sides.begin(documents)
            for case in itertools.chain(made.finds(), made.updates(documents)):
                ours, theirs = sides.ours(case), sides.theirs(case)
                shown = case.shown(dict(enumerate(documents)), ours, theirs)
                tally.add(shown, ours, theirs, partial(sides.explain, case, documents, theirs))
    return tally


DIFFERENTIAL: Final = Differential("secantusdb", compare, KNOWN)

"""What is peculiar to documents on DocumentDB, on a server that speaks its protocol: who decides what happens when it is gone,
when others are at work with the same documents, and when a page is read again after a while."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, Self
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from lcplatform import CallOptions, Json, LCPlatform, PlatformSettings, RetryPolicy
from lcplatform.document_store.client import DocumentStore
from lcplatform.document_store.models import FieldOrder, TimeToLive, Update
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    LCPlatformError,
    PreconditionFailedError,
    ResourceNotFoundError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_runtime.errors import DeadlineExceededError, ServiceUnavailableError
from tests.emulators import Emulator, start_secantusdb

_NAME: Final = "things"


def options(url: str, **more: object) -> dict[str, Any]:
    address = urlsplit(url)
    store = {"host": address.hostname, "port": address.port, "authentication": "none", "tls": False}
    return {"document_store": {**store, "replica_set": None, **more}}


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with start_secantusdb() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def platform(server: Emulator) -> Iterator[LCPlatform]:
    with LCPlatform("aws", **options(server.url)) as made:
        yield made


@pytest.fixture
def store(platform: LCPlatform) -> DocumentStore:
    """The store with an empty collection."""
    platform.document_store.drop_collection(_NAME)
    platform.document_store.create_collection(_NAME)
    return platform.document_store


@pytest.fixture
def others(server: Emulator) -> Iterator[Any]:
    """The same collection for somebody who knows nothing of the platform."""
    with MongoClient[dict[str, Any]](server.url) as client:
        yield client["lcplatform"][_NAME]


# --- what others do


def test_what_others_change_makes_an_etag_stale(store: DocumentStore, others: Any) -> None:
    etag = store.insert_document(_NAME, {"_id": "1", "n": 1}).etag
    others.update_one({"_id": "1"}, {"$set": {"n": 1.0}})
    with pytest.raises(ConflictError):
        store.replace_document(_NAME, "1", document={"n": 2}, if_match=etag)
    assert others.find_one({"_id": "1"}) == {"_id": "1", "n": 1.0}


def test_of_two_who_hold_the_same_etag_one_wins(store: DocumentStore) -> None:
    etag = store.insert_document(_NAME, {"_id": "1", "n": 0}).etag
    ready = threading.Barrier(4)
    won: list[int] = []
    lost: list[LCPlatformError] = []

    def replace(number: int) -> None:
        ready.wait()
        try:
            store.replace_document(_NAME, "1", document={"n": number}, if_match=etag)
        except LCPlatformError as error:
            lost.append(error)
        else:
            won.append(number)

    threads = [threading.Thread(target=replace, args=(number,)) for number in range(1, 5)]
    for it in threads:
        it.start()
    for it in threads:
        it.join()
    assert [type(it) for it in lost] == [ConflictError] * 3
    assert store.get_document(_NAME, "1").document.content == Json(
        {"_id": "1", "n": {"$numberInt": str(won[0])}}
    )


def test_types_that_the_contract_does_not_know_are_shown(store: DocumentStore, others: Any) -> None:
    from bson import Code, Int64, Regex
    from bson.dbref import DBRef

    others.insert_one(
        {"_id": 1, "code": Code("f"), "ref": DBRef("c", 7), "pattern": Regex("a", "im")}
    )
    others.insert_one({"_id": Int64(2)})
    first, second = store.find_documents(_NAME).documents
    assert first.content == Json(
        {
            "_id": {"$numberInt": "1"},
            "code": {"$code": "f"},
            "ref": {"$ref": "c", "$id": {"$numberInt": "7"}},
            "pattern": {"$regularExpression": {"pattern": "a", "options": "im"}},
        }
    )
    assert second.content == Json({"_id": {"$numberLong": "2"}})


def test_a_collection_that_others_dropped_is_missed_after_a_while(
    store: DocumentStore, others: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.insert_document(_NAME, {"_id": "1"})
    others.drop()
    later = time.monotonic() + 60
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with pytest.raises(ResourceNotFoundError):
        store.insert_document(_NAME, {"_id": "1"})


def test_an_index_that_the_contract_has_no_words_for_is_left_out(
    store: DocumentStore, others: Any
) -> None:
    others.create_index([("place", "2dsphere")])
    assert [it.name for it in store.list_indexes(_NAME).indexes] == ["_id_"]


# --- pages


def test_pages_go_through_identities_of_every_type(store: DocumentStore) -> None:
    identities: list[Any] = [
        None,
        {"$numberDouble": "NaN"},
        -1,
        {"$numberDecimal": "1.5"},
        2,
        "",
        "a",
        {"a": 1},
        {"$binary": {"base64": "AQI=", "subType": "00"}},
        {"$oid": "507f1f77bcf86cd799439011"},
        False,
        True,
        {"$date": {"$numberLong": "0"}},
        {"$timestamp": {"t": 1, "i": 1}},
        {"$maxKey": 1},
    ]
    for it in identities:
        store.insert_document(_NAME, Json({"_id": it}))
    found: list[Any] = []
    token = ""
    while True:
        page = store.find_documents(_NAME, page_size=2, page_token=token)
        found += [it.content for it in page.documents]
        token = page.next_page_token
        if not token:
            break
    assert len(found) == len(identities)
    assert len(set(found)) == len(identities)


def test_a_page_in_an_order_goes_on_after_its_last_document_when_others_have_gone_or_come(
    store: DocumentStore,
) -> None:
    store.insert_documents(_NAME, [{"_id": str(it), "n": it} for it in range(9)])
    order = [FieldOrder(field="n")]
    first = store.find_documents(_NAME, sort=order, page_size=4)
    store.delete_documents(_NAME, filter={"_id": {"$in": ["0", "1"]}})
    store.insert_document(_NAME, {"_id": "new", "n": -1})
    second = store.find_documents(_NAME, sort=order, page_size=9, page_token=first.next_page_token)
    assert [it.content.plain["_id"] for it in second.documents] == ["4", "5", "6", "7", "8"]


def test_a_page_in_an_order_goes_on_where_its_last_document_was(store: DocumentStore) -> None:
    store.insert_documents(_NAME, [{"_id": str(it), "n": it} for it in range(9)])
    order = [FieldOrder(field="n")]
    only: dict[str, Any] = {"projection": {"_id": 1}, "sort": order}
    first = store.find_documents(_NAME, page_size=4, **only)
    store.delete_documents(_NAME, filter={"_id": {"$in": ["2", "3"]}})
    second = store.find_documents(_NAME, page_size=9, page_token=first.next_page_token, **only)
    assert [it.content.plain["_id"] for it in second.documents] == ["4", "5", "6", "7", "8"]


def test_a_page_that_is_larger_than_a_message_comes_all_the_same(store: DocumentStore) -> None:
    text = "x" * 6 * 1024**2
    for number in range(4):
        store.insert_document(_NAME, {"_id": str(number), "text": text})
    assert len(store.find_documents(_NAME).documents) == 4


# --- indexes and collections


def test_a_collection_whose_indexes_cannot_be_made_is_not_there(store: DocumentStore) -> None:
    with pytest.raises(ValidationError):
        store.create_collection(
            "other", ttl=TimeToLive(field="_id", expire_after=timedelta(hours=1))
        )
    with pytest.raises(ResourceNotFoundError):
        store.count_documents("other")


def test_an_index_is_known_by_its_fields_whatever_it_is_called(store: DocumentStore) -> None:
    fields = [FieldOrder(field="a")]
    store.create_index(_NAME, fields=fields, name="mine")
    assert store.create_index(_NAME, fields=fields).index.name == "mine"
    with pytest.raises(AlreadyExistsError):
        store.create_index(_NAME, fields=fields, sparse=True)
    with pytest.raises(AlreadyExistsError):
        store.create_index(_NAME, fields=fields, name="other")


def test_a_validator_is_listed_as_it_was_given(store: DocumentStore) -> None:
    schema = {"bsonType": "object", "properties": {"n": {"minimum": 0, "maximum": 1.5}}}
    store.drop_collection("valid")
    store.create_collection("valid", validator=schema)
    found = {it.name: it.validator for it in store.list_collections().collections}
    assert found["valid"] == Json(schema)


# --- operators


@pytest.mark.parametrize(
    "filter",
    [
        {"$where": "true"},
        {"$expr": {"$eq": [1, 1]}},
        {"$text": {"$search": "a"}},
        {"a": {"$bitsAllSet": 1}},
        {"a": {"$geoWithin": {"$box": [[0, 0], [1, 1]]}}},
        {"a": {"$elemMatch": {"$where": "true"}}},
        {"a": {"$not": {"$near": 1}}},
        {"a": {"$type": "javascript"}},
    ],
)
def test_a_filter_that_documentdb_may_lack_is_refused_before_it_is_sent(
    store: DocumentStore, filter: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError) as caught:
        store.find_documents(_NAME, filter=filter)
    assert [it.field for it in caught.value.violations] == ["filter"]


@pytest.mark.parametrize(
    "stage",
    [
        *({name: {}} for name in ("$facet", "$graphLookup", "$unionWith", "$setWindowFields")),
        *({name: {}} for name in ("$bucketAuto", "$sortByCount", "$densify", "$fill", "$merge")),
        {"$project": {"a": {"$round": ["$b", 1]}}},
        {"$project": {"a": {"$dateDiff": {}}}},
        {"$project": {"a": {"$getField": "b"}}},
        {"$project": {"a": "$$REMOVE"}},
        {"$project": {"a": "$$CURRENT"}},
        {"$project": {"a": {"$function": {}}}},
        {"$group": {"_id": None, "a": {"$stdDevPop": "$b"}}},
        {"$group": {"_id": None, "a": {"$accumulator": {}}}},
        {"$group": {"_id": None, "a": {"$firstN": {"n": 1, "input": "$b"}}}},
    ],
    ids=str,
)
def test_a_pipeline_that_documentdb_may_lack_is_refused_before_it_is_sent(
    store: DocumentStore, stage: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError) as caught:
        list(store.aggregate(_NAME, pipeline=[Json(stage)]))
    assert [it.field for it in caught.value.violations] == ["pipeline"]


# --- transactions


def test_a_transaction_is_aborted_when_its_time_is_over(store: DocumentStore) -> None:
    transaction = store.begin_transaction(timeout=timedelta(seconds=1)).transaction
    store.insert_document(_NAME, {"_id": "1"}, transaction=transaction)
    time.sleep(1.2)
    with pytest.raises(ResourceNotFoundError):
        store.commit_transaction(transaction)
    # Nobody is kept from anything any more.
    store.insert_document(_NAME, {"_id": "1"}, options=CallOptions(deadline=timedelta(seconds=5)))


def test_a_transaction_sees_what_was_there_when_it_began(store: DocumentStore) -> None:
    transaction = store.begin_transaction().transaction
    store.insert_document(_NAME, {"_id": "1"})
    assert store.count_documents(_NAME, transaction=transaction).count == 0
    store.abort_transaction(transaction)


def test_an_etag_guards_what_a_transaction_changes(store: DocumentStore) -> None:
    etag = store.insert_document(_NAME, {"_id": "1", "n": 1}).etag
    store.update_documents(_NAME, filter={"_id": "1"}, update=Update(increment=Json({"n": 1})))
    transaction = store.begin_transaction().transaction
    with pytest.raises(ConflictError):
        store.delete_documents(_NAME, filter={"_id": "1"}, if_match=etag, transaction=transaction)
    with pytest.raises(ResourceNotFoundError):
        store.commit_transaction(transaction)


def test_a_unique_index_that_is_broken_is_told_as_such(store: DocumentStore) -> None:
    store.insert_documents(_NAME, [{"_id": "1", "a": 1}, {"_id": "2", "a": 1}])
    with pytest.raises(PreconditionFailedError):
        store.create_index(_NAME, fields=[FieldOrder(field="a")], unique=True)


# --- a server that is gone


class Road:
    """The one address of servers that come and go."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._target: tuple[str, int] | None = None
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self._listener.getsockname()[1]}"

    def lead_to(self, emulator: Emulator) -> None:
        address = urlsplit(emulator.url)
        assert address.port is not None
        self._target = ("127.0.0.1", address.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for it in (self._listener, *self._ends):
            with suppress(OSError):
                it.shutdown(socket.SHUT_RDWR)
            it.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._ends.append(near)
                try:
                    assert self._target is not None
                    far = socket.create_connection(self._target)
                except OSError:
                    near.close()
                    continue
                self._ends.append(far)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for it in (one, other):
        with suppress(OSError):
            it.shutdown(socket.SHUT_RDWR)


def test_calls_survive_a_server_that_is_killed_and_comes_back() -> None:
    policy = RetryPolicy(max_attempts=3, base_delay=timedelta(milliseconds=50))
    problems: list[LCPlatformError] = []
    slowest = 0.0
    with Road() as road, start_secantusdb() as first:
        road.lead_to(first)
        with LCPlatform(
            "aws",
            settings=PlatformSettings(retry=policy),
            **options(road.url, server_selection_timeout=0.5),
        ) as platform:
            store = platform.document_store
            store.create_collection(_NAME)
            over = threading.Event()

            def work() -> None:
                nonlocal slowest
                number = 0
                while not over.is_set():
                    began = time.monotonic()
                    try:
                        store.insert_document(
                            _NAME,
                            {"of": threading.get_ident(), "n": number},
                            options=CallOptions(deadline=timedelta(seconds=2)),
                        )
                        number += 1
                    except LCPlatformError as error:
                        problems.append(error)
                    slowest = max(slowest, time.monotonic() - began)

            threads = [threading.Thread(target=work) for _ in range(3)]
            for it in threads:
                it.start()
            time.sleep(0.3)
            first.stop()
            time.sleep(0.5)
            over.set()
            for it in threads:
                it.join()
            assert problems
            assert {type(it) for it in problems} <= {ServiceUnavailableError, DeadlineExceededError}
            assert slowest < 4
            with start_secantusdb() as second:
                road.lead_to(second)
                store.drop_collection(_NAME)
                store.create_collection(_NAME)
                store.insert_document(_NAME, {"_id": "1"})
                assert store.count_documents(_NAME).count == 1


# --- options


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "host"),
        ({"host": "a b"}, "host"),
        ({"host": "h", "port": 0}, "port"),
        ({"host": "h", "database": "a.b"}, "database"),
        ({"host": "h", "authentication": "magic"}, "authentication"),
        ({"host": "h", "authentication": "password", "user": "ada"}, "document_store"),
        ({"host": "h", "user": "ada", "password_secret": "s"}, "document_store"),
        ({"host": "h", "tls_ca_file": "/nowhere.pem"}, "document_store"),
        ({"host": "h", "server_selection_timeout": 0}, "server_selection_timeout"),
        ({"host": "h", "password": "hush"}, "password"),
    ],
)
def test_an_option_that_is_wrong_is_named(given: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LCPlatform("aws", document_store=given)
    assert any(field in it.field for it in caught.value.violations)
    assert "hush" not in str(caught.value)


def test_without_a_cluster_the_document_store_is_not_offered() -> None:
    with LCPlatform("aws", region="eu-west-1") as platform, pytest.raises(UnsupportedError) as told:
        platform.document_store.list_collections()
    assert "document_store" in str(told.value)

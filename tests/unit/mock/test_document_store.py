"""What scenarios cannot tell of documents: crashes, threads, watchers that wait, and that an index changes no answer."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcplatform import Json, LCPlatform
from lcplatform.document_store.client import DocumentStore
from lcplatform.document_store.models import ChangeKind, FieldOrder, TimeToLive, Update
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform_runtime.testing.clock import ManualClock

_CHILD = """
import os, signal, sys
from lcplatform import Json, LCPlatform
from lcplatform.document_store.models import ChangeKind, FieldOrder, IndexDefinition, Update
store = LCPlatform("mock", state=sys.argv[1]).document_store
index = IndexDefinition(fields=(FieldOrder(field="email"),), unique=True)
store.create_collection("people", indexes=[index], validator={"required": ["email"]})
for number in range(20):
    store.insert_document("people", {"_id": str(number), "email": number})
store.update_documents("people", filter={"_id": "7"}, update=Update(increment={"email": 1000}))
store.delete_documents("people", filter={"_id": "8"})
transaction = store.begin_transaction().transaction
store.insert_document("people", {"_id": "open", "email": -1}, transaction=transaction)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def documents(platform: LCPlatform) -> DocumentStore:
    return platform.document_store


def _ids(store: DocumentStore, condition: dict[str, object]) -> list[object]:
    found = store.iter_find_documents("things", filter=condition)
    return sorted((str(it.content.value["_id"]) for it in found), key=str)


def test_what_was_acknowledged_survives_a_kill_and_an_open_transaction_does_not(
    tmp_path: Path,
) -> None:
    child = subprocess.run([sys.executable, "-c", _CHILD, str(tmp_path)], check=False)
    assert child.returncode == -signal.SIGKILL
    with LCPlatform("mock", state=tmp_path) as platform:
        store = platform.document_store
        assert store.count_documents("people").count == 19
        assert store.get_document("people", "7").document.content.value["email"] == {
            "$numberInt": "1007"
        }
        assert not store.exists("people", "open")
        with pytest.raises(AlreadyExistsError):
            store.insert_document("people", {"email": 9})
        with pytest.raises(ValidationError):
            store.insert_document("people", {"name": "nobody"})


def test_a_change_of_an_earlier_life_can_be_resumed_from(tmp_path: Path) -> None:
    with LCPlatform("mock", state=tmp_path) as platform:
        platform.document_store.create_collection("things")
        heard = platform.document_store.watch_collection("things")
        assert next(heard).kind is ChangeKind.STARTED
        platform.document_store.insert_document("things", {"_id": "first"})
        token = next(heard).resume_token
        platform.document_store.insert_document("things", {"_id": "second"})
    with LCPlatform("mock", state=tmp_path) as platform:
        again = platform.document_store.watch_collection("things", resume_token=token)
        assert next(again).kind is ChangeKind.STARTED
        assert next(again).id == "second"


def test_a_snapshot_brings_back_a_dropped_collection(platform: LCPlatform) -> None:
    store = platform.document_store
    store.create_collection("things")
    store.insert_document("things", {"_id": "kept"})
    snapshot = platform.control.snapshot()
    store.drop_collection("things")
    snapshot.restore()
    assert store.exists("things", "kept")


def test_a_document_expires_at_its_moment(clock: ManualClock, documents: DocumentStore) -> None:
    minute = timedelta(minutes=1)
    documents.create_collection("things", ttl=TimeToLive(field="at", expire_after=minute))
    now = clock.now().isoformat(timespec="milliseconds")
    documents.insert_document("things", {"_id": "due", "at": {"$date": now}})
    documents.insert_document("things", {"_id": "never", "at": "some day"})
    clock.advance(minute - timedelta(seconds=1))
    assert _ids(documents, {}) == ["due", "never"]
    clock.advance(timedelta(seconds=1))
    assert _ids(documents, {}) == ["never"]


def test_of_two_transactions_at_one_document_the_second_meets_a_conflict_and_is_over(
    documents: DocumentStore,
) -> None:
    documents.create_collection("things")
    documents.insert_document("things", {"_id": "one", "n": 0})
    first, second = (documents.begin_transaction().transaction for _ in range(2))
    change = Update(increment=Json({"n": 1}))
    documents.update_documents("things", filter={}, update=change, transaction=first)
    with pytest.raises(ConflictError) as caught:
        documents.update_documents("things", filter={}, update=change, transaction=second)
    assert caught.value.retryable
    with pytest.raises(ResourceNotFoundError):
        documents.commit_transaction(second)
    documents.commit_transaction(first)
    assert documents.count_documents("things", filter={"n": 1}).count == 1


def test_a_transaction_ends_with_its_time(clock: ManualClock, documents: DocumentStore) -> None:
    documents.create_collection("things")
    transaction = documents.begin_transaction(timeout=timedelta(seconds=5)).transaction
    documents.insert_document("things", {"_id": "one"}, transaction=transaction)
    clock.advance(timedelta(seconds=5))
    with pytest.raises(ResourceNotFoundError):
        documents.commit_transaction(transaction)
    assert documents.insert_document("things", {"_id": "one"}).id == "one"


def test_threads_that_compare_and_swap_lose_no_increment(documents: DocumentStore) -> None:
    documents.create_collection("things")
    documents.insert_document("things", {"_id": "one", "n": 0})

    def increment() -> None:
        for _ in range(25):
            while True:
                found = documents.get_document("things", "one").document
                number = int(found.content.value["n"]["$numberInt"]) + 1
                try:
                    documents.replace_document(
                        "things", "one", document={"n": number}, if_match=found.etag
                    )
                except ConflictError:
                    continue
                break

    threads = [threading.Thread(target=increment) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert documents.count_documents("things", filter={"n": 150}).count == 1


def test_a_watcher_hears_of_each_change_and_ends_with_the_collection(
    documents: DocumentStore,
) -> None:
    documents.create_collection("things")
    kinds: list[str] = []
    begun = threading.Event()

    def watch() -> None:
        for change in documents.watch_collection("things"):
            kinds.append(str(change.kind))
            begun.set()

    thread = threading.Thread(target=watch)
    thread.start()
    assert begun.wait(30)
    documents.insert_document("things", {"_id": "0"})
    documents.delete_documents("things", filter={"_id": "0"})
    documents.drop_collection("things")
    thread.join(30)
    assert not thread.is_alive()
    assert kinds == ["started", "inserted", "deleted", "dropped"]


# --- an index changes no answer

_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, "a", "b", ""])
)
_VALUES = st.one_of(
    _SCALARS,
    st.lists(_SCALARS, max_size=3),
    st.fixed_dictionaries({"b": _SCALARS}),
    st.lists(st.fixed_dictionaries({"b": _SCALARS}), max_size=2),
)
_DOCUMENTS = st.lists(
    st.dictionaries(st.sampled_from(["a", "c"]), _VALUES, max_size=2), min_size=1, max_size=12
)
_CONDITIONS = st.one_of(
    _SCALARS,
    st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$eq"]), _SCALARS, min_size=1),
    st.builds(lambda values: {"$in": values}, st.lists(_SCALARS, max_size=3)),
)
_FILTERS = st.dictionaries(st.sampled_from(["a", "a.b", "c"]), _CONDITIONS, min_size=1, max_size=2)
_INDEXES = st.sampled_from([("a",), ("a.b",), ("c", "a"), ("a", "c"), ("a.b", "c")])


@pytest.fixture(scope="module")
def shared() -> Iterator[DocumentStore]:
    with LCPlatform("mock", clock=ManualClock()) as platform:
        yield platform.document_store


@given(_DOCUMENTS, _FILTERS, _INDEXES, st.booleans())
def test_an_index_finds_what_a_scan_finds(
    shared: DocumentStore,
    contents: list[dict[str, object]],
    condition: dict[str, object],
    fields: tuple[str, ...],
    sparse: bool,
) -> None:
    shared.drop_collection("things")
    shared.create_collection("things")
    for number, content in enumerate(contents):
        shared.insert_document("things", {"_id": str(number), **content})
    scanned = _ids(shared, condition)
    order = [FieldOrder(field=it) for it in fields]
    try:
        shared.create_index("things", fields=order, sparse=sparse)
    except ValidationError:
        return  # two of the fields are arrays
    assert _ids(shared, condition) == scanned

"""Transactions of documents as blocks: what lasts, what is undone, and what is run again (FR-021)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from lcplatform import AsyncLCPlatform, CallOptions, LCPlatform
from lcplatform.document_store.client import DocumentStore
from lcplatform.document_store.models import Update
from lcplatform.errors import AlreadyExistsError, ConflictError, ResourceNotFoundError
from lcplatform_runtime.retry import RetryPolicy

_QUICK = RetryPolicy(max_attempts=3, base_delay=timedelta(0))
_ONCE = RetryPolicy(max_attempts=1)
_MORE = Update.model_validate({"increment": {"n": 1}})


@pytest.fixture
def things() -> Iterator[DocumentStore]:
    with LCPlatform("mock") as platform:
        store = platform.document_store
        store.create_collection("things")
        store.insert_document("things", {"_id": "one", "n": 0})
        yield store


def _n(store: DocumentStore) -> int:
    return int(store.get_document("things", "one").document.content.value["n"]["$numberInt"])


def test_what_a_block_changes_lasts_from_its_end_on(things: DocumentStore) -> None:
    with things.transaction() as tx:
        things.update_documents("things", filter={}, update=_MORE, transaction=tx)
        assert _n(things) == 0
    assert _n(things) == 1


def test_a_block_that_raises_changes_nothing(things: DocumentStore) -> None:
    def break_off() -> None:
        with things.transaction() as tx:
            things.update_documents("things", filter={}, update=_MORE, transaction=tx)
            raise KeyError("broken")

    with pytest.raises(KeyError) as caught:
        break_off()
    assert _n(things) == 0
    assert not hasattr(caught.value, "__notes__")
    things.update_documents("things", filter={}, update=_MORE)
    assert _n(things) == 1


def _ids_by_pages(store: DocumentStore) -> list[object]:
    found: list[object] = []
    token = ""
    while True:
        page = store.find_documents("things", page_size=1, page_token=token)
        found += [it.content.value["_id"] for it in page.documents]
        token = page.next_page_token
        if not token:
            return found


def test_pages_hold_what_a_transaction_inserted_before_others_did(things: DocumentStore) -> None:
    with things.transaction() as tx:
        things.insert_document("things", {"_id": "two"}, transaction=tx)
        things.insert_document("things", {"_id": "three"})
        assert _ids_by_pages(things) == ["one", "three"]
    assert sorted(map(str, _ids_by_pages(things))) == ["one", "three", "two"]
    things.insert_document("things", {"_id": "four"})
    assert sorted(map(str, _ids_by_pages(things))) == ["four", "one", "three", "two"]


def test_pages_hold_what_was_not_deleted_after_all(things: DocumentStore) -> None:
    things.insert_documents("things", [{"_id": "two"}, {"_id": "three"}])
    with things.transaction() as tx:
        only_two = {"_id": "two"}
        things.update_documents("things", filter=only_two, update=_MORE, transaction=tx)
        with pytest.raises(ConflictError):
            things.delete_documents("things", filter={}, options=CallOptions(retry=_ONCE))
    assert sorted(map(str, _ids_by_pages(things))) == ["one", "three", "two"]


def test_a_write_that_fails_ends_the_block_with_its_own_error(things: DocumentStore) -> None:
    def fail() -> None:
        with things.transaction() as tx:
            things.insert_document("things", {"_id": "two"}, transaction=tx)
            things.insert_document("things", {"_id": "one"}, transaction=tx)

    with pytest.raises(AlreadyExistsError) as caught:
        fail()
    assert not hasattr(caught.value, "__notes__")
    assert not things.exists("things", "two")


def test_a_transaction_that_others_were_in_the_way_of_is_run_again(things: DocumentStore) -> None:
    tries: list[str] = []

    def change(tx: str) -> str:
        tries.append(tx)
        if len(tries) == 1:
            things.update_documents("things", filter={}, update=_MORE)
        things.update_documents("things", filter={}, update=_MORE, transaction=tx)
        return "done"

    assert things.run_transaction(change, retry=_QUICK) == "done"
    assert len(set(tries)) == 2
    assert _n(things) == 2


def test_who_loses_each_time_is_told_at_last(things: DocumentStore) -> None:
    tries: list[str] = []

    def lose(tx: str) -> None:
        tries.append(tx)
        things.update_documents("things", filter={}, update=_MORE)
        things.update_documents("things", filter={}, update=_MORE, transaction=tx)

    with pytest.raises(ConflictError):
        things.run_transaction(lose, retry=_QUICK)
    assert len(tries) == 3


def test_another_error_is_no_reason_to_run_it_again(things: DocumentStore) -> None:
    tries: list[str] = []

    def stale(tx: str) -> None:
        tries.append(tx)
        things.replace_document("things", "one", document={}, if_match="stale", transaction=tx)

    with pytest.raises(ConflictError):
        things.run_transaction(stale, retry=_QUICK)
    assert len(tries) == 1


def test_a_transaction_that_was_over_early_says_so(platform: LCPlatform) -> None:
    store = platform.document_store
    store.create_collection("things")

    def late() -> None:
        with store.transaction(timeout=timedelta(seconds=1)) as tx:
            store.insert_document("things", {"_id": "late"}, transaction=tx)
            platform.control.advance_clock(timedelta(seconds=2))

    with pytest.raises(ResourceNotFoundError):
        late()
    assert not store.exists("things", "late")


def test_no_increment_of_many_threads_is_lost(things: DocumentStore) -> None:
    failures: list[BaseException] = []

    def increment(tx: str) -> None:
        found = things.get_document("things", "one", transaction=tx).document.content.value["n"]
        things.replace_document(
            "things", "one", document={"n": int(found["$numberInt"]) + 1}, transaction=tx
        )

    def many() -> None:
        try:
            for _ in range(5):
                things.run_transaction(increment, retry=RetryPolicy(max_attempts=1000))
        except BaseException as error:  # noqa: BLE001  told to the test
            failures.append(error)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert _n(things) == 20


def test_async_applications_have_the_same() -> None:
    async def use() -> None:
        async with AsyncLCPlatform("mock") as platform:
            store = platform.document_store
            await store.create_collection("things")
            async with store.transaction() as tx:
                await store.insert_document("things", {"_id": "one", "n": 0}, transaction=tx)

            async def break_off() -> None:
                async with store.transaction() as tx:
                    await store.insert_document("things", {"_id": "two"}, transaction=tx)
                    raise KeyError("broken")

            with pytest.raises(KeyError):
                await break_off()
            tries: list[str] = []

            async def change(tx: str) -> int:
                tries.append(tx)
                if len(tries) == 1:
                    await store.update_documents("things", filter={}, update=_MORE)
                await store.update_documents("things", filter={}, update=_MORE, transaction=tx)
                return len(tries)

            assert await store.run_transaction(change, retry=_QUICK) == 2
            assert (await store.count_documents("things", filter={"n": 2})).count == 1
            assert (await store.count_documents("things")).count == 1

    asyncio.run(use())

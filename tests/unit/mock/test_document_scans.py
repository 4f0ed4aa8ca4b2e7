"""Scans through many documents, which are read by columns: they find what the filter says of each document by itself."""

from __future__ import annotations

import pytest

from lcplatform import LCPlatform
from lcplatform.document_store.client import DocumentStore
from lcplatform_mock.documents.filters import filter_of
from lcplatform_runtime.documents.extended_json import parse_object


@pytest.fixture
def documents(platform: LCPlatform) -> DocumentStore:
    return platform.document_store


def _ids(store: DocumentStore, condition: dict[str, object]) -> list[object]:
    """The identities of what is found, in the order in which it is, by pages."""
    found = store.iter_find_documents("things", filter=condition, page_size=40)
    return [it.content.value["_id"] for it in found]


_MIXED: list[object] = [
    7,
    7.0,
    {"$numberDecimal": "7"},
    "7",
    True,
    None,
    [7],
    ["7", 8],
    [],
    {"b": 7},
]
_ASKED: list[dict[str, object]] = [
    {"a": 7},
    {"a": "7"},
    {"a": None},
    {"a": {"$gte": 7}},
    {"a": {"$lt": "8"}},
    {"a": 7, "c": "x"},
    {"a": {"$exists": True}, "c": "x"},
]


@pytest.mark.parametrize("intricate", [False, True])
def test_a_scan_of_many_finds_what_a_filter_says_of_each_whatever_changed_between(
    documents: DocumentStore, intricate: bool
) -> None:
    documents.create_collection("things")
    kinds = _MIXED if intricate else [7, 7.0, "7", True, None, {"b": 7}]
    kept: dict[str, dict[str, object]] = {}

    def put(number: int) -> None:
        content: dict[str, object] = {"c": "x" if number % 2 else "y"}
        if number % 11:
            content["a"] = kinds[number % len(kinds)]
        kept[f"{number:03}"] = content
        documents.insert_document("things", {"_id": f"{number:03}", **content})

    def check() -> None:
        for asked in _ASKED:
            matches = filter_of(asked, "filter").matches
            expected = [it for it, content in kept.items() if matches(parse_object(content))]
            assert _ids(documents, asked) == expected, asked

    for number in range(150):
        put(number)
    check()
    for number in range(150, 160):  # the rows grow
        put(number)
        check()
    documents.delete_documents("things", filter={"_id": "013"})
    del kept["013"]
    check()
    changed: dict[str, object] = {"a": [7, 8] if intricate else "7", "c": "x"}
    documents.replace_document("things", "021", document=changed)
    kept["021"] = changed
    check()


def test_a_scan_sees_an_array_that_comes_where_there_was_none(documents: DocumentStore) -> None:
    documents.create_collection("things")
    documents.insert_documents("things", [{"_id": f"{it}", "a": it} for it in range(100)])
    assert _ids(documents, {"a": 7}) == ["7"]
    documents.insert_document("things", {"_id": "several", "a": [6, 7]})
    assert _ids(documents, {"a": 7}) == ["7", "several"]
    documents.insert_document("things", {"_id": "last", "a": 7})
    assert _ids(documents, {"a": 7}) == ["7", "several", "last"]


def test_a_scan_finds_by_more_fields_in_turn_than_are_kept(documents: DocumentStore) -> None:
    documents.create_collection("things")
    fields = [f"f{it}" for it in range(20)]
    documents.insert_documents(
        "things", [{"_id": f"{it}", fields[it % 20]: it} for it in range(100)]
    )
    for _ in range(2):
        for at, field in enumerate(fields):
            assert _ids(documents, {field: at + 40}) == [f"{at + 40}"]

"""Filters are as DocumentDB takes them, however they are read."""

from __future__ import annotations

from typing import Any

import pytest

from lcplatform_aws.document_store_queries import filter_of, read_filter
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"_id": "1"},
        {"_id": "1", "address.city": "x"},
        {"name": "é"},
        {"name": 1},
        {"name": None},
        {"name": {"$gt": "a"}},
        {"name": "$gt"},
        {"name": ""},
    ],
)
def test_a_filter_of_texts_is_read_like_any_other(raw: dict[str, Any]) -> None:
    given = Json(raw)
    for _ in range(2):
        found = filter_of(given)
        assert found == read_filter(raw, "filter")
        found["changed"] = True  # which changes neither what was given nor what is kept
    assert given.plain == raw
    assert filter_of(given, "fields.") == read_filter(raw, "filter", "fields.")


@pytest.mark.parametrize("name", ["$and", "$gt", "$unknown", "a..b", ".a", "a."])
def test_a_text_under_a_name_that_is_no_path_is_refused(name: str) -> None:
    for _ in range(2):
        with pytest.raises(ValidationError):
            filter_of(Json({name: "x"}))

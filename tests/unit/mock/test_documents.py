"""The rules of MongoDB by which documents are found, sorted and changed, where they are not what one would guess."""

from __future__ import annotations

from typing import Any

import pytest

from lcplatform import Json
from lcplatform.document_store.models import Direction, FieldOrder, Update
from lcplatform.errors import ValidationError
from lcplatform_mock.documents import filters, updates
from lcplatform_runtime.documents import sorts
from lcplatform_runtime.documents.extended_json import canonical, parse_object

NULL_AT_PLACES = [
    # what is asked, whether it is so of each of: [], [1], [{}], [{"b": 1}], [[1]], [{"b": null}]
    ({"a.5": None}, (False, False, True, True, False, True)),
    ({"a.0": None}, (False, False, True, True, False, True)),
    ({"a.0.b": None}, (False, False, True, True, False, True)),
    ({"a.b": None}, (False, False, True, False, False, True)),
    ({"a.b": {"$ne": None}}, (True, True, False, True, True, False)),
    ({"a.5": {"$exists": False}}, (True, True, True, True, True, True)),
]


def _matches(filter: dict[str, Any], document: dict[str, Any]) -> bool:
    return filters.read(Json(filter)).matches(parse_object(document))


def _updated(document: dict[str, Any], **parts: Any) -> Any:
    wanted = {name: part if name == "unset" else Json(part) for name, part in parts.items()}
    changes = updates.read(Update.model_validate(wanted))
    return canonical(changes.apply(parse_object(document)))


def _sorted(field: str, documents: list[Any], direction: Direction = Direction.ASCENDING) -> Any:
    order = sorts.sort_of([FieldOrder(field=field, direction=direction)])
    assert order is not None
    rows = [parse_object({"_id": number, "a": it}) for number, it in enumerate(documents)]
    return [it["_id"] for it in sorted(rows, key=order.key_of_document)]


@pytest.mark.parametrize(("filter", "expected"), NULL_AT_PLACES, ids=str)
def test_nothing_lies_beyond_the_end_of_an_array_not_even_null(
    filter: dict[str, Any], expected: tuple[bool, ...]
) -> None:
    arrays: list[Any] = [[], [1], [{}], [{"b": 1}], [[1]], [{"b": None}]]
    assert tuple(_matches(filter, {"a": it}) for it in arrays) == expected


def test_a_place_is_asked_for_itself_and_not_for_its_elements() -> None:
    assert _matches({"a.0": [1, 2]}, {"a": [[1, 2]]})
    assert not _matches({"a.0": 1}, {"a": [[1, 2]]})


def test_all_is_one_equality_after_the_other() -> None:
    assert _matches({"a": {"$all": [None]}}, {})
    assert _matches({"a": {"$all": [[1, 2]]}}, {"a": [1, 2]})
    assert not _matches({"a": {"$all": []}}, {"a": []})


def test_a_filter_of_an_element_takes_an_array_for_an_object_of_places() -> None:
    assert _matches({"a": {"$elemMatch": {"0": 1}}}, {"a": [[1]]})
    assert not _matches({"a": {"$elemMatch": {"b": 1}}}, {"a": [1]})


def test_pull_meets_conditions_as_a_field_does_and_fields_in_objects() -> None:
    assert _updated({"a": [[0, 5], [0], 5, 0]}, pull={"a": {"$gte": 1}}) == {
        "a": [[{"$numberInt": "0"}], {"$numberInt": "0"}]
    }
    lines = [{"b": 1, "c": "x"}, {"b": 2}, 1]
    assert _updated({"a": lines}, pull={"a": {"b": {"$gt": 1}}}) == {
        "a": [{"b": {"$numberInt": "1"}, "c": "x"}, {"$numberInt": "1"}]
    }
    assert _updated({"a": ["ab", "b"]}, pull={"a": {"$regex": "^a"}}) == {"a": ["b"]}


def test_a_double_that_meets_a_decimal_has_fifteen_digits() -> None:
    decimal = {"$numberDecimal": "0.5"}
    assert _updated({"n": 1.5}, increment={"n": decimal}) == {
        "n": {"$numberDecimal": "2.00000000000000"}
    }
    assert _updated({"n": 0.0}, increment={"n": decimal}) == {"n": {"$numberDecimal": "0.5"}}
    assert _updated({"n": 1}, increment={"n": decimal}) == {"n": {"$numberDecimal": "1.5"}}


def test_fields_are_changed_in_the_order_of_their_names_and_places() -> None:
    assert _updated({"a": []}, set={"a.10": "x", "a.2": "y"}, push={"a.0": "z"})["a"][:3] == [
        ["z"],
        None,
        "y",
    ]
    assert list(_updated({}, set={"a.10": "x", "a.b": "z", "a.2": "y"})["a"]) == ["2", "10", "b"]


def test_a_rename_along_a_path_that_a_value_cannot_have_is_refused() -> None:
    documents: list[dict[str, Any]] = [{"a": [1]}, {"a": [[]]}, {"a": 1}, {"a": [{"b": 1}]}]
    for document in documents:
        changes = updates.read(Update(rename={"a.0.b": "z"}))
        with pytest.raises(ValueError, match=r"there is no|rename leads through no array"):
            changes.apply(parse_object(document))
    assert updates.read(Update(rename={"a.b": "z"})).apply({"c": 1}) == {"c": 1}


def test_an_array_stands_by_its_least_element_and_at_a_place_as_a_whole() -> None:
    assert _sorted("a", [[3, 1], 2, []]) == [2, 0, 1]
    assert _sorted("a", [[3, 1], 2, []], Direction.DESCENDING) == [0, 1, 2]
    assert _sorted("a.0", [[[9]], ["x"], [[]], [{"b": 1}]]) == [2, 1, 3, 0]
    assert _sorted("a.b", [[{"b": 2}, 7], {"b": 1}]) == [0, 1]


def test_objects_stand_by_the_types_of_their_fields_then_the_names_then_the_values() -> None:
    nan = {"$numberDouble": "NaN"}
    assert _sorted("a", [{"c": nan}, {"b": 1}, {"b": "x"}, {"b": nan}, {"c": None}]) == [
        4,
        3,
        1,
        0,
        2,
    ]


def test_push_sorts_by_whole_values_of_fields_and_leaves_what_is_no_object_among_its_like() -> None:
    each = {"$each": [{"b": [5, 0]}, "y", {"b": 3}, "x"], "$sort": {"b": 1}}
    assert _updated({}, push={"a": each})["a"] == [
        "y",
        "x",
        {"b": {"$numberInt": "3"}},
        {"b": [{"$numberInt": "5"}, {"$numberInt": "0"}]},
    ]


def test_two_arrays_in_one_order_are_refused() -> None:
    order = sorts.sort_of([FieldOrder(field="a"), FieldOrder(field="b")])
    assert order is not None
    with pytest.raises(ValueError, match="at most one array"):
        order.key_of_document(parse_object({"a": [1], "b": [2]}))


def test_a_filter_that_cannot_be_read_names_no_value() -> None:
    with pytest.raises(ValidationError, match=r"\$in") as caught:
        filters.read(Json({"a": {"$in": "secret"}}))
    assert "secret" not in str(caught.value)

"""A union whose alternatives the type of a value tells apart: nothing is turned into something else on the way."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import pytest

from lcplatform.data_store.models import (
    ArrayValue,
    ExecuteBatchRequest,
    Interval,
    OtherValue,
    QueryRequest,
)
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import build

VALUES: list[Any] = [
    None,
    True,
    1,
    -(2**63),
    1.0,
    float("inf"),
    Decimal("1.50"),
    Decimal("-Infinity"),
    "2026-01-31",
    "",
    b"",
    date(2026, 1, 31),
    time(12, 30),
    time(12, 30, tzinfo=UTC),
    datetime(2026, 1, 31),  # noqa: DTZ001  a time without a zone is meant
    datetime(2026, 1, 31, tzinfo=UTC),
    Interval(months=1),
    UUID(int=1),
    Json("text"),
    ArrayValue(items=(1, None)),
    OtherValue(type_name="inet", text="::1"),
]


def one(value: object) -> object:
    (only,) = build(QueryRequest, sql="select $1", params=[value]).params
    return only


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_stays_what_it_is(value: object) -> None:
    kept = one(value)
    assert kept == value
    assert type(kept) is type(value)


class Weekday(IntEnum):
    MONDAY = 1


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, "a"], ArrayValue(items=(1, "a"))),
        ((), ArrayValue()),
        ([[1], [2]], ArrayValue(items=(ArrayValue(items=(1,)), ArrayValue(items=(2,))))),
        (timedelta(days=-1, seconds=1), Interval(days=-1, microseconds=1_000_000)),
        ({"a": 1}, Json({"a": 1})),
        (Weekday.MONDAY, 1),
        (Colour.RED, "red"),
    ],
)
def test_a_plain_value_stands_for_what_has_no_other_form(value: object, expected: object) -> None:
    assert one(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**63, "less than or equal to"),
        (Decimal("sNaN"), "a number, NaN or an infinity"),
        (object(), "not a JSON value"),
        ({"a": object()}, "not a JSON value"),
    ],
)
def test_what_is_no_alternative_is_refused_without_its_value(value: object, expected: str) -> None:
    with pytest.raises(ValidationError, match=expected) as caught:
        one(value)
    assert [it.field for it in caught.value.violations] == ["params"]
    assert "object at" not in str(caught.value)


def test_a_list_stands_for_the_parameters_of_one_run() -> None:
    request = build(ExecuteBatchRequest, sql="select $1", params_list=[[1, None], ("a",)])
    assert [it.values for it in request.params_list] == [(1, None), ("a",)]


def test_values_that_are_bound_are_not_shown() -> None:
    shown = repr(build(QueryRequest, sql="select $1", params=["hunter2"]))
    assert "select $1" in shown
    assert "hunter2" not in shown

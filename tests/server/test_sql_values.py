"""Values of SQL cross the wire without a loss, and what says nothing, or something else, is refused by its path."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcplatform.data_store.models import ArrayValue, Interval, OtherValue, QueryRequest
from lcplatform.data_store.v1 import data_store_pb2
from lcplatform_grpc.data_store.convert import read_query_request, write_query_request
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import build

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda it: timedelta(minutes=it))
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False),
    TEXTS,
    st.binary(max_size=6),
    st.dates(),
    st.times(),
    st.datetimes(),
    # The first and the last day leave the years that Python knows on their way to UTC.
    st.datetimes(timezones=st.timezones()).filter(lambda it: 1 < it.year < 9999),
    st.uuids(),
    st.builds(Json, st.dictionaries(TEXTS, st.integers(), max_size=2)),
    st.builds(
        Interval,
        months=st.integers(-99, 99),
        days=st.integers(-99, 99),
        microseconds=st.integers(-(2**63), 2**63 - 1),
    ),
    st.builds(OtherValue, type_name=TEXTS.filter(bool), text=TEXTS),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=6)


@given(st.lists(VALUES, max_size=4))
def test_values_survive(values: list[Any]) -> None:
    request = build(QueryRequest, sql="select 1", params=values)
    message = data_store_pb2.QueryRequest.FromString(
        write_query_request(request).SerializeToString()
    )
    read = read_query_request(message)
    assert list(map(_shown, read.params)) == list(map(_shown, request.params))


def _shown(value: Any) -> Any:
    """The value with its type, of which Python's equality knows nothing."""
    if isinstance(value, ArrayValue):
        return [*map(_shown, value.items), value.item_type]
    # Not by its text, since a moment comes back in UTC.
    return (type(value), str(value) if isinstance(value, Decimal) else value)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"decimal": "1_0"},
        {"decimal": "1e9999999"},
        {"decimal": "sNaN"},
        {"date": "20260131"},
        {"date": "2026-02-30"},
        {"time": "12:30"},
        {"time": "25:00:00"},
        {"local_timestamp": "2026-01-31 12:30:00"},
        {"uuid": "{0d7a5f2e-0000-4000-8000-000000000000}"},
        {"json": {"text": "{"}},
    ],
)
def test_what_is_no_value_is_refused_by_its_place(value: dict[str, Any]) -> None:
    values = [data_store_pb2.Value(integer=1), data_store_pb2.Value(**value)]
    message = data_store_pb2.QueryRequest(sql="select 1", params=values)
    with pytest.raises(ValidationError) as caught:
        read_query_request(message)
    assert [it.field.split(".")[:2] for it in caught.value.violations] == [["params", "1"]]

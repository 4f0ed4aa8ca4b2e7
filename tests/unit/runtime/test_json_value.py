"""JSON values keep what they were given."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections import OrderedDict, UserDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json, inside, unread, unwritten
from lcplatform_runtime.model import Model, build

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    SCALARS, lambda it: st.lists(it, max_size=4) | st.dictionaries(st.text("abc"), it, max_size=4)
)


class Holder(Model):
    body: str | bytes | Json


class Plain(Model):
    data: Json


@given(VALUES)
def test_a_value_comes_back_from_its_text(value: Any) -> None:
    made = Json(value)
    assert made.value == value
    assert json.loads(made.text) == value
    again = Json.from_text(made.text)
    assert again == made
    assert hash(again) == hash(made)
    assert pickle.loads(pickle.dumps(made)) == made
    assert copy.deepcopy(made) == copy.copy(made) == made


@given(VALUES)
def test_the_text_is_kept_as_it_was(value: Any) -> None:
    text = json.dumps(value, indent=3)
    assert Json.from_text(text).text == text
    assert Json.from_text(text) == Json(value)


def test_changing_what_was_read_changes_nothing() -> None:
    source: dict[str, Any] = {"list": [1], "inner": {"a": 1}}
    made = Json(source)
    source["list"].append(2)
    made.value["inner"]["b"] = 2
    assert made == Json({"list": [1], "inner": {"a": 1}})
    with pytest.raises(AttributeError):
        made.other = 1
    with pytest.raises(AttributeError):
        del made.text


def test_equality_is_that_of_json() -> None:
    assert Json(1) == Json(1.0)
    assert Json(1) != Json(True)
    assert Json([0]) != Json([False])
    assert Json({"a": 1, "b": 2}) == Json.from_text(' {"b": 2, "a": 1}')
    assert Json({}) != Json([])
    assert Json("a") != "a"


def test_integers_are_not_rounded() -> None:
    assert Json.from_text(f"{2**70 + 1}").value == 2**70 + 1
    assert Json(2**70 + 1).text == str(2**70 + 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e400",
        "'a'",
        '"\ud800"',
        "[" * 100_000,
        "1" * 5000,
        "{1: 2}",
    ],
)
def test_what_is_not_json_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Json.from_text(text)
    assert caught.value.__context__ is None
    assert len(str(caught.value)) < 120
    assert "set_int_max_str_digits" not in str(caught.value)


def _endless() -> list[Any]:
    endless: list[Any] = []
    endless.append(endless)
    return endless


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        {1: 2},
        {"a": object()},
        b"x",
        {1, 2},
        "\ud800",
        _endless(),
        10**5000,
    ],
    ids=lambda it: type(it).__name__,
)
def test_a_value_without_a_form_in_json_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="not a JSON value") as caught:
        Json(value)
    assert caught.value.__context__ is None


class Colour(str, Enum):  # noqa: UP042  unlike that of a StrEnum, its `str` is not its text
    RED = "red"


class Number(IntEnum):
    ONE = 1


class Shade(Enum):
    DARK = "dark"


@dataclass
class Point:
    x: int


class Failing(Model):
    a: int = 1

    @property
    def b(self) -> int:
        raise KeyError

    @override
    def __eq__(self, other: object) -> bool:
        raise KeyError


@pytest.mark.parametrize(
    "value",
    [
        datetime(2030, 1, 1, tzinfo=UTC),
        timedelta(1),
        Decimal(1),
        1j,
        UUID(int=1),
        Path("a"),
        b"x",
        frozenset("a"),
        range(2),
        iter("a"),
        Shade.DARK,
        Point(1),
        Failing(),
        float("inf"),
        10**5000,
        "\udc00",
        object(),
        {1: 2},
        {None: 2},
        {"1": 1, 1: 1},
    ],
    ids=lambda it: type(it).__name__,
)
@pytest.mark.parametrize("place", ["item", "member", "deep", "tuple"])
def test_what_only_looks_like_json_once_it_is_written_is_refused(value: object, place: str) -> None:
    deep: list[object] = [value]
    for _ in range(20):
        deep = [deep]
    whole = {"item": ["a", value], "member": {"a": {"b": value}}, "deep": deep, "tuple": (value,)}
    with pytest.raises(ValidationError, match="not a JSON value") as caught:
        Json(whole[place])
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((1, (2,)), [1, [2]]),
        ({"a": (1,)}, {"a": [1]}),
        (OrderedDict(a=1), {"a": 1}),
        (UserDict(a=UserDict(b=1)), {"a": {"b": 1}}),
        (MappingProxyType({"a": None}), {"a": None}),
        ({Colour.RED: Colour.RED}, {"red": "red"}),
        (MappingProxyType({Colour.RED: [Colour.RED]}), {"red": ["red"]}),
        ([Number.ONE, True, 1.0, -0.0], [1, True, 1.0, -0.0]),
        ([Json({"a": (1,)}), Json("text")], [{"a": [1]}, "text"]),
    ],
    ids=str,
)
def test_values_of_other_classes_are_taken_as_those_of_json(value: object, plain: object) -> None:
    made = Json(value)
    assert made == Json(plain)
    assert made.text == Json(plain).text
    assert repr(made.value) == repr(plain)
    assert json.loads(made.text) == plain


@pytest.mark.parametrize("depth", [10, 190, 210, 250, 260, 400])
def test_a_value_may_be_nested_more_deeply_than_the_fast_way_goes(depth: int) -> None:
    value: object = {"a": (1,)}
    for _ in range(depth // 2):
        value = [{"a": value}]
    made = Json(value)
    assert json.loads(made.text) == made.value
    assert inside(unread(made.text)) == made.plain == Json.of_plain(made.plain).plain
    assert Json.of_plain(made.plain).text == made.text


def test_text_tells_of_half_a_character_as_it_is() -> None:
    text = '["\\ud800"]'
    assert Json.from_text(text).value == ["\ud800"] == inside(unread(text))


@given(VALUES)
def test_what_is_read_late_is_the_same(value: Any) -> None:
    text = json.dumps(value)
    late, early = unread(text), Json.from_text(text)
    assert repr(inside(late)) == repr(inside(early))
    assert late == early


def test_one_that_is_read_late_is_like_any_other_before_and_after() -> None:
    late = unread('{"a": 1}')
    assert isinstance(late, Json)
    assert late.text == '{"a": 1}'
    with pytest.raises(AttributeError, match="cannot be changed"):
        late.text = "2"
    with pytest.raises(AttributeError, match="has no length"):
        _ = late.length  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(late)) == copy.deepcopy(late) == Json({"a": 1})
    assert late.value == {"a": 1}
    assert type(late) is Json
    assert repr(late) == "Json({'a': 1})"


@pytest.mark.parametrize(
    "value", [{"a": 1}, [1, "x"], (1,), 5, 1.5, True, Json(None), Json("text")]
)
def test_a_union_takes_python_values_as_json(value: Any) -> None:
    body = build(Holder, body=value).body
    assert body == (value if isinstance(value, Json) else Json(value))


@pytest.mark.parametrize("value", ["text", b"bytes", '{"a": 1}'])
def test_a_union_leaves_text_and_bytes_as_they_are(value: Any) -> None:
    assert build(Holder, body=value).body == value
    assert type(build(Holder, body=value).body) is type(value)


def test_a_json_field_takes_no_bare_text() -> None:
    with pytest.raises(ValidationError, match=r"Json\.from_text"):
        build(Plain, data='{"a": 1}')
    assert build(Plain, data=[1]).data.text == "[1]"


def test_in_json_it_is_as_on_the_wire() -> None:
    message = build(Plain, data={"a": 2**70})
    assert json.loads(message.model_dump_json()) == {"data": {"text": f'{{"a":{2**70}}}'}}
    assert Plain.model_validate_json(message.model_dump_json()) == message


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**63, 10**25, True, None, "é", ""])
def test_a_small_object_is_taken_like_a_large_one(value: object) -> None:
    small = {"name": value}
    large = {**{f"name{number}": value for number in range(20)}, "inner": [small]}
    assert Json(large).plain["inner"] == [Json(small).plain]
    assert Json(large).text.endswith(f'"inner":[{Json(small).text}]}}')
    taken = Json(small)
    small["name"] = "changed"
    assert taken.plain == {"name": value}
    assert type(taken.plain["name"]) is type(value)


@pytest.mark.parametrize(
    "value", [10**5000, "\ud800", math.nan, math.inf, {1}, b"bytes"], ids=range(6)
)
def test_what_is_no_json_is_refused_in_a_small_object_too(value: object) -> None:
    with pytest.raises(ValidationError):
        Json({"name": value})


def test_what_is_written_late_is_what_is_written_at_once() -> None:
    value = {"name": "é", "numbers": [1, 2.5, None], "object": {"flag": True}}
    late, early = unwritten(value), Json.of_plain(value)
    assert late.plain is value
    assert late.text == early.text
    assert late == early
    assert type(late) is Json
    assert copy.deepcopy(unwritten(value)) == early
    assert pickle.loads(pickle.dumps(unwritten(value))) == early
    assert hash(unwritten(value)) == hash(early)
    assert build(Holder, body=unwritten(value)).body == early
    with pytest.raises(AttributeError):
        _ = unwritten(value).other  # type: ignore[attr-defined]

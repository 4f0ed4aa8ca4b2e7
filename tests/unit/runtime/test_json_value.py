"""JSON values keep what they were given."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json
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
        del made._text


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

"""A schema comes from whoever calls: its patterns end in time, and all that is said of data is what JSON Schema says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lcplatform import Json
from lcplatform.errors import ValidationError
from lcplatform_runtime.schemas.json_schema import CheckedSchema, checked

# Each of them takes an engine that goes back and forth longer than anybody lives, for the text beside it.
ENDLESS = [
    (r"^(a+)+$", "a" * 5000 + "!"),
    (r"(a|aa)+$", "a" * 5000 + "b"),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 5000),
    (r"^(\w+\s?)*$", "word " * 1000 + "!"),
    (r"(x+x+)+y", "x" * 5000),
    (r"a*a*a*a*a*a*b", "a" * 5000),
]


def flaws(schema: object, data: object) -> list[tuple[str, str]]:
    found, _ = checked(Json(schema).text).flaws(Json(data))
    return [(it.path, it.keyword) for it in found]


@pytest.mark.parametrize(("pattern", "text"), ENDLESS)
def test_no_pattern_goes_on_for_ever(pattern: str, text: str) -> None:
    assert flaws({"pattern": pattern}, text) == [("", "pattern")]
    name = {text: 1}
    assert flaws({"patternProperties": {pattern: False}}, name) == []
    assert flaws({"propertyNames": {"pattern": pattern}}, name) == [("", "pattern")]
    closed = {"patternProperties": {pattern: True}, "additionalProperties": False}
    assert flaws(closed, name) == [(f"/{text}", "additionalProperties")]
    shut = {"patternProperties": {pattern: True}, "unevaluatedProperties": False}
    assert flaws(shut, name) == [("", "unevaluatedProperties")]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^a$", "a\n", False),
        (r"^\d$", "\u0663", False),
        (r"^\w+$", "caf\u00e9", False),
        (r"^\p{L}+$", "caf\u00e9", True),
        (r"^caf\u00e9$", "caf\u00e9", True),
        (r"^\u{1F600}$", "\U0001f600", True),
        (r"^\\u00e9$", r"\u00e9", True),
        (r"^[a-z\-\/]+$", "a-/", True),
        ("^.$", "\U0001f600", True),
        ("b", "abc", True),
    ],
)
def test_a_pattern_means_what_it_means_in_json_schema(pattern: str, text: str, found: bool) -> None:
    assert flaws({"pattern": pattern}, text) == ([] if found else [("", "pattern")])


@pytest.mark.parametrize(
    "pattern", ["(?=a)b", "(?!a)b", "(?<=a)b", r"(a)\1", "(", "[", "a{1,5000}", "*", "\ud800"]
)
@pytest.mark.parametrize("place", ["pattern", "patternProperties"])
def test_a_pattern_that_cannot_be_told_in_one_reading_is_refused(pattern: str, place: str) -> None:
    schema = {"pattern": pattern} if place == "pattern" else {"patternProperties": {pattern: True}}
    with pytest.raises(ValidationError, match="without lookaround") as caught:
        CheckedSchema(schema)
    assert [(it.field, it.path) for it in caught.value.violations] == [("schema", f"/{place}")]


def test_patterns_that_are_too_much_work_for_the_data_are_refused() -> None:
    schema = {"pattern": r".*(a|b)(?:.{0,900})c.*(a|b)(?:.{0,900})d"}
    assert flaws(schema, "ab" * 500) == [("", "pattern")]
    with pytest.raises(ValidationError, match="less work") as caught:
        flaws(schema, "ab" * 50_000)
    assert [it.field for it in caught.value.violations] == ["schema"]


def test_patterns_that_are_too_much_work_together_are_refused() -> None:
    schema = {"items": {"allOf": [{"pattern": rf"^\p{{L}}{{{n}}}"} for n in range(1, 50)]}}
    with pytest.raises(ValidationError, match="less work"):
        checked(Json(schema).text)


def test_an_ordinary_pattern_may_be_asked_of_much_data() -> None:
    names = [f"host-{number}.example.com" for number in range(30_000)]
    schema = {"items": {"pattern": r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$"}}
    assert flaws(schema, names) == []


NAMES = st.sampled_from(["a", "ab", "b", "c"])
LEAVES = st.sampled_from([True, False, {"type": "integer"}, {"const": 1}])


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "patternProperties": st.dictionaries(
                st.sampled_from(["^a", "b$", "[bc]"]), inner, max_size=2
            ),
            "additionalProperties": inner,
            "unevaluatedProperties": inner,
            "dependentSchemas": st.dictionaries(NAMES, inner, max_size=1),
            "allOf": lists,
            "anyOf": lists,
            "oneOf": lists,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
            "$ref": st.just("#/$defs/it"),
        },
    )


SCHEMAS = st.recursive(LEAVES, _schemas, max_leaves=8)
DATA = st.dictionaries(NAMES, st.sampled_from([1, 2, "x", {"a": 1}]), max_size=3)


@settings(max_examples=60, derandomize=True, database=None)
@given(schema=_schemas(SCHEMAS), defined=_schemas(LEAVES), data=DATA)
def test_what_is_valid_is_what_the_library_holds_valid(
    schema: dict[str, Any], defined: dict[str, Any], data: dict[str, Any]
) -> None:
    defined.pop("$ref", None)  # which would lead to itself
    schema["$defs"] = {"it": defined}
    found, _ = CheckedSchema(schema).flaws(Json(data))
    assert (not found) is Draft202012Validator(schema).is_valid(data)

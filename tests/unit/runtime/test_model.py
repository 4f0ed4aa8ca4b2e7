"""Messages are checked once, and never show a secret."""

from __future__ import annotations

import functools
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Annotated, Any, ClassVar

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from lcplatform_runtime.choices import JSON_OBJECT
from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import Request, Response, build


class Entry(Request):
    __sensitive__: ClassVar[frozenset[str]] = frozenset({"token"})

    id: Annotated[str, Field(min_length=3)]
    token: str | None = None


class Batch(Request):
    __sensitive__: ClassVar[frozenset[str]] = frozenset({"value", "labels"})

    queue: Annotated[str, Field(pattern="^[a-z]+$")]
    entries: tuple[Entry, ...] = ()
    value: str | bytes | Json | None = None
    count: Annotated[int, Field(ge=1, le=10)] = 1
    tags: dict[str, int] = Field(default_factory=dict)
    labels: dict[str, int] = Field(default_factory=dict)
    delay: timedelta | None = None


class Answer(Response):
    name: str


def refused(**values: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        build(Batch, **values)
    return caught.value


class Worded(Request):
    schema_: Annotated[str, Field(min_length=3)]
    labels_: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)


def test_a_field_is_named_as_in_the_idl_where_python_needs_another_name() -> None:
    with pytest.raises(ValidationError) as caught:
        build(Worded, schema_="a", labels_={"b_": -1}, other=1)
    assert [it.field for it in caught.value.violations] == ["schema", "labels.b_", "other"]
    assert caught.value.violations[-1].description == "unknown; known: schema, labels"


def test_build_makes_a_frozen_message() -> None:
    made = build(Batch, queue="a", entries=[{"id": "one"}], value={"a": 1})
    assert made.entries == (Entry(id="one"),)
    assert made.value == Json({"a": 1})
    with pytest.raises(pydantic.ValidationError):
        made.queue = "b"


def test_every_wrong_field_is_named_by_its_path() -> None:
    error = refused(queue="A", entries=[{"id": "one"}, {"id": "x", "token": 5}], count=11, other=1)
    assert error.violations == (
        FieldViolation("queue", "string should match pattern '^[a-z]+$'"),
        FieldViolation("entries.1.id", "string should have at least 3 characters"),
        FieldViolation("entries.1.token", "input should be a valid string"),
        FieldViolation("count", "input should be less than or equal to 10"),
        FieldViolation(
            "other", "unknown; known: queue, entries, value, count, tags, labels, delay"
        ),
    )
    assert "invalid Batch: queue: string should match" in error.message


def test_what_is_missing_is_named() -> None:
    assert refused().violations == (FieldViolation("queue", "field required"),)


def test_branches_of_a_union_are_one_violation() -> None:
    (violation,) = refused(queue="a", value=object()).violations
    assert violation.field == "value"
    assert "valid string; or input should be a valid bytes" in violation.description


def test_keys_of_a_map_are_named_unless_they_are_secret() -> None:
    error = refused(queue="a", tags={"colour": "x"}, labels={"hush-hush": "x"})
    assert [it.field for it in error.violations] == ["tags.colour", "labels"]


def test_a_request_refuses_what_it_does_not_know_and_a_response_ignores_it() -> None:
    with pytest.raises(ValidationError, match="newer: unknown; known: id, token"):
        build(Entry, id="one", newer=1)
    assert build(Answer, name="a", newer=1) == Answer(name="a")


def test_an_unknown_name_is_named_at_any_depth_and_on_one_line() -> None:
    error = refused(queue="a", entries=[{"id": "one", "tokn\n": "x"}], tags={"a\nb": "x"})
    assert [it.field for it in error.violations] == [r"entries.0.'tokn\n'", r"tags.'a\nb'"]
    assert error.violations[0].description == "unknown; known: id, token"


def test_a_missing_json_value_is_not_the_null_of_json() -> None:
    class Document(Request):
        data: str | bytes | Json

    with pytest.raises(ValidationError, match=r"Json\(None\)"):
        build(Document, data=None)
    assert build(Document, data=Json(None)).data == Json(None)


def test_a_sensitive_value_is_told_what_is_expected_of_it() -> None:
    class Secret(Request):
        __sensitive__: ClassVar[frozenset[str]] = frozenset({"value"})

        value: str | Annotated[Json, JSON_OBJECT]

    with pytest.raises(ValidationError, match="valid string; or input should be a JSON object"):
        build(Secret, value=[1])
    with pytest.raises(ValidationError, match="has no form in JSON"):
        build(Secret, value=object())


def test_repr_and_str_hide_what_is_sensitive_at_any_depth() -> None:
    made = build(
        Batch, queue="a", entries=[{"id": "one", "token": "hush-hush"}], value=b"hush-hush"
    )
    assert repr(made) == (
        "Batch(queue='a', entries=(Entry(id='one', token=***),), value=***, count=1, tags={},"
        " labels=***, delay=None)"
    )
    assert "hush" not in str(made)
    assert "hush" not in repr(list(made.__repr_args__()))


CANARY = "kanarienvogel"
WRONG = st.sampled_from(
    [
        {"value": object(), "queue": CANARY + "!"},
        {"count": CANARY},
        {"delay": CANARY},
        {"entries": [{"id": "one", "token": {CANARY: 1}}]},
        {"entries": CANARY},
        {"labels": {CANARY: CANARY}},
        {"value": {1: CANARY}},
        {"value": [{CANARY: object()}]},
        {"tags": CANARY},
    ]
)


@given(wrong=WRONG)
def test_a_refusal_never_quotes_a_value(wrong: dict[str, Any]) -> None:
    error = refused(**{"queue": "a", **wrong})
    told = "".join(traceback.format_exception(error)) + repr(error.fields()) + repr(error.args)
    assert CANARY not in told
    # Pydantic's own exception holds the input: nobody who walks the chain may find it.
    assert (error.__context__, error.__cause__) == (None, None)


def test_messages_survive_json() -> None:
    made = build(Batch, queue="a", delay=timedelta(seconds=1.5), entries=[{"id": "one"}])
    assert Batch.model_validate_json(made.model_dump_json()) == made


def together(threads: int, work: Callable[[], object]) -> list[object]:
    """What each of so many threads gets that do the same at the same moment."""
    start = threading.Barrier(threads)

    def run(_: int) -> object:
        start.wait()
        return work()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_threads_may_use_a_message_type_for_the_first_time_together() -> None:
    for turn in range(50):
        inner = pydantic.create_model(f"Inner{turn}", __base__=Request, name=str)
        field: Any = tuple[inner, ...]  # type: ignore[valid-type]
        outer: Any = pydantic.create_model(f"Outer{turn}", __base__=Request, inner=field)
        first_use = functools.partial(build, outer, inner=[{"name": "a"}])
        assert together(8, first_use) == [outer(inner=[{"name": "a"}])] * 8

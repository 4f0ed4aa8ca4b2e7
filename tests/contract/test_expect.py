"""The matchers of contract tests: what they are equal to, what they are not, and what they say then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from lcplatform.errors import ConflictError, FieldViolation, ValidationError
from lcplatform_contract.expect import (
    ANY,
    bytes_of_size,
    containing,
    explain,
    like,
    of_length,
    one_of,
    present,
    problems,
    refused,
    unlike,
    unordered,
)

FOUND = SimpleNamespace(name="a", size=3, tags=("x", "y"), inner=SimpleNamespace(on=True))


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (FOUND, like(name="a")),
        (FOUND, like(tags=("x", "y"), inner=like(on=True))),
        ((FOUND, FOUND), (like(size=3), like(name=ANY))),
        (("x", "y"), unordered("y", "x")),
        ((FOUND,), unordered(like(name="a"))),
        (("x", FOUND), containing(like(size=3))),
        ("text", containing("ex")),
        ("x", unlike("y")),
        (200, one_of(200, 201)),
        ({"a": "b"}, of_length(1)),
        (datetime(2030, 1, 1, tzinfo=UTC), ANY),
    ],
)
def test_a_matcher_is_equal_to_what_it_describes(actual: object, expected: Any) -> None:
    assert actual == expected
    assert list(problems(actual, expected)) == []


@pytest.mark.parametrize(
    ("actual", "expected", "said"),
    [
        (FOUND, like(name="b"), "name: expected 'b', found 'a'"),
        (FOUND, like(colour="b"), "colour: there is no such field in"),
        (FOUND, like(inner=like(on=False)), "inner.on: expected False, found True"),
        (FOUND, like(inner=like(on=1)), "inner.on: expected 1, found True"),
        ((FOUND,), (), "there: expected 0 items, found 1"),
        ((FOUND, FOUND), (like(size=3), like(size=4)), "[1].size: expected 4, found 3"),
        (("x",), unordered("x", "y"), "there: 'y' is missing"),
        (("x", "x"), unordered("x"), "there: 'x' is unexpected"),
        (("x",), containing("y"), "there: expected containing('y'), found ('x',)"),
        (None, containing("y"), "there: expected containing('y'), found None"),
        ("x", unlike("x"), "there: expected unlike('x'), found 'x'"),
        (404, one_of(200, 201), "there: expected one_of(200, 201), found 404"),
        ((), of_length(1), "there: expected of_length(1), found ()"),
        ("", ANY, "there: expected something, found ''"),
        (None, ANY, "there: expected something, found None"),
        (
            datetime(2030, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            ANY,
            "there: expected a time in UTC",
        ),
    ],
)
def test_a_matcher_says_where_a_value_differs(actual: object, expected: Any, said: str) -> None:
    if not isinstance(expected, tuple):
        assert actual != expected
    (problem,) = problems(actual, expected)
    assert problem.startswith(said)


def test_a_failed_comparison_is_explained_where_matchers_are_at_work() -> None:
    explained = explain((FOUND,), (like(size=4),))
    assert explained is not None
    assert explained[1:] == ["[0].size: expected 4, found 3"]
    assert explain("a", "b") is None


def test_a_body_of_a_size_repeats_after_a_prime_number_of_bytes() -> None:
    assert len(bytes_of_size(1000)) == 1000
    assert bytes_of_size(0) == b""
    assert all(byte == index % 251 for index, byte in enumerate(bytes_of_size(1000)))


def test_a_refusal_must_name_the_field() -> None:
    with refused(ValidationError, field="size"):
        raise ValidationError("no", violations=(FieldViolation("size", "too large"),))
    with pytest.raises(AssertionError), refused(ValidationError, field="name"):
        raise ValidationError("no", violations=(FieldViolation("size", "too large"),))
    with pytest.raises(ConflictError), refused(ValidationError, field="name"):
        raise ConflictError("another")


def test_a_refusal_names_the_place_inside_of_its_field() -> None:
    error = ValidationError("no", violations=(FieldViolation("data", "a number", path="/port"),))
    with refused(ValidationError, field="data", path="/port"):
        raise error
    with pytest.raises(AssertionError), refused(ValidationError, field="data", path="/host"):
        raise error


def test_what_must_be_present_is_not_none() -> None:
    assert present(0) == 0
    with pytest.raises(AssertionError):
        present(None)

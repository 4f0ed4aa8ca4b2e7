"""Errors are values that survive every border."""

from __future__ import annotations

import copy
import pickle
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcplatform_runtime.errors import (
    ERRORS,
    FieldViolation,
    LCPlatformError,
    Outcome,
    ResourceNotFoundError,
    ValidationError,
)

TEXT = st.text(max_size=20)
FACTS = st.fixed_dictionaries(
    {
        "operation": st.none() | TEXT,
        "resource": st.none() | TEXT,
        "retryable": st.none() | st.booleans(),
        "outcome": st.none() | st.sampled_from(Outcome),
        "retry_after": st.none() | st.timedeltas(timedelta(0), timedelta(days=1)),
        "request_id": st.none() | TEXT,
        "details": st.none() | st.dictionaries(TEXT, TEXT, max_size=3),
        "violations": st.lists(st.builds(FieldViolation, TEXT, TEXT), max_size=3),
    }
)


@given(
    kind=st.sampled_from(list(ERRORS.values())), message=TEXT, facts=FACTS, reported=st.booleans()
)
def test_an_error_is_the_same_after_pickling_and_copying(
    kind: type[LCPlatformError], message: str, facts: dict[str, object], reported: bool
) -> None:
    error = kind(message, **facts)  # type: ignore[arg-type]
    error.from_server = reported
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), error.copy()):
        assert type(twin) is kind
        assert twin is not error
        assert twin.fields() == error.fields()
        assert (str(twin), twin.from_server) == (str(error), reported)


def test_a_copy_keeps_the_cause() -> None:
    error = ResourceNotFoundError("no such thing")
    error.__cause__ = KeyError("thing")
    assert error.copy().__cause__ is error.__cause__


def test_there_is_one_class_for_each_code_of_the_contract() -> None:
    proto = Path("idl/lcplatform/type/v1/error.proto").read_text()
    codes = set(re.findall(r"ERROR_CODE_(\w+) = [1-9]", proto))
    assert set(ERRORS) == codes
    assert all(kind.code == code for code, kind in ERRORS.items())


# decisions.md, what is usual for a class: (retryable, outcome)
USUAL = {
    "NOT_FOUND": (False, "not_executed"),
    "ALREADY_EXISTS": (False, "not_executed"),
    "VALIDATION": (False, "not_executed"),
    "CONFLICT": (False, "not_executed"),
    "PRECONDITION_FAILED": (False, "not_executed"),
    "AUTHENTICATION": (False, "not_executed"),
    "PERMISSION_DENIED": (False, "not_executed"),
    "QUOTA_EXCEEDED": (True, "not_executed"),
    "SERVICE_UNAVAILABLE": (True, "unknown"),
    "DEADLINE_EXCEEDED": (True, "unknown"),
    "UNSUPPORTED": (False, "not_executed"),
    "INTERNAL": (False, "unknown"),
    "CANCELLED": (False, "unknown"),
}


@pytest.mark.parametrize("code", sorted(USUAL))
def test_what_is_left_open_is_what_is_usual_for_the_class(code: str) -> None:
    error = ERRORS[code]("it failed")
    assert (error.retryable, error.outcome) == USUAL[code]


def test_the_text_ends_with_what_it_was_about() -> None:
    error = ResourceNotFoundError(
        "no such object", operation="ObjectStore.GetObject", resource="q1.pdf", request_id="4711"
    )
    assert str(error) == (
        "no such object (operation ObjectStore.GetObject, resource q1.pdf, request id 4711)"
    )
    assert str(ResourceNotFoundError("no such object")) == "no such object"


def test_fields_tell_everything_that_crosses_the_wire() -> None:
    error = ValidationError("no", violations=[FieldViolation("name", "too long")])
    assert error.fields() == {
        "type": "ValidationError",
        "code": "VALIDATION",
        "message": "no",
        "operation": None,
        "resource": None,
        "retryable": False,
        "outcome": Outcome.NOT_EXECUTED,
        "retry_after": None,
        "request_id": None,
        "details": {},
        "violations": (FieldViolation("name", "too long"),),
    }

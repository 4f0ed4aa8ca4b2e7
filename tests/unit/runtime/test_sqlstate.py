"""What an SQLSTATE means: the table of decisions.md, and what is not in it by its class."""

from __future__ import annotations

import pytest

from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    Outcome,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_runtime.sqlstate import failure, worth_another_try


@pytest.mark.parametrize(
    ("sqlstate", "kind", "retryable", "outcome"),
    [
        ("23505", AlreadyExistsError, False, Outcome.NOT_EXECUTED),
        ("23P01", AlreadyExistsError, False, Outcome.NOT_EXECUTED),
        ("23503", PreconditionFailedError, False, Outcome.NOT_EXECUTED),
        ("23502", ValidationError, False, Outcome.NOT_EXECUTED),
        ("23514", ValidationError, False, Outcome.NOT_EXECUTED),
        ("22003", ValidationError, False, Outcome.NOT_EXECUTED),
        ("42601", ValidationError, False, Outcome.NOT_EXECUTED),
        ("42501", PermissionDeniedError, False, Outcome.NOT_EXECUTED),
        ("25P02", PreconditionFailedError, False, Outcome.NOT_EXECUTED),
        ("25006", ValidationError, False, Outcome.NOT_EXECUTED),
        ("3B001", PreconditionFailedError, False, Outcome.NOT_EXECUTED),
        ("40001", ConflictError, True, Outcome.NOT_EXECUTED),
        ("40P01", ConflictError, True, Outcome.NOT_EXECUTED),
        ("55P03", ConflictError, True, Outcome.NOT_EXECUTED),
        ("40003", ServiceUnavailableError, True, Outcome.UNKNOWN),
        ("08006", ServiceUnavailableError, True, Outcome.UNKNOWN),
        ("08001", ServiceUnavailableError, True, Outcome.NOT_EXECUTED),
        ("53300", ServiceUnavailableError, True, Outcome.NOT_EXECUTED),
        ("53100", QuotaExceededError, False, Outcome.NOT_EXECUTED),
        ("57014", DeadlineExceededError, True, Outcome.NOT_EXECUTED),
        ("57P01", ServiceUnavailableError, True, Outcome.UNKNOWN),
        ("28P01", ServiceUnavailableError, False, Outcome.NOT_EXECUTED),
        ("0A000", UnsupportedError, False, Outcome.NOT_EXECUTED),
        ("25P03", DeadlineExceededError, True, Outcome.NOT_EXECUTED),
        ("40002", PreconditionFailedError, False, Outcome.NOT_EXECUTED),
        ("44000", ValidationError, False, Outcome.NOT_EXECUTED),
        ("58030", ServiceUnavailableError, True, Outcome.UNKNOWN),
        ("72000", ConflictError, True, Outcome.NOT_EXECUTED),
        ("XX000", InternalError, False, Outcome.UNKNOWN),
        ("99999", InternalError, False, Outcome.UNKNOWN),
    ],
)
def test_a_code_has_one_meaning(
    sqlstate: str, kind: type[LCPlatformError], retryable: bool, outcome: Outcome
) -> None:
    error = failure(sqlstate, "so")
    assert (type(error), error.retryable, error.outcome) == (kind, retryable, outcome)
    assert error.details == {"sqlstate": sqlstate}


def test_facts_that_are_not_known_are_left_out() -> None:
    error = failure("23505", "so", {"constraint": "key", "table": None, "column": ""})
    assert error.details == {"sqlstate": "23505", "constraint": "key"}


@pytest.mark.parametrize(
    ("error", "worth"),
    [
        (failure("40001", "so"), True),
        (failure("40P01", "so"), True),
        (failure("23505", "so"), False),
        (failure("08006", "so"), False),
        (ConflictError("a stale etag"), False),
    ],
)
def test_only_what_others_caused_is_worth_another_try(error: LCPlatformError, worth: bool) -> None:
    assert worth_another_try(error) is worth

"""What a caller says about a call is checked when it is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.retry import RetryPolicy


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("deadline", timedelta(0)),
        ("deadline", timedelta(seconds=-1)),
        ("idempotency_key", ""),
        ("idempotency_key", "a" * 129),
        ("idempotency_key", "two words"),
        ("correlation_id", "line\nbreak"),
        ("correlation_id", "käse"),
        ("deadline", 3),
        ("retry", 3),
        ("bypass_cache", "yes"),
        ("idempotency_key", 7),
    ],
)
def test_an_unusable_option_is_refused_by_name(option: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=option) as caught:
        CallOptions(**{option: value})
    assert [it.field for it in caught.value.violations] == [f"options.{option}"]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("max_attempts", 0),
        ("base_delay", timedelta(seconds=-1)),
        ("max_delay", timedelta(milliseconds=99)),
        ("max_attempts", "3"),
        ("base_delay", 0.1),
    ],
)
def test_an_unusable_policy_is_refused_by_name(attribute: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=attribute) as caught:
        RetryPolicy(**{attribute: value})
    assert [it.field for it in caught.value.violations] == [f"retry.{attribute}"]


def test_usable_options_are_taken() -> None:
    options = CallOptions(
        deadline=timedelta(seconds=1), idempotency_key="k" * 128, correlation_id="order-17/é"[:8]
    )
    assert options.correlation_id == "order-17"

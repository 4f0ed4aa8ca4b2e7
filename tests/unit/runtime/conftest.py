"""Fixtures of the runtime's tests."""

from __future__ import annotations

import pytest

from tests.unit.runtime.doubles import Platform


@pytest.fixture(params=["blocking", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    word: str = request.param
    return word


@pytest.fixture
def platform(colour: str) -> Platform:
    """A pipeline of each colour in turn."""
    return Platform(colour)

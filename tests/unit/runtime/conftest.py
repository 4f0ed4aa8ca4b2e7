"""Fixtures of the runtime's tests."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.runtime.doubles import Platform

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("lcplatform", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lcplatform")


@pytest.fixture(params=["blocking", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    word: str = request.param
    return word


@pytest.fixture
def platform(colour: str) -> Platform:
    """A pipeline of each colour in turn."""
    return Platform(colour)

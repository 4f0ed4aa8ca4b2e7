"""A platform that runs the site in real processes on real ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lcplatform import LCPlatform
from tests.behaviour.web_hosting.hosting import options


@pytest.fixture
def platform() -> Iterator[LCPlatform]:
    with LCPlatform("mock", **options()) as platform:
        yield platform

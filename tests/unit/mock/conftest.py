"""A platform on the mock whose time stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Final

import pytest

from lcplatform import LCPlatform
from lcplatform.object_store.client import ObjectStore
from lcplatform.queue.client import Queue
from lcplatform.secrets.client import Secrets
from lcplatform_runtime.testing.clock import ManualClock

if TYPE_CHECKING:
    from joserfc.jwk import Key


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def platform(clock: ManualClock) -> Iterator[LCPlatform]:
    with LCPlatform("mock", clock=clock) as made:
        yield made


@pytest.fixture
def objects(platform: LCPlatform) -> ObjectStore:
    return platform.object_store


@pytest.fixture
def queues(platform: LCPlatform) -> Queue:
    return platform.queue


@pytest.fixture
def secrets(platform: LCPlatform) -> Secrets:
    return platform.secrets


@pytest.fixture
def ready_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first RSA keys of issuers are those of the tests before: to make one takes longer than most tests."""
    from lcplatform_mock.issuer import keys

    made, taken = keys.made, count()

    def ready(algorithm: str) -> Key:
        number = next(taken)
        if algorithm != "RS256" or number >= _KEYS:
            return made(algorithm)
        while len(_made) <= number:
            _made.append(made(algorithm))
        return _made[number]

    monkeypatch.setattr(keys, "made", ready)


_KEYS: Final = 8
_made: list[Key] = []

"""The names that a mock gives to what it keeps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from lcplatform_mock.settings import MockSettings
from lcplatform_mock.world import World

_MANY = 5_000


def test_each_name_is_greater_than_the_last() -> None:
    name = World(MockSettings()).names()
    made = [name() for _ in range(_MANY)]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert {len(it) for it in made} == {26}


def test_threads_that_ask_at_once_get_names_of_their_own() -> None:
    name = World(MockSettings()).names()
    with ThreadPoolExecutor(8) as pool:
        made = [
            it
            for names in pool.map(lambda _: [name() for _ in range(_MANY)], range(8))
            for it in names
        ]
    assert len(set(made)) == 8 * _MANY

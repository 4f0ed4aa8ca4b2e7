"""Threads that start at the same moment, for tests of what only one of them may do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

RUNNERS = 8


def race(run: Callable[[int], T], runners: int = RUNNERS) -> list[T | Exception]:
    """What came of `run` in each of the threads: its result or its exception."""
    start = threading.Barrier(runners)

    def runner(number: int) -> T | Exception:
        start.wait()
        try:
            return run(number)
        except Exception as error:  # noqa: BLE001  a loser's error is a result
            return error

    with ThreadPoolExecutor(runners) as pool:
        return list(pool.map(runner, range(runners)))

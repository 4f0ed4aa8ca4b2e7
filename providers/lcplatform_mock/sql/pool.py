"""Connections that are made when they are needed, and used again and again (FR-028)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from lcplatform.data_store.models import GetPoolStatusResponse
from lcplatform_runtime.errors import Outcome, ServiceUnavailableError
from lcplatform_runtime.trusted import trusted

_status = trusted(GetPoolStatusResponse)

PATIENCE: Final = 30.0
"""For how many seconds of real time a caller waits for a connection."""


class Pooled(Protocol):
    """A connection."""

    @property
    def usable(self) -> bool:
        """Whether somebody else can go on with it."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


C = TypeVar("C", bound=Pooled)


class Pool(Generic[C]):
    """Connections of one kind. The one that was used last is used next: it knows most statements."""

    def __init__(self, make: Callable[[], C], size: int) -> None:
        self._make = make
        self._size: Final = size
        self._free: list[C] = []
        self._open = 0
        self._waiting = 0
        self._changed = threading.Condition(threading.Lock())

    def take(self) -> C:
        """A connection that nobody else uses until it is given back.

        Raises:
            ServiceUnavailableError: none became free.
        """
        try:
            return self._free.pop()  # a list is safe among threads: whoever pops has it
        except IndexError:
            return self._take_slowly()

    def give(self, connection: C) -> None:
        """Gives one back. One that broke is closed."""
        if connection.usable:
            self._free.append(connection)
        else:
            connection.close()
            with self._changed:
                self._open -= 1
        if self._waiting:
            with self._changed:
                self._changed.notify()

    def status(self) -> GetPoolStatusResponse:
        """How it is used."""
        with self._changed:
            return _status(
                max_size=self._size,
                size=self._open,
                idle=len(self._free),
                waiting=self._waiting,
            )

    def close(self) -> None:
        """Ends the connections that nobody uses. The others end when they are given back."""
        with self._changed:
            while self._free:
                self._free.pop().close()
                self._open -= 1

    def _take_slowly(self) -> C:
        until = time.monotonic() + PATIENCE
        with self._changed:
            self._waiting += 1
            try:
                while not self._free and self._open >= self._size:
                    left = until - time.monotonic()
                    if left <= 0:
                        raise ServiceUnavailableError(
                            f"all {self._size} connections are in use", outcome=Outcome.NOT_EXECUTED
                        )
                    self._changed.wait(min(left, 0.05))
            finally:
                self._waiting -= 1
            if self._free:
                return self._free.pop()
            self._open += 1
        try:
            return self._make()
        except BaseException:
            with self._changed:
                self._open -= 1
            raise

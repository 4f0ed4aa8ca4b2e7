"""What programs that the mock runs wrote: the last lines of each, which can be followed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from math import isinf
from typing import Final, Protocol

from lcplatform_runtime.cancellation import CANCELLATION, Cancellation
from lcplatform_runtime.patience import patience

LONGEST_LINE: Final = 16 * 1024
"""Characters of a line that are kept. What is longer is cut into several."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line, without its end."""

    time: datetime
    message: str
    instance: str | None = None
    revision: str | None = None


class Shelf(Protocol):
    """Keeps the lines of a book, each under its number."""

    def put(self, number: int, line: Line, /) -> None:
        """Keeps a line."""
        ...

    def drop(self, number: int, /) -> None:
        """Keeps it no longer."""
        ...


class LogBook:
    """The last lines of one program. Memory is bounded: older ones are forgotten."""

    def __init__(self, now: Callable[[], datetime], most: int, shelf: Shelf | None = None) -> None:
        self._now = now
        self._most = most
        self._shelf = shelf
        self._lines: deque[Line] = deque(maxlen=most)
        self._count = 0
        self._closed = False
        self._changed = threading.Condition()

    def write(
        self, message: str, *, instance: str | None = None, revision: str | None = None
    ) -> None:
        """Adds what was written now, line by line."""
        pieces = [
            line[start : start + LONGEST_LINE]
            for line in message.splitlines() or [""]
            for start in range(0, max(len(line), 1), LONGEST_LINE)
        ]
        with self._changed:
            now = self._now()
            for piece in pieces:
                self._add(Line(now, piece, instance, revision))
            self._changed.notify_all()

    def load(self, number: int, line: Line) -> None:
        """Takes a line that was kept."""
        self._lines.append(line)
        self._count = number + 1

    def clear(self) -> None:
        """Keeps none of them any longer."""
        with self._changed:
            if self._shelf is not None:
                for number in range(self._count - len(self._lines), self._count):
                    self._shelf.drop(number)
            self._lines.clear()

    def _add(self, line: Line) -> None:
        if self._shelf is not None:
            self._shelf.put(self._count, line)
            if len(self._lines) == self._most:
                self._shelf.drop(self._count - self._most)
        self._lines.append(line)
        self._count += 1

    def close(self) -> None:
        """Nothing more comes: whoever follows has come to the end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def read(self, *, follow: bool) -> Iterator[list[Line]]:
        """What is there, and with `follow` what comes, until the book is closed.

        Raises:
            OperationCancelledError: the caller has given up.
            DeadlineExceededError: its deadline has passed.
        """
        cancellation = CANCELLATION.get() or Cancellation()
        seen = 0
        with cancellation.waking(self._wake):
            while True:
                with self._changed:
                    while follow and seen == self._count and not self._closed:
                        left = patience("more was written")
                        self._changed.wait(None if isinf(left) else left)
                    fresh = list(self._lines)[-(self._count - seen) :] if self._count > seen else []
                    seen = self._count
                if fresh:
                    yield fresh
                if not follow or (not fresh and self._closed):
                    return

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

"""What happened to the documents of a collection, for those who watch it."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from lcplatform.document_store.models import ChangeKind
from lcplatform_mock.documents.stored import Stored

RETENTION: Final = timedelta(hours=3)
"""For how long a change is kept: what DocumentDB does unless it is told otherwise."""
MOST: Final = 100_000
"""How many changes of a collection are kept at most."""


class Change(NamedTuple):
    """One change. A tuple, since one is made with every write."""

    sequence: int
    kind: ChangeKind
    stored: Stored | None
    """The document as it is now; the last state of one that is gone. Absent if the whole collection was dropped."""
    at: datetime

    def __deepcopy__(self, memo: dict[int, object]) -> Change:
        return self


class Log:
    """The changes of one collection, as far as they are kept.

    None is kept before anybody watches: there is no token yet to go on from.

    Attributes:
        before: the sequence of the last change that is not kept any more.
        last: the sequence of the last change.
        watched: whether changes are kept.
    """

    def __init__(self, start: int, *, watched: bool) -> None:
        self.before = self.last = start
        self.watched = watched
        self._changes: deque[Change] = deque()

    def skip(self, sequence: int) -> None:
        """Takes note of a change that nobody is going to ask for."""
        self.before = self.last = sequence

    def add(self, change: Change) -> None:
        """Takes a change, the latest."""
        self._changes.append(change)
        self.last = change.sequence

    def prune(self, now: datetime) -> list[Change]:
        """Drops the changes that are too old or too many, and tells which these are."""
        changes, gone = self._changes, []
        oldest = now - RETENTION
        while changes and (changes[0].at <= oldest or len(changes) > MOST):
            gone.append(changes.popleft())
        if gone:
            self.before = gone[-1].sequence
        return gone

    def copy(self) -> Log:
        """One that changes by itself."""
        made = Log(self.before, watched=self.watched)
        made.last = self.last
        made._changes = self._changes.copy()
        return made

    def after(self, sequence: int) -> Change | None:
        """The first change after another one."""
        changes = self._changes
        if not changes or changes[-1].sequence <= sequence:
            return None
        if changes[0].sequence > sequence:
            return changes[0]
        return changes[bisect_right(changes, sequence, key=lambda it: it.sequence)]

    def all(self) -> Iterator[Change]:
        """The changes that are kept."""
        return iter(self._changes)

"""Where sequences stand. As in PostgreSQL no transaction undoes a step, and a crash skips some numbers (its sequence.c)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lcplatform_mock.sql.sqlite.catalog import Sequence
from lcplatform_runtime.sql.refusals import refused

AHEAD: Final = 32
"""So many numbers are noted as taken before they are."""


@dataclass(slots=True)
class _Place:
    last: int
    called: bool
    """Whether `last` was given out."""
    noted: int | None = None
    """Up to where the numbers are noted as taken."""


class Sequences:
    """The places of all sequences of a database, for all its connections."""

    def __init__(self, places: Mapping[str, tuple[int, bool]]) -> None:
        self._places = {name: _Place(last, called) for name, (last, called) in places.items()}
        self._lock = threading.Lock()
        self.unsaved = False
        """Whether numbers were taken that are not noted yet."""

    def next(self, sequence: Sequence) -> int:
        """The next number."""
        with self._lock:
            place = self._places.setdefault(sequence.name, _Place(sequence.start, called=False))
            value = place.last + sequence.increment if place.called else place.last
            if value > sequence.most:
                raise refused("2200H")
            place.last, place.called = value, True
            if place.noted is None or value > place.noted:
                self.unsaved = True
            return value

    def set(self, sequence: Sequence, value: int, *, called: bool) -> int:
        """Sets a sequence."""
        if not sequence.least <= value <= sequence.most:
            raise refused("22003")
        with self._lock:
            self._places[sequence.name] = _Place(value, called)
            self.unsaved = True
        return value

    def restart(self, name: str) -> None:
        """Begins anew."""
        with self._lock:
            self._places.pop(name, None)
            self.unsaved = True

    def to_save(self, *, exact: bool = False) -> list[tuple[str, int, int]]:
        """What is to be noted: each name with its place and whether that was given out. A few numbers ahead, so that not
        every number costs a note; exactly at the end."""
        with self._lock:
            self.unsaved = False
            saved = []
            for name, place in self._places.items():
                ahead = place.last if exact or not place.called else place.last + AHEAD
                place.noted = ahead if place.called else None
                saved.append((name, ahead, int(place.called)))
            return saved

    def places(self) -> dict[str, tuple[int, bool]]:
        """Where they stand."""
        with self._lock:
            return {name: (it.last, it.called) for name, it in self._places.items()}

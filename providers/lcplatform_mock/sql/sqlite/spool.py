"""The rows of a query that is told in parts: from SQLite as they are asked for, or from a file where it must let go of them."""

from __future__ import annotations

import pickle
import sqlite3
from tempfile import SpooledTemporaryFile
from typing import Any, Final

_IN_MEMORY: Final = 1024 * 1024
_CHUNK: Final = 500


class Spool:
    """The rows that are still to be told."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor: sqlite3.Cursor | None = cursor
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._left: list[tuple[Any, ...]] = []

    def take(self, size: int) -> list[tuple[Any, ...]]:
        """The next rows, so many at most."""
        if self._cursor is not None:
            return self._cursor.fetchmany(size)
        while len(self._left) < size and self._file is not None:
            try:
                self._left += pickle.load(self._file)  # noqa: S301  written here, by this very object
            except EOFError:
                self._file.close()
                self._file = None
        found, self._left = self._left[:size], self._left[size:]
        return found

    def detach(self) -> None:
        """Puts all rows that are left into a file, in memory if they are few."""
        cursor, self._cursor = self._cursor, None
        if cursor is None:
            return
        file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  closed when it was read
        while rows := cursor.fetchmany(_CHUNK):
            pickle.dump(rows, file)
        file.seek(0)
        self._file = file

    def close(self) -> None:
        """Forgets what is left."""
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None
        if self._file is not None:
            self._file.close()
            self._file = None

"""The data store on SQLite: one file, many connections, one that writes at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from lcplatform.data_store.models import (
    GetConnectionInfoResponse,
    GetPoolStatusResponse,
    QueryResponse,
)
from lcplatform_mock.sql.engine import Params, Reply
from lcplatform_mock.sql.pool import Pool
from lcplatform_mock.sql.scratch import Scratch
from lcplatform_mock.sql.sqlite import catalog as catalogs
from lcplatform_mock.sql.sqlite.catalog import Catalog
from lcplatform_mock.sql.sqlite.connection import Connection
from lcplatform_mock.sql.sqlite.failures import conflict
from lcplatform_mock.sql.sqlite.sequences import Sequences
from lcplatform_mock.sql.sqlite.translations import Ready, Translations
from lcplatform_runtime.clock import Clock
from lcplatform_runtime.errors import InternalError, LCPlatformError, UnsupportedError

_DATABASE: Final = "database.sqlite"
_SHARED: Final = Path("/dev/shm")  # noqa: S108  a folder of our own is made there
MEMORY: Final = _SHARED if _SHARED.is_dir() else None
_SCHEMA: Final = (
    'CREATE TABLE IF NOT EXISTS "%0state" (name TEXT PRIMARY KEY, value BLOB)',
    'CREATE TABLE IF NOT EXISTS "%0sequence" (name TEXT PRIMARY KEY, last INTEGER, called INTEGER)',
)
_SAVE: Final = (
    'INSERT INTO "%0sequence" VALUES (?, ?, ?)'
    " ON CONFLICT (name) DO UPDATE SET last = excluded.last, called = excluded.called"
)


class Writers:
    """The right to write. Who waits for it gives up after a while, and does the whole transaction again."""

    def __init__(self, patience: timedelta) -> None:
        self._lock = threading.Lock()
        self._patience = patience.total_seconds()
        self.release: Final = self._lock.release

    def acquire(self) -> None:
        """Takes it.

        Raises:
            ConflictError: another transaction kept it for too long.
        """
        # By its position, which is read faster than a name: mostly nobody else writes.
        if not self._lock.acquire(False) and not self._lock.acquire(timeout=self._patience):
            raise conflict()


@dataclass(frozen=True, slots=True)
class Kept:
    """A state of the database."""

    content: bytes
    sequences: dict[str, tuple[int, bool]]


class SqliteEngine:
    """A database in a file: of the state directory, or one that ends with the platform.

    Attributes:
        clock: the time that statements know.
        sequences: where the sequences stand.
        writers: the right to write.
        publishing: held while what was committed becomes everybody's.
    """

    def __init__(self, folder: Path | None, size: int, patience: timedelta, clock: Clock) -> None:
        """Opens the database, which is made if it is not there.

        Args:
            folder: where it is kept; nowhere for long, if there is none.
            size: how many connections are open at most.
            patience: for how long a writer waits for another one.
            clock: the time that statements know.
        """
        self.clock = clock
        self.writers = Writers(patience)
        self.publishing = threading.Lock()
        self._scratch: Scratch | None = None
        self._keeps = folder is not None
        if folder is None:
            self._scratch = Scratch(MEMORY)
            folder = self._scratch.path
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = quote(str((folder / _DATABASE).absolute()))
        self._translations = Translations(Catalog())
        self._main = self._open()
        self._load()
        self._pool = Pool(lambda: Connection(self, self._open()), size)

    # --- statements

    def query(self, sql: str, params: Params, most: int) -> QueryResponse:
        """Runs a statement that only reads."""
        translations = self._translations
        connection = self._pool.take()
        try:
            statement, stored = translations.ready(sql, params)
            return connection.look(statement, stored, most)
        except LCPlatformError:
            if translations is self._translations:
                raise
            # The schema changed under its hands.
            return connection.look(*self._translations.ready(sql, params), most)
        finally:
            self._pool.give(connection)

    def execute(self, sql: str, params: Params) -> Reply:
        """Runs a statement that may write."""
        connection = self._pool.take()
        translations = self._translations
        try:
            statement, stored = translations.ready(sql, params)
            return connection.run_compiled(statement, stored, None)
        except LCPlatformError:
            if translations is self._translations:
                raise
            # The schema changed under its hands.
            return connection.run(sql, params)
        finally:
            self._pool.give(connection)

    @property
    def catalog(self) -> Catalog:
        """The schema that was committed."""
        return self._translations.catalog

    def ready(self, catalog: Catalog, sql: str, params: Params) -> Ready:
        """A statement translated for a schema, with its parameters as they are stored."""
        common = self._translations  # another one's, as soon as somebody changes the schema
        kept = common if catalog is common.catalog else Translations(catalog)
        return kept.ready(sql, params)

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A connection of the pool for a while."""
        connection = self._pool.take()
        connection.read_only = read_only
        try:
            yield connection
        finally:
            connection.read_only = False
            self._pool.give(connection)

    def take(self) -> Connection:
        """A connection of the pool."""
        return self._pool.take()

    def give_back(self, session: object) -> None:
        """Ends the use of a connection."""
        assert isinstance(session, Connection)
        self._pool.give(session)

    def pool(self) -> GetPoolStatusResponse:
        """How the pool is used."""
        return self._pool.status()

    def connection_info(self) -> GetConnectionInfoResponse:
        """There is no server."""
        raise UnsupportedError("the mock's SQLite has no address that tools could reach")

    def password(self) -> str:
        """There is none."""
        raise UnsupportedError("the mock's SQLite has no password")

    # --- the schema

    def publish(self, catalog: Catalog) -> None:
        """A schema that was committed is everybody's. Called while publishing."""
        self._translations = Translations(catalog)

    def store(self, execute: Callable[..., Any], catalog: Catalog) -> None:
        """Writes the schema, as a part of the transaction that changes it."""
        execute(
            "UPDATE \"%0state\" SET value = ? WHERE name = 'catalog'", (catalogs.dump(catalog),)
        )

    def save_sequences(self, execute: Callable[..., Any]) -> None:
        """Writes where the sequences stand, if that is kept."""
        if self.sequences.unsaved:
            for row in self.sequences.to_save():
                execute(_SAVE, row)

    # --- the state

    def snapshot(self) -> object:
        """What was committed."""
        with sqlite3.connect(":memory:") as memory:
            self._main.backup(memory)
            content = memory.serialize()
        memory.close()
        return Kept(content, self.sequences.places())

    def restore(self, snapshot: object) -> None:
        """Goes back to a state that was kept; to an empty one where it is None."""
        self.writers.acquire()
        try:
            self._pool.close()
            memory = sqlite3.connect(":memory:")
            if snapshot is not None:
                assert isinstance(snapshot, Kept)
                memory.deserialize(_rollback_journal(snapshot.content))
            with self.publishing:
                memory.backup(self._main)
                memory.close()
                self._load()
                if isinstance(snapshot, Kept):
                    self.sequences = Sequences(snapshot.sequences)
        finally:
            self.writers.release()

    def close(self) -> None:
        """Ends it."""
        self._pool.close()
        if self._keeps:
            with suppress(sqlite3.Error):
                for row in self.sequences.to_save(exact=True):
                    self._main.execute(_SAVE, row)
        self._main.close()
        if self._scratch is not None:
            self._scratch.close()

    def _open(self) -> sqlite3.Connection:
        """One more connection. All of them are of this process, which keeps their locks in its memory."""
        for vfs in ("unix-excl", ""):
            choice = f"?vfs={vfs}" if vfs else ""
            try:
                database = sqlite3.connect(
                    f"file:{self._file}{choice}",
                    uri=True,
                    isolation_level=None,
                    check_same_thread=False,
                    cached_statements=512,
                    timeout=10,
                )
            except sqlite3.OperationalError as error:
                if "no such vfs" not in str(error):
                    raise InternalError(f"the database cannot be opened: {error}") from error
                continue
            self._prepare(database)
            return database
        raise InternalError("the database cannot be opened")

    def _prepare(self, database: sqlite3.Connection) -> None:
        # The log outlives the process as soon as it is written; only a power cut could take the last of it.
        level = "NORMAL" if self._keeps else "OFF"
        for words in (
            "PRAGMA journal_mode = WAL",
            f"PRAGMA synchronous = {level}",
            "PRAGMA foreign_keys = ON",
            "PRAGMA trusted_schema = ON",
            "PRAGMA recursive_triggers = ON",
        ):
            database.execute(words)

    def _load(self) -> None:
        """The schema and the sequences from the database."""
        for words in _SCHEMA:
            self._main.execute(words)
        self._main.execute(
            "INSERT OR IGNORE INTO \"%0state\" VALUES ('catalog', ?)", (catalogs.dump(Catalog()),)
        )
        (content,) = self._main.execute(
            "SELECT value FROM \"%0state\" WHERE name = 'catalog'"
        ).fetchone()
        rows = self._main.execute('SELECT name, last, called FROM "%0sequence"').fetchall()
        self.sequences = Sequences({name: (last, bool(called)) for name, last, called in rows})
        self.publish(catalogs.load(content))


def _rollback_journal(content: bytes) -> bytes:
    """The content of a database that is in no write-ahead log, which memory does not have (bytes 18 and 19 of its header)."""
    return content[:18] + b"\x01\x01" + content[20:] if content else content

"""What a mock keeps across restarts: the records of its services, in one SQLite database with one writer.

A service puts what it changed while it holds its lock; `flush` writes everything that was put in one transaction, before the
call is answered. So what was acknowledged survives the end of the process, however it comes about.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache, cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

from pydantic import TypeAdapter

from lcplatform_runtime.errors import FieldViolation, PreconditionFailedError, ValidationError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

T = TypeVar("T")
_Change: TypeAlias = tuple[str, tuple[str | bytes, ...]]

_VERSION: Final = 1
_DATABASE: Final = "state.db"
_KEY: Final = "key"
_LOCK: Final = "lock"
_SEAL: Final = "journal.seal"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (kind, key)
)
"""
_PUT: Final = (
    "INSERT INTO record (kind, key, value) VALUES (?, ?, ?)"
    " ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value"
)
_REMOVE: Final = "DELETE FROM record WHERE kind = ? AND key = ?"
_CLEAR: Final = "DELETE FROM record WHERE kind = ?"


class Journal:
    """The records of one state directory.

    Attributes:
        folder: the directory, for what is kept in files beside the records.
    """

    def __init__(self, folder: Path, key: bytes | None = None) -> None:
        """Opens the directory, which is made if need be, for this process alone.

        Args:
            folder: the directory.
            key: the key of what is encrypted (a Fernet key); by default one that is kept in the directory.

        Raises:
            PreconditionFailedError: another platform has it open.
            ValidationError: there is no such directory and none can be made, it was written by a newer version, or the key
                is not the one with which it was sealed. It names the option.
        """
        self.folder = folder
        self._given_key = key
        self._lock = threading.Lock()
        self._pending: deque[_Change] = deque()
        self._afterwards: deque[Callable[[], object]] = deque()
        with ExitStack() as undoing:
            self._guard = undoing.enter_context(_opened(folder))
            self._database = undoing.enter_context(
                closing(
                    sqlite3.connect(
                        folder / _DATABASE, check_same_thread=False, isolation_level=None
                    )
                )
            )
            self._begin()
            undoing.pop_all()  # it is open from now on

    def _begin(self) -> None:
        """Makes sure that the state is one that can be read, and with this key."""
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in {0, _VERSION}:
            raise _refused("state", f"a state of version {_VERSION}, not {version}")
        # The log outlives the process as soon as it is written; only a power cut could take the last of it.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(_SCHEMA)
        self._database.execute(f"PRAGMA user_version = {_VERSION}")
        if self._given_key is not None or self._seal() is not None:
            _ = self.cipher  # a wrong key is told now, not when a secret is first read

    def table(self, kind: str, record: type[T], *, sealed: bool = False) -> Table[T]:
        """The records of one kind, such as "queue.message".

        Args:
            kind: the name of the kind, which no other kind has.
            record: its type: a dataclass, a model, whatever pydantic writes as JSON and reads back.
            sealed: whether what is written is encrypted.
        """
        return Table(self, kind, record, sealed=sealed)

    def flush(self) -> None:
        """Writes what was put, in one transaction. When it returns, that is kept, whoever put it."""
        if not self._pending and not self._lock.locked():
            return
        with self._lock:
            if not self._pending:
                return
            afterwards = list(self._afterwards)  # each belongs to a change that is pending by now
            written: list[_Change] = []
            self._database.execute("BEGIN IMMEDIATE")
            try:
                while self._pending:
                    written.append(self._pending.popleft())
                    self._database.execute(*written[-1])
                self._database.execute("COMMIT")
            except BaseException:
                self._pending.extendleft(reversed(written))  # the next flush tries again
                self._database.execute("ROLLBACK")
                raise
            for action in afterwards:
                self._afterwards.popleft()
                action()

    def close(self) -> None:
        """Writes what was put and lets go of the directory."""
        self.flush()
        with self._lock:
            self._database.close()
            self._guard.close()

    def add(self, statement: str, *values: str | bytes) -> None:
        """Takes a change that the next `flush` writes. Whoever calls holds the lock of the service that it is about."""
        self._pending.append((statement, values))

    def afterwards(self, action: Callable[[], object]) -> None:
        """Has something done once all that was put so far is written, such as deleting a file that a record named."""
        self._afterwards.append(action)

    def kinds(self) -> list[str]:
        """The kinds of which there are records."""
        with self._lock:
            found = self._database.execute("SELECT DISTINCT kind FROM record ORDER BY kind")
            return [kind for (kind,) in found]

    def rows(self, kind: str) -> list[tuple[str, bytes]]:
        """The records of a kind that were flushed, in the order in which they were first put."""
        with self._lock:
            return self._database.execute(
                "SELECT key, value FROM record WHERE kind = ? ORDER BY rowid", (kind,)
            ).fetchall()

    @cached_property
    def cipher(self) -> Fernet:
        """What encrypts. The key is given, or lies in the directory, where only its owner can read it."""
        from cryptography.fernet import Fernet

        try:
            cipher = Fernet(self._given_key or self._own_key())
        except ValueError:
            raise _refused("state_key", "32 bytes in URL-safe base64") from None
        self._prove(cipher)
        return cipher

    def _own_key(self) -> bytes:
        """The key in the directory, which is made if nothing was sealed yet."""
        from cryptography.fernet import Fernet

        path = self.folder / _KEY
        if not path.exists():
            if self._seal() is not None:
                raise _refused("state_key", "the key with which this state was sealed")
            _written(path, Fernet.generate_key())
        return path.read_bytes()

    def _prove(self, cipher: Fernet) -> None:
        """Refuses a key that is not the one of this state."""
        from cryptography.fernet import InvalidToken

        seal = self._seal()
        if seal is None:
            with self._lock:
                self._database.execute(_PUT, (_SEAL, "", cipher.encrypt(b"")))
            return
        try:
            cipher.decrypt(seal)
        except InvalidToken:
            raise _refused("state_key", "the key with which this state was sealed") from None

    def _seal(self) -> bytes | None:
        """Something that only the key of this state opens; nothing if nothing was sealed yet."""
        return dict(self.rows(_SEAL)).get("")


class Table(Generic[T]):
    """The records of one kind, each under a key."""

    def __init__(self, journal: Journal, kind: str, record: type[T], *, sealed: bool) -> None:
        self._journal = journal
        self._kind = kind
        self._adapter: TypeAdapter[T] = _adapter(record)  # type: ignore[arg-type]  # a class has a hash
        self._sealed = sealed

    def put(self, key: str, record: T) -> None:
        """Keeps a record, in place of one of the same key. It is read now: a later change of it is another `put`."""
        value = self._adapter.dump_json(record)
        self._journal.add(_PUT, self._kind, key, self._seal(value))

    def remove(self, key: str) -> None:
        """Keeps it no longer."""
        self._journal.add(_REMOVE, self._kind, key)

    def clear(self) -> None:
        """Keeps none of them any longer."""
        self._journal.add(_CLEAR, self._kind)

    def load(self) -> Iterator[tuple[str, T]]:
        """What was kept, in the order in which it was first put."""
        open_ = self._open
        for key, value in self._journal.rows(self._kind):
            yield key, self._adapter.validate_json(open_(value))

    @property
    def _seal(self) -> Callable[[bytes], bytes]:
        return self._journal.cipher.encrypt if self._sealed else bytes

    @property
    def _open(self) -> Callable[[bytes], bytes]:
        return self._journal.cipher.decrypt if self._sealed else bytes


@cache
def _adapter(record: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(record)


def _opened(folder: Path) -> IO[bytes]:
    """The lock of a directory, which ends with this process at the latest."""
    import fcntl

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        guard = (folder / _LOCK).open("ab")
    except OSError as error:
        raise _refused("state", f"a directory that can be written ({error.strerror})") from error
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        guard.close()
        raise PreconditionFailedError(
            f"the state in {folder} is in use by another platform: let `lcplatform serve` own it,"
            " and connect to that with provider 'grpc'"
        ) from error
    return guard


def _written(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, for its owner's eyes alone."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _refused(option: str, expected: str) -> ValidationError:
    return ValidationError(f"{option}: {expected}", violations=[FieldViolation(option, expected)])

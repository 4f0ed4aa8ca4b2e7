"""The history of a schema: what was applied, in its order, with what undoes it (FR-029)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from lcplatform_runtime.clock import Clock
from lcplatform_runtime.errors import (
    ConflictError,
    FieldViolation,
    LCPlatformError,
    PreconditionFailedError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform_runtime.sql.sessions import Alone, Session

_TABLE: Final = "lcplatform_migrations"
_MAKE: Final = f"""
CREATE TABLE IF NOT EXISTS {_TABLE} (
    history text NOT NULL,
    position int8 NOT NULL,
    version text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL,
    down text,
    PRIMARY KEY (history, position),
    UNIQUE (history, version)
)
"""
_READ: Final = (
    f"SELECT position, version, name, checksum, applied_at, down FROM {_TABLE}"
    " WHERE history = $1 ORDER BY position"
)
_ADD: Final = f"INSERT INTO {_TABLE} VALUES ($1, $2, $3, $4, $5, $6, $7)"
_REMOVE: Final = f"DELETE FROM {_TABLE} WHERE history = $1 AND version = $2"


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration in the history."""

    position: int
    version: str
    name: str
    checksum: str
    applied_at: datetime
    down: str | None

    @property
    def reversible(self) -> bool:
        """Whether it can be undone."""
        return self.down is not None


class Migration(Protocol):
    """A migration as it is given."""

    @property
    def version(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def up(self) -> str: ...

    @property
    def down(self) -> str | None: ...


class Migrations:
    """The histories of one database. One caller at a time changes them."""

    def __init__(self, alone: Alone[Session], clock: Clock) -> None:
        """The histories of the database to which the connection that is lent leads."""
        self._alone = alone
        self._clock = clock

    def apply(self, name: str, migrations: Sequence[Migration]) -> list[Applied]:
        """Applies what is not applied yet, each in a transaction of its own."""
        _check_versions(migrations)
        done = []
        with self._alone() as session:
            history = _history(session, name)
            _check_history(history, migrations)
            position = history[-1].position if history else 0
            for migration in migrations[len(history) :]:
                position += 1
                entry = Applied(
                    position,
                    migration.version,
                    migration.name,
                    checksum(migration.up),
                    self._clock.now(),
                    migration.down,
                )
                with _transaction(session, migration.version):
                    session.script(migration.up)
                    session.run(_ADD, (name, *_values(entry)))
                done.append(entry)
        return done

    def undo(self, name: str, to: str | None) -> list[Applied]:
        """Undoes what was applied after the version `to`, or everything, the last one first."""
        undone = []
        with self._alone() as session:
            history = _history(session, name)
            keep = next((it.position for it in history if it.version == to), 0)
            if to is not None and not keep:
                raise ResourceNotFoundError(f"migration {to!r} does not exist", resource=to)
            latest = [it for it in reversed(history) if it.position > keep]
            for entry in latest:
                if entry.down is None:
                    raise PreconditionFailedError(
                        f"migration {entry.version!r} cannot be undone: it came without statements for that",
                        resource=entry.version,
                    )
            for entry in latest:
                assert entry.down is not None
                with _transaction(session, entry.version):
                    session.script(entry.down)
                    session.run(_REMOVE, (name, entry.version))
                undone.append(entry)
        return undone

    def history(self, name: str) -> list[Applied]:
        """What was applied, in its order."""
        with self._alone() as session:
            return _history(session, name)


def checksum(up: str) -> str:
    """What tells whether a migration is still the same."""
    return hashlib.sha256(up.encode()).hexdigest()


def _history(session: Session, name: str) -> list[Applied]:
    session.script(_MAKE)
    return [Applied(*row.values) for row in session.run(_READ, (name,)).rows]


def _values(entry: Applied) -> tuple[int | str | datetime | None, ...]:
    return (
        entry.position,
        entry.version,
        entry.name,
        entry.checksum,
        entry.applied_at,
        entry.down,
    )


@contextmanager
def _transaction(session: Session, version: str) -> Iterator[None]:
    """One migration, all or nothing. Its error names it."""
    session.begin(None, read_only=False)
    try:
        yield
        session.commit()
    except BaseException as error:
        session.rollback()
        if isinstance(error, LCPlatformError):
            error.details = {**error.details, "migration": version}
        raise


def _check_versions(migrations: Sequence[Migration]) -> None:
    seen: set[str] = set()
    for migration in migrations:
        if migration.version in seen:
            text = f"versions that differ: {migration.version!r} stands twice"
            raise ValidationError(
                f"migrations: {text}", violations=[FieldViolation("migrations", text)]
            )
        seen.add(migration.version)


def _check_history(history: Sequence[Applied], migrations: Sequence[Migration]) -> None:
    """What was applied is the beginning of what is given, or the other way round."""
    for entry, migration in zip(history, migrations, strict=False):
        if entry.version != migration.version:
            raise ConflictError(
                f"migration {entry.version!r} was applied where {migration.version!r} stands now: "
                "new ones come after all that were applied",
                resource=migration.version,
            )
        if entry.checksum != checksum(migration.up):
            raise ConflictError(
                f"migration {entry.version!r} was applied with other statements: undo it first, or add a new one",
                resource=entry.version,
                details={"checksum": entry.checksum},
            )

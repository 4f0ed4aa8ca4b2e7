"""What the data store asks of a database, and what it is answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from lcplatform.data_store.models import (
    Column,
    GetConnectionInfoResponse,
    GetPoolStatusResponse,
    IsolationLevel,
    QueryResponse,
    Row,
    Value,
)

Params: TypeAlias = Sequence[Value]
Part: TypeAlias = tuple[tuple[Column, ...], tuple[Row, ...]]
"""The columns of a result and some of its rows."""


@dataclass(slots=True)
class Reply:
    """What came of a statement."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    affected: int
    """How many rows it inserted, changed or deleted."""


class Session(Protocol):
    """One connection. One caller at a time uses it."""

    def begin(self, isolation: IsolationLevel | None, *, read_only: bool) -> None:
        """Begins a transaction."""
        ...

    def commit(self) -> None:
        """Makes the changes of the transaction last. It is over, even if this fails."""
        ...

    def rollback(self) -> None:
        """Undoes the changes of the transaction."""
        ...

    def savepoint(self, name: str) -> None:
        """Sets a savepoint."""
        ...

    def rollback_to(self, name: str) -> None:
        """Goes back to a savepoint."""
        ...

    def release(self, name: str) -> None:
        """Forgets a savepoint."""
        ...

    def run(self, sql: str, params: Params, *, most: int | None = None) -> Reply:
        """Runs a statement. More than `most` rows are refused."""
        ...

    def run_each(self, sql: str, runs: Sequence[Params]) -> tuple[int, ...]:
        """Runs a statement for each list of parameters and tells how many rows each run changed."""
        ...

    def stream(self, sql: str, params: Params, size: int) -> Iterator[Part]:
        """Runs a query and tells its rows, so many at a time, as they were when it began. One part comes at least."""
        ...

    def script(self, sql: str) -> None:
        """Runs statements without parameters, one after the other."""
        ...


class Engine(Protocol):
    """A database."""

    def query(self, sql: str, params: Params, most: int) -> QueryResponse:
        """Runs a statement that only reads, on a connection of the pool. More than `most` rows are refused."""
        ...

    def execute(self, sql: str, params: Params) -> Reply:
        """Runs a statement that may write, as a transaction by itself."""
        ...

    def session(self, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """A connection of the pool for a while. Outside of a transaction it runs statements as transactions by
        themselves."""
        ...

    def take(self) -> Session:
        """A connection of the pool, until it is given back."""
        ...

    def give_back(self, session: Session) -> None:
        """Ends the use of a connection, which is in no transaction."""
        ...

    def pool(self) -> GetPoolStatusResponse:
        """How the pool is used."""
        ...

    def connection_info(self) -> GetConnectionInfoResponse:
        """Where the database is."""
        ...

    def password(self) -> str:
        """The password of the user that `connection_info` names."""
        ...

    def snapshot(self) -> object:
        """What was committed, so that `restore` brings it back."""
        ...

    def restore(self, snapshot: object) -> None:
        """Goes back to a state that was kept. No transaction is open."""
        ...

    def close(self) -> None:
        """Ends it. What was committed stays where it is to be kept."""
        ...

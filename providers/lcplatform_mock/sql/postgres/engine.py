"""The data store on a real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lcplatform.data_store.models import (
    GetConnectionInfoResponse,
    GetPoolStatusResponse,
    QueryResponse,
    TlsMode,
)
from lcplatform_mock.sql.engine import Params, Reply
from lcplatform_mock.sql.pool import Pool
from lcplatform_mock.sql.postgres.connection import Connection
from lcplatform_mock.sql.postgres.server import USER, Server
from lcplatform_runtime.errors import PreconditionFailedError
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

DATABASE: Final = "lcplatform"
_PORT: Final = 5432
_answer = trusted(QueryResponse)


class PostgresEngine:
    """A server of its own and a pool of connections to it."""

    def __init__(
        self, folder: Path | None, size: int, patience: timedelta, cipher: Fernet | None = None
    ) -> None:
        """Starts the server.

        Args:
            folder: where it keeps its data; nowhere for long, if there is none.
            size: how many connections the pool opens at most.
            patience: for how long a statement waits for a lock of another transaction.
            cipher: seals the password of the server's user, where anything is kept.

        Raises:
            UnsupportedError: PostgreSQL is not installed.
        """
        self._patience = max(
            1, patience // timedelta(milliseconds=1)
        )  # none at all would mean for ever
        self._server = Server(folder, size, cipher)
        self._pool = Pool(self._connect, size)
        self._lock = threading.Lock()
        self._snapshots = 0
        try:
            self._make_sure(DATABASE)
            self._forget_snapshots()
        except BaseException:
            self._server.stop()
            raise

    # --- statements

    def query(self, sql: str, params: Params, most: int) -> QueryResponse:
        """Runs a statement that only reads."""
        with self.session(read_only=True) as connection:
            reply = connection.run(sql, params, most=most)
        return _answer(columns=reply.columns, rows=reply.rows)

    def execute(self, sql: str, params: Params) -> Reply:
        """Runs a statement that may write."""
        with self.session() as connection:
            return connection.run(sql, params)

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A connection of the pool for a while."""
        connection = self._pool.take()
        try:
            connection.outside(read_only=read_only)
            yield connection
        finally:
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

    # --- the server

    def connection_info(self) -> GetConnectionInfoResponse:
        """Where the server listens: at a socket in a folder."""
        return GetConnectionInfoResponse(
            host=str(self._server.socket),
            port=_PORT,
            database=DATABASE,
            user=USER,
            tls_mode=TlsMode.DISABLED,
        )

    def password(self) -> str:
        """The password of the server's user."""
        return self._server.password

    def snapshot(self) -> object:
        """A copy of the database, which the server makes when nobody is connected to it."""
        with self._lock:
            self._snapshots += 1
            name = f"snapshot_{self._snapshots}"
            self._leave()
            with self._administration() as connection:
                connection.command(f"DROP DATABASE IF EXISTS {name}")
                connection.command(f"CREATE DATABASE {name} TEMPLATE {DATABASE}")
            return name

    def restore(self, snapshot: object) -> None:
        """Puts a copy of the snapshot in the place of the database; an empty one where it is None."""
        with self._lock:
            self._leave()
            with self._administration() as connection:
                connection.command(f"DROP DATABASE {DATABASE} WITH (FORCE)")
                template = "template0" if snapshot is None else snapshot
                connection.command(f"CREATE DATABASE {DATABASE} TEMPLATE {template}")

    def close(self) -> None:
        """Stops the server."""
        self._pool.close()
        self._server.stop()

    def _leave(self) -> None:
        """Ends the connections of the pool."""
        self._pool.close()
        if self._pool.status().size:
            raise PreconditionFailedError(
                "the state of PostgreSQL is kept and brought back only while no transaction is open and no statement runs"
            )

    def _connect(self) -> Connection:
        connection = Connection(self._conninfo(DATABASE))
        connection.command(f"SET lock_timeout = {self._patience}")
        return connection

    @contextmanager
    def _administration(self) -> Iterator[Connection]:
        connection = Connection(self._conninfo("postgres"))
        try:
            yield connection
        finally:
            connection.close()

    def _make_sure(self, database: str) -> None:
        with self._administration() as connection:
            there = connection.run(
                "SELECT true FROM pg_database WHERE datname = $1::text", (database,)
            )
            if not there.rows:
                connection.command(f"CREATE DATABASE {database} TEMPLATE template0")

    def _forget_snapshots(self) -> None:
        """Throws away the snapshots of a platform that is no more."""
        with self._administration() as connection:
            left = connection.run(
                "SELECT datname::text FROM pg_database WHERE starts_with(datname, 'snapshot_')", ()
            )
            for row in left.rows:
                (name,) = row.values
                assert isinstance(name, str)
                connection.command(f"DROP DATABASE {name}")

    def _conninfo(self, database: str) -> str:
        parts = {
            "host": str(self._server.socket),
            "port": str(_PORT),
            "user": USER,
            "password": self._server.password,
            "dbname": database,
            "client_encoding": "utf8",
            "application_name": "lcplatform",
        }
        return " ".join(f"{name}='{value}'" for name, value in parts.items())

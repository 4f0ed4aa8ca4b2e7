"""DataStore on a database of the mock's own (FR-026 to FR-030): SQLite as if it were PostgreSQL, or PostgreSQL itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from typing_extensions import override

from lcplatform.data_store.driver import DataStoreDriver
from lcplatform.data_store.models import (
    AppliedMigration,
    BeginTransactionRequest,
    BeginTransactionResponse,
    CommitTransactionRequest,
    CommitTransactionResponse,
    CreateSavepointRequest,
    CreateSavepointResponse,
    ExecuteBatchRequest,
    ExecuteBatchResponse,
    ExecuteRequest,
    ExecuteResponse,
    GetConnectionInfoRequest,
    GetConnectionInfoResponse,
    GetPoolStatusRequest,
    GetPoolStatusResponse,
    ListMigrationsRequest,
    ListMigrationsResponse,
    MigrateRequest,
    MigrateResponse,
    QueryRequest,
    QueryResponse,
    ReleaseSavepointRequest,
    ReleaseSavepointResponse,
    RollbackMigrationsRequest,
    RollbackMigrationsResponse,
    RollbackToSavepointRequest,
    RollbackToSavepointResponse,
    RollbackTransactionRequest,
    RollbackTransactionResponse,
    StreamQueryRequest,
    StreamQueryResponse,
)
from lcplatform.secrets.models import CreateSecretRequest
from lcplatform_mock.gate import gated
from lcplatform_mock.service import Service
from lcplatform_mock.sql.engine import Engine, Part, Session
from lcplatform_mock.sql.support import LIMITS, SUPPORT
from lcplatform_mock.world import World
from lcplatform_runtime.errors import AlreadyExistsError, LCPlatformError, UnsupportedError, invalid
from lcplatform_runtime.sql.migrations import Applied, Migrations
from lcplatform_runtime.sql.transactions import Transactions
from lcplatform_runtime.support import Support
from lcplatform_runtime.trusted import trusted

_FOLDER: Final = "data_store"

_answer = trusted(QueryResponse)
_part = trusted(StreamQueryResponse)
_executed = trusted(ExecuteResponse)
_COUNTED: Final = tuple(_executed(rows_affected=count) for count in range(10))
"""What most statements are answered: that they changed a few rows."""
_COMMITTED: Final = trusted(CommitTransactionResponse)()
_ROLLED_BACK: Final = trusted(RollbackTransactionResponse)()
_SET: Final = trusted(CreateSavepointResponse)()
_BACK: Final = trusted(RollbackToSavepointResponse)()
_RELEASED: Final = trusted(ReleaseSavepointResponse)()


@gated(DataStoreDriver)
class MockDataStore(Service[object], DataStoreDriver):
    """A database, which starts when it is first used."""

    def __init__(self, world: World) -> None:
        super().__init__(world, None)
        self._settings = world.settings.data_store
        self._engine_made: Engine | None = None
        self._transactions: Transactions[Session] = Transactions(
            lambda: self._engine, world.clock, world.names(), world.agenda.at
        )
        self._histories = threading.Lock()
        self._migrations = Migrations(self._alone, world.clock)

    @property
    @override
    def support(self) -> Support:
        return SUPPORT[self._settings.engine]

    # --- statements

    @override
    def query(self, request: QueryRequest, /) -> QueryResponse:
        most = LIMITS.max_query_rows
        if request.transaction is None:
            return self._engine.query(request.sql, request.params, most)
        with (
            self._transactions.using(request.transaction) as transaction,
            transaction.statement() as session,
        ):
            reply = session.run(request.sql, request.params, most=most)
        return _answer(columns=reply.columns, rows=reply.rows)

    @override
    def stream_query(self, request: StreamQueryRequest, /) -> Iterator[StreamQueryResponse]:
        name = request.transaction
        if name is None:
            return self._stream_alone(request)
        with self._transactions.using(name) as transaction, transaction.statement() as session:
            parts = session.stream(request.sql, request.params, request.batch_size or 1)
            first = next(parts)
        return self._stream_inside(name, first, parts)

    @override
    def execute(self, request: ExecuteRequest, /) -> ExecuteResponse:
        if request.transaction is None:
            reply = self._engine.execute(request.sql, request.params)
        else:
            with (
                self._transactions.using(request.transaction) as transaction,
                transaction.statement() as session,
            ):
                reply = session.run(request.sql, request.params)
        if reply.columns or reply.affected >= len(_COUNTED):
            return _executed(rows_affected=reply.affected, columns=reply.columns, rows=reply.rows)
        return _COUNTED[reply.affected]

    @override
    def execute_batch(self, request: ExecuteBatchRequest, /) -> ExecuteBatchResponse:
        runs = [parameters.values for parameters in request.params_list]
        if request.transaction is not None:
            with (
                self._transactions.using(request.transaction) as transaction,
                transaction.statement() as session,
            ):
                return ExecuteBatchResponse(rows_affected=session.run_each(request.sql, runs))
        with self._engine.session() as session:
            session.begin(None, read_only=False)
            try:
                affected = session.run_each(request.sql, runs)
                session.commit()
            except BaseException:
                session.rollback()
                raise
        return ExecuteBatchResponse(rows_affected=affected)

    def _stream_alone(self, request: StreamQueryRequest) -> Iterator[StreamQueryResponse]:
        """A stream on a connection of its own, which it gives back at its end, or when it is given up."""
        with self._engine.session(read_only=True) as session:
            session.begin(None, read_only=True)
            try:
                size = request.batch_size or 1
                for columns, rows in session.stream(request.sql, request.params, size):
                    yield _part(columns=columns, rows=rows)
            finally:
                session.rollback()

    def _stream_inside(
        self, name: str, first: Part, parts: Iterator[Part]
    ) -> Iterator[StreamQueryResponse]:
        """A stream in a transaction, which may do other things between its parts."""
        part: Part | None = first
        while part is not None:
            yield _part(columns=part[0], rows=part[1])
            with self._transactions.using(name) as transaction, transaction.statement():
                part = next(parts, None)

    # --- transactions

    @override
    def begin_transaction(self, request: BeginTransactionRequest, /) -> BeginTransactionResponse:
        name, end = self._transactions.begin(
            request.isolation, request.timeout, read_only=request.read_only
        )
        return BeginTransactionResponse(transaction=name, expires_at=end)

    @override
    def commit_transaction(self, request: CommitTransactionRequest, /) -> CommitTransactionResponse:
        self._transactions.commit(request.transaction)
        return _COMMITTED

    @override
    def rollback_transaction(
        self, request: RollbackTransactionRequest, /
    ) -> RollbackTransactionResponse:
        self._transactions.rollback(request.transaction)
        return _ROLLED_BACK

    @override
    def create_savepoint(self, request: CreateSavepointRequest, /) -> CreateSavepointResponse:
        with (
            self._transactions.using(request.transaction) as transaction,
            transaction.statement() as session,
        ):
            session.savepoint(request.name)
        return _SET

    @override
    def rollback_to_savepoint(
        self, request: RollbackToSavepointRequest, /
    ) -> RollbackToSavepointResponse:
        with self._transactions.using(request.transaction) as transaction:
            try:
                transaction.session.rollback_to(request.name)
            except LCPlatformError:
                transaction.failed = True
                raise
            transaction.failed = False
        return _BACK

    @override
    def release_savepoint(self, request: ReleaseSavepointRequest, /) -> ReleaseSavepointResponse:
        with (
            self._transactions.using(request.transaction) as transaction,
            transaction.statement() as session,
        ):
            session.release(request.name)
        return _RELEASED

    # --- migrations

    @override
    def migrate(self, request: MigrateRequest, /) -> MigrateResponse:
        applied = self._migrations.apply(request.history, request.migrations)
        return MigrateResponse(applied=tuple(_told(entry) for entry in applied))

    @override
    def list_migrations(self, request: ListMigrationsRequest, /) -> ListMigrationsResponse:
        start = _position(request.page_token)
        size = request.page_size or 1
        history = self._migrations.history(request.history)
        later = [it for it in history if it.position > start]
        page = later[:size]
        return ListMigrationsResponse(
            migrations=tuple(_told(entry) for entry in page),
            next_page_token=str(page[-1].position) if len(later) > size else "",
        )

    @override
    def rollback_migrations(
        self, request: RollbackMigrationsRequest, /
    ) -> RollbackMigrationsResponse:
        undone = self._migrations.undo(request.history, request.to)
        return RollbackMigrationsResponse(undone=tuple(_told(entry) for entry in undone))

    @contextmanager
    def _alone(self) -> Iterator[Session]:
        with self._histories, self._engine.session() as session:
            yield session

    # --- the database

    @override
    def get_pool_status(self, request: GetPoolStatusRequest, /) -> GetPoolStatusResponse:
        return self._engine.pool()

    @override
    def get_connection_info(
        self, request: GetConnectionInfoRequest, /
    ) -> GetConnectionInfoResponse:
        engine = self._engine
        info = engine.connection_info()
        name = self._settings.password_secret
        with suppress(AlreadyExistsError):  # somebody asked before
            self._world.services.secrets().create_secret(
                CreateSecretRequest(name=name, value=engine.password())
            )
        return info.model_copy(update={"password_secret": name})

    @override
    def settle(self) -> None:
        self._transactions.expire()

    @override
    def snapshot(self) -> object:
        """What was committed; nothing, if the database was never used."""
        unused = self._engine_made is None and self._folder is None
        return None if unused else self._engine.snapshot()

    @override
    def restore(self, snapshot: object) -> None:
        """Goes back to what was committed then. Transactions that are open are rolled back."""
        self._transactions.end_all()
        if snapshot is not None or self._engine_made is not None:
            self._engine.restore(snapshot)

    @override
    def close(self) -> None:
        self._transactions.end_all()
        with self._lock:
            if self._engine_made is not None:
                self._engine_made.close()
                self._engine_made = None

    @property
    def _engine(self) -> Engine:
        made = self._engine_made
        return made if made is not None else self._start()

    def _start(self) -> Engine:
        with self._lock:
            if self._engine_made is None:
                self._engine_made = self._make(self._folder)
            return self._engine_made

    @property
    def _folder(self) -> Path | None:
        """Where the database is kept, if it is."""
        journal = self._world.journal
        return None if journal is None else journal.folder / _FOLDER / self._settings.engine

    def _make(self, folder: Path | None) -> Engine:
        size = self._settings.pool_size
        if self._settings.engine == "postgresql":
            with _installed("postgresql"):
                from lcplatform_mock.sql.postgres.engine import PostgresEngine
            journal = self._world.journal
            cipher = None if journal is None else journal.cipher
            return PostgresEngine(folder, size, self._settings.lock_wait, cipher)
        with _installed("mock"):
            from lcplatform_mock.sql.sqlite.engine import SqliteEngine
        return SqliteEngine(folder, size, self._settings.lock_wait, self._clock)


@contextmanager
def _installed(extra: str) -> Iterator[None]:
    """What an engine stands on is installed with it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            f"the mock's data store needs {error.name}, which is not installed: pip install 'lcplatform[{extra}]'"
        ) from error


def _told(entry: Applied) -> AppliedMigration:
    return AppliedMigration(
        version=entry.version,
        name=entry.name,
        checksum=entry.checksum,
        applied_at=entry.applied_at,
        reversible=entry.reversible,
    )


def _position(token: str) -> int:
    try:
        return int(token or 0)
    except ValueError:
        raise invalid("page_token", "the next_page_token of this very request") from None

"""DataStore on PostgreSQL at RDS (FR-026 to FR-030)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final
from uuid import uuid4

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
    TlsMode,
)
from lcplatform.data_store.support import DataStoreCapability, DataStoreLimits
from lcplatform_aws.alarm import Alarm
from lcplatform_aws.data_store_connection import Connection, Params, Part
from lcplatform_aws.data_store_door import Door
from lcplatform_aws.data_store_pool import Pool
from lcplatform_runtime.clock import SYSTEM
from lcplatform_runtime.errors import FieldViolation, LCPlatformError, ValidationError
from lcplatform_runtime.sql.migrations import Applied, Migrations
from lcplatform_runtime.sql.transactions import Transactions
from lcplatform_runtime.support import Support
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from lcplatform_aws.data_store_options import DataStoreOptions
    from lcplatform_aws.session import Session

_LIMITS: Final = DataStoreLimits(
    max_sql_bytes=1024**2,
    max_parameters=65_535,
    max_batch_entries=10_000,
    max_query_rows=10_000,
    max_transaction_seconds=86_400,
)
_SUPPORT: Final = Support(capabilities=frozenset(DataStoreCapability), limits=_LIMITS.by_name())
_TLS: Final = {"verify-full": TlsMode.VERIFY_FULL, "disable": TlsMode.DISABLED}
_HISTORIES: Final = 0x6C63_706C_6174_666D
"""The advisory lock of whoever changes a history, in every process that uses the database."""

_BATCH: Final = "lcplatform_batch"
"""A savepoint. One of the same name that the caller has set is hidden until this one is released."""

_answer = trusted(QueryResponse)
_part = trusted(StreamQueryResponse)
_executed = trusted(ExecuteResponse)
_COMMITTED: Final = CommitTransactionResponse()
_ROLLED_BACK: Final = RollbackTransactionResponse()
_SET: Final = CreateSavepointResponse()
_BACK: Final = RollbackToSavepointResponse()
_RELEASED: Final = ReleaseSavepointResponse()


class RdsDataStore(DataStoreDriver):
    """A database on RDS, to which connections are opened when they are needed."""

    def __init__(self, options: DataStoreOptions, session: Session, connect_timeout: float) -> None:
        self._options = options
        self._door = Door(options, session, connect_timeout)
        self._lock = threading.Lock()
        self._made: Pool | None = None
        self._alarm = Alarm(SYSTEM)
        self._transactions: Transactions[Connection] = Transactions(
            lambda: self._pool, SYSTEM, lambda: uuid4().hex, self._alarm.at
        )
        self._migrations = Migrations(self._alone, SYSTEM)

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    # --- statements

    @override
    def query(self, request: QueryRequest, /) -> QueryResponse:
        with self._link(request.transaction, read_only=True) as link:
            reply = link.run(request.sql, request.params, most=_LIMITS.max_query_rows)
        return _answer(columns=reply.columns, rows=reply.rows)

    @override
    def stream_query(self, request: StreamQueryRequest, /) -> Iterator[StreamQueryResponse]:
        name = request.transaction
        if name is None:
            return self._stream_alone(request)
        with self._inside(name) as link:
            parts = link.stream(request.sql, request.params, request.batch_size)
            first = next(parts)
        return self._stream_inside(name, first, parts)

    @override
    def execute(self, request: ExecuteRequest, /) -> ExecuteResponse:
        with self._link(request.transaction) as link:
            reply = link.run(request.sql, request.params)
        return _executed(rows_affected=reply.affected, columns=reply.columns, rows=reply.rows)

    @override
    def execute_batch(self, request: ExecuteBatchRequest, /) -> ExecuteBatchResponse:
        sql, runs = request.sql, [parameters.values for parameters in request.params_list]
        if request.transaction is not None:
            with self._inside(request.transaction) as link:
                affected = _batch_inside(link, sql, runs)
        else:
            with self._outside() as link:
                affected = _batch_alone(link, sql, runs)
        return ExecuteBatchResponse(rows_affected=affected)

    def _stream_alone(self, request: StreamQueryRequest) -> Iterator[StreamQueryResponse]:
        """A stream on a connection of its own, which it gives back at its end, or when it is given up."""
        with self._outside() as link:
            link.begin(None, read_only=True)
            try:
                for columns, rows in link.stream(request.sql, request.params, request.batch_size):
                    yield _part(columns=columns, rows=rows)
            finally:
                link.rollback()

    def _stream_inside(
        self, name: str, first: Part, parts: Iterator[Part]
    ) -> Iterator[StreamQueryResponse]:
        """A stream in a transaction, which may do other things between its parts."""
        part: Part | None = first
        while part is not None:
            yield _part(columns=part[0], rows=part[1])
            with self._inside(name):
                part = next(parts, None)

    def _link(
        self, transaction: str | None, *, read_only: bool = False
    ) -> AbstractContextManager[Connection]:
        """The connection for one statement."""
        if transaction is None:
            return self._outside(read_only=read_only)
        return self._inside(transaction)

    @contextmanager
    def _outside(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A connection of the pool for a while. What runs on it is a transaction by itself."""
        pool = self._pool
        link = pool.take()
        try:
            link.outside(read_only=read_only)
            yield link
        finally:
            pool.give_back(link)

    @contextmanager
    def _inside(self, name: str) -> Iterator[Connection]:
        """The connection of a transaction for one statement, which ends with the transaction's time at the latest."""
        with self._transactions.using(name) as transaction, transaction.statement() as link:
            link.wire.until = transaction.due
            yield link

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
        with self._inside(request.transaction) as link:
            link.savepoint(request.name)
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
        with self._inside(request.transaction) as link:
            link.release(request.name)
        return _RELEASED

    # --- migrations

    @override
    def migrate(self, request: MigrateRequest, /) -> MigrateResponse:
        applied = self._migrations.apply(request.history, request.migrations)
        return MigrateResponse(applied=tuple(_told(entry) for entry in applied))

    @override
    def list_migrations(self, request: ListMigrationsRequest, /) -> ListMigrationsResponse:
        start = _position(request.page_token)
        size = request.page_size
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
    def _alone(self) -> Iterator[Connection]:
        """A connection of whoever changes a history: one at a time, in all processes."""
        with self._outside() as link:
            link.command(f"SELECT pg_advisory_lock({_HISTORIES})")
            try:
                yield link
            finally:
                link.let_go(f"SELECT pg_advisory_unlock({_HISTORIES})")

    # --- the database

    @override
    def get_pool_status(self, request: GetPoolStatusRequest, /) -> GetPoolStatusResponse:
        return self._pool.status()

    @override
    def get_connection_info(
        self, request: GetConnectionInfoRequest, /
    ) -> GetConnectionInfoResponse:
        options = self._options
        return GetConnectionInfoResponse(
            host=options.host,
            port=options.port,
            database=options.database,
            user=self._door.user(),
            tls_mode=_TLS[options.tls],
            password_secret=options.password_secret,
        )

    @property
    def _pool(self) -> Pool:
        return self._made or self._opened()

    def _opened(self) -> Pool:
        with self._lock:
            if self._made is None:
                self._made = Pool(self._options, self._door)
            return self._made

    def close(self) -> None:
        """Rolls back what is under way, and ends the connections."""
        self._alarm.close()
        self._transactions.end_all()
        with self._lock:
            if self._made is not None:
                self._made.close()


def _batch_alone(link: Connection, sql: str, runs: Sequence[Params]) -> tuple[int, ...]:
    """A batch that is a transaction by itself."""
    with _rolled_back(link):
        link.begin(None, read_only=False)
        if link.insert_all(sql, runs):
            affected = (1,) * len(runs)
        else:
            link.rollback()
            link.begin(None, read_only=False)
            affected = link.run_each(sql, runs)
    link.commit()
    return affected


def _batch_inside(link: Connection, sql: str, runs: Sequence[Params]) -> tuple[int, ...]:
    """A batch in a transaction, which goes on if one statement for all the rows does not do."""
    link.savepoint(_BATCH)
    if link.insert_all(sql, runs):
        affected = (1,) * len(runs)
    else:
        link.rollback_to(_BATCH)
        affected = link.run_each(sql, runs)
    link.release(_BATCH)
    return affected


@contextmanager
def _rolled_back(link: Connection) -> Iterator[None]:
    """Undoes what was begun if it fails."""
    try:
        yield
    except BaseException:
        link.rollback()
        raise


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
        text = "the next_page_token of this very request"
        problem = ValidationError(
            f"page_token: {text}", violations=[FieldViolation("page_token", text)]
        )
    raise problem

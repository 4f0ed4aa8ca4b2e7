"""The data store when its server goes away, and when very many use it at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import psycopg_pool
import pytest

from lcplatform import CallOptions
from lcplatform.data_store import DataStore
from lcplatform.data_store.operations import QUERY
from lcplatform.errors import (
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    Outcome,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_aws import data_store_connection
from lcplatform_aws.data_store_connection import Connection
from lcplatform_aws.errors import translate
from tests.postgresql import HOST, USER, PostgreSQL
from tests.unit.aws.conftest import AtPostgresql, AtStub


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    """A server that may be stopped."""
    with PostgreSQL(connections=40) as server:
        yield server


def at(
    server: PostgreSQL, at_stub: AtStub, *, max_attempts: int = 1, **options: object
) -> DataStore:
    given = {"host": HOST, "port": server.port, "database": USER, "user": USER}
    platform = at_stub(max_attempts=max_attempts, data_store={**given, "tls": "disable", **options})
    return platform.data_store


# --- the server goes away


def test_a_restart_under_load_loses_nothing_that_was_acknowledged(
    server: PostgreSQL, at_stub: AtStub
) -> None:
    """Each caller recovers by itself, every error is a typed one, and no insert is sent twice."""
    data = at(server, at_stub, max_attempts=3, pool_size=16)
    data.execute("CREATE TABLE things (id int PRIMARY KEY)")
    stop = threading.Event()
    acknowledged: list[int] = []
    unknown: list[int] = []
    strange: list[BaseException] = []

    def insert(worker: int) -> None:
        number = worker
        while not stop.is_set():
            number += 8
            try:
                data.execute("INSERT INTO things VALUES ($1)", [number])
                acknowledged.append(number)
            except ServiceUnavailableError as error:
                if error.outcome is Outcome.UNKNOWN:
                    unknown.append(number)
            except BaseException as error:  # noqa: BLE001  the test looks at it
                strange.append(error)
                return

    threads = [threading.Thread(target=insert, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    _until(lambda: len(acknowledged) > 50)
    server.stop()
    server.start()
    before = len(acknowledged)
    _until(lambda: len(acknowledged) > before + 50)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert strange == []
    kept = {number for (number,) in server.run("SELECT id FROM things")}
    assert set(acknowledged) <= kept
    assert kept - set(acknowledged) <= set(unknown)


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_connections_that_died_while_nobody_used_them_are_replaced_unseen(
    data: DataStore, postgresql: PostgreSQL
) -> None:
    open_ = [data.begin_transaction().transaction for _ in range(5)]
    for transaction in open_:
        data.rollback_transaction(transaction)
    _until(
        lambda: (
            not postgresql.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lcplatform'"
            )
        )
    )
    for _ in range(10):
        data.execute("SELECT 1")


def test_a_connection_that_was_idle_for_long_is_asked_whether_it_works(
    at_postgresql: AtPostgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = at_postgresql(pool_size=1).data_store
    data.query("SELECT 1")
    asked: list[str] = []
    command = Connection.command

    def noted(self: Connection, sql: str) -> Any:
        asked.append(sql)
        return command(self, sql)

    monkeypatch.setattr(Connection, "command", noted)
    data.query("SELECT 1")
    assert asked == []
    monkeypatch.setattr(data_store_connection, "_SURELY_ALIVE", -1.0)
    data.query("SELECT 1")
    assert asked == [""]


def test_a_statement_whose_connection_breaks_may_have_had_an_effect(
    data: DataStore, postgresql: PostgreSQL
) -> None:
    with pytest.raises(ServiceUnavailableError) as caught:
        _cut(postgresql, lambda: data.execute("SELECT pg_sleep(60)"))
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.details["sqlstate"] in {"57P01", "08006"}  # as libpq comes to know of it
    assert data.query("SELECT 1").rows[0].values == (1,)


def test_a_transaction_whose_connection_breaks_is_over(
    data: DataStore, postgresql: PostgreSQL
) -> None:
    data.execute("CREATE TABLE things (id int)")
    tx = data.begin_transaction().transaction
    data.execute("INSERT INTO things VALUES (1)", transaction=tx)
    with pytest.raises(ServiceUnavailableError):
        _cut(postgresql, lambda: data.execute("SELECT pg_sleep(60)", transaction=tx))
    with pytest.raises(PreconditionFailedError):
        data.execute("INSERT INTO things VALUES (2)", transaction=tx)
    data.rollback_transaction(tx)
    with pytest.raises(ResourceNotFoundError):
        data.rollback_transaction(tx)
    assert data.query("SELECT * FROM things").rows == ()


def test_what_became_of_a_commit_is_unknown_where_the_connection_breaks(
    data: DataStore, postgresql: PostgreSQL
) -> None:
    """FR-027; facts: a lost connection during COMMIT is an unknown outcome, and nothing is run again."""
    _slow_commits(postgresql)
    tx = data.begin_transaction().transaction
    data.execute("INSERT INTO slow VALUES (1)", transaction=tx)
    with pytest.raises(ServiceUnavailableError) as caught:
        _cut(postgresql, lambda: data.commit_transaction(tx))
    assert caught.value.outcome is Outcome.UNKNOWN
    ran = 0

    def work(tx: Any) -> None:
        nonlocal ran
        ran += 1
        tx.execute("INSERT INTO slow VALUES (2)")

    with pytest.raises(ServiceUnavailableError) as again:
        _cut(postgresql, lambda: data.run_transaction(work))
    assert (ran, again.value.outcome) == (1, Outcome.UNKNOWN)


def test_a_commit_that_the_server_gave_up_in_time_has_no_effect(
    data: DataStore, postgresql: PostgreSQL
) -> None:
    _slow_commits(postgresql)
    tx = data.begin_transaction().transaction
    data.execute("INSERT INTO slow VALUES (1)", transaction=tx)
    with pytest.raises(DeadlineExceededError) as caught:
        data.commit_transaction(tx, options=CallOptions(deadline=timedelta(seconds=0.3)))
    assert caught.value.outcome is Outcome.NOT_EXECUTED
    assert data.query("SELECT * FROM slow").rows == ()


def _slow_commits(postgresql: PostgreSQL) -> None:
    postgresql.run("CREATE TABLE slow (id int)")
    postgresql.run(
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$"
    )
    postgresql.run(
        "CREATE CONSTRAINT TRIGGER s AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION slowly()"
    )


def _cut(postgresql: PostgreSQL, work: Callable[[], object]) -> None:
    """Does something slow, and ends its connection as soon as the server is at it."""

    def end() -> None:
        _until(
            lambda: bool(
                postgresql.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'lcplatform' AND wait_event = 'PgSleep'"
                )
            )
        )

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(end)
        try:
            work()
        finally:
            ended.result()


# --- very many


@pytest.mark.parametrize("connections", [100, 250])
def test_so_many_connections_are_held_at_once(
    at_postgresql: AtPostgresql, postgresql: PostgreSQL, connections: int
) -> None:
    """SC-008."""
    data = at_postgresql(pool_size=connections).data_store
    with ThreadPoolExecutor(32) as pool:
        begun = list(pool.map(lambda _: data.begin_transaction(), range(connections)))
        told = list(
            pool.map(
                lambda it: (
                    data.query("SELECT pg_backend_pid()", transaction=it.transaction)
                    .rows[0]
                    .values[0]
                ),
                begun,
            )
        )
        status = data.get_pool_status()
        assert (status.max_size, status.size, status.idle) == (connections, connections, 0)
        assert len(set(told)) == connections
        list(pool.map(lambda it: data.commit_transaction(it.transaction), begun))
    assert data.get_pool_status().idle == connections


def test_who_finds_no_connection_waits_for_one_and_is_refused_at_last(
    at_postgresql: AtPostgresql,
) -> None:
    data = at_postgresql(pool_size=1, pool_timeout=timedelta(seconds=3)).data_store
    tx = data.begin_transaction().transaction
    with pytest.raises(DeadlineExceededError) as hurried:
        data.query("SELECT 1", options=CallOptions(deadline=timedelta(seconds=0.2)))
    assert hurried.value.outcome is Outcome.NOT_EXECUTED
    with pytest.raises(ServiceUnavailableError) as caught:
        data.query("SELECT 1")
    assert (caught.value.retryable, caught.value.outcome) == (True, Outcome.NOT_EXECUTED)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(data.query, "SELECT 1")
        _until(lambda: data.get_pool_status().waiting == 1)
        data.rollback_transaction(tx)
        assert waiting.result().rows[0].values == (1,)


def test_migrations_of_several_processes_wait_for_each_other(at_postgresql: AtPostgresql) -> None:
    steps: list[Any] = [
        {"version": f"{n:02}", "name": "make", "up": f"CREATE TABLE m{n} (id int)"}
        for n in range(8)
    ]
    stores = [at_postgresql().data_store for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda it: it.migrate(steps).applied, stores))
    assert sorted(map(len, applied)) == [0, 0, 0, 8]


# --- what psycopg reports


@pytest.mark.parametrize(
    ("error", "kind", "retryable", "outcome"),
    [
        (psycopg.OperationalError("gone"), ServiceUnavailableError, True, Outcome.UNKNOWN),
        (
            psycopg.errors.ConnectionTimeout("slow"),
            ServiceUnavailableError,
            True,
            Outcome.NOT_EXECUTED,
        ),
        (psycopg.errors.CancellationTimeout("slow"), DeadlineExceededError, False, Outcome.UNKNOWN),
        (
            psycopg.errors.PipelineAborted("no"),
            PreconditionFailedError,
            False,
            Outcome.NOT_EXECUTED,
        ),
        (psycopg.InterfaceError("closed"), PreconditionFailedError, False, Outcome.NOT_EXECUTED),
        (psycopg.ProgrammingError("wrong"), ValidationError, False, Outcome.NOT_EXECUTED),
        (psycopg.DataError("wrong"), ValidationError, False, Outcome.NOT_EXECUTED),
        (psycopg.NotSupportedError("no"), UnsupportedError, False, Outcome.NOT_EXECUTED),
        (psycopg_pool.PoolTimeout("full"), ServiceUnavailableError, True, Outcome.NOT_EXECUTED),
        (psycopg_pool.TooManyRequests("full"), QuotaExceededError, True, Outcome.NOT_EXECUTED),
        (psycopg_pool.PoolClosed("closed"), PreconditionFailedError, False, Outcome.NOT_EXECUTED),
        (psycopg.errors.SerializationFailure("again"), Exception, True, Outcome.NOT_EXECUTED),
        (psycopg.errors.DataCorrupted("broken"), InternalError, False, Outcome.UNKNOWN),
    ],
)
def test_every_exception_of_psycopg_has_a_meaning(
    error: Exception, kind: type[Exception], retryable: bool, outcome: Outcome
) -> None:
    found = translate(error, QUERY)
    assert isinstance(found, LCPlatformError)
    assert isinstance(found, kind)
    assert (found.retryable, found.outcome) == (retryable, outcome)

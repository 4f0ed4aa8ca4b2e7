"""Transactions of the mock's data store on SQLite: many at once, as objects, and when the mock goes back to a snapshot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import AsyncLCPlatform, CallOptions, LCPlatform, RetryPolicy
from lcplatform.data_store import AsyncTransaction, DataStore, Transaction
from lcplatform.data_store.models import IsolationLevel, Migration
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_mock.sql import pool
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings
from tests.unit.mock.race import race

_QUICK = RetryPolicy(max_attempts=4, base_delay=timedelta())
_ONCE = CallOptions(retry=RetryPolicy(max_attempts=1))


@pytest.fixture
def data(platform: LCPlatform) -> DataStore:
    return platform.data_store


@pytest.fixture
def things(data: DataStore) -> DataStore:
    """A database with one table of three rows."""
    data.execute(
        "CREATE TABLE things (id int PRIMARY KEY, name text UNIQUE, n int CHECK (n < 100))"
    )
    data.execute("INSERT INTO things VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)")
    return data


def count(data: DataStore) -> object:
    return data.query("SELECT count(*) FROM things").rows[0].values[0]


# --- many at once


def _together(*work: Callable[[], object]) -> list[BaseException]:
    """Runs all at once; what they raised."""
    raised: list[BaseException] = []

    def run(one: Callable[[], object]) -> None:
        try:
            one()
        except BaseException as error:  # noqa: BLE001  the test looks at it
            raised.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return raised


@pytest.fixture
def running() -> Iterator[DataStore]:
    """A database whose time goes on by itself."""
    with LCPlatform("mock") as platform:
        data = platform.data_store
        data.execute("CREATE TABLE things (id int PRIMARY KEY, n int NOT NULL)")
        data.execute("INSERT INTO things VALUES (1, 0)")
        yield data


@pytest.mark.parametrize("isolation", ["serializable", "repeatable_read"])
def test_read_and_write_by_many_lose_nothing_where_they_run_again(
    running: DataStore, isolation: str
) -> None:
    def add() -> None:
        for _ in range(10):
            running.run_transaction(_incremented, isolation=isolation)

    def _incremented(tx: Transaction[Any, Any, Any, Any]) -> None:
        (n,) = tx.query("SELECT n FROM things WHERE id = 1").rows[0].values
        tx.execute("UPDATE things SET n = $1 WHERE id = 1", [n + 1])

    assert _together(*[add] * 4) == []
    assert running.query("SELECT n FROM things").rows[0].values == (40,)


def test_a_hundred_connections_are_open_at_once(running: DataStore) -> None:
    """SC-008."""
    open_ = [running.begin_transaction().transaction for _ in range(100)]
    for transaction in open_:
        assert running.query("SELECT n FROM things", transaction=transaction).rows
    status = running.get_pool_status()
    assert (status.max_size, status.size, status.idle) == (100, 100, 0)
    for transaction in open_:
        running.commit_transaction(transaction)
    assert running.get_pool_status().idle == 100


def test_who_finds_no_connection_waits_for_one_and_is_refused_at_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with LCPlatform("mock", data_store={"pool_size": 1}) as platform:
        data = platform.data_store
        held = data.begin_transaction().transaction
        waiter: list[object] = []
        thread = threading.Thread(target=lambda: waiter.append(data.query("SELECT 1")))
        thread.start()
        while not data.get_pool_status().waiting:
            threading.Event().wait(0.001)
        data.rollback_transaction(held)
        thread.join(30)
        assert len(waiter) == 1
        data.begin_transaction()
        monkeypatch.setattr(pool, "PATIENCE", 0.01)
        with pytest.raises(ServiceUnavailableError) as caught:
            data.query("SELECT 1", options=_ONCE)
        assert caught.value.retryable


def test_who_waits_too_long_for_another_writer_runs_into_a_conflict() -> None:
    with LCPlatform("mock", data_store={"lock_wait": 0.01}) as platform:
        data = platform.data_store
        data.execute("CREATE TABLE things (id int PRIMARY KEY)")
        with data.transaction() as tx:
            tx.execute("INSERT INTO things VALUES (1)")
            with pytest.raises(ConflictError) as caught:
                data.execute("INSERT INTO things VALUES (2)", options=_ONCE)
            assert caught.value.retryable
            assert data.query("SELECT * FROM things").rows == ()
        assert data.query("SELECT * FROM things").rows[0].values == (1,)


def test_migrations_of_several_starting_instances_are_applied_once(running: DataStore) -> None:
    migrations = [
        Migration(version=f"{n:02}", name="make", up=f"CREATE TABLE m{n} (id int)")
        for n in range(20)
    ]

    def start(_: int) -> list[str]:
        return [it.version for it in running.migrate(migrations).applied]

    applied = race(start)
    assert [it for it in applied if isinstance(it, Exception)] == []
    versions = [version for it in applied if isinstance(it, list) for version in it]
    assert sorted(versions) == [it.version for it in migrations]


# --- transactions as objects


def test_a_block_that_raises_undoes_its_transaction(things: DataStore) -> None:
    def fails() -> None:
        with things.transaction() as tx:
            tx.execute("DELETE FROM things")
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fails()
    assert count(things) == 3
    assert things.get_pool_status().idle == things.get_pool_status().size


def test_a_savepoint_undoes_a_part(things: DataStore) -> None:
    with things.transaction() as tx:
        tx.execute("DELETE FROM things WHERE id = 1")

        def fails() -> None:
            with tx.savepoint("here"):
                tx.execute("DELETE FROM things WHERE id = 2")
                tx.execute("INSERT INTO things VALUES (3, 'again', 1)")

        with pytest.raises(AlreadyExistsError):
            fails()
        with tx.savepoint("here"):
            tx.execute("DELETE FROM things WHERE id = 3")
    assert [it.values for it in things.query("SELECT id FROM things").rows] == [(2,)]


def test_what_is_no_conflict_is_not_run_again(things: DataStore) -> None:
    runs: list[int] = []

    def fails(tx: Transaction[Any, Any, Any, Any]) -> None:
        runs.append(1)
        tx.execute("INSERT INTO things VALUES (1, 'x', 1)")

    with pytest.raises(AlreadyExistsError):
        things.run_transaction(fails)
    assert len(runs) == 1


def test_a_transaction_that_was_over_early_says_so(platform: LCPlatform, things: DataStore) -> None:
    def late() -> None:
        with things.transaction(timeout=timedelta(seconds=1)) as tx:
            tx.execute("DELETE FROM things")
            platform.control.advance_clock(timedelta(seconds=2))

    with pytest.raises(ResourceNotFoundError):
        late()
    assert count(things) == 3


# --- snapshots


def test_a_snapshot_brings_back_tables_rows_and_sequences(platform: LCPlatform) -> None:
    data = platform.data_store
    data.execute("CREATE TABLE things (id serial PRIMARY KEY, n int)")
    data.execute("INSERT INTO things (n) VALUES (1)")
    with platform.control.snapshot():
        data.execute("INSERT INTO things (n) VALUES (2)")
        data.execute("ALTER TABLE things ADD COLUMN more int")
        data.execute("CREATE TABLE others (id int)")
    assert [it.values for it in data.query("SELECT * FROM things").rows] == [(1, 1)]
    assert data.execute("INSERT INTO things (n) VALUES (2) RETURNING id").rows[0].values == (2,)
    with pytest.raises(ValidationError):
        data.query("SELECT * FROM others")


def test_going_back_ends_transactions(platform: LCPlatform, things: DataStore) -> None:
    kept = platform.control.snapshot()
    transaction = things.begin_transaction().transaction
    things.execute("DELETE FROM things", transaction=transaction)
    kept.restore()
    with pytest.raises(ResourceNotFoundError):
        things.commit_transaction(transaction)
    assert count(things) == 3


def test_a_database_that_was_not_used_is_not_made_for_a_snapshot(platform: LCPlatform) -> None:
    kept = platform.control.snapshot()
    platform.data_store.execute("CREATE TABLE things (id int)")
    kept.restore()
    platform.data_store.execute("CREATE TABLE things (id int)")


# --- in the other colour, and over gRPC


def test_transactions_work_over_grpc_and_in_the_other_colour(
    things: DataStore, platform: LCPlatform
) -> None:
    settings = ServerSettings(listen="127.0.0.1:0", grace=0)

    async def use(endpoint: str) -> None:
        async with AsyncLCPlatform("grpc", endpoint=endpoint) as remote:
            data = remote.data_store
            async with data.transaction(isolation=IsolationLevel.SERIALIZABLE) as tx:
                await tx.execute("DELETE FROM things WHERE id = 1")
                await tx.execute_batch("DELETE FROM things WHERE id = $1", [[2], [3]])
                with pytest.raises(AlreadyExistsError):
                    async with tx.savepoint("here"):
                        await tx.execute("INSERT INTO things VALUES (7, 'x', 1), (7, 'y', 1)")
                parts = [part async for part in tx.stream_query("SELECT count(*) FROM things")]
                assert parts[0].rows[0].values == (0,)
                await tx.execute("INSERT INTO things VALUES (7, 'x', 1)")
            tries: list[int] = []

            async def at_third(tx: AsyncTransaction[Any, Any, Any, Any]) -> object:
                tries.append(1)
                found = (await tx.query("SELECT n FROM things WHERE id = 7")).rows[0].values[0]
                if len(tries) < 3:  # somebody else is faster
                    await data.execute("UPDATE things SET n = n + 1")
                await tx.execute("UPDATE things SET n = $1", [found + 10])
                return found

            assert (
                await data.run_transaction(at_third, isolation="repeatable_read", retry=_QUICK) == 3
            )

    with Server(platform, settings) as server:
        asyncio.run(use(server.endpoint))
    assert [it.values for it in things.query("SELECT id, n FROM things").rows] == [(7, 13)]


def test_who_loses_each_time_is_told_at_last(things: DataStore) -> None:
    tries: list[int] = []

    def loses(tx: Transaction[Any, Any, Any, Any]) -> None:
        tries.append(1)
        tx.query("SELECT * FROM things")
        things.execute("UPDATE things SET n = n + 1")
        tx.execute("UPDATE things SET n = 0")

    with pytest.raises(ConflictError):
        things.run_transaction(loses, isolation="serializable", retry=_QUICK)
    assert len(tries) == 4

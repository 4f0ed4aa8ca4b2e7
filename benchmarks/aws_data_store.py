"""The AWS provider's data store over psycopg itself, on one PostgreSQL.

The peer is used as its documentation has it: a connection that is kept, and a pool whose block is a transaction. The driver takes
its connection from its pool as well, looks whether it still works, and answers with the contract's values.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from lcplatform.data_store.driver import DataStoreDriver
    from tests.postgresql import PostgreSQL

_CALLS: Final = 100
_KEYS: Final = range(1, 1_001)
_READ: Final = "SELECT id, name, age FROM people WHERE id = {}"
_ROWS: Final = [(number, f"somebody {number}", number % 90) for number in range(1_000)]
_INSERT: Final = "INSERT INTO crowd (id, name, age) VALUES ({})"


@contextmanager
def _database() -> Iterator[PostgreSQL]:
    from tests.postgresql import PostgreSQL

    with PostgreSQL() as server:
        server.run("CREATE TABLE people (id int8 PRIMARY KEY, name text NOT NULL, age int)")
        server.run(
            "INSERT INTO people SELECT n, 'somebody ' || n, mod(n, 90) FROM generate_series(1, 1000) n"
        )
        server.run("CREATE TABLE crowd (id int8 NOT NULL, name text NOT NULL, age int)")
        yield server


@contextmanager
def _driver(server: PostgreSQL) -> Iterator[DataStoreDriver]:
    from lcplatform.data_store.driver import DataStoreDriver
    from lcplatform_aws.provider import provider
    from tests.postgresql import HOST, USER

    place = {"host": HOST, "port": server.port, "database": USER, "user": USER, "tls": "disable"}
    keys = {"region": "eu-west-1", "access_key_id": "AKIATEST", "secret_access_key": "hush"}
    drivers = provider.connect({**keys, "data_store": place}, asynchronous=False)
    try:
        driver = drivers.data_store()
        assert isinstance(driver, DataStoreDriver)
        yield driver
    finally:
        drivers.close()


def _time_of(work: Callable[[], object], times: int) -> Callable[[], float]:
    """A turn that does `work` so many times, and costs the microseconds that pass for one of them."""

    def turn() -> float:
        started = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - started) / times * 1e6

    return turn


def _reading(driver: DataStoreDriver) -> Callable[[], None]:
    from lcplatform.data_store.models import QueryRequest

    asked = itertools.cycle([QueryRequest(sql=_READ.format("$1"), params=(key,)) for key in _KEYS])

    def read() -> None:
        assert len(driver.query(next(asked)).rows) == 1

    return read


def _over_connection(effort: Effort) -> Samples:
    with _database() as server, _driver(server) as driver, server.connect() as connection:
        keys = itertools.cycle(_KEYS)
        sql = _READ.format("%s")

        def peer() -> None:
            assert len(connection.execute(sql, (next(keys),)).fetchall()) == 1

        return take_turns(
            _time_of(_reading(driver), _CALLS), _time_of(peer, _CALLS), effort.rounds(60)
        )


def _over_pool(effort: Effort) -> Samples:
    from psycopg_pool import ConnectionPool

    from tests.postgresql import HOST, USER

    with _database() as server, _driver(server) as driver:
        place = f"host={HOST} port={server.port} user={USER} dbname={USER}"
        with ConnectionPool(place, min_size=1, open=True) as pool:
            keys = itertools.cycle(_KEYS)
            sql = _READ.format("%s")

            def peer() -> None:
                with pool.connection() as connection:
                    assert len(connection.execute(sql, (next(keys),)).fetchall()) == 1

            return take_turns(
                _time_of(_reading(driver), _CALLS), _time_of(peer, _CALLS), effort.rounds(60)
            )


def _bulk(effort: Effort) -> Samples:
    """How many rows a second, so that more is better."""
    from lcplatform.data_store.models import ExecuteBatchRequest, Parameters

    with _database() as server, _driver(server) as driver, closing(server.connect()) as connection:
        request = ExecuteBatchRequest(
            sql=_INSERT.format("$1, $2, $3"),
            params_list=tuple(Parameters(values=row) for row in _ROWS),
        )
        sql = _INSERT.format("%s, %s, %s")

        def ours() -> None:
            assert len(driver.execute_batch(request).rows_affected) == len(_ROWS)

        def peer() -> None:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(sql, _ROWS)

        def rate(work: Callable[[], None]) -> Callable[[], float]:
            turn = _time_of(work, 1)
            return lambda: len(_ROWS) / turn() * 1e6

        return take_turns(rate(ours), rate(peer), effort.rounds(40))


BENCHMARKS: Final = (
    Benchmark(
        name="aws_sql_over_connection",
        bar=Bar(1.15),
        compared="one row by key: the data store's driver over conn.execute of psycopg",
        unit="µs",
        measure=_over_connection,
    ),
    Benchmark(
        name="aws_sql_over_pool",
        bar=Bar(0.9),
        compared="one row by key: the data store's driver over psycopg's `with pool.connection()`",
        unit="µs",
        measure=_over_pool,
    ),
    Benchmark(
        name="aws_sql_bulk",
        bar=Bar(4.0, at_least=True),
        compared="1,000 rows inserted: the data store's driver over executemany of psycopg",
        unit="rows/s",
        measure=_bulk,
    ),
)

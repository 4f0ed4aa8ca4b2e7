"""The data store's driver on SQLite over sqlite3 itself, on a file of the same kind: what being PostgreSQL costs.

The peer is given its statements in SQLite's own words and answers with bare tuples. Statements come again and again, as an
application's do, so they are translated once.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from lcplatform.data_store.driver import DataStoreDriver

_CALLS: Final = 1_000
_KEYS: Final = range(1, 1_001)
_OURS: Final = (
    "CREATE TABLE people (id int8 PRIMARY KEY, name text NOT NULL, age int)",
    "CREATE TABLE orders (id int8 PRIMARY KEY, person int8 NOT NULL, amount int8 NOT NULL)",
    "CREATE INDEX orders_person ON orders (person)",
    "INSERT INTO people SELECT n, 'somebody ' || n, n % 90 FROM generate_series(1, 1000) n",
    "INSERT INTO orders SELECT n, n % 1000 + 1, n % 77 FROM generate_series(1, 50000) n",
)
_NUMBERS: Final = (
    "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {})"
    " SELECT n AS value FROM s"
)
_THEIRS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = OFF",
    "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER NOT NULL, amount INTEGER NOT NULL)",
    "CREATE INDEX orders_person ON orders (person)",
    f"INSERT INTO people SELECT value, 'somebody ' || value, value % 90 FROM ({_NUMBERS.format(1000)})",
    f"INSERT INTO orders SELECT value, value % 1000 + 1, value % 77 FROM ({_NUMBERS.format(50000)})",
)
_REPORT: Final = (
    "SELECT p.name, count(*), max(o.amount) FROM people p JOIN orders o ON o.person = p.id"
    " WHERE p.id = {} GROUP BY p.name"
)
_READ: Final = "SELECT id, name, age FROM people WHERE id = {}"
_WRITE: Final = "UPDATE people SET age = {} WHERE id = {}"


@contextmanager
def _ours() -> Iterator[DataStoreDriver]:
    from lcplatform.data_store.driver import DataStoreDriver
    from lcplatform.data_store.models import ExecuteRequest
    from lcplatform_mock.provider import provider

    drivers = provider.connect({}, asynchronous=False)
    try:
        driver = drivers.data_store()
        assert isinstance(driver, DataStoreDriver)
        for sql in _OURS:
            driver.execute(ExecuteRequest(sql=sql))
        yield driver
    finally:
        drivers.close()


@contextmanager
def _theirs() -> Iterator[sqlite3.Connection]:
    from lcplatform_mock.sql.scratch import Scratch
    from lcplatform_mock.sql.sqlite.engine import MEMORY

    with (
        closing(Scratch(MEMORY)) as scratch,
        closing(sqlite3.connect(scratch.path / "peer.sqlite", isolation_level=None)) as connection,
    ):
        for sql in _THEIRS:
            connection.execute(sql)
        yield connection


def _turns(ours: Callable[[], object], peer: Callable[[], object], effort: Effort) -> Samples:
    our_cpu, peer_cpu = cpu_of(ours, _CALLS), cpu_of(peer, _CALLS)
    return take_turns(lambda: our_cpu() * 1e6, lambda: peer_cpu() * 1e6, effort.rounds(30))


def _reports(effort: Effort) -> Samples:
    from lcplatform.data_store.models import QueryRequest

    with _ours() as driver, _theirs() as connection:
        asked = itertools.cycle(
            [QueryRequest(sql=_REPORT.format("$1"), params=(key,)) for key in _KEYS]
        )
        keys = itertools.cycle(_KEYS)

        def ours() -> None:
            assert driver.query(next(asked)).rows[0].values[1] == 50

        def peer() -> None:
            found = connection.execute(_REPORT.format("?"), (next(keys),)).fetchall()
            assert found[0][1] == 50

        return _turns(ours, peer, effort)


def _by_key(effort: Effort) -> Samples:
    from lcplatform.data_store.models import ExecuteRequest, QueryRequest

    with _ours() as driver, _theirs() as connection:
        read, write = _READ.format("$1"), _WRITE.format("$1", "$2")
        reads = itertools.cycle([QueryRequest(sql=read, params=(key,)) for key in _KEYS])
        writes = itertools.cycle([ExecuteRequest(sql=write, params=(7, key)) for key in _KEYS])
        keys = itertools.cycle(_KEYS)
        their_read, their_write = _READ.format("?"), _WRITE.format("?", "?")

        def ours() -> None:
            assert len(driver.query(next(reads)).rows) == 1
            assert driver.execute(next(writes)).rows_affected == 1

        def peer() -> None:
            key = next(keys)
            assert len(connection.execute(their_read, (key,)).fetchall()) == 1
            assert connection.execute(their_write, (7, key)).rowcount == 1

        return _turns(ours, peer, effort)


BENCHMARKS: Final = (
    Benchmark(
        name="mock_sql",
        bar=Bar(1.3),
        compared="a join and aggregates of 50 rows: the data store's driver over sqlite3 on a file",
        unit="CPU µs",
        measure=_reports,
    ),
    Benchmark(
        name="mock_sql_by_key",
        bar=Bar(1.3),
        compared="a row read and one changed, by key: the data store's driver over sqlite3 on a file",
        unit="CPU µs",
        measure=_by_key,
    ),
)

"""A data store that is kept: closed and opened again, and killed without warning, on SQLite and on PostgreSQL itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from lcplatform import CallOptions, LCPlatform, RetryPolicy
from lcplatform.data_store.models import Migration
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    DeadlineExceededError,
    UnsupportedError,
    ValidationError,
)

ENGINES: Final = ("sqlite", "postgresql")
# Writes rows and says so, until it is killed in the middle of it, with a transaction open.
_WRITER: Final = """
import sys
from lcplatform import LCPlatform
platform = LCPlatform("mock", state=sys.argv[1], data_store={"engine": sys.argv[2]})
data = platform.data_store
data.execute("CREATE TABLE things (id serial PRIMARY KEY, n int)")
transaction = data.begin_transaction().transaction
if sys.argv[2] == "postgresql":
    data.execute("INSERT INTO things (n) VALUES (-1)", transaction=transaction)
for n in range(1_000_000):
    data.execute("INSERT INTO things (n) VALUES ($1)", [n])
    print(n, flush=True)
"""


@contextmanager
def life(folder: Path, engine: str) -> Iterator[LCPlatform]:
    with LCPlatform("mock", state=folder, data_store={"engine": engine}) as platform:
        yield platform


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_committed_is_there_after_a_restart(tmp_path: Path, engine: str) -> None:
    first = Migration(version="1", name="make", up="CREATE TABLE things (id serial PRIMARY KEY)")
    with life(tmp_path, engine) as platform:
        data = platform.data_store
        data.migrate([first])
        data.execute("INSERT INTO things DEFAULT VALUES")
        transaction = data.begin_transaction().transaction
        data.execute("INSERT INTO things DEFAULT VALUES", transaction=transaction)
    with life(tmp_path, engine) as platform:
        data = platform.data_store
        assert [it.values for it in data.query("SELECT * FROM things").rows] == [(1,)]
        assert data.migrate([first]).applied == ()
        # A number that was taken is never taken again, even by a transaction that came to nothing.
        (again,) = data.execute("INSERT INTO things DEFAULT VALUES RETURNING id").rows[0].values
        assert again == 3
        kept = platform.control.snapshot()
        data.execute("DELETE FROM things")
        kept.restore()
    with life(tmp_path, engine) as platform:
        rows = platform.data_store.query("SELECT * FROM things ORDER BY id").rows
        assert [it.values for it in rows] == [(1,), (3,)]
        if engine == "postgresql":  # the copy was of use to a platform that is no more
            left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'snapshot%'"
            assert platform.data_store.query(left).rows[0].values == (0,)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path, engine: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path), engine], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = [int(next(writer.stdout)) for _ in range(50)]
        os.kill(writer.pid, signal.SIGKILL)
        told += [int(line) for line in writer.stdout if line.endswith("\n")]
    with life(tmp_path, engine) as platform:
        data = platform.data_store
        rows = data.query("SELECT n FROM things ORDER BY n").rows
        found = [it.values[0] for it in rows]
        assert found[: len(told)] == told
        assert found == list(range(len(found)))  # at most one more, whose answer was not told
        assert len(found) <= len(told) + 1
        (fresh,) = data.execute("INSERT INTO things (n) VALUES (0) RETURNING id").rows[0].values
        (most,) = data.query("SELECT max(id) FROM things WHERE id <> $1", [fresh]).rows[0].values
        assert isinstance(fresh, int)
        assert isinstance(most, int)
        assert fresh > most


def test_each_engine_has_a_database_of_its_own(tmp_path: Path) -> None:
    with life(tmp_path, "sqlite") as platform:
        platform.data_store.execute("CREATE TABLE things (id int)")
    with life(tmp_path, "postgresql") as platform:
        platform.data_store.execute("CREATE TABLE things (id int)")


# --- PostgreSQL itself


@pytest.fixture(scope="module")
def postgresql() -> Iterator[LCPlatform]:
    settings = {"engine": "postgresql", "lock_wait": timedelta(milliseconds=20)}
    with LCPlatform("mock", data_store=settings) as platform:
        yield platform


def _conninfo(platform: LCPlatform, password: str) -> str:
    info = platform.data_store.get_connection_info()
    return (
        f"host={info.host} port={info.port} dbname={info.database} user={info.user}"
        f" password='{password}'"
    )


def test_tools_reach_the_server_with_the_password_that_the_secret_holds(
    postgresql: LCPlatform,
) -> None:
    import psycopg

    info = postgresql.data_store.get_connection_info()
    assert info.password_secret is not None
    password = str(postgresql.secrets.get_secret(info.password_secret).value)
    assert password not in f"{info!r}"
    postgresql.data_store.execute("CREATE TABLE IF NOT EXISTS tools (id int)")
    with psycopg.connect(_conninfo(postgresql, password)) as connection:
        assert connection.execute("SELECT count(*) FROM tools").fetchone() == (0,)
    for wrong in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(_conninfo(postgresql, wrong))


def test_the_server_listens_nowhere_but_in_a_folder_that_is_closed_to_others(
    postgresql: LCPlatform,
) -> None:
    told = postgresql.data_store.query("SHOW listen_addresses").rows[0].values
    assert told == ("",)
    folder = Path(postgresql.data_store.get_connection_info().host)
    assert folder.stat().st_mode & 0o077 == 0


def test_what_a_connection_prepared_outlives_a_change_of_the_schema(postgresql: LCPlatform) -> None:
    data = postgresql.data_store
    data.execute("CREATE TABLE changing (id int)")
    data.execute("INSERT INTO changing VALUES (1)")
    for _ in range(2):
        assert data.query("SELECT * FROM changing").rows[0].values == (1,)
    data.execute("ALTER TABLE changing ADD COLUMN more text DEFAULT 'x'")
    assert data.query("SELECT * FROM changing").rows[0].values == (1, "x")


def test_the_entry_of_a_batch_that_failed_is_told(postgresql: LCPlatform) -> None:
    data = postgresql.data_store
    data.execute("CREATE TABLE batches (id int PRIMARY KEY)")
    with pytest.raises(AlreadyExistsError) as caught:
        data.execute_batch("INSERT INTO batches VALUES ($1)", [[1], [2], [1]])
    assert caught.value.details["entry"] == "2"
    assert data.query("SELECT * FROM batches").rows == ()


def test_a_statement_ends_when_its_caller_gives_up_and_limits_nobody_else(
    postgresql: LCPlatform,
) -> None:
    data = postgresql.data_store
    with pytest.raises(DeadlineExceededError):
        data.query("SELECT pg_sleep(60)", options=CallOptions(deadline=timedelta(milliseconds=200)))
    parts = data.stream_query("SELECT pg_sleep(0.15), n FROM generate_series(1, 3) n", batch_size=1)
    assert [row.values[1] for part in parts for row in part.rows] == [1, 2, 3]


@pytest.mark.parametrize(
    "sql",
    ["SELECT $1::int", "SELECT $1::jsonb", "SELECT $1::date", "SELECT ('{' || $1)::int[]"],
)
def test_no_error_quotes_a_value(postgresql: LCPlatform, sql: str) -> None:
    secret = "hunter2-and-more"
    with pytest.raises(ValidationError) as caught:
        postgresql.data_store.query(sql, [secret])
    assert secret not in f"{caught.value} {caught.value.details} {caught.value.__cause__!r}"


def test_who_waits_too_long_for_the_lock_of_another_runs_into_a_conflict(
    postgresql: LCPlatform,
) -> None:
    data = postgresql.data_store
    data.execute("CREATE TABLE locked (id int PRIMARY KEY, n int)")
    data.execute("INSERT INTO locked VALUES (1, 0), (2, 0)")
    with data.transaction() as tx:
        tx.execute("UPDATE locked SET n = 1 WHERE id = 1")
        once = CallOptions(retry=RetryPolicy(max_attempts=1))
        with pytest.raises(ConflictError) as caught:
            data.execute("UPDATE locked SET n = 2 WHERE id = 1", options=once)
        assert caught.value.details["sqlstate"] == "55P03"
        assert data.execute("UPDATE locked SET n = 2 WHERE id = 2").rows_affected == 1


def test_a_server_ends_with_its_platform_and_leaves_nothing() -> None:
    with LCPlatform("mock", data_store={"engine": "postgresql"}) as platform:
        folder = Path(platform.data_store.get_connection_info().host)
        assert folder.exists()
    assert not folder.exists()


def test_an_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "lcplatform_mock.sql.postgres.server.find_spec", lambda name: None if name else name
    )
    with (
        LCPlatform("mock", data_store={"engine": "postgresql"}) as platform,
        pytest.raises(UnsupportedError, match=r"lcplatform\[postgresql\]"),
    ):
        platform.data_store.query("SELECT 1")

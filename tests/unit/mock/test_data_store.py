"""What is peculiar to the mock's data store on SQLite, beyond the contract suite: what it refuses, keeps ready and holds up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from lcplatform import CallOptions, LCPlatform
from lcplatform.data_store import DataStore
from lcplatform.errors import (
    AlreadyExistsError,
    DeadlineExceededError,
    LCPlatformError,
    PreconditionFailedError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_mock.sql.scratch import Scratch
from lcplatform_mock.sql.sqlite.translating import translate
from lcplatform_runtime.testing.clock import ManualClock

SECRET = "hunter2-and-more"


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


# --- what cannot be done faithfully is refused


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'NaN'::float8",
        "SELECT jsonb_path_query('{}', '$')",
        "SELECT 'a' ~ 'b'",
        "SELECT xmin FROM things",
        "SELECT * FROM things TABLESAMPLE SYSTEM (10)",
        "SELECT 'x'::xml",
        "SELECT inet '127.0.0.1'",
        "SELECT to_char(now(), 'YYYY')",
        "SELECT * FROM pg_class",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER t BEFORE INSERT ON things EXECUTE FUNCTION f()",
        "CREATE EXTENSION pgcrypto",
        "GRANT SELECT ON things TO somebody",
        "VACUUM",
        "EXPLAIN SELECT 1",
        "LOCK TABLE things",
        "SET search_path TO other",
        "LISTEN news",
        "COPY things TO STDOUT",
        "DO $$ BEGIN END $$",
        "CREATE MATERIALIZED VIEW v AS SELECT 1",
        "MERGE INTO things USING things x ON true WHEN MATCHED THEN DELETE",
    ],
)
def test_what_sqlite_cannot_do_faithfully_is_refused_without_effect(
    things: DataStore, sql: str
) -> None:
    with pytest.raises((UnsupportedError, ValidationError)) as caught:
        things.execute(sql)
    assert caught.value.outcome == "not_executed"
    assert count(things) == 3


def test_a_refusal_leaves_a_transaction_as_it_was(things: DataStore) -> None:
    """It never came to the database, so nothing has failed there."""
    with things.transaction() as tx:
        tx.execute("DELETE FROM things WHERE id = 1")
        with pytest.raises(UnsupportedError):
            tx.query("SELECT to_char(now(), 'YYYY')")
        tx.execute("DELETE FROM things WHERE id = 2")
    assert count(things) == 1


def test_there_is_no_address_to_be_told(data: DataStore) -> None:
    with pytest.raises(UnsupportedError):
        data.get_connection_info()


# --- errors


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("INSERT INTO things VALUES (9, $1, 1), (10, $1, 1)", [SECRET]),
        ("INSERT INTO things VALUES (9, 'x', $1)", [SECRET]),
        ("SELECT $1::int", [SECRET]),
        ("SELECT $1::jsonb", [SECRET]),
        ("SELECT $1::date", [SECRET]),
        ("SELECT $1::uuid", [SECRET]),
        ("SELECT ('{' || $1)::int[]", [SECRET]),
        ("INSERT INTO things VALUES (1, $1, 1)", [SECRET]),
        ("UPDATE things SET name = $1", [SECRET]),
    ],
)
def test_no_error_quotes_a_value(
    things: DataStore, sql: str, params: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(LCPlatformError) as caught:
        things.execute(sql, params)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error} {error!r} {getattr(error, 'details', '')}"
        error = error.__cause__ or error.__context__
    assert SECRET not in caplog.text


def test_an_error_names_what_was_broken(things: DataStore) -> None:
    with pytest.raises(AlreadyExistsError) as taken:
        things.execute("INSERT INTO things VALUES (4, 'a', 1)")
    assert taken.value.details == {
        "sqlstate": "23505",
        "constraint": "things_name_key",
        "table": "things",
    }
    with pytest.raises(ValidationError) as broken:
        things.execute("INSERT INTO things VALUES (4, 'd', 100)")
    assert broken.value.details["constraint"] == "things_n_check"


def test_the_entry_of_a_batch_that_failed_is_told_and_none_has_happened(things: DataStore) -> None:
    with pytest.raises(AlreadyExistsError) as caught:
        things.execute_batch(
            "INSERT INTO things VALUES ($1, $2, 1)", [[4, "d"], [5, "e"], [1, "f"]]
        )
    assert caught.value.details["entry"] == "2"
    assert count(things) == 3


# --- statements that come again


def test_a_statement_is_translated_once_until_the_schema_changes(
    things: DataStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counted(*arguments: object) -> object:
        made.append(str(arguments[1]))
        return translate(*arguments)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr("lcplatform_mock.sql.sqlite.translations.translate", counted)
    for key in (1, 2, 3):
        assert things.query("SELECT name FROM things WHERE id = $1", [key]).rows
    assert len(made) == 1
    things.execute("ALTER TABLE things ADD COLUMN more text DEFAULT 'x'")
    made.clear()
    assert things.query("SELECT * FROM things WHERE id = 1").rows[0].values == (1, "a", 1, "x")
    assert things.query("SELECT name FROM things WHERE id = $1", [1]).rows[0].values == ("a",)
    assert len(made) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((7, "int4"), (2**31, "int8")),
        (("plain", "text"), ("é☕", "text")),
        ((True, "bool"), (False, "bool")),
        ((None, "text"), (1, "int4")),
        ((1.5, "float8"), (Decimal("1.5"), "numeric")),
        ((-(2**31), "int4"), (-(2**31) - 1, "int8")),
    ],
)
def test_values_of_one_class_keep_types_of_their_own(
    data: DataStore, one: tuple[object, str], other: tuple[object, str]
) -> None:
    """What is known of a statement by the classes of its parameters never decides for others."""
    for value, kind in (one, other, one, other):
        found = data.query("SELECT $1", [value])  # type: ignore[list-item]  # values of several types
        assert (found.rows[0].values, found.columns[0].type_name) == ((value,), kind)


def test_text_that_cannot_be_stored_is_refused_also_the_second_time(data: DataStore) -> None:
    assert data.query("SELECT $1", ["fine"]).rows
    for text in ("a\0b", "\ud800"):
        with pytest.raises(ValidationError):
            data.query("SELECT $1", [text])


def test_a_statement_that_was_prepared_for_an_older_schema_is_made_anew(things: DataStore) -> None:
    def asked() -> tuple[object, ...]:
        return things.query("SELECT * FROM things WHERE id = 1").rows[0].values

    assert asked() == (1, "a", 1)
    with things.transaction() as tx:
        tx.execute("ALTER TABLE things DROP COLUMN n")
        assert tx.query("SELECT * FROM things WHERE id = 1").rows[0].values == (1, "a")
        assert asked() == (1, "a", 1)
    assert asked() == (1, "a")


def test_a_query_of_too_many_rows_holds_nothing_up_when_it_was_refused(things: DataStore) -> None:
    things.execute("INSERT INTO things SELECT n FROM generate_series(4, 10001) n")

    with pytest.raises(PreconditionFailedError):
        things.query("SELECT t.id FROM things t, things u WHERE u.id < 3")

    things.execute("DROP TABLE things")  # refused while somebody still reads it


# --- time


def test_a_statement_ends_when_its_caller_gives_up() -> None:
    endless = (
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT (n + 1) % 7 FROM t)"
        " SELECT count(*) FROM t"
    )
    with LCPlatform("mock") as platform:
        with pytest.raises(DeadlineExceededError):
            platform.data_store.query(
                endless, options=CallOptions(deadline=timedelta(milliseconds=200))
            )
        assert platform.data_store.query("SELECT 1").rows[0].values == (1,)
        assert platform.data_store.get_pool_status().idle == 1


def test_now_is_the_time_of_the_mock_and_stands_still_in_a_transaction(
    platform: LCPlatform, clock: ManualClock
) -> None:
    data = platform.data_store
    with data.transaction() as tx:
        before = tx.query("SELECT now()").rows[0].values
        assert before == (clock.now(),)
        platform.control.advance_clock(timedelta(seconds=5))
        assert tx.query("SELECT now()").rows[0].values == before
        assert tx.query("SELECT clock_timestamp()").rows[0].values == (clock.now(),)
    assert data.query("SELECT now()").rows[0].values == (clock.now(),)


def test_transactions_whose_time_is_up_give_their_connections_back(
    platform: LCPlatform, clock: ManualClock
) -> None:
    data = platform.data_store
    for _ in range(3):
        data.begin_transaction(timeout=timedelta(seconds=10))
    assert (data.get_pool_status().size, data.get_pool_status().idle) == (3, 0)
    platform.control.advance_clock(timedelta(seconds=11))
    assert (data.get_pool_status().size, data.get_pool_status().idle) == (3, 3)


# --- streams


def test_a_stream_that_is_given_up_gives_its_connection_back(things: DataStore) -> None:
    parts = things.stream_query("SELECT * FROM generate_series(1, 100000) n", batch_size=10)
    assert len(next(parts).rows) == 10
    assert things.get_pool_status().idle < things.get_pool_status().size
    parts.close()  # type: ignore[attr-defined]  # it is a generator
    assert things.get_pool_status().idle == things.get_pool_status().size


def test_a_stream_tells_what_was_there_when_it_began(things: DataStore) -> None:
    parts = things.stream_query("SELECT id FROM things ORDER BY id", batch_size=1)
    told = [next(parts).rows[0].values]
    things.execute("DELETE FROM things")
    told += [it.values for part in parts for it in part.rows]
    assert told == [(1,), (2,), (3,)]


# --- settings and folders


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"engine": "oracle"}, "engine"),
        ({"pool_size": 0}, "pool_size"),
        ({"lock_wait": -1}, "lock_wait"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_setting_that_is_not_usable_is_named(settings: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LCPlatform("mock", data_store=settings)
    assert field in caught.value.violations[0].field


def test_a_folder_whose_process_was_killed_is_swept_up_by_the_next(tmp_path: Path) -> None:
    mine = Scratch(tmp_path)
    orphan = tmp_path / "lcp-sql-orphan"
    orphan.mkdir()
    (orphan / "lock").touch()
    unfinished = tmp_path / "lcp-sql-unfinished"
    unfinished.mkdir()
    other = Scratch(tmp_path)
    assert not orphan.exists()
    assert unfinished.exists()  # somebody is just making it
    assert mine.path.exists()
    for scratch in (mine, other):
        scratch.close()
        assert not scratch.path.exists()


def test_a_closed_stop_in_a_stopped_transaction_is_refused(things: DataStore) -> None:
    transaction = things.begin_transaction().transaction
    with pytest.raises(AlreadyExistsError):
        things.execute("INSERT INTO things VALUES (1, 'x', 1)", transaction=transaction)
    with pytest.raises(PreconditionFailedError):
        things.create_savepoint(transaction, "late")
    things.rollback_transaction(transaction)

"""The data store on a real PostgreSQL: statements, batches and transactions, where they are peculiar to this provider."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest

from lcplatform import CallOptions
from lcplatform.data_store import DataStore, Transaction
from lcplatform.data_store.models import Interval, IsolationLevel, OtherValue, Value
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    Outcome,
    PreconditionFailedError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_aws.data_store_bulk import gathered
from lcplatform_aws.data_store_values import NAMES, OIDS
from lcplatform_runtime.sqlstate import meaning
from tests.postgresql import PostgreSQL
from tests.unit.aws.conftest import AtPostgresql
from tests.unit.aws.stub import Stub

CANARY = "canary-6b1f"


def rows(data: DataStore, sql: str) -> list[tuple[Any, ...]]:
    return [row.values for row in data.query(sql).rows]


# --- types


def test_the_types_that_are_known_are_those_of_the_server(data: DataStore) -> None:
    found = data.query("SELECT oid::int8, typname::text, typarray::int8 FROM pg_type")
    server: dict[str, object] = {}
    for row in found.rows:
        number, name, array = row.values
        server |= {str(name): number, f"{name!s}[]": array}
    assert {name: server.get(name) for name in OIDS} == OIDS
    assert len(NAMES) == len(OIDS)


def test_types_of_the_application_come_and_go(data: DataStore) -> None:
    data.execute("CREATE TYPE mood AS ENUM ('sad', 'fine')")
    data.execute("CREATE TABLE moods (m mood, all_of mood[])")
    fine = OtherValue(type_name="mood", text="fine")
    data.execute("INSERT INTO moods VALUES ($1, ARRAY[$1, $1])", [fine])
    found = data.query("SELECT * FROM moods")
    assert [column.type_name for column in found.columns] == ["mood", "mood[]"]
    assert found.rows[0].values[0] == fine


def test_a_statement_whose_result_has_changed_is_prepared_again(data: DataStore) -> None:
    data.execute("CREATE TABLE things (id int)")
    data.execute("INSERT INTO things VALUES (1)")
    assert rows(data, "SELECT * FROM things") == [(1,)]
    data.execute("ALTER TABLE things ADD COLUMN name text DEFAULT 'so'")
    assert rows(data, "SELECT * FROM things") == [(1, "so")]


def test_statements_are_prepared_on_the_server_and_the_oldest_is_forgotten(
    at_postgresql: AtPostgresql,
) -> None:
    data = at_postgresql(pool_size=1).data_store
    for number in range(300):
        data.query(f"SELECT {number}")
    (count,) = data.query("SELECT count(*) FROM pg_prepared_statements").rows[0].values
    assert count == 256


# --- batches

INSERT = "INSERT INTO things (id, name, n) VALUES ($1, $2, $3)"


@pytest.fixture
def things(data: DataStore) -> DataStore:
    data.execute("CREATE TABLE things (id int8 PRIMARY KEY, name text, n int CHECK (n < 100))")
    return data


def test_a_batch_of_rows_is_one_statement(things: DataStore, postgresql: PostgreSQL) -> None:
    postgresql.run("CREATE TABLE seen (n int)")
    postgresql.run("ALTER TABLE things ADD COLUMN at int8 DEFAULT txid_current()")
    answer = things.execute_batch(INSERT, [(i, f'it "is" \\ {i}', i) for i in range(50)])
    assert answer.rows_affected == (1,) * 50
    assert rows(things, "SELECT id, name, n FROM things ORDER BY id")[49] == (
        49,
        'it "is" \\ 49',
        49,
    )
    assert gathered(INSERT, [(i, "x", i) for i in range(50)]) is not None


@pytest.mark.parametrize("inside", [False, True])
def test_the_entry_that_fails_is_named_and_nothing_of_the_batch_stays(
    things: DataStore, inside: bool
) -> None:
    batch = [(i, "x", 100 if i == 7 else 1) for i in range(20)]
    tx = things.begin_transaction().transaction if inside else None
    with pytest.raises(ValidationError) as caught:
        things.execute_batch(INSERT, batch, transaction=tx)
    assert caught.value.details["entry"] == "7"
    assert caught.value.details["sqlstate"] == "23514"
    if tx is not None:
        with pytest.raises(PreconditionFailedError):
            things.query("SELECT 1", transaction=tx)
        things.rollback_transaction(tx)
    assert rows(things, "SELECT * FROM things") == []


def test_entries_are_counted_over_all_that_is_sent_at_once(things: DataStore) -> None:
    update = "UPDATE things SET n = $2 WHERE id = $1"
    things.execute_batch(INSERT, [(i, None, 1) for i in range(300)])
    assert things.execute_batch(update, [(i, 2) for i in range(301)]).rows_affected[299:] == (1, 0)
    with pytest.raises(ValidationError) as caught:
        things.execute_batch(update, [(i, 100 if i == 250 else 3) for i in range(300)])
    assert caught.value.details["entry"] == "250"
    assert rows(things, "SELECT DISTINCT n FROM things") == [(2,)]


def test_values_of_every_type_are_the_same_in_a_batch_as_one_by_one(data: DataStore) -> None:
    moment = datetime(2026, 1, 31, 12, 30, 0, 1, tzinfo=UTC)
    values: list[Value] = [
        2**40,
        'so, "\\{}NULL\n',
        1.5e300,
        float("inf"),
        True,
        moment,
        moment.replace(tzinfo=None),
        moment.date(),
        Decimal("-1.50"),
        UUID(int=5),
        b"\x00\xff",
        Interval(months=1, days=-2, microseconds=3),
        OtherValue(type_name="inet", text="10.0.0.1"),
    ]
    types = (
        "int8 text float8 float8 bool timestamptz timestamp date numeric uuid bytea interval inet"
    )
    columns = ", ".join(f"c{n} {it}" for n, it in enumerate(types.split()))
    places = ", ".join(f"${n + 1}" for n in range(len(values)))
    for table in ("one", "many"):
        data.execute(f"CREATE TABLE {table} (no int, {columns})")
    sql = "INSERT INTO {} VALUES (" + places + f", ${len(values) + 1})"
    batch = [[number, *values] for number in range(6)]
    batch += [[6, *[None] * len(values)]]
    for run in batch:
        data.execute(sql.format("one"), run)
    assert gathered(sql.format("many"), batch) is not None
    data.execute_batch(sql.format("many"), batch)
    assert rows(data, "SELECT * FROM many ORDER BY no") == rows(
        data, "SELECT * FROM one ORDER BY no"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO things (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        "INSERT INTO things (id, name) VALUES ($1, upper($2))",
        "INSERT INTO things (id, name) VALUES ($1, $2), ($1, $2)",
        "INSERT INTO things (id, name) VALUES ($1, $1)",
        "INSERT INTO things (id, name) VALUES ($1, $2) RETURNING id",
        "UPDATE things SET name = $2 WHERE id = $1",
    ],
)
def test_other_statements_are_run_one_by_one(sql: str) -> None:
    assert gathered(sql, [(i, "x") for i in range(10)]) is None


def test_arrays_mixed_types_and_few_rows_are_inserted_one_by_one() -> None:
    sql = "INSERT INTO t VALUES ($1)"
    assert gathered(sql, [(1,)] * 3) is None
    assert gathered(sql, [(1,)] * 4) is not None
    assert gathered(sql, [(1,), ("x",), (1,), (1,)]) is None
    assert gathered(sql, [(None,)] * 4) is None
    assert gathered(sql, [(1,), (2**40,), (None,), (1,)]) is not None
    assert gathered(sql, [(1,), (1, 2), (1,), (1,)]) is None


def test_a_trigger_sees_as_many_statements_as_there_are_entries(
    things: DataStore, postgresql: PostgreSQL
) -> None:
    postgresql.run("CREATE TABLE seen (n int)")
    postgresql.run(
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO seen VALUES (1); RETURN NULL; END $$"
    )
    postgresql.run("CREATE TRIGGER noted AFTER INSERT ON things EXECUTE FUNCTION note()")
    assert things.execute_batch(INSERT, [(i, "x", 1) for i in range(10)]).rows_affected == (1,) * 10
    assert rows(things, "SELECT count(*) FROM seen") == [(10,)]


def test_rows_that_a_trigger_leaves_out_are_not_counted(
    things: DataStore, postgresql: PostgreSQL
) -> None:
    postgresql.run(
        "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF mod(NEW.id, 2) = 0 THEN RETURN NULL; END IF; RETURN NEW; END $$"
    )
    postgresql.run("CREATE TRIGGER o BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION odd()")
    answer = things.execute_batch(INSERT, [(i, "x", 1) for i in range(6)])
    assert answer.rows_affected == (0, 1, 0, 1, 0, 1)
    with things.transaction() as tx:
        inside = tx.execute_batch(INSERT, [(i, "x", 1) for i in range(10, 16)])
    assert inside.rows_affected == (0, 1, 0, 1, 0, 1)


# --- transactions


@pytest.mark.parametrize("level", [it for it in IsolationLevel if it is not IsolationLevel.UNKNOWN])
def test_the_server_is_told_every_isolation_level(data: DataStore, level: IsolationLevel) -> None:
    with data.transaction(isolation=level, read_only=True) as tx:
        told = tx.query(
            "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
        )
    assert told.rows[0].values == (level.replace("_", " "), "on")


def test_a_whole_transaction_is_run_again_where_others_were_in_the_way(things: DataStore) -> None:
    things.execute_batch(INSERT, [(1, "x", 0), (2, "y", 0)])
    tried = 0

    def add(tx: Transaction[Any, Any, Any, Any]) -> None:
        nonlocal tried
        tried += 1
        (n,) = tx.query("SELECT n FROM things WHERE id = 1").rows[0].values
        if tried == 1:
            things.execute("UPDATE things SET n = 10 WHERE id = 1")
        tx.execute("UPDATE things SET n = $1 WHERE id = 1", [n + 1])

    things.run_transaction(add, isolation="serializable")
    assert (tried, rows(things, "SELECT n FROM things WHERE id = 1")) == (2, [(11,)])


def test_a_lock_that_was_not_to_be_waited_for_is_no_reason_to_run_again(things: DataStore) -> None:
    things.execute(INSERT, [1, "x", 0])
    tried = 0

    def look(tx: Transaction[Any, Any, Any, Any]) -> None:
        nonlocal tried
        tried += 1
        tx.query("SELECT * FROM things FOR UPDATE NOWAIT")

    with things.transaction() as holder:
        holder.execute("UPDATE things SET n = 1")
        with pytest.raises(ConflictError) as caught:
            things.run_transaction(look)
    assert caught.value.details["sqlstate"] == "55P03"
    assert (tried, caught.value.retryable) == (1, False)


def test_a_statement_ends_with_the_time_of_its_transaction(data: DataStore) -> None:
    tx = data.begin_transaction(timeout=timedelta(seconds=1)).transaction
    with pytest.raises(DeadlineExceededError) as caught:
        data.query("SELECT pg_sleep(30)", transaction=tx)
    assert caught.value.details["sqlstate"] == "57014"


def test_a_statement_is_given_up_on_the_server_when_its_deadline_passes(
    data: DataStore, postgresql: PostgreSQL
) -> None:
    with pytest.raises(DeadlineExceededError) as caught:
        data.execute("SELECT pg_sleep(60)", options=CallOptions(deadline=timedelta(seconds=0.3)))
    assert caught.value.outcome is Outcome.NOT_EXECUTED
    assert (
        postgresql.run(
            "SELECT 1 FROM pg_stat_activity WHERE query ~ 'pg_sleep.60' AND state = 'active' AND pid <> pg_backend_pid()"
        )
        == []
    )
    assert rows(data, "SELECT 1") == [(1,)]


def test_who_may_only_read_cannot_write(things: DataStore) -> None:
    with pytest.raises(ValidationError) as caught:
        things.query("INSERT INTO things VALUES (1, 'x', 1) RETURNING id")
    assert caught.value.details["sqlstate"] == "25006"
    reader = things.begin_transaction(read_only=True).transaction
    with pytest.raises(ValidationError):
        things.execute(INSERT, [1, "x", 1], transaction=reader)
    things.rollback_transaction(reader)
    things.execute(INSERT, [1, "x", 1])
    # In between, the connection was one that only reads.
    things.query("SELECT 1")
    with things.transaction() as tx:
        tx.execute(INSERT, [2, "x", 1])


def _write_until_refused(data: DataStore) -> None:
    for _ in range(1000):
        data.execute("INSERT INTO things VALUES (1)")


def test_a_node_that_has_been_demoted_is_left(
    at_postgresql: AtPostgresql, postgresql: PostgreSQL
) -> None:
    """Failover: facts of RDS. What was not written is worth another try, on another connection."""
    data = at_postgresql(pool_size=1).data_store
    data.execute("CREATE TABLE things (id int)")
    postgresql.run("ALTER SYSTEM SET default_transaction_read_only = on")
    postgresql.run("SELECT pg_reload_conf()")
    try:
        with pytest.raises(ServiceUnavailableError) as caught:
            _write_until_refused(data)
        assert caught.value.details["sqlstate"] == "25006"
        assert (caught.value.retryable, caught.value.outcome) == (True, Outcome.NOT_EXECUTED)
    finally:
        with postgresql.connect() as admin:
            admin.execute("SET default_transaction_read_only = off")
            admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
            admin.execute("SELECT pg_reload_conf()")
    before = data.get_pool_status()
    while True:
        try:
            data.execute("INSERT INTO things VALUES (2)")
            break
        except ServiceUnavailableError:
            continue
    assert before.max_size == 1
    assert (2,) in rows(data, "SELECT * FROM things")


# --- errors


@pytest.mark.parametrize(
    ("sql", "sqlstate", "kind"),
    [
        ("SELECT 1 / 0", "22012", ValidationError),
        ("SELECT 'x'::int", "22P02", ValidationError),
        ("SELECT * FROM nowhere", "42P01", ValidationError),
        ("SELEC", "42601", ValidationError),
        ("SELECT nothing()", "42883", ValidationError),
        ("INSERT INTO things VALUES (1)", "23505", AlreadyExistsError),
        ("INSERT INTO others VALUES (9)", "23503", PreconditionFailedError),
        ("INSERT INTO things VALUES (NULL)", "23502", ValidationError),
        ("DO $do$ BEGIN RAISE EXCEPTION 'no'; END $do$", "P0001", PreconditionFailedError),
        (
            "DO $do$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $do$",
            "40001",
            ConflictError,
        ),
        (
            "DO $do$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40P01'; END $do$",
            "40P01",
            ConflictError,
        ),
        ("CREATE DATABASE another", "25001", PreconditionFailedError),
        ("SET search_path = x", "0A000", UnsupportedError),
    ],
)
def test_what_the_server_refuses(
    data: DataStore, sql: str, sqlstate: str, kind: type[Exception]
) -> None:
    data.execute("CREATE TABLE things (id int PRIMARY KEY)")
    data.execute("CREATE TABLE others (id int REFERENCES things)")
    data.execute("INSERT INTO things VALUES (1)")
    tx = data.begin_transaction().transaction
    with pytest.raises(kind) as caught:
        data.execute(sql, transaction=tx)
    details: Any = getattr(caught.value, "details", {})
    assert details["sqlstate"] == sqlstate
    data.rollback_transaction(tx)


_NOBODY_S: Final = ("09", "0Z", "38", "39", "58", "F0", "HV", "XX", "01")
"""The classes of what no caller can help: the database itself is at fault, or what was built into it."""


def test_every_code_that_psycopg_knows_has_a_meaning_when_the_server_raises_it(
    data: DataStore,
) -> None:
    """Each is raised by the server itself, and none of them makes the connection unfit."""
    raised = "DO $do$ BEGIN RAISE EXCEPTION 'canary-6b1f' USING ERRCODE = '{}'; END $do$"
    codes = {it.sqlstate for it in vars(psycopg.errors).values() if _has_code(it)}
    assert len(codes) > 250
    unclear = set()
    for code in sorted(codes - {"00000"}):
        with pytest.raises(LCPlatformError) as caught:
            data.execute(raised.format(code))
        error = caught.value
        assert error.details["sqlstate"] == code
        expected = meaning(code)
        # A node that only reads is left, and a lock that was not to be waited for is nobody's to wait for.
        if code not in {"25006", "55P03"}:
            found = (type(error), error.retryable, error.outcome)
            assert found == (expected.kind, expected.retryable, expected.outcome)
        if isinstance(error, InternalError):
            unclear.add(code)
    assert {code for code in unclear if not code.startswith(_NOBODY_S)} == set()


def _has_code(it: object) -> bool:
    return isinstance(it, type) and isinstance(getattr(it, "sqlstate", None), str)


def test_no_value_is_in_an_error_or_in_a_log(
    things: DataStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    things.execute("CREATE UNIQUE INDEX ON things (name)")
    things.execute(INSERT, [1, CANARY, 1])
    errors = []
    for batch in ([(2, CANARY, 1)], [(n, CANARY, 1) for n in range(2, 20)]):
        with pytest.raises(AlreadyExistsError) as caught:
            things.execute_batch(INSERT, batch)
        errors.append(caught.value)
        assert caught.value.details["constraint"] == "things_name_idx"
    with pytest.raises(ValidationError) as wrong:
        things.query("SELECT $1::int", [CANARY])
    assert CANARY not in f"{errors!r} {[str(it) for it in errors]} {wrong.value!r} {caplog.text}"


def test_nothing_is_asked_of_aws_but_a_token(at_postgresql: AtPostgresql, stub: Stub) -> None:
    at_postgresql().data_store.query("SELECT 1")
    assert stub.asked == []

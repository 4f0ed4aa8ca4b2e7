"""One connection to PostgreSQL, spoken to by its own library: statements are prepared once and values bound by their types."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import pq
from psycopg.pq import abc

from lcplatform.data_store.models import Column, IsolationLevel, Row, Value
from lcplatform_mock.sql.engine import Params, Part, Reply
from lcplatform_mock.sql.values import READING, to_text, type_of
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sql.reading import Read
from lcplatform_runtime.sql.refusals import reported, too_many_rows
from lcplatform_runtime.sql.words import check, only_statement, statements
from lcplatform_runtime.sqlstate import failure
from lcplatform_runtime.trusted import trusted

_PREPARED: Final = 256
_SHORTEST: Final = 50
"""So many milliseconds every statement has, since the next limit is set by one as well."""
_STALE: Final = "0A000"
_LEVELS: Final = {
    None: "",
    IsolationLevel.READ_UNCOMMITTED: " ISOLATION LEVEL READ UNCOMMITTED",
    IsolationLevel.READ_COMMITTED: " ISOLATION LEVEL READ COMMITTED",
    IsolationLevel.REPEATABLE_READ: " ISOLATION LEVEL REPEATABLE READ",
    IsolationLevel.SERIALIZABLE: " ISOLATION LEVEL SERIALIZABLE",
}
_GOOD: Final = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})
_CHANGES: Final = ("INSERT", "UPDATE", "DELETE", "MERGE")

_row = trusted(Row)
_column = trusted(Column)


@dataclass(slots=True)
class Prepared:
    """A statement that the server has understood."""

    name: bytes
    columns: tuple[Column, ...]
    readers: tuple[Read[Value], ...]


class Connection:
    """A connection, in or outside of a transaction."""

    def __init__(self, conninfo: str) -> None:
        self._pg = pq.PGconn.connect(conninfo.encode())
        if self._pg.status != pq.ConnStatus.OK:
            message = self._pg.get_error_message()
            self._pg.finish()
            raise failure("08001", f"no connection to PostgreSQL: {message}")
        # What the server remarks is for no one: a remark may quote a value.
        self._pg.notice_handler = lambda _: None
        self._prepared: OrderedDict[tuple[str, tuple[int, ...]], Prepared] = OrderedDict()
        self._oids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._numbered = 0
        self._read_only = False
        self._timeout = 0

    @property
    def usable(self) -> bool:
        """Whether it is whole and in no transaction."""
        good = self._pg.status == pq.ConnStatus.OK
        return good and self._pg.transaction_status == pq.TransactionStatus.IDLE

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is under way."""
        return self._pg.transaction_status != pq.TransactionStatus.IDLE

    def close(self) -> None:
        """Ends it."""
        self._pg.finish()

    def outside(self, *, read_only: bool) -> None:
        """Says whether statements outside of transactions may write."""
        if read_only != self._read_only:
            word = "on" if read_only else "off"
            self.command(f"SET default_transaction_read_only = {word}")
            self._read_only = read_only

    # --- transactions

    def begin(self, isolation: IsolationLevel | None, *, read_only: bool) -> None:
        """Begins a transaction."""
        mode = "READ ONLY" if read_only else "READ WRITE"
        self.command(f"BEGIN{_LEVELS[isolation]} {mode}")

    def commit(self) -> None:
        """Makes the changes of the transaction last."""
        self.command("COMMIT")

    def rollback(self) -> None:
        """Undoes the changes of the transaction."""
        self.command("ROLLBACK")

    def savepoint(self, name: str) -> None:
        """Sets a savepoint."""
        self.command(f'SAVEPOINT "{name}"')

    def rollback_to(self, name: str) -> None:
        """Goes back to a savepoint."""
        self.command(f'ROLLBACK TO SAVEPOINT "{name}"')

    def release(self, name: str) -> None:
        """Forgets a savepoint."""
        self.command(f'RELEASE SAVEPOINT "{name}"')

    # --- statements

    def run(self, sql: str, params: Params, *, most: int | None = None) -> Reply:
        """Runs a statement."""
        self._limit_time()
        try:
            prepared, result = self._run(sql, params)
        except LCPlatformError as error:
            # The schema has changed since it was prepared. Once is enough, and only where nothing is lost by it.
            if error.details.get("sqlstate") != _STALE or self.in_transaction:
                raise
            self._forget_all()
            prepared, result = self._run(sql, params)
        if most is not None and result.ntuples > most:
            raise too_many_rows(most)
        return Reply(prepared.columns, _rows(result, prepared.readers), _affected(result))

    def run_each(self, sql: str, runs: Sequence[Params]) -> tuple[int, ...]:
        """Runs a statement for each list of parameters."""
        self._limit_time()
        affected = []
        for index, params in enumerate(runs):
            try:
                _, result = self._run(sql, params)
            except LCPlatformError as error:
                error.details = {**error.details, "entry": str(index)}
                raise
            affected.append(_affected(result))
        return tuple(affected)

    def stream(self, sql: str, params: Params, size: int) -> Iterator[Part]:
        """Runs a query in a transaction, which is under way."""
        self._limit_time()
        self._numbered += 1
        cursor = f"c{self._numbered}"
        text = only_statement(sql)
        self._run(f"DECLARE {cursor} NO SCROLL CURSOR FOR {text}", params, checked=True)
        fetch = f"FETCH {size} FROM {cursor}"
        first = True
        while True:
            prepared, result = self._run(fetch, (), checked=True)
            if first or result.ntuples:
                yield prepared.columns if first else (), _rows(result, prepared.readers)
            first = False
            if result.ntuples < size:
                self.command(f"CLOSE {cursor}")
                return

    def script(self, sql: str) -> None:
        """Runs statements without parameters."""
        self._limit_time()
        for statement, words in statements(sql):
            check(words)
            self.command(statement)

    def command(self, sql: str) -> abc.PGresult:
        """Runs a statement that is not prepared."""
        return self._good(self._pg.exec_(sql.encode()))

    def _run(
        self, sql: str, params: Params, *, checked: bool = False
    ) -> tuple[Prepared, abc.PGresult]:
        oids = tuple(self._oid(type_of(value)) for value in params)
        bound = [None if value is None else to_text(value).encode() for value in params]
        prepared = self._prepared.get((sql, oids))
        if prepared is None:
            prepared = self._prepare(sql, oids, checked=checked)
        else:
            self._prepared.move_to_end((sql, oids))
        return prepared, self._good(self._pg.exec_prepared(prepared.name, bound))  # type: ignore[arg-type]  # it takes None for null

    def _prepare(self, sql: str, oids: tuple[int, ...], *, checked: bool) -> Prepared:
        text = sql if checked else only_statement(sql)
        try:
            encoded = text.encode()
        except UnicodeEncodeError:
            raise failure("22021", "a statement holds half of a surrogate pair") from None
        self._numbered += 1
        name = f"s{self._numbered}".encode()
        self._good(self._pg.prepare(name, encoded, oids))
        told = self._good(self._pg.describe_prepared(name))
        columns = tuple(
            _column(
                name=(told.fname(index) or b"").decode(), type_name=self._name(told.ftype(index))
            )
            for index in range(told.nfields)
        )
        prepared = Prepared(name, columns, tuple(READING.reader_of(it.type_name) for it in columns))
        self._prepared[sql, oids] = prepared
        if len(self._prepared) > _PREPARED:
            _, oldest = self._prepared.popitem(last=False)
            self.command(f"DEALLOCATE {oldest.name.decode()}")
        return prepared

    def _forget_all(self) -> None:
        self._prepared.clear()
        self.command("DEALLOCATE ALL")

    def _limit_time(self) -> None:
        """The server gives up when the caller does."""
        call = current_call()
        left = None if call is None else call.remaining()
        wanted = 0 if left is None else max(_SHORTEST, int(left * 1000))
        if wanted != self._timeout:
            self.command(f"SET statement_timeout = {wanted}")
            self._timeout = wanted

    # --- types

    def _oid(self, name: str | None) -> int:
        """The number of a type; 0 leaves it to the place."""
        if name is None:
            return 0
        if name not in self._oids:
            asked = self._pg.exec_params(b"SELECT to_regtype($1)::oid", [name.encode()])
            found = self._good(asked).get_value(0, 0)
            if found is None:
                raise failure("42704", "there is no such type", {"type": name})
            self._oids[name] = int(found)
        return self._oids[name]

    def _name(self, oid: int) -> str:
        if oid not in self._names:
            asked = self._pg.exec_params(_NAME_OF_TYPE, [str(oid).encode()])
            found = self._good(asked).get_value(0, 0)
            self._names[oid] = (found or b"unknown").decode()
        return self._names[oid]

    # --- errors

    def _good(self, result: abc.PGresult) -> abc.PGresult:
        if result.status in _GOOD:
            return result
        raise _failure(self._pg, result)


_NAME_OF_TYPE: Final = b"""
SELECT CASE WHEN t.typelem <> 0 AND t.typlen = -1 AND t.typname LIKE '\\_%' THEN e.typname || '[]' ELSE t.typname END
FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem WHERE t.oid = $1::oid
"""


def _rows(result: abc.PGresult, readers: tuple[Read[Value], ...]) -> tuple[Row, ...]:
    get, columns = result.get_value, tuple(enumerate(readers))
    rows = []
    for row in range(result.ntuples):
        values = []
        for column, read in columns:
            value = get(row, column)
            values.append(None if value is None else read(value.decode()))
        rows.append(_row(values=tuple(values)))
    return tuple(rows)


def _affected(result: abc.PGresult) -> int:
    status = (result.command_status or b"").decode()
    return (result.command_tuples or 0) if status.startswith(_CHANGES) else 0


def _failure(pg: abc.PGconn, result: abc.PGresult) -> LCPlatformError:
    field = pq.DiagnosticField

    def told(which: pq.DiagnosticField) -> str | None:
        value = result.error_field(which)
        return None if value is None else value.decode(errors="replace")

    sqlstate = told(field.SQLSTATE)
    if sqlstate is None:
        return failure("08006", f"the connection broke: {pg.get_error_message()}")
    return reported(
        sqlstate,
        told(field.MESSAGE_PRIMARY),
        {
            "constraint": told(field.CONSTRAINT_NAME),
            "table": told(field.TABLE_NAME),
            "column": told(field.COLUMN_NAME),
        },
    )

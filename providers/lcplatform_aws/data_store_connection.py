"""One connection to PostgreSQL: statements are prepared once on the server, and values bound by their types (FR-026, FR-030)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from psycopg.pq import TransactionStatus

from lcplatform.data_store.models import Column, IsolationLevel, Row, Value
from lcplatform_aws.data_store_bulk import gathered
from lcplatform_aws.data_store_values import (
    LEVELS,
    NAMES,
    OIDS,
    Reader,
    column,
    reader_of,
    row,
    to_text,
    type_of,
)
from lcplatform_aws.data_store_wire import Bound, Wire
from lcplatform_runtime.errors import LCPlatformError, Outcome, ServiceUnavailableError
from lcplatform_runtime.sql.refusals import too_many_rows
from lcplatform_runtime.sql.words import check, only_statement, statements
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGresult

T = TypeVar("T")
Params: TypeAlias = Sequence[Value]
Part: TypeAlias = tuple[tuple[Column, ...], tuple[Row, ...]]
"""The columns of a result and some of its rows."""

_IN_ERROR: Final = TransactionStatus.INERROR
_PREPARED: Final = 256
_TOGETHER: Final = 100
"""So many runs are sent before the first answer is awaited. Each may be prepared for types of its own, and all are kept."""
_STALE: Final = frozenset({"0A000", "26000"})
"""The schema has changed since a statement was prepared, or somebody in between has forgotten it."""
_READ_ONLY: Final = "25006"
_NO_WRITERS: Final = "0A000"
"""What a standby answers to whoever wants to begin a transaction that writes."""
_LOCKED: Final = "55P03"
_CHANGES: Final = (b"INSERT", b"UPDATE", b"DELETE", b"MERGE")
_TIDYING: Final = 5.0
"""Seconds that the server has for what is not the caller's business."""
_SURELY_ALIVE: Final = 30.0
"""A connection that was used so many seconds ago is asked whether it still works: what lies in between forgets those that
are silent, and tells nobody."""


@dataclass(slots=True)
class Reply:
    """What came of a statement."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    affected: int
    """How many rows it inserted, changed or deleted."""


@dataclass(slots=True)
class Prepared:
    """A statement that the server has understood."""

    name: bytes
    columns: tuple[Column, ...]
    readers: tuple[Reader, ...]


class Connection:
    """A connection, in or outside of a transaction. One caller at a time uses it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.wire: Final = Wire(connection)
        self._pg = self.wire.pg
        self._prepared: OrderedDict[tuple[str, tuple[int, ...]], Prepared] = OrderedDict()
        self._oids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._numbered = 0
        self._read_only = False
        self._writing = False
        self._used = time.monotonic()

    def fit(self) -> bool:
        """Whether it can be used: it is unbroken, and still leads to where writing is allowed."""
        wire = self.wire
        if wire.stirred() or time.monotonic() - self._used > _SURELY_ALIVE:
            wire.until = time.monotonic() + _TIDYING
            try:
                self.command("")
            except LCPlatformError:
                return False
            wire.until = None
        return wire.leads_to_writers

    def rest(self) -> bool:
        """Ends somebody's use of it. False if nobody else can go on with it."""
        self._used = time.monotonic()
        self.wire.until = None
        return self.wire.whole

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is under way."""
        return bool(self._pg.transaction_status)

    def outside(self, *, read_only: bool) -> None:
        """Says whether statements outside of transactions may write."""
        self._writing = not read_only
        if read_only != self._read_only:
            word = "on" if read_only else "off"
            self.command(f"SET default_transaction_read_only = {word}")
            self._read_only = read_only

    # --- transactions

    def begin(self, isolation: IsolationLevel | None, *, read_only: bool) -> None:
        """Begins a transaction."""
        self._writing = not read_only
        mode = " READ ONLY" if read_only else " READ WRITE" if self._read_only else ""
        try:
            self.command(f"BEGIN{LEVELS[isolation]}{mode}")
        except LCPlatformError as error:
            if error.details.get("sqlstate") != _NO_WRITERS:
                raise
            raise self._demoted() from error

    def commit(self) -> None:
        """Makes the changes of the transaction last. If the connection breaks in between, the outcome is unknown."""
        result = self.command("COMMIT")
        if result.command_status == b"ROLLBACK":
            raise failure("25P02", "an error has stopped the transaction: its changes are undone")

    def rollback(self) -> None:
        """Undoes the changes of the transaction. The server has done it where the connection is broken."""
        self.let_go("ROLLBACK")

    def let_go(self, sql: str) -> None:
        """Runs what gives back something of the server's, which it takes back itself where the connection is broken."""
        # Nobody may be there any more who has a deadline.
        self.wire.until = time.monotonic() + _TIDYING
        try:
            self.command(sql)
        except LCPlatformError:
            self.wire.close()

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
        try:
            prepared, result = self._run(sql, params)
        except LCPlatformError as error:
            # Once is enough, and only where nothing is lost by it.
            if error.details.get("sqlstate") not in _STALE or self.in_transaction:
                raise
            self._forget_all()
            prepared, result = self._run(sql, params)
        if most is not None and result.ntuples > most:
            raise too_many_rows(most)
        return Reply(prepared.columns, _rows(result, prepared.readers), _affected(result))

    def run_each(self, sql: str, runs: Sequence[Params]) -> tuple[int, ...]:
        """Runs a statement for each list of parameters and tells how many rows each run changed."""
        affected: list[int] = []
        for start in range(0, len(runs), _TOGETHER):
            try:
                affected += self._run_some(sql, runs[start : start + _TOGETHER])
            except LCPlatformError as error:
                if (entry := error.details.get("entry")) is not None:
                    error.details = {**error.details, "entry": str(start + int(entry))}
                raise
        return tuple(affected)

    def _run_some(self, sql: str, runs: Sequence[Params]) -> list[int]:
        prepared = []
        for index, params in enumerate(runs):
            try:
                statement, bound = self._bound(sql, params)
            except LCPlatformError as error:
                error.details = {**error.details, "entry": str(index)}
                raise
            prepared.append((statement.name, bound))
        return [_affected(it) for it in self._checked(lambda: self.wire.ask_each(prepared))]

    def insert_all(self, sql: str, runs: Sequence[Params]) -> bool:
        """Does what `run_each` does by one statement, in a transaction; false if it must be undone and done one by one."""
        together = gathered(sql, runs)
        if together is None:
            return False
        text, types, arrays = together
        try:
            prepared = self._understood(text, tuple(map(self._oid, types)), checked=True)
            result = self._ask(self._pg.send_query_prepared, prepared.name, arrays)
        except LCPlatformError:
            # The error is that of one row: it is told by whoever runs them one by one.
            if self._pg.transaction_status != _IN_ERROR or self.wire.spent:
                raise
            return False
        return _affected(result) == len(runs)

    def stream(self, sql: str, params: Params, size: int) -> Iterator[Part]:
        """Runs a query in a transaction, which is under way, and tells its rows, so many at a time. One part comes at least."""
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
        """Runs statements without parameters, one after the other."""
        for statement, words in statements(sql):
            check(words)
            self.command(statement)

    def command(self, sql: str) -> PGresult:
        """Runs a statement that is not prepared."""
        return self._ask(self._pg.send_query, sql.encode())

    def _run(self, sql: str, params: Params, *, checked: bool = False) -> tuple[Prepared, PGresult]:
        prepared, bound = self._bound(sql, params, checked=checked)
        return prepared, self._ask(self._pg.send_query_prepared, prepared.name, bound)

    def _bound(self, sql: str, params: Params, *, checked: bool = False) -> tuple[Prepared, Bound]:
        """A statement that is prepared for such parameters, and the parameters."""
        oids = tuple([self._oid(type_of(value)) for value in params])
        bound = [None if value is None else to_text(value).encode() for value in params]
        return self._understood(sql, oids, checked=checked), bound

    def _understood(self, sql: str, oids: tuple[int, ...], *, checked: bool) -> Prepared:
        prepared = self._prepared.get((sql, oids))
        if prepared is None:
            return self._prepare(sql, oids, checked=checked)
        self._prepared.move_to_end((sql, oids))
        return prepared

    def _prepare(self, sql: str, oids: tuple[int, ...], *, checked: bool) -> Prepared:
        text = sql if checked else only_statement(sql)
        try:
            encoded = text.encode()
        except UnicodeEncodeError:
            raise failure("22021", "a statement holds half of a surrogate pair") from None
        self._numbered += 1
        name = f"s{self._numbered}".encode()
        self._ask(self._pg.send_prepare, name, encoded, oids)
        told = self._ask(self._pg.send_describe_prepared, name)
        columns = tuple(
            column(
                name=(told.fname(index) or b"").decode(), type_name=self._name(told.ftype(index))
            )
            for index in range(told.nfields)
        )
        prepared = Prepared(name, columns, tuple(reader_of(it.type_name) for it in columns))
        self._prepared[sql, oids] = prepared
        if len(self._prepared) > _PREPARED:
            _, oldest = self._prepared.popitem(last=False)
            self.command(f"DEALLOCATE {oldest.name.decode()}")
        return prepared

    def _forget_all(self) -> None:
        self._prepared.clear()
        self.command("DEALLOCATE ALL")

    # --- types

    def _oid(self, name: str | None) -> int:
        """The number of a type; 0 leaves it to the place."""
        if name is None:
            return 0
        oid = OIDS.get(name) or self._oids.get(name)
        if oid is None:
            found = self._found(b"SELECT to_regtype($1)::oid", name)
            if found is None:
                raise failure("42704", "there is no such type", {"type": name})
            oid = self._oids[name] = int(found)
        return oid

    def _name(self, oid: int) -> str:
        name = NAMES.get(oid) or self._names.get(oid)
        if name is None:
            found = self._found(_NAME_OF_TYPE, str(oid))
            name = self._names[oid] = (found or b"unknown").decode()
        return name

    def _found(self, sql: bytes, about: str) -> bytes | None:
        return self._ask(self._pg.send_query_params, sql, [about.encode()]).get_value(0, 0)

    # --- errors

    def _ask(self, send: Callable[..., None], *words: object) -> PGresult:
        return self._checked(lambda: self.wire.ask(send, *words))

    def _checked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except LCPlatformError as error:
            sqlstate = error.details.get("sqlstate")
            if sqlstate == _READ_ONLY and self._writing:
                raise self._demoted() from error
            if sqlstate == _LOCKED:
                # It was not to be waited for, and is not: whoever said so decides what comes next.
                error.retryable = False
            raise

    def _demoted(self) -> LCPlatformError:
        """The error of a node that was where writing is allowed, until another took its place."""
        self.wire.spent = True
        return ServiceUnavailableError(
            "the connection leads to a node that only reads: another has taken its place",
            retryable=True,
            outcome=Outcome.NOT_EXECUTED,
            details={"sqlstate": _READ_ONLY},
        )


_NAME_OF_TYPE: Final = b"""
SELECT CASE WHEN t.typelem <> 0 AND t.typlen = -1 AND t.typname LIKE '\\_%' THEN e.typname || '[]' ELSE t.typname END
FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem WHERE t.oid = $1::oid
"""


def _rows(result: PGresult, readers: tuple[Reader, ...]) -> tuple[Row, ...]:
    get, columns = result.get_value, tuple(enumerate(readers))
    return tuple([row(_values(get, number, columns)) for number in range(result.ntuples)])


def _values(
    get: Callable[[int, int], bytes | None], number: int, columns: Iterable[tuple[int, Reader]]
) -> tuple[Value, ...]:
    return tuple(
        [None if (value := get(number, index)) is None else read(value) for index, read in columns]
    )


def _affected(result: PGresult) -> int:
    status = result.command_status or b""
    return (result.command_tuples or 0) if status.startswith(_CHANGES) else 0

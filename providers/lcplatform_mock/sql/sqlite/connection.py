"""One connection to SQLite that behaves as one to PostgreSQL would: transactions, savepoints, statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lcplatform.data_store.models import IsolationLevel, QueryResponse, Row, Value
from lcplatform_mock.sql.engine import Params, Part, Reply
from lcplatform_mock.sql.sqlite.binding import Stored
from lcplatform_mock.sql.sqlite.catalog import Catalog, mangled
from lcplatform_mock.sql.sqlite.compiled import Compiled, Step
from lcplatform_mock.sql.sqlite.failures import conflict, failed
from lcplatform_mock.sql.sqlite.moments import to_micros
from lcplatform_mock.sql.sqlite.registry import register
from lcplatform_mock.sql.sqlite.spool import Spool
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sql.refusals import refused, too_many_rows
from lcplatform_runtime.sql.words import check, statements
from lcplatform_runtime.sqlstate import failure
from lcplatform_runtime.trusted import trusted, trusted_value

if TYPE_CHECKING:
    from lcplatform_mock.sql.sqlite.engine import SqliteEngine

_ONE_STATE: Final = frozenset({IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE})
_STEPS: Final = 100_000
"""How many steps of SQLite's machine may pass before somebody looks at the time."""

_answer = trusted(QueryResponse)
_row: Final[Callable[[tuple[Value, ...]], Row]] = trusted_value(Row, "values", tuple)


@dataclass(slots=True)
class _Transaction:
    """A transaction that is under way.

    Attributes:
        one_state: it sees one state of the database, from its first statement on.
        read_only: it refuses to write.
        moment: when it began.
        begun: SQLite knows of it.
        writing: it holds the right to write.
        catalog: the schema as it sees it, where that is another than everybody's.
        savepoints: the savepoints with the schema at each, in their order.
    """

    one_state: bool
    read_only: bool
    moment: int
    begun: bool = False
    writing: bool = False
    catalog: Catalog | None = None
    savepoints: list[tuple[str, Catalog | None]] | None = None


class Connection:
    """A connection, in or outside of a transaction."""

    def __init__(self, engine: SqliteEngine, database: sqlite3.Connection) -> None:
        self._engine = engine
        self._database = database
        self._execute = database.execute
        self._at_once = database.cursor()
        """For statements whose rows are all read before the next one: a cursor of its own for each would cost more."""
        self._transaction: _Transaction | None = None
        self._moment: int | None = None
        self._streams: list[Spool] = []
        self._numbers: dict[str, int] = {}
        self._numbered = 0
        self.problem: LCPlatformError | None = None
        self.usable = True
        """It is in no transaction."""
        self.read_only = False
        """Statements outside of transactions may only read."""
        register(database, self)

    def close(self) -> None:
        """Ends it."""
        self._database.close()

    # --- what functions ask

    def now(self) -> int:
        """When the transaction began, or the statement where there is none."""
        return self.statement_now() if self._transaction is None else self._transaction.moment

    def statement_now(self) -> int:
        """When the statement began."""
        if self._moment is None:
            self._moment = self.clock_now()
        return self._moment

    def clock_now(self) -> int:
        """What time it is."""
        return to_micros(self._engine.clock.now())

    def next_number(self, sequence: str) -> int:
        """The next number of a sequence."""
        value = self._engine.sequences.next(self.catalog.sequence(sequence))
        self._numbers[sequence] = value
        return value

    def last_number(self, sequence: str) -> int:
        """The number that was taken last in this transaction or call."""
        self.catalog.sequence(sequence)
        if sequence not in self._numbers:
            raise failure(
                "55000", f'currval of sequence "{sequence}" is not yet defined in this session'
            )
        return self._numbers[sequence]

    def set_number(self, sequence: str, value: int, *, called: bool) -> int:
        """Sets a sequence."""
        self._engine.sequences.set(self.catalog.sequence(sequence), value, called=called)
        if called:
            self._numbers[sequence] = value
        return value

    # --- transactions

    @property
    def catalog(self) -> Catalog:
        """The schema as it is seen here."""
        inside = None if self._transaction is None else self._transaction.catalog
        return self._engine.catalog if inside is None else inside

    def begin(self, isolation: IsolationLevel | None, *, read_only: bool) -> None:
        """Begins a transaction."""
        self._numbers.clear()
        self._transaction = _Transaction(
            one_state=isolation in _ONE_STATE,
            read_only=read_only,
            moment=self.clock_now(),
            savepoints=[],
        )
        self.usable = False

    def commit(self) -> None:
        """Makes the changes of the transaction last."""
        transaction = self._take_over()
        if not transaction.begun:
            return
        try:
            if transaction.writing:
                self._engine.save_sequences(self._execute)
            with self._engine.publishing:
                self._run("COMMIT", ())
                if transaction.writing and transaction.catalog is not None:
                    self._engine.publish(transaction.catalog)
        except BaseException:
            self._end()
            raise
        finally:
            if transaction.writing:
                self._engine.writers.release()

    def rollback(self) -> None:
        """Undoes the changes of the transaction."""
        transaction = self._take_over()
        try:
            self._end()
        finally:
            if transaction.writing:
                self._engine.writers.release()

    def savepoint(self, name: str) -> None:
        """Sets a savepoint."""
        transaction = self._inside
        if transaction.begun:
            self._run(f"SAVEPOINT {mangled(name)}", ())
        self._savepoints.append((name, transaction.catalog))

    def rollback_to(self, name: str) -> None:
        """Goes back to a savepoint."""
        place = self._place(name)
        self._keep_streams()
        if self._inside.begun:
            self._run(f"ROLLBACK TO {mangled(name)}", ())
        self._inside.catalog = self._savepoints[place][1]
        del self._savepoints[place + 1 :]

    def release(self, name: str) -> None:
        """Forgets a savepoint."""
        place = self._place(name)
        if self._inside.begun:
            self._run(f"RELEASE {mangled(name)}", ())
        del self._savepoints[place:]

    @property
    def _inside(self) -> _Transaction:
        assert self._transaction is not None, "only within a transaction"
        return self._transaction

    @property
    def _savepoints(self) -> list[tuple[str, Catalog | None]]:
        assert self._inside.savepoints is not None
        return self._inside.savepoints

    def _place(self, name: str) -> int:
        for place in range(len(self._savepoints) - 1, -1, -1):
            if self._savepoints[place][0] == name:
                return place
        raise failure("3B001", f'savepoint "{name}" does not exist')

    def _take_over(self) -> _Transaction:
        """The transaction, which is over from now on."""
        transaction = self._inside
        self._end_streams()
        self._transaction = None
        self.usable = True
        self._numbers.clear()
        return transaction

    def _end(self) -> None:
        if self._database.in_transaction:
            self._execute("ROLLBACK")

    def _begin_reading(self) -> None:
        """One state of the database from now on, with the schema that belongs to it."""
        transaction = self._inside
        with self._engine.publishing:
            self._run("BEGIN", ())
            self._run("SELECT 1 FROM sqlite_schema LIMIT 1", ())
            transaction.catalog = self._engine.catalog
        self._set_savepoints()

    def _begin_writing(self) -> None:
        """The right to write, which one transaction has at a time.

        At read committed it comes with the state of the database as it is now. A transaction that has read another state
        must be run again if that has changed, whatever has.
        """
        transaction = self._inside
        self._engine.writers.acquire()
        try:
            if not transaction.begun:
                self._run("BEGIN IMMEDIATE", ())
                if transaction.one_state:
                    transaction.catalog = self._engine.catalog
                self._set_savepoints()
            else:
                # Any write tells whether the state is still the latest.
                self._run("UPDATE \"%0state\" SET value = value WHERE name = 'catalog'", ())
            transaction.writing = True
        except BaseException:
            self._engine.writers.release()
            raise

    def _set_savepoints(self) -> None:
        self._inside.begun = True
        for name, _ in self._savepoints:
            self._run(f"SAVEPOINT {mangled(name)}", ())

    # --- statements

    def run(self, sql: str, params: Params, *, most: int | None = None) -> Reply:
        """Runs a statement."""
        statement, stored = self._engine.ready(self.catalog, sql, params)
        return self.run_compiled(statement, stored, most)

    def look(self, statement: Compiled, stored: Sequence[Stored], most: int) -> QueryResponse:
        """Runs a statement that only reads, in no transaction: by the shortest way, since most statements are of this kind."""
        if statement.writes:
            raise _only_reading(statement)
        self._moment = None
        if self._watching or current_call() is not None:
            self._watch_time()
        try:
            found = self._at_once.execute(statement.sql, stored).fetchmany(most + 1)
        except (sqlite3.Error, OverflowError) as error:
            problem = self._failed(error, statement)
        else:
            if len(found) > most:
                self._at_once.close()  # lets go of the state that it reads
                self._at_once = self._database.cursor()
                raise too_many_rows(most)
            return _answer(columns=statement.columns, rows=rows_of(statement, found))
        raise problem

    def run_compiled(
        self, statement: Compiled, stored: Sequence[Stored], most: int | None
    ) -> Reply:
        """Runs a statement that was translated."""
        self._moment = None
        if not statement.sql and not statement.steps and statement.catalog is None:
            return Reply((), (), 0)  # what was to be made is there
        if self._transaction is not None:
            return self._run_inside(statement, stored, most)
        if not statement.writes:
            return self._answer(statement, stored, most)
        if self.read_only:
            raise _only_reading(statement)
        if statement.catalog is not None or statement.steps or statement.check is not None:
            return self._alone(statement, stored, most)
        self._engine.writers.acquire()
        try:
            reply = self._answer(statement, stored, most)
            if self._engine.sequences.unsaved:
                self._engine.save_sequences(self._execute)
            return reply
        finally:
            self._engine.writers.release()

    def run_each(self, sql: str, runs: Sequence[Params]) -> tuple[int, ...]:
        """Runs a statement for each list of parameters."""
        affected = []
        for index, params in enumerate(runs):
            try:
                affected.append(self.run(sql, params).affected)
            except LCPlatformError as error:
                error.details = {**error.details, "entry": str(index)}
                raise
        return tuple(affected)

    def stream(self, sql: str, params: Params, size: int) -> Iterator[Part]:
        """Runs a query and tells its rows in parts."""
        statement, stored = self._engine.ready(self.catalog, sql, params)
        if statement.writes or statement.counts:
            raise failure("42601", "only a query can be streamed")
        self._moment = None
        transaction = self._inside
        if not transaction.begun and transaction.one_state:
            self._begin_reading()
        cursor = self._run(statement.sql, stored, statement)
        spool = Spool(cursor)
        self._streams.append(spool)
        return self._parts(statement, spool, size)

    def script(self, sql: str) -> None:
        """Runs statements without parameters."""
        for statement, words in statements(sql):
            check(words)
            self.run(statement, ())

    def _alone(self, statement: Compiled, stored: Sequence[Stored], most: int | None) -> Reply:
        """A statement that takes several of SQLite's is a transaction by itself."""
        self.begin(None, read_only=False)
        try:
            reply = self._run_inside(statement, stored, most)
        except BaseException:
            self.rollback()
            raise
        self.commit()
        return reply

    def _run_inside(self, statement: Compiled, stored: Sequence[Stored], most: int | None) -> Reply:
        transaction = self._inside
        if statement.writes:
            if transaction.read_only:
                raise _only_reading(statement)
            self._keep_streams()
            if not transaction.writing:
                before = self.catalog
                self._begin_writing()
                if before is not self.catalog:
                    # Somebody changed the schema while this waited for its turn.
                    raise conflict()
        elif transaction.one_state and not transaction.begun:
            before = self.catalog
            self._begin_reading()
            if before is not self.catalog:
                raise conflict()
        if statement.check is not None:
            query, sqlstate = statement.check
            if self._run(query, stored).fetchone() is not None:
                raise refused(sqlstate)
        if statement.steps or statement.catalog is not None:
            self._change(statement)
            return Reply((), (), 0)
        return self._answer(statement, stored, most)

    def _answer(self, statement: Compiled, stored: Sequence[Stored], most: int | None) -> Reply:
        if not statement.columns:
            return Reply((), (), self._change_rows(statement, stored))
        cursor = self._run(statement.sql, stored, statement)
        try:
            found = cursor.fetchall() if most is None else cursor.fetchmany(most + 1)
        except sqlite3.Error as error:
            problem = self._failed(error, statement)
        else:
            if most is not None and len(found) > most:
                cursor.close()
                raise too_many_rows(most)
            affected = len(found) if statement.counts else 0
            return Reply(statement.columns, rows_of(statement, found), affected)
        raise problem

    def _change_rows(self, statement: Compiled, stored: Sequence[Stored]) -> int:
        """Runs a statement that answers no rows, and tells how many it changed."""
        if self._watching or current_call() is not None:
            self._watch_time()
        try:
            return self._at_once.execute(statement.sql, stored).rowcount
        except (sqlite3.Error, OverflowError) as error:
            problem = self._failed(error, statement)
        raise problem

    def _run(
        self, sql: str, stored: Sequence[Stored], statement: Compiled | None = None
    ) -> sqlite3.Cursor:
        if self._watching or current_call() is not None:
            self._watch_time()
        try:
            return self._execute(sql, stored)
        except (sqlite3.Error, OverflowError) as error:
            problem = self._failed(error, statement)
        raise problem

    def _failed(self, error: Exception, statement: Compiled | None) -> LCPlatformError:
        """What a function refused, or what SQLite says."""
        told, self.problem = self.problem, None
        if told is not None:
            return told
        assert isinstance(error, sqlite3.Error | OverflowError)
        catalog = self.catalog
        if statement is not None and statement.catalog is not None:
            catalog = statement.catalog  # which knows the constraints that are being made
        return failed(error, catalog, statement)  # type: ignore[arg-type]  # either is told apart there

    def _watch_time(self) -> None:
        """A statement ends when its caller gives up."""
        call = current_call()
        if call is None or call.deadline is None:
            if self._watching:
                self._database.set_progress_handler(None, _STEPS)
                self._watching = False
            return
        self._watching = True
        self._database.set_progress_handler(lambda: int(call.remaining() == 0), _STEPS)

    _watching = False

    # --- streams

    def _parts(self, statement: Compiled, spool: Spool, size: int) -> Iterator[Part]:
        first = True
        while True:
            try:
                found = spool.take(size)
            except sqlite3.Error as error:
                problem = self._failed(error, statement)
                break
            if first or found:
                yield statement.columns if first else (), rows_of(statement, found)
            first = False
            if len(found) < size:
                return
        raise problem

    def _keep_streams(self) -> None:
        """Puts aside what streams have still to tell: it must not see what is written next."""
        for spool in self._streams:
            spool.detach()

    def _end_streams(self) -> None:
        for spool in self._streams:
            spool.close()
        self._streams.clear()

    # --- the schema

    def _change(self, statement: Compiled) -> None:
        """Changes the schema, all of it or nothing."""
        self._numbered += 1
        name = f'"%0change{self._numbered}"'
        self._run(f"SAVEPOINT {name}", ())
        try:
            for step in statement.steps:
                self._step(step, statement)
            if statement.catalog is not None:
                self._engine.store(self._execute, statement.catalog)
        except BaseException:
            self._execute(f"ROLLBACK TO {name}")
            self._execute(f"RELEASE {name}")
            raise
        self._run(f"RELEASE {name}", ())
        if statement.catalog is not None:
            self._inside.catalog = statement.catalog

    def _step(self, step: Step, statement: Compiled) -> None:
        match step.what:
            case "run":
                self._run(step.sql, (), statement)
            case "refuse":
                if self._run(step.sql, ()).fetchone() is not None:
                    raise refused(step.sqlstate, **dict(step.details))
            case "restart":
                self._engine.sequences.restart(step.name)
            case "edit":
                self._edit(step)

    def _edit(self, step: Step) -> None:
        """Puts another definition in the place of a table's (SQLite's documentation of ALTER TABLE, chapter 7)."""
        name = mangled(step.name)[1:-1].replace('""', '"')
        (version,) = self._run("PRAGMA schema_version", ()).fetchone()
        self._run("PRAGMA writable_schema = ON", ())
        try:
            self._run(
                "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?",
                (step.sql, name),
            )
            self._run(f"PRAGMA schema_version = {version + 1}", ())
        finally:
            self._run("PRAGMA writable_schema = RESET", ())


def _only_reading(statement: Compiled) -> LCPlatformError:
    return failure("25006", f"cannot execute {statement.verb} in a read-only transaction")


def rows_of(statement: Compiled, found: Sequence[tuple[Any, ...]]) -> tuple[Row, ...]:
    """The rows with their values."""
    if statement.plain:
        return tuple(map(_row, found))
    readers = statement.readers
    return tuple(
        [
            _row(
                tuple(
                    [
                        value if value is None or read is None else read(value)
                        for value, read in zip(values, readers, strict=True)
                    ]
                )
            )
            for values in found
        ]
    )

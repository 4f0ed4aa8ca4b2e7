"""What is sent to PostgreSQL and what comes back: without blocking, so that a deadline holds even if nothing comes."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from psycopg import Error, pq

from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import DeadlineExceededError, LCPlatformError, Outcome
from lcplatform_runtime.sql.refusals import reported
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGresult

Bound: TypeAlias = "list[bytes | None]"
"""The parameters of a statement in text form."""

_GOOD: Final = frozenset(
    {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY}
)
_MERCY: Final = 2.0
"""Seconds that the server has to give up a statement. After that the connection is given up as well."""
_FIELD: Final = pq.DiagnosticField
_IDLE: Final = pq.TransactionStatus.IDLE
_OK: Final = pq.ConnStatus.OK


class Wire:
    """A connection, as far as it sends and receives.

    Attributes:
        connection: the connection of psycopg.
        pg: the connection of libpq.
        until: when whoever uses it has no more time, in `time.monotonic`, whatever the deadline of a call.
        spent: nobody else is to use it. A request to give up may come late, and would then hit another's statement.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection: Final = connection
        self.pg: Final = connection.pgconn
        self.until: float | None = None
        self.spent = False
        self._end: float | None = None
        self._readable = select.poll()
        self._readable.register(self.pg.socket, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(self.pg.socket, select.POLLIN | select.POLLOUT)

    @property
    def whole(self) -> bool:
        """Whether it is unbroken, as far as is known here, and in no transaction."""
        pg = self.pg
        return not self.spent and pg.status == _OK and pg.transaction_status == _IDLE

    def stirred(self) -> bool:
        """Whether something has come from the server while nobody asked for anything: most likely that this is the end."""
        return bool(self._readable.poll(0))

    @property
    def leads_to_writers(self) -> bool:
        """Whether the server is one that takes changes, as far as it has told."""
        return self.pg.parameter_status(b"in_hot_standby") != b"on"

    def close(self) -> None:
        """Ends it."""
        self.connection.close()

    def ask(self, send: Callable[..., None], *words: object) -> PGresult:
        """Sends something and tells what came of it.

        Raises:
            DeadlineExceededError: it took too long. The server has given up, or the connection is closed.
            LCPlatformError: the server refused, or the connection broke.
        """
        try:
            send(*words)
            self._end = self._limit()
            self._flush()
            result: PGresult | None = None
            while (part := self._part()) is not None:
                result = part
        except Error as error:
            raise self._broken(error) from None
        if result is None:
            raise self._broken()
        if result.status in _GOOD:
            return result
        raise self._refusal(result)

    def ask_each(self, runs: Sequence[tuple[bytes, Bound]]) -> list[PGresult]:
        """Runs prepared statements one after the other, without waiting for one before the next is sent.

        Raises:
            LCPlatformError: the first that failed, whose number is in the details as `entry`. Those after it did not run.
        """
        pg = self.pg
        try:
            pg.enter_pipeline_mode()
            for name, bound in runs:
                pg.send_query_prepared(name, bound)
            pg.pipeline_sync()
            self._end = self._limit()
            self._flush()
            results = [self._whole_part() for _ in runs]
            self._part()  # of the synchronization
            pg.exit_pipeline_mode()
        except Error as error:
            raise self._broken(error) from None
        for index, result in enumerate(results):
            if result.status not in _GOOD:
                refusal = self._refusal(result)
                refusal.details = {**refusal.details, "entry": str(index)}
                raise refusal
        return results

    def _flush(self) -> None:
        pg = self.pg
        while pg.flush():
            if not self._wait(self._writable):
                raise self._silent()
            pg.consume_input()

    def _part(self) -> PGresult | None:
        """The next result, or None after the last."""
        pg = self.pg
        while pg.is_busy():
            if not self._wait(self._readable):
                self._give_up()
            pg.consume_input()
        return pg.get_result()

    def _whole_part(self) -> PGresult:
        """The result of one of several statements, with what ends it."""
        part = self._part()
        if part is None or self.pg.status != _OK:
            raise self._broken()
        self._part()
        return part

    def _limit(self) -> float | None:
        call = current_call()
        left = None if call is None else call.remaining()
        if left is None:
            return self.until
        end = time.monotonic() + left
        return end if self.until is None else min(end, self.until)

    def _wait(self, what: select.poll) -> bool:
        """Waits for the server; false if the time is over."""
        if self._end is None:
            return bool(what.poll())
        return bool(what.poll(max(0.0, self._end - time.monotonic()) * 1000))

    def _give_up(self) -> None:
        """Asks the server to give up what it does, and gives it a moment for that."""
        if self.spent:
            raise self._silent()
        self.spent = True
        try:
            self.connection.cancel_safe(timeout=_MERCY)
        except Error:
            raise self._silent() from None
        self._end = time.monotonic() + _MERCY

    def _broken(self, error: Error | None = None) -> LCPlatformError:
        self.close()
        # What libpq says of a broken connection holds no value of a statement.
        why = f": {_line(error)}" if error is not None else ""
        return failure("08006", f"the connection broke{why}")

    def _silent(self) -> LCPlatformError:
        self.close()
        return DeadlineExceededError(
            "the deadline passed, and the database does not answer", outcome=Outcome.UNKNOWN
        )

    def _refusal(self, result: PGresult) -> LCPlatformError:
        sqlstate = _told(result, _FIELD.SQLSTATE)
        if sqlstate is None:
            return self._broken()
        return reported(
            sqlstate,
            _told(result, _FIELD.MESSAGE_PRIMARY),
            {
                "constraint": _told(result, _FIELD.CONSTRAINT_NAME),
                "table": _told(result, _FIELD.TABLE_NAME),
                "column": _told(result, _FIELD.COLUMN_NAME),
            },
        )


def _told(result: PGresult, field: pq.DiagnosticField) -> str | None:
    value = result.error_field(field)
    return None if value is None else value.decode(errors="replace")


def _line(error: Exception) -> str:
    """The first line of an error's text."""
    return str(error).strip().partition("\n")[0]

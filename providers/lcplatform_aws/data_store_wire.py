"""What is sent to PostgreSQL and what comes back: without blocking, so that a deadline holds even if nothing comes."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from psycopg import Error, pq

from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import DeadlineExceededError, LCPlatformError, Outcome
from lcplatform_runtime.sql.refusals import reported
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGresult

_GOOD: Final = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})
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

    def alive(self) -> bool:
        """Whether nothing has come from the server in the meantime that ends the connection."""
        if self._readable.poll(0):
            try:
                self.pg.consume_input()
            except Error:
                return False
        return self.whole and self.pg.parameter_status(b"in_hot_standby") != b"on"

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
            return self._answer()
        except Error as error:
            # What libpq says of a broken connection holds no value of a statement.
            self.close()
            raise failure("08006", f"the connection broke: {_line(error)}") from None

    def _answer(self) -> PGresult:
        self._end = self._limit()
        pg = self.pg
        while pg.flush():
            if not self._wait(self._writable):
                raise self._silent()
            pg.consume_input()
        result: PGresult | None = None
        while (part := self._part()) is not None:
            result = part
        if result is None:
            raise failure("08006", "the connection broke")
        if result.status in _GOOD:
            return result
        raise self._refusal(result)

    def _part(self) -> PGresult | None:
        """The next result, or None after the last."""
        pg = self.pg
        while pg.is_busy():
            if not self._wait(self._readable):
                self._give_up()
            pg.consume_input()
        return pg.get_result()

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

    def _silent(self) -> LCPlatformError:
        self.close()
        return DeadlineExceededError(
            "the deadline passed, and the database does not answer", outcome=Outcome.UNKNOWN
        )

    def _refusal(self, result: PGresult) -> LCPlatformError:
        sqlstate = _told(result, _FIELD.SQLSTATE)
        if sqlstate is None:
            self.close()
            return failure("08006", "the connection broke")
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

"""Transactions that their callers hold by name (FR-027): each keeps a connection until it is over or its time is up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Generic

from lcplatform_runtime.clock import Clock
from lcplatform_runtime.errors import LCPlatformError, ResourceNotFoundError
from lcplatform_runtime.sql.sessions import S, Sessions
from lcplatform_runtime.sqlstate import failure

_INSTANT: Final = 1e-6
"""Seconds that make no difference: sums of times are not exact."""


@dataclass(slots=True)
class Transaction(Generic[S]):
    """One that is under way. Whoever uses it holds its lock.

    Attributes:
        failed: an error has stopped it: only going back helps.
        over: it was ended, by its caller or by time.
    """

    name: str
    session: S
    due: float
    failed: bool = False
    over: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def statement(self) -> Iterator[S]:
        """The connection for one statement. An error of the database stops the transaction."""
        if self.failed:
            raise aborted()
        try:
            yield self.session
        except LCPlatformError as error:
            # What was refused before it came to the database changes nothing.
            if error.code != "UNSUPPORTED" and error.details.get("sqlstate") != "26000":
                self.failed = True
            raise


def aborted() -> LCPlatformError:
    """The refusal of whatever follows an error."""
    return failure("25P02", "an error has stopped the transaction: roll it back, or to a savepoint")


def _missing(name: str) -> LCPlatformError:
    return ResourceNotFoundError(f"transaction {name!r} does not exist", resource=name)


class Transactions(Generic[S]):
    """Those that are under way, by name."""

    def __init__(
        self,
        engine: Callable[[], Sessions[S]],
        clock: Clock,
        name: Callable[[], str],
        at: Callable[[float, Callable[[], object]], object],
    ) -> None:
        """None are under way yet.

        Args:
            engine: whose connections they hold.
            clock: tells when their time is up.
            name: makes a name that nobody else makes.
            at: calls something at a moment of the clock's `monotonic`.
        """
        self._engine = engine
        self._clock = clock
        self._name = name
        self._at = at
        self._lock = threading.Lock()
        self._open: dict[str, Transaction[S]] = {}
        self._watched: float | None = None

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, isolation: Any, timeout: timedelta, *, read_only: bool) -> tuple[str, datetime]:
        """Begins one. Its name, and when it is rolled back at the latest."""
        engine = self._engine()
        session = engine.take()
        try:
            session.begin(isolation, read_only=read_only)
        except BaseException:
            engine.give_back(session)
            raise
        seconds = timeout.total_seconds()
        transaction = Transaction(self._name(), session, self._clock.monotonic() + seconds)
        with self._lock:
            self._open[transaction.name] = transaction
            self._watch()
        return transaction.name, self._clock.now() + timeout

    @contextmanager
    def using(self, name: str) -> Iterator[Transaction[S]]:
        """A transaction for a while, during which nobody else uses it and its time does not run out.

        Raises:
            ResourceNotFoundError: there is none of this name, or none any more.
        """
        transaction = self._open.get(name)
        if transaction is None:
            raise _missing(name)
        with transaction.lock:
            if transaction.due <= self._clock.monotonic() + _INSTANT:
                self._end(transaction)
            if transaction.over:
                raise _missing(name)
            yield transaction

    def commit(self, name: str) -> None:
        """Makes its changes last. It is over then, whatever comes of it."""
        with self.using(name) as transaction:
            if transaction.failed:
                self._end(transaction)
                raise failure(
                    "25P02", "an error has stopped the transaction: its changes are undone"
                )
            self._forget(transaction)
            try:
                transaction.session.commit()
            finally:
                self._engine().give_back(transaction.session)

    def rollback(self, name: str) -> None:
        """Undoes its changes. It is over then."""
        with self.using(name) as transaction:
            self._end(transaction)

    def expire(self) -> None:
        """Ends those whose time is up."""
        now = self._clock.monotonic() + _INSTANT
        with self._lock:
            self._watched = None
            due = [it for it in self._open.values() if it.due <= now]
        for transaction in due:
            with transaction.lock:
                self._end(transaction)
        with self._lock:
            self._watch()

    def end_all(self) -> None:
        """Ends all of them."""
        for transaction in list(self._open.values()):
            with transaction.lock:
                self._end(transaction)

    def _end(self, transaction: Transaction[S]) -> None:
        """Rolls it back, unless it is over. Called under its lock."""
        if transaction.over:
            return
        self._forget(transaction)
        try:
            transaction.session.rollback()
        finally:
            self._engine().give_back(transaction.session)

    def _forget(self, transaction: Transaction[S]) -> None:
        transaction.over = True
        with self._lock:
            self._open.pop(transaction.name, None)

    def _watch(self) -> None:
        """Puts the next end on the agenda, once for many: most transactions end long before. Called under the lock."""
        due = min((it.due for it in self._open.values()), default=None)
        if due is not None and (self._watched is None or due < self._watched):
            self._watched = due
            self._at(due, self.expire)

"""Connections that are opened when they are needed, and used again and again (FR-028)."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

import psycopg_pool

from lcplatform.data_store.models import GetPoolStatusResponse
from lcplatform_aws.data_store_connection import Connection
from lcplatform_aws.data_store_door import Door, Opened
from lcplatform_aws.data_store_errors import hopeless, unopened
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import DeadlineExceededError, Outcome, ServiceUnavailableError
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from lcplatform_aws.data_store_options import DataStoreOptions

_status = trusted(GetPoolStatusResponse)

_LOOK: Final = 0.1
"""Seconds after which whoever waits for a connection looks why there is none, while none was opened."""
_TURN: Final = 5.0
"""The same while there are some: then they are all in use, and whoever waits keeps its place."""
_RETRIED: Final = 3.0
"""Seconds for which the pool tries by itself to open a connection. After that, whoever needs one makes it try again: the
pauses of its own tries double, and would outlast a failover."""


class Pool:
    """The connections to one database. Each use begins with a look whether the server has ended it meanwhile."""

    def __init__(self, options: DataStoreOptions, door: Door) -> None:
        self._door = door
        self._size = options.pool_size
        self._patience = options.pool_timeout.total_seconds()
        self._asking: set[int] = (
            set()
        )  # the threads: the pool itself counts those as well that have given up
        self._pool: psycopg_pool.ConnectionPool[Opened] = psycopg_pool.ConnectionPool(
            connection_class=Opened,
            kwargs={"door": door},
            min_size=0,
            max_size=options.pool_size,
            open=True,
            name="lcplatform",
            max_lifetime=options.max_lifetime.total_seconds(),
            reconnect_timeout=_RETRIED,
        )

    def take(self) -> Connection:
        """A connection that nobody else uses until it is given back.

        Raises:
            ServiceUnavailableError: none became free, or the server lets nobody in.
            DeadlineExceededError: the caller's time was over before.
        """
        call = current_call()
        left = None if call is None else call.remaining()
        patience = self._patience if left is None else min(left, self._patience)
        until = time.monotonic() + patience
        while True:
            opened = self._next(until, in_time=patience == self._patience)
            if opened.link.fit():
                return opened.link
            opened.close()
            self._pool.putconn(opened)  # it opens another in its place

    def _next(self, until: float, *, in_time: bool) -> Opened:
        while True:
            left = until - time.monotonic()
            turn = _TURN if self._door.stands_open else _LOOK
            thread = threading.get_ident()
            self._asking.add(thread)
            try:
                return self._pool.getconn(timeout=max(0.0, min(left, turn)))
            except psycopg_pool.PoolTimeout:
                over = left <= turn
            finally:
                self._asking.discard(thread)
            failure = self._door.failure
            if failure is not None and (over or hopeless(failure)):
                raise unopened(failure) from failure
            if over:
                raise self._exhausted(in_time=in_time)

    def _exhausted(self, *, in_time: bool) -> Exception:
        if not in_time:
            return DeadlineExceededError(
                "the deadline passed before a connection was free", outcome=Outcome.NOT_EXECUTED
            )
        return ServiceUnavailableError(
            f"no connection was free in time: there are {self._size} at most",
            retryable=True,
            outcome=Outcome.NOT_EXECUTED,
        )

    def give_back(self, link: Connection) -> None:
        """Ends the use of a connection. One that broke is closed."""
        if not link.rest():
            link.wire.close()
        opened = link.wire.connection
        assert isinstance(opened, Opened)
        self._pool.putconn(opened)

    def status(self) -> GetPoolStatusResponse:
        """How it is used."""
        told = self._pool.get_stats()
        return _status(
            max_size=self._size,
            size=told["pool_size"],
            idle=told["pool_available"],
            waiting=len(self._asking),
        )

    def close(self) -> None:
        """Ends the connections that nobody uses. The others end when they are given back."""
        self._pool.close()

"""A transaction as an object: what belongs to it is called on it, and its end is that of a block."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from lcplatform_runtime.clock import Clock
from lcplatform_runtime.errors import LCPlatformError, Outcome
from lcplatform_runtime.retry import RetryPolicy
from lcplatform_runtime.sqlstate import worth_another_try

Q = TypeVar("Q")
E = TypeVar("E")
B = TypeVar("B")
S = TypeVar("S")
Q_co = TypeVar("Q_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)
B_co = TypeVar("B_co", covariant=True)
S_co = TypeVar("S_co", covariant=True)


class Begun(Protocol):
    """What beginning a transaction answers."""

    @property
    def transaction(self) -> str:
        """Its identity."""
        ...


class Timed(Protocol):
    """The calls of a client."""

    @property
    def time(self) -> Clock:
        """The clock of what stands behind them."""
        ...


class TransactionsClient(Protocol[Q_co, E_co, B_co, S_co]):
    """What transactions need of a blocking client."""

    @property
    def calls(self) -> Timed: ...

    def begin_transaction(
        self, *, isolation: Any, read_only: bool, timeout: timedelta
    ) -> Begun: ...  # an enum of the contract's

    def commit_transaction(self, transaction: str, /) -> object: ...

    def rollback_transaction(self, transaction: str, /) -> object: ...

    def create_savepoint(self, transaction: str, name: str, /) -> object: ...

    def rollback_to_savepoint(self, transaction: str, name: str, /) -> object: ...

    def release_savepoint(self, transaction: str, name: str, /) -> object: ...

    def query(
        self, sql: str, params: Sequence[Any], /, *, transaction: str
    ) -> Q_co: ...  # values of the contract's

    def stream_query(
        self, sql: str, params: Sequence[Any], /, *, transaction: str, batch_size: int
    ) -> Iterator[S_co]: ...

    def execute(self, sql: str, params: Sequence[Any], /, *, transaction: str) -> E_co: ...

    def execute_batch(
        self, sql: str, params_list: Sequence[Any], /, *, transaction: str
    ) -> B_co: ...


class AsyncTransactionsClient(Protocol[Q_co, E_co, B_co, S_co]):
    """What transactions need of an async client."""

    @property
    def calls(self) -> Timed: ...

    async def begin_transaction(
        self,
        *,
        isolation: Any,
        read_only: bool,
        timeout: timedelta,
    ) -> Begun: ...

    async def commit_transaction(self, transaction: str, /) -> object: ...

    async def rollback_transaction(self, transaction: str, /) -> object: ...

    async def create_savepoint(self, transaction: str, name: str, /) -> object: ...

    async def rollback_to_savepoint(self, transaction: str, name: str, /) -> object: ...

    async def release_savepoint(self, transaction: str, name: str, /) -> object: ...

    async def query(self, sql: str, params: Sequence[Any], /, *, transaction: str) -> Q_co: ...

    def stream_query(
        self, sql: str, params: Sequence[Any], /, *, transaction: str, batch_size: int
    ) -> AsyncIterator[S_co]: ...

    async def execute(self, sql: str, params: Sequence[Any], /, *, transaction: str) -> E_co: ...

    async def execute_batch(
        self, sql: str, params_list: Sequence[Any], /, *, transaction: str
    ) -> B_co: ...


class Transaction(Generic[Q, E, B, S]):
    """A transaction for a block, at whose end its changes last, or are undone if it raises."""

    def __init__(
        self,
        client: TransactionsClient[Q, E, B, S],
        isolation: str | None,
        *,
        read_only: bool,
        timeout: timedelta,
    ) -> None:
        self._client = client
        self._isolation = isolation
        self._read_only = read_only
        self._timeout = timeout
        self.transaction = ""
        """Its identity, for calls of the client: `transaction=tx.transaction`."""

    def query(self, sql: str, params: Sequence[Any] = ()) -> Q:
        """Runs a statement that reads."""
        return self._client.query(sql, params, transaction=self.transaction)

    def stream_query(
        self, sql: str, params: Sequence[Any] = (), *, batch_size: int = 500
    ) -> Iterator[S]:
        """Runs a query whose rows come in parts, until the transaction ends."""
        return self._client.stream_query(
            sql, params, transaction=self.transaction, batch_size=batch_size
        )

    def execute(self, sql: str, params: Sequence[Any] = ()) -> E:
        """Runs a statement that may write."""
        return self._client.execute(sql, params, transaction=self.transaction)

    def execute_batch(self, sql: str, params_list: Sequence[Any]) -> B:
        """Runs a statement once for each list of parameters."""
        return self._client.execute_batch(sql, params_list, transaction=self.transaction)

    @contextmanager
    def savepoint(self, name: str) -> Iterator[None]:
        """A part of the transaction that is undone by itself if its block raises."""
        self._client.create_savepoint(self.transaction, name)
        try:
            yield
        except BaseException as error:
            try:
                self._client.rollback_to_savepoint(self.transaction, name)
            except LCPlatformError as failure:
                error.add_note(f"The savepoint could not be gone back to: {failure}")
            raise
        self._client.release_savepoint(self.transaction, name)

    def __enter__(self) -> Self:
        self.transaction = self._client.begin_transaction(
            isolation=self._isolation, read_only=self._read_only, timeout=self._timeout
        ).transaction
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        if error is None:
            self._client.commit_transaction(self.transaction)
            return
        try:
            self._client.rollback_transaction(self.transaction)
        except LCPlatformError as failure:  # it is over by now, or will be when its time is up
            error.add_note(f"The transaction could not be rolled back: {failure}")


class AsyncTransaction(Generic[Q, E, B, S]):
    """The same for async applications."""

    def __init__(
        self,
        client: AsyncTransactionsClient[Q, E, B, S],
        isolation: str | None,
        *,
        read_only: bool,
        timeout: timedelta,
    ) -> None:
        self._client = client
        self._isolation = isolation
        self._read_only = read_only
        self._timeout = timeout
        self.transaction = ""
        """Its identity, for calls of the client: `transaction=tx.transaction`."""

    async def query(self, sql: str, params: Sequence[Any] = ()) -> Q:
        """Runs a statement that reads."""
        return await self._client.query(sql, params, transaction=self.transaction)

    def stream_query(
        self, sql: str, params: Sequence[Any] = (), *, batch_size: int = 500
    ) -> AsyncIterator[S]:
        """Runs a query whose rows come in parts, until the transaction ends."""
        return self._client.stream_query(
            sql, params, transaction=self.transaction, batch_size=batch_size
        )

    async def execute(self, sql: str, params: Sequence[Any] = ()) -> E:
        """Runs a statement that may write."""
        return await self._client.execute(sql, params, transaction=self.transaction)

    async def execute_batch(self, sql: str, params_list: Sequence[Any]) -> B:
        """Runs a statement once for each list of parameters."""
        return await self._client.execute_batch(sql, params_list, transaction=self.transaction)

    @asynccontextmanager
    async def savepoint(self, name: str) -> AsyncIterator[None]:
        """A part of the transaction that is undone by itself if its block raises."""
        await self._client.create_savepoint(self.transaction, name)
        try:
            yield
        except BaseException as error:
            try:
                await self._client.rollback_to_savepoint(self.transaction, name)
            except LCPlatformError as failure:
                error.add_note(f"The savepoint could not be gone back to: {failure}")
            raise
        await self._client.release_savepoint(self.transaction, name)

    async def __aenter__(self) -> Self:
        begun = await self._client.begin_transaction(
            isolation=self._isolation, read_only=self._read_only, timeout=self._timeout
        )
        self.transaction = begun.transaction
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        if error is None:
            await self._client.commit_transaction(self.transaction)
            return
        try:
            await self._client.rollback_transaction(self.transaction)
        except LCPlatformError as failure:  # it is over by now, or will be when its time is up
            error.add_note(f"The transaction could not be rolled back: {failure}")


def pause_before_another(error: LCPlatformError, failures: int, retry: RetryPolicy) -> float | None:
    """How many seconds to wait before a transaction is run again that others were in the way of; None where that is no use."""
    certain = error.outcome is Outcome.NOT_EXECUTED
    if not certain or not worth_another_try(error) or failures >= retry.max_attempts:
        return None
    return retry.delay(failures, error.retry_after)

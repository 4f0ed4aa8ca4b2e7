"""Transactions as objects, and run again where others were in the way (FR-027)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import timedelta
from typing import Final, TypeVar

from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.extensions.transactions import (
    AsyncTransaction,
    AsyncTransactionsClient,
    Transaction,
    TransactionsClient,
    pause_before_another,
)
from lcplatform_runtime.retry import RetryPolicy

Q = TypeVar("Q")
E = TypeVar("E")
B = TypeVar("B")
S = TypeVar("S")
R = TypeVar("R")

_TIMEOUT: Final = timedelta(seconds=60)
_RETRY: Final = RetryPolicy(
    max_attempts=10, base_delay=timedelta(milliseconds=20), max_delay=timedelta(seconds=2)
)


class Transactions:
    """Transactions on top of a blocking client."""

    def transaction(
        self: TransactionsClient[Q, E, B, S],
        *,
        isolation: str | None = None,
        read_only: bool = False,
        timeout: timedelta = _TIMEOUT,
    ) -> AbstractContextManager[Transaction[Q, E, B, S]]:
        """A transaction for a block: `with data_store.transaction() as tx: tx.execute(…)`. Its changes last when the block
        ends, and are undone if it raises.

        Args:
            isolation: How much it sees of others: an `IsolationLevel`; the database's own where absent.
            read_only: Refuses statements that write.
            timeout: How long it may last. After that it is rolled back.

        Raises:
            ConflictError: at the end of the block: others were in the way (where `retryable`, run it again, as
                `run_transaction` does).
        """
        return Transaction(self, isolation, read_only=read_only, timeout=timeout)

    def run_transaction(
        self: TransactionsClient[Q, E, B, S],
        fn: Callable[[Transaction[Q, E, B, S]], R],
        /,
        *,
        isolation: str | None = None,
        read_only: bool = False,
        timeout: timedelta = _TIMEOUT,
        retry: RetryPolicy = _RETRY,
    ) -> R:
        """Runs `fn` in a transaction, and again in another one where the database gave it up because of others: after a
        serialization failure or a deadlock. Returns what `fn` returns.

        Args:
            fn: What to do. It may be called several times, so it should do nothing but statements of its transaction.
            isolation: How much it sees of others: an `IsolationLevel`; the database's own where absent.
            read_only: Refuses statements that write.
            timeout: How long each attempt may last.
            retry: How often it is tried, and how long it waits between: ten times and 20 milliseconds to begin with.

        Raises:
            ConflictError: others were in the way each time.
        """
        failures = 0
        while True:
            try:
                with Transaction(self, isolation, read_only=read_only, timeout=timeout) as tx:
                    return fn(tx)
            except LCPlatformError as error:
                failures += 1
                pause = pause_before_another(error, failures, retry)
                if pause is None:
                    raise
            self.calls.time.sleep(pause)


class AsyncTransactions:
    """Transactions on top of an async client."""

    def transaction(
        self: AsyncTransactionsClient[Q, E, B, S],
        *,
        isolation: str | None = None,
        read_only: bool = False,
        timeout: timedelta = _TIMEOUT,
    ) -> AbstractAsyncContextManager[AsyncTransaction[Q, E, B, S]]:
        """A transaction for a block: `async with data_store.transaction() as tx: await tx.execute(…)`. Its changes last
        when the block ends, and are undone if it raises.

        Args:
            isolation: How much it sees of others: an `IsolationLevel`; the database's own where absent.
            read_only: Refuses statements that write.
            timeout: How long it may last. After that it is rolled back.

        Raises:
            ConflictError: at the end of the block: others were in the way (where `retryable`, run it again, as
                `run_transaction` does).
        """
        return AsyncTransaction(self, isolation, read_only=read_only, timeout=timeout)

    async def run_transaction(
        self: AsyncTransactionsClient[Q, E, B, S],
        fn: Callable[[AsyncTransaction[Q, E, B, S]], Awaitable[R]],
        /,
        *,
        isolation: str | None = None,
        read_only: bool = False,
        timeout: timedelta = _TIMEOUT,
        retry: RetryPolicy = _RETRY,
    ) -> R:
        """Runs `fn` in a transaction, and again in another one where the database gave it up because of others: after a
        serialization failure or a deadlock. Returns what `fn` returns.

        Args:
            fn: What to do. It may be called several times, so it should do nothing but statements of its transaction.
            isolation: How much it sees of others: an `IsolationLevel`; the database's own where absent.
            read_only: Refuses statements that write.
            timeout: How long each attempt may last.
            retry: How often it is tried, and how long it waits between: ten times and 20 milliseconds to begin with.

        Raises:
            ConflictError: others were in the way each time.
        """
        failures = 0
        while True:
            try:
                async with AsyncTransaction(
                    self, isolation, read_only=read_only, timeout=timeout
                ) as tx:
                    return await fn(tx)
            except LCPlatformError as error:
                failures += 1
                pause = pause_before_another(error, failures, retry)
                if pause is None:
                    raise
            await self.calls.time.sleep_async(pause)

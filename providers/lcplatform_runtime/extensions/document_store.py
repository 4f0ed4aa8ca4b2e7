"""Transactions of documents for a block, and run again where others were in the way (FR-021)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from datetime import timedelta
from typing import Final, Protocol, TypeVar

from lcplatform_runtime.errors import LCPlatformError, ResourceNotFoundError
from lcplatform_runtime.extensions.transactions import Begun, Timed, pause_before_another
from lcplatform_runtime.retry import RetryPolicy

R = TypeVar("R")

_TIMEOUT: Final = timedelta(seconds=30)
_RETRY: Final = RetryPolicy(
    max_attempts=10, base_delay=timedelta(milliseconds=20), max_delay=timedelta(seconds=2)
)


class DocumentsClient(Protocol):
    """What transactions need of a blocking client."""

    @property
    def calls(self) -> Timed: ...

    def begin_transaction(self, *, timeout: timedelta) -> Begun: ...

    def commit_transaction(self, transaction: str, /) -> object: ...

    def abort_transaction(self, transaction: str, /) -> object: ...


class AsyncDocumentsClient(Protocol):
    """What transactions need of an async client."""

    @property
    def calls(self) -> Timed: ...

    async def begin_transaction(self, *, timeout: timedelta) -> Begun: ...

    async def commit_transaction(self, transaction: str, /) -> object: ...

    async def abort_transaction(self, transaction: str, /) -> object: ...


class DocumentTransactions:
    """Transactions on top of a blocking client."""

    def transaction(
        self: DocumentsClient, *, timeout: timedelta = _TIMEOUT
    ) -> AbstractContextManager[str]:
        """A transaction for a block: `with documents.transaction() as tx: documents.insert_document(…, transaction=tx)`.
        Its changes last when the block ends, and are undone if it raises.

        Args:
            timeout: How long it may last. After that it is aborted.

        Raises:
            ConflictError: at the end of the block, or of a call in it: others were in the way (where `retryable`, run it
                again, as `run_transaction` does).
        """
        return _transaction(self, timeout)

    def run_transaction(
        self: DocumentsClient,
        fn: Callable[[str], R],
        /,
        *,
        timeout: timedelta = _TIMEOUT,
        retry: RetryPolicy = _RETRY,
    ) -> R:
        """Runs `fn` in a transaction, and again in another one where it met documents that others were changing. Returns
        what `fn` returns.

        Args:
            fn: What to do. It is given the transaction, for the calls that belong to it: `transaction=tx`. It may be called
                several times, so it should do nothing but such calls.
            timeout: How long each attempt may last.
            retry: How often it is tried, and how long it waits between: ten times and 20 milliseconds to begin with.

        Raises:
            ConflictError: others were in the way each time.
        """
        failures = 0
        while True:
            try:
                with _transaction(self, timeout) as tx:
                    return fn(tx)
            except LCPlatformError as error:
                failures += 1
                pause = pause_before_another(error, failures, retry)
                if pause is None:
                    raise
            self.calls.time.sleep(pause)


class AsyncDocumentTransactions:
    """Transactions on top of an async client."""

    def transaction(
        self: AsyncDocumentsClient, *, timeout: timedelta = _TIMEOUT
    ) -> AbstractAsyncContextManager[str]:
        """A transaction for a block:
        `async with documents.transaction() as tx: await documents.insert_document(…, transaction=tx)`.
        Its changes last when the block ends, and are undone if it raises.

        Args:
            timeout: How long it may last. After that it is aborted.

        Raises:
            ConflictError: at the end of the block, or of a call in it: others were in the way (where `retryable`, run it
                again, as `run_transaction` does).
        """
        return _async_transaction(self, timeout)

    async def run_transaction(
        self: AsyncDocumentsClient,
        fn: Callable[[str], Awaitable[R]],
        /,
        *,
        timeout: timedelta = _TIMEOUT,
        retry: RetryPolicy = _RETRY,
    ) -> R:
        """Runs `fn` in a transaction, and again in another one where it met documents that others were changing. Returns
        what `fn` returns.

        Args:
            fn: What to do. It is given the transaction, for the calls that belong to it: `transaction=tx`. It may be called
                several times, so it should do nothing but such calls.
            timeout: How long each attempt may last.
            retry: How often it is tried, and how long it waits between: ten times and 20 milliseconds to begin with.

        Raises:
            ConflictError: others were in the way each time.
        """
        failures = 0
        while True:
            try:
                async with _async_transaction(self, timeout) as tx:
                    return await fn(tx)
            except LCPlatformError as error:
                failures += 1
                pause = pause_before_another(error, failures, retry)
                if pause is None:
                    raise
            await self.calls.time.sleep_async(pause)


@contextmanager
def _transaction(client: DocumentsClient, timeout: timedelta) -> Iterator[str]:
    transaction = client.begin_transaction(timeout=timeout).transaction
    try:
        yield transaction
    except BaseException as error:
        try:
            client.abort_transaction(transaction)
        except LCPlatformError as failure:
            _note(error, failure)
        raise
    client.commit_transaction(transaction)


@asynccontextmanager
async def _async_transaction(
    client: AsyncDocumentsClient, timeout: timedelta
) -> AsyncIterator[str]:
    transaction = (await client.begin_transaction(timeout=timeout)).transaction
    try:
        yield transaction
    except BaseException as error:
        try:
            await client.abort_transaction(transaction)
        except LCPlatformError as failure:
            _note(error, failure)
        raise
    await client.commit_transaction(transaction)


def _note(error: BaseException, failure: LCPlatformError) -> None:
    """Tells with an error that its transaction goes on until its time is up. One that is not found ended by a failed write."""
    if not isinstance(failure, ResourceNotFoundError):
        error.add_note(f"The transaction could not be aborted: {failure}")

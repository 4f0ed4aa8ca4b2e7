"""The transactions that are open, each a session of the driver's."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from lcplatform_aws.document_store_values import Stored
from lcplatform_runtime.errors import ResourceNotFoundError

_NO_SUCH_TRANSACTION: Final = 251
_TRANSIENT: Final = "TransientTransactionError"


@dataclass(eq=False, slots=True)
class Transaction:
    """One transaction. Its lock is held by whoever uses its session, which takes one at a time.

    Attributes:
        id: its identity for callers.
        session: its session.
        lock: held while the session is used.
        is_over: whether it has ended.
        timer: ends it when its time is over.
    """

    id: str
    session: ClientSession
    lock: threading.RLock = field(default_factory=threading.RLock)
    is_over: bool = False
    timer: threading.Timer | None = None


class Transactions:
    """The open transactions of one driver."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Transaction] = {}

    def begin(self, session: ClientSession, seconds: float) -> Transaction:
        """Takes in the session of a transaction that has begun, for so long."""
        made = Transaction(uuid.uuid4().hex, session)
        made.timer = threading.Timer(seconds, self.end, (made,))
        made.timer.daemon = True
        made.timer.start()
        with self._lock:
            self._open[made.id] = made
        return made

    @contextmanager
    def held(self, id: str) -> Iterator[Transaction]:
        """An open transaction, while nobody else uses it.

        Raises:
            ResourceNotFoundError: it is over, or never began.
        """
        with self._lock:
            found = self._open.get(id)
        if found is None:
            raise _over(id)
        with found.lock:
            if found.is_over:
                raise _over(id)
            yield found

    @contextmanager
    def taking_part(
        self, id: str | None, *, writes: bool = False
    ) -> Iterator[ClientSession | None]:
        """The session of a transaction, or none. The transaction ends with a write that fails, and with whatever the server
        ends it for.

        Raises:
            ResourceNotFoundError: it is over.
        """
        if id is None:
            yield None
            return
        with self.held(id) as transaction:
            try:
                yield transaction.session
            except PyMongoError as error:
                if writes or _ends(error):
                    self.end(transaction)
                if _is_gone(error):
                    raise _over(id) from error
                raise
            except BaseException:
                if writes:
                    self.end(transaction)
                raise

    def commit(self, id: str) -> None:
        """Makes what a transaction did last. It is over then, whatever becomes of it."""
        with self.held(id) as transaction:
            try:
                transaction.session.commit_transaction()
            except PyMongoError as error:
                if _is_gone(error):
                    raise _over(id) from error
                raise
            finally:
                self.end(transaction)

    def abort(self, id: str) -> None:
        """Undoes what a transaction did."""
        with self.held(id) as transaction:
            self.end(transaction)

    def end(self, transaction: Transaction) -> None:
        """It is over. What it did does not last unless it was committed."""
        with transaction.lock:
            transaction.is_over = True
            with self._lock:
                self._open.pop(transaction.id, None)
            if transaction.timer is not None:
                transaction.timer.cancel()
            with suppress(PyMongoError):  # the server ends it by itself then
                transaction.session.end_session()

    def close(self) -> None:
        """Ends all of them."""
        with self._lock:
            left = list(self._open.values())
        for it in left:
            self.end(it)


def begun(client: MongoClient[Stored]) -> ClientSession:
    """A session with a transaction that sees what is there when its first operation comes."""
    session = client.start_session()
    session.start_transaction(
        read_concern=ReadConcern("snapshot"),
        write_concern=WriteConcern("majority"),
        read_preference=ReadPreference.PRIMARY,
    )
    return session


@contextmanager
def at_once(client: MongoClient[Stored], session: ClientSession | None) -> Iterator[ClientSession]:
    """What is done here happens together or not at all: in the transaction that there is, or in one of its own."""
    if session is not None:
        yield session
        return
    own = begun(client)
    try:
        yield own
        own.commit_transaction()
    finally:
        own.end_session()


def _ends(error: PyMongoError) -> bool:
    return isinstance(error, ConnectionFailure) or error.has_error_label(_TRANSIENT)


def _is_gone(error: PyMongoError) -> bool:
    return isinstance(error, OperationFailure) and error.code == _NO_SUCH_TRANSACTION


def _over(id: str) -> ResourceNotFoundError:
    return ResourceNotFoundError(
        "the transaction is over, or never began: begin another one", resource=id
    )

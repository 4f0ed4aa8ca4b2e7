"""What every operation on documents needs: the database for as long as a call may take, and whether a collection is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from pymongo.errors import PyMongoError
from typing_extensions import override

from lcplatform.document_store.driver import DocumentStoreDriver
from lcplatform.document_store.support import DocumentStoreCapability, DocumentStoreLimits
from lcplatform_aws.document_store_rows import find_rows
from lcplatform_aws.document_store_server import Server, within_deadline
from lcplatform_aws.document_store_transactions import Transactions, at_once
from lcplatform_aws.document_store_values import MAX_BYTES, Bson, Stored, etag_of
from lcplatform_runtime.errors import ConflictError, ResourceNotFoundError, ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.support import ConditionalUpdate, Support

if TYPE_CHECKING:
    from types import TracebackType

    from pymongo.client_session import ClientSession
    from pymongo.database import Database

T = TypeVar("T")

LIMITS: Final = DocumentStoreLimits(
    max_document_bytes=MAX_BYTES,
    max_batch_entries=1000,
    max_indexes=64,
    max_transaction_seconds=60,
)
SUPPORT: Final = Support(
    capabilities=frozenset(DocumentStoreCapability),
    limits=LIMITS.by_name(),
    conditional_updates=dict.fromkeys(
        ("replace_document", "update_documents", "delete_documents"), ConditionalUpdate.ATOMIC
    ),
)
_BELIEVED: Final = 10.0
"""For how many seconds a collection that was there is believed to be there still."""


class Asking:
    """What is asked of the server, for as long as the call may take. A class, since a generator would cost as much again."""

    __slots__ = ("_deadline", "_server")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._deadline = within_deadline()

    def __enter__(self) -> Database[Stored]:
        if self._deadline is None:
            return self._server.database
        self._deadline.__enter__()
        try:
            return self._server.database
        except BaseException:
            self._leave()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._deadline is not None:
            self._leave()
        if isinstance(problem, PyMongoError):
            self._server.refused(problem)

    def _leave(self) -> None:
        if self._deadline is not None:
            self._deadline.__exit__(None, None, None)


class Collections(DocumentStoreDriver):
    """The collections of one database, as far as every operation needs them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transactions = Transactions()
        self._there: dict[str, float] = {}

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    def close(self) -> None:
        """Ends what is open, and closes every connection."""
        self._transactions.close()
        self._server.close()

    # --- all operations

    def _asking(self) -> Asking:
        """The database, for as long as the call may take."""
        return Asking(self._server)

    def _understood(self, name: str, read: Callable[[], T]) -> T:
        """What a request says. What is wrong with it is told only if there is a collection to which it could be said."""
        try:
            return read()
        except ValidationError:
            with self._asking():
                self._check_there(name)
            raise

    @contextmanager
    def _reading(
        self, transaction: str | None
    ) -> Iterator[tuple[Database[Stored], ClientSession | None]]:
        """The database, and the session of a transaction."""
        with self._asking() as database, self._transactions.taking_part(transaction) as session:
            yield database, session

    @contextmanager
    def _writing(
        self, name: str, transaction: str | None
    ) -> Iterator[tuple[Database[Stored], ClientSession | None]]:
        """The same for a write, which would make a collection that is not there. It ends its transaction if it fails."""
        with (
            self._asking() as database,
            self._transactions.taking_part(transaction, writes=True) as session,
        ):
            self._check_there(name)
            yield database, session

    def _check_there(self, name: str) -> None:
        """Refuses what is asked of a collection that is not there."""
        now = time.monotonic()
        if self._there.get(name, 0.0) > now:
            return
        if not self._server.database.list_collection_names(filter={"name": name}):
            self._there.pop(name, None)
            raise ResourceNotFoundError(f"collection {name!r} does not exist", resource=name)
        self._there[name] = now + _BELIEVED

    def _no_document(self, name: str, identity: str | Json) -> ResourceNotFoundError:
        """Tells that there is no such document, or no collection that could have it."""
        self._check_there(name)
        shown = identity if isinstance(identity, str) else "that is no text"
        return ResourceNotFoundError(f"document {shown!r} does not exist", resource=shown)

    @contextmanager
    def _guarded(
        self,
        database: Database[Stored],
        name: str,
        filter: dict[str, Bson],
        if_match: str | None,
        session: ClientSession | None,
    ) -> Iterator[ClientSession | None]:
        """Lets a change happen only if the document still has an etag, and nobody else change it meanwhile."""
        if if_match is None:
            yield session
            return
        with at_once(self._server.client, session) as own:
            found = find_rows(database, name, own, filter, limit=1)
            if not found:
                raise ResourceNotFoundError("the document does not exist", resource=name)
            if etag_of(found[0]) != if_match:
                raise ConflictError(
                    "the document has changed: read it again and repeat the change on what is there now",
                    resource=name,
                )
            yield own

"""Transactions: each sees the documents as they were when it began, and who writes a document first keeps others from it.

As in MongoDB and DocumentDB, two transactions do not change the same document: the second one to try meets a conflict at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from lcplatform.document_store.models import ChangeKind
from lcplatform_mock.documents.collection import Collection
from lcplatform_mock.documents.stored import Stored
from lcplatform_runtime.documents.values import Key
from lcplatform_runtime.errors import ConflictError, Outcome, ResourceNotFoundError

Claim: TypeAlias = tuple[str, str, Key]
"""A collection, an index and a key that one transaction alone may change."""
Write: TypeAlias = tuple[Stored | None, Stored | None, ChangeKind]
"""What a document was before a transaction, what it is to be, and what that is called."""


@dataclass(slots=True)
class Transaction:
    """What one transaction sees and has done."""

    id: str
    expires: float
    """When it is over, on the clock's `monotonic`."""
    expires_at: datetime
    collections: dict[str, Collection]
    writes: dict[tuple[str, Key], Write] = field(default_factory=dict)
    claims: set[Claim] = field(default_factory=set)

    def original(self, collection: str, key: Key) -> Stored | None:
        """A document as it was when this began."""
        found = self.writes.get((collection, key))
        return self.collections[collection].documents.get(key) if found is None else found[0]

    def note(
        self, collection: str, before: Stored | None, after: Stored | None, kind: ChangeKind
    ) -> None:
        """Notes a change that was made in what this sees."""
        stored = before or after
        assert stored is not None
        place = (collection, stored.key)
        original = self.writes[place][0] if place in self.writes else before
        self.writes[place] = (original, after, kind)


class Transactions:
    """The transactions that are open, and what each keeps others from.

    Attributes:
        open: the transactions by their ids. Not to be changed, and looked at with every operation.
    """

    def __init__(self) -> None:
        self.open: dict[str, Transaction] = {}
        self._claims: dict[Claim, str] = {}

    def __iter__(self) -> Iterator[Transaction]:
        return iter(list(self.open.values()))

    def begin(self, transaction: Transaction) -> None:
        """Takes in a new one."""
        self.open[transaction.id] = transaction

    def end(self, transaction: Transaction) -> None:
        """It is over, and keeps nobody from anything any more."""
        self.open.pop(transaction.id, None)
        for claim in transaction.claims:
            del self._claims[claim]
        transaction.claims.clear()

    def end_all(self) -> None:
        """All of them are over."""
        self.open.clear()
        self._claims.clear()

    def expire(self, now: float) -> None:
        """Ends those whose time has passed."""
        for it in self:
            if it.expires <= now:
                self.end(it)

    def find(self, id: str) -> Transaction:
        """An open transaction."""
        found = self.open.get(id)
        if found is None:
            raise ResourceNotFoundError(
                "the transaction is over, or never began: begin another one", resource=id
            )
        return found

    def is_claimed(self, claim: Claim) -> bool:
        """Whether a transaction keeps others from something."""
        return claim in self._claims

    def check_free(self, claims: Iterator[Claim]) -> None:
        """Refuses what a transaction keeps others from."""
        if not self._claims:
            return
        for claim in claims:
            if claim in self._claims:
                raise occupied(claim[0])

    def claim(self, transaction: Transaction, claims: Iterator[Claim]) -> None:
        """Keeps others from something, unless another one does."""
        for claim in claims:
            holder = self._claims.setdefault(claim, transaction.id)
            if holder != transaction.id:
                raise in_conflict(claim[0])
            transaction.claims.add(claim)


def occupied(collection: str) -> ConflictError:
    """A transaction is at what somebody wants to change who is in none."""
    return ConflictError(
        f"a transaction is changing what this call would change in collection {collection!r}: try again when it is over",
        resource=collection,
        retryable=True,
        outcome=Outcome.NOT_EXECUTED,
    )


def in_conflict(collection: str) -> ConflictError:
    """A transaction wants to change what another caller changed or is changing. It is over by that."""
    return ConflictError(
        f"somebody else changed what this transaction would change in collection {collection!r}:"
        " do the whole transaction again",
        resource=collection,
        retryable=True,
        outcome=Outcome.NOT_EXECUTED,
    )

"""What transactions and migrations ask of a connection, whichever database it leads to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar


class Row(Protocol):
    """A row of a result."""

    @property
    def values(self) -> tuple[Any, ...]:  # of the contract's types
        """Its values, in the order of the columns."""
        ...


class Reply(Protocol):
    """What came of a statement."""

    @property
    def rows(self) -> Sequence[Row]:
        """The rows that it told."""
        ...


class Session(Protocol):
    """One connection. One caller at a time uses it."""

    def begin(self, isolation: Any, *, read_only: bool) -> None:  # an enum of the contract's
        """Begins a transaction."""
        ...

    def commit(self) -> None:
        """Makes the changes of the transaction last. It is over, even if this fails."""
        ...

    def rollback(self) -> None:
        """Undoes the changes of the transaction."""
        ...

    def run(self, sql: str, params: Sequence[Any], /) -> Reply:  # values of the contract's
        """Runs a statement."""
        ...

    def script(self, sql: str) -> None:
        """Runs statements without parameters, one after the other."""
        ...


S = TypeVar("S", bound=Session)
S_co = TypeVar("S_co", bound=Session, covariant=True)


class Sessions(Protocol[S]):
    """Whoever has connections."""

    def take(self) -> S:
        """A connection, until it is given back."""
        ...

    def give_back(self, session: S, /) -> None:
        """Ends the use of a connection, which is in no transaction."""
        ...


class Alone(Protocol[S_co]):
    """Lends a connection for a while, during which nobody else changes a history."""

    def __call__(self) -> AbstractContextManager[S_co]: ...

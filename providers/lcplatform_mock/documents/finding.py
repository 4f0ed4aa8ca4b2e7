"""A page of the documents that match, and where the next one begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from lcplatform_mock.documents.collection import Collection
from lcplatform_mock.documents.columns import Columns
from lcplatform_mock.documents.filters import Filter
from lcplatform_mock.documents.planner import ByIndex, Everything, Plan, plan
from lcplatform_mock.documents.scans import Scan, scan_of
from lcplatform_mock.documents.stored import Stored
from lcplatform_runtime.documents.extended_json import parse, text_of
from lcplatform_runtime.documents.sorts import Order
from lcplatform_runtime.documents.values import MISSING, UNDEFINED, Nothing, Value
from lcplatform_runtime.errors import invalid
from lcplatform_runtime.json_value import Json

_FIRST_CHUNK: Final = 1024
_LARGEST_CHUNK: Final = 65_536
_READY_FROM: Final = 64
"""A loop of its own is made for a filter if there are so many documents to look at."""


def found(collection: Collection, filter: Filter, order: Order | None = None) -> Iterator[Stored]:
    """The documents that match, in their order. Each is looked at when it is asked for."""
    chosen = plan(collection, filter, order)
    if order is None:
        return matching(filter, chosen)
    if isinstance(chosen, ByIndex) and chosen.sorted_:
        return (it for it in chosen.ordered() if filter.matches(it.document))
    rows = matching(filter, chosen)
    return iter(sorted(rows, key=lambda it: order.key_of_document(it.document)))


def matching(filter: Filter, chosen: Plan, number: int | None = None) -> Iterator[Stored]:
    """The documents of a plan that match, in the order of their numbers; those after a number, if one is given.

    They are looked at in chunks that grow, since a page may be full before the end.
    """
    rows = chosen.rows()
    start = 0 if number is None else _after(rows, number)
    if filter.is_everything:
        return islice(rows, start, None)
    if len(rows) < _READY_FROM:
        matches = filter.matches
        return iter([it for it in rows[start:] if matches(it.document)])
    columns = chosen.columns() if isinstance(chosen, Everything) else None
    return chain.from_iterable(_scanned(scan_of(filter), rows, columns, start))


def _scanned(
    scan: Scan, rows: Sequence[Stored], columns: Columns | None, start: int
) -> Iterator[list[Stored]]:
    size = _FIRST_CHUNK
    while start < len(rows):
        yield scan.found(rows, columns, start, min(start + size, len(rows)))
        start += size
        size = min(size * 4, _LARGEST_CHUNK)


def count(collection: Collection, filter: Filter) -> int:
    """How many documents match."""
    if filter.is_everything:
        return len(collection.documents)
    return sum(1 for _ in found(collection, filter))


def page(
    collection: Collection, filter: Filter, order: Order | None, size: int, token: str
) -> tuple[list[Stored], str]:
    """A page of the documents that match, after the one that `token` names, and the token of the next page.

    A token names a document by what it is sorted by and by its number, so that the next page begins there whatever becomes
    of the document.
    """
    rows = (
        found_after(collection, filter, order, token) if token else found(collection, filter, order)
    )
    taken = list(islice(rows, size + 1))
    if len(taken) <= size:
        return taken, ""
    taken.pop()
    return taken, _token(taken[-1], order)


def found_after(
    collection: Collection, filter: Filter, order: Order | None, token: str
) -> Iterable[Stored]:
    """The documents that match and come after the one that a token names."""
    values, number = _place(token, order)
    if order is None:
        return matching(filter, plan(collection, filter, None), number)
    last = (order.key_of(values), number)
    return (
        it
        for it in found(collection, filter, order)
        if (order.key_of_document(it.document), it.number) > last
    )


def _after(rows: Sequence[Stored], number: int) -> int:
    """Where in documents in the order of their numbers those begin that come after a number."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle].number <= number:
            low = middle + 1
        else:
            high = middle
    return low


def _token(stored: Stored, order: Order | None) -> str:
    if order is None:
        return f"{stored.number}"
    values = tuple([_written(it) for it in order.values_of(stored.document)])
    return f"{stored.number} {text_of(values)}"


def _written(value: Value) -> Value:
    if value.__class__ is not Nothing:
        return (value,)
    return () if value is UNDEFINED else None


def _place(token: str, order: Order | None) -> tuple[tuple[Value, ...], int]:
    """What a token says. The platform has seen to it that it is one that this request was given."""
    number, _, text = token.partition(" ")
    if not number.isdecimal() or bool(text) == (order is None):
        raise invalid("page_token", "the next_page_token of this very request")
    if order is None:
        return (), int(number)
    return tuple([_read(it) for it in parse(Json.from_text(text).plain)]), int(number)


def _read(written: Value) -> Value:
    if written is None:
        return MISSING
    return written[0] if written else UNDEFINED

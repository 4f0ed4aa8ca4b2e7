"""The values of single fields, beside the documents that have them: a scan then touches one list and not every document."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lcplatform_mock.documents.stored import Stored
    from lcplatform_runtime.documents.values import Value

INTRICATE: Final = frozenset({tuple, Decimal})
"""The types of values that take more than one comparison: arrays have elements, decimals are compared with doubles by keys."""
_MOST: Final = 8
"""So many columns are kept. More fields than this are rarely looked through in turn."""


class Column:
    """The values of one field of documents, as far as somebody has looked.

    Attributes:
        plain: whether none of them is intricate. Otherwise they are not kept: it is the documents that are looked at.
        values: one for each document, in their order; `None` where there is none.
    """

    __slots__ = ("_field", "plain", "values")

    def __init__(self, field: str) -> None:
        self._field = field
        self.values: list[Value] = []
        self.plain = True

    def reach(self, rows: Sequence[Stored], end: int) -> None:
        """Takes in the documents before the place `end`."""
        if not self.plain or len(self.values) >= end:
            return
        field = self._field
        new = [it.document.get(field) for it in rows[len(self.values) : end]]
        if INTRICATE.isdisjoint(map(type, new)):
            self.values += new
        else:
            self.plain = False
            self.values = []


class Columns:
    """Columns of documents to which others may be added at their end. Each is made when it is first asked for."""

    __slots__ = ("_kept", "_rows")

    def __init__(self, rows: Sequence[Stored]) -> None:
        self._rows = rows
        self._kept: dict[str, Column] = {}

    def column(self, field: str, end: int) -> Column:
        """The column of a field, which reaches to the place `end` at least."""
        column = self._kept.get(field)
        if column is None:
            if len(self._kept) >= _MOST:
                del self._kept[next(iter(self._kept))]
            column = self._kept[field] = Column(field)
        column.reach(self._rows, end)
        return column

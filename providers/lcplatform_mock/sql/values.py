"""The values of the contract as SQL writes them, in both directions."""

from __future__ import annotations

from typing import Final

from lcplatform.data_store.models import ArrayValue, Interval, OtherValue, Value
from lcplatform_runtime.sql.reading import Reading
from lcplatform_runtime.sql.writing import Writing
from lcplatform_runtime.trusted import trusted

_WRITING: Final = Writing(Interval, ArrayValue, OtherValue)
type_of = _WRITING.type_of
to_text = _WRITING.to_text

READING: Final[Reading[Value]] = Reading(
    trusted(Interval), trusted(ArrayValue), trusted(OtherValue)
)
"""Reads what PostgreSQL answers."""

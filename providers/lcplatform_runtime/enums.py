"""Enum values that arrived from a newer contract: readable in an answer, refused in a request."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

from pydantic import AfterValidator

E = TypeVar("E", bound=StrEnum | None)


def _known(value: E) -> E:
    if value == "unknown":
        raise ValueError("a value of this version of the contract")
    return value


KNOWN: Final = AfterValidator(_known)
"""Marks a field of a request: `UNKNOWN` is refused there."""

"""What a provider says it can do, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ConditionalUpdate(StrEnum):
    """How far a provider keeps the promise of `if_match`.

    ATOMIC: the vendor checks and changes in one step. CHECKED: read, compare and write, so a writer in between can be
    missed. NONE: the condition cannot be given.
    """

    ATOMIC = "atomic"
    CHECKED = "checked"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Support:
    """What one driver supports.

    Attributes:
        capabilities: the names of the capabilities that it has.
        limits: its limits by name. A limit that is absent does not bind.
        conditional_updates: by method name, how far `if_match` can be relied on.
        native: whether the vendor offers the service itself, or the provider emulates it.
    """

    capabilities: frozenset[str] = frozenset()
    limits: Mapping[str, int] = field(default_factory=dict)
    conditional_updates: Mapping[str, ConditionalUpdate] = field(default_factory=dict)
    native: bool = True

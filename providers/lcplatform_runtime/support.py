"""What a provider says it can do, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lcplatform_runtime.errors import UnsupportedError
from lcplatform_runtime.operation import Operation


class ConditionalUpdate(StrEnum):
    """How far a provider keeps the promise of `if_match`.

    ATOMIC: the vendor checks and changes in one step. CHECKED: read, compare and write, so a writer in between can be
    missed. NONE: the condition cannot be given.
    """

    ATOMIC = "atomic"
    CHECKED = "checked"
    NONE = "none"


class Limits:
    """The limits of one service. Each service has a generated class of its own, with a slot for each limit."""

    __slots__: tuple[str, ...] = ()

    def by_name(self) -> dict[str, int]:
        """The limits as a mapping."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, kw_only=True)
class Support:
    """What one driver supports.

    Attributes:
        capabilities: the names of the capabilities that it has.
        limits: its limits by name. A limit that is absent does not bind.
        conditional_updates: by method name, how far `if_match` can be relied on.
        native: whether the vendor offers the service itself, or the provider emulates it.
        offered: whether the provider has the service at all.
    """

    capabilities: frozenset[str] = frozenset()
    limits: Mapping[str, int] = field(default_factory=dict)
    conditional_updates: Mapping[str, ConditionalUpdate] = field(default_factory=dict)
    native: bool = True
    offered: bool = True

    @classmethod
    def everything(cls, capabilities: type[StrEnum]) -> Support:
        """Every capability of a service and no limit."""
        return cls(capabilities=frozenset(capabilities))


NOTHING: Final = Support(native=False, offered=False)
"""What is declared of a service that a provider does not offer."""


def unimplemented(operation: Operation, why: str | None = None) -> UnsupportedError:
    """What an operation raises that a provider does not offer, and `why` it does not."""
    text = f"the provider does not implement {operation.title}"
    return UnsupportedError(text if why is None else f"{text}: {why}", operation=operation.title)

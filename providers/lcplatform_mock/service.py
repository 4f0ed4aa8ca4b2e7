"""What every service of the mock has: a state behind one lock, which can be kept and brought back."""

from __future__ import annotations

import copy
import threading
from typing import ClassVar, Generic, TypeVar

from lcplatform_mock.gate import Gate
from lcplatform_mock.world import World

S = TypeVar("S")


class Service(Generic[S]):
    """The state of one service. Whatever changes it holds the lock.

    Attributes:
        operations: the names of its operations.
        gate: what stands in front of them.
    """

    operations: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, world: World, state: S) -> None:
        self.gate = Gate(world)
        self._world = world
        self._clock = world.clock
        self._lock = threading.Lock()
        self._state = state

    def snapshot(self) -> S:
        """The state as it is now. What cannot change is shared with it, such as the bodies of objects."""
        with self._lock:
            return copy.deepcopy(self._state)

    def restore(self, snapshot: S) -> None:
        """Goes back to a state that was kept, which can be used again."""
        with self._lock:
            self._moved()
            self._state = copy.deepcopy(snapshot)
            self._moved()

    def settle(self) -> None:
        """Does what has fallen due by now. Every operation does so for what it touches; this does it for all."""

    def _moved(self) -> None:
        """Time or state took a leap: wakes whoever waits for either. Called under the lock."""

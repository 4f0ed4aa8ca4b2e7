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

    A service that is kept across restarts opens its tables of `world.journal` when it is made, fills its state from them,
    puts every change under the lock, and writes everything anew in `_keep`. The gate flushes before a call is answered.

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
            if self._world.journal is not None:
                self._keep()
        self._world.flush()

    def settle(self) -> None:
        """Does what has fallen due by now. Every operation does so for what it touches; this does it for all."""

    def hurry(self) -> None:
        """The platform is about to close: what work of the agenda waits for comes to its end. Called before `close`."""

    def close(self) -> None:
        """Gives back what the service holds: servers, processes, files. Called once, when the platform closes."""

    def _moved(self) -> None:
        """Time or state took a leap: wakes whoever waits for either. Called under the lock."""

    def _keep(self) -> None:
        """Puts the whole state into the journal, in place of all that was there. Called under the lock."""

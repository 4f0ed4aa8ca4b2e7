"""What stands in front of every operation: faults that a test injected, and the adversity that it asked for."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial, wraps
from typing import Any, ClassVar, Final, ParamSpec, Protocol, TypeVar

from lcplatform_mock.world import World
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import (
    ERRORS,
    DeadlineExceededError,
    LCPlatformError,
    Outcome,
    QuotaExceededError,
    ServiceUnavailableError,
)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class Fault:
    """What is to happen to the next calls of an operation."""

    error: str | None
    """The code of the error that they raise; none where absent."""
    latency: timedelta | None
    """How long they take before."""
    retry_after: timedelta | None
    """When the error asks to be called again."""
    times: int
    """How many calls are still to be affected."""


class Gate:
    """Everything that may happen to the calls of one service before they reach it, and to their answers after.

    Attributes:
        open: nothing is to happen, so calls need not pass through.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._calm = world.adversity is None and world.journal is None
        self.open = self._calm

    def inject(self, operation: str, fault: Fault) -> None:
        """The next calls of `operation` meet `fault`, after those injected before."""
        with self._lock:
            self._faults[operation].append(fault)
            self.open = False

    def clear(self) -> None:
        """Takes back every fault that is left."""
        with self._lock:
            self._faults.clear()
            self.open = self._calm

    def through(self, operation: str, call: Callable[[], R]) -> R:
        """The answer to `call`, unless something happens to it. What it changed is kept before it is answered."""
        try:
            return self._meet_all(operation, call)
        finally:
            self._world.flush()

    def _meet_all(self, operation: str, call: Callable[[], R]) -> R:
        fault = self._next(operation)
        if fault is not None:
            self._meet(operation, fault)
        adversity = self._world.adversity
        if adversity is None:
            return call()
        self._hold_up(self._world.random.random() * adversity.latency.total_seconds())
        if self._world.chance(adversity.errors):
            raise self._world.random.choice(_REFUSALS)()
        lost = self._world.chance(adversity.lost_answers)
        answer = call()
        if lost:
            raise ServiceUnavailableError("the connection broke before the answer came")
        return answer

    def _next(self, operation: str) -> Fault | None:
        with self._lock:
            waiting = self._faults.get(operation)
            if not waiting:
                return None
            fault = waiting[0]
            fault.times -= 1
            if not fault.times:
                waiting.popleft()
            return fault

    def _meet(self, operation: str, fault: Fault) -> None:
        if fault.latency is not None:
            self._hold_up(fault.latency.total_seconds())
        if fault.error is not None:
            raise ERRORS[fault.error](
                f"{fault.error} was injected into {operation}", retry_after=fault.retry_after
            )

    def _hold_up(self, seconds: float) -> None:
        """Lets time pass, until the call's deadline at most."""
        call = current_call()
        left = None if call is None else call.remaining()
        if left is not None and left < seconds:
            self._world.clock.sleep(left)
            raise DeadlineExceededError("the deadline passed before the answer came")
        if seconds > 0:
            self._world.clock.sleep(seconds)


def _throttled() -> LCPlatformError:
    return QuotaExceededError("too many calls", retry_after=timedelta(milliseconds=5))


def _unavailable() -> LCPlatformError:
    return ServiceUnavailableError("connection refused", outcome=Outcome.NOT_EXECUTED)


_REFUSALS: Final = (_throttled, _unavailable)


class Gated(Protocol):
    """A driver with a gate in front of its operations."""

    operations: ClassVar[frozenset[str]]
    gate: Gate


G = TypeVar("G", bound=Gated)


def gated(contract: type) -> Callable[[type[G]], type[G]]:
    """Puts the gate in front of each operation of `contract`, so that none can be forgotten."""

    def decorate(driver: type[G]) -> type[G]:
        driver.operations = frozenset(getattr(contract, "__abstractmethods__")) - {"support"}  # noqa: B009  no type has it
        for operation in driver.operations:
            setattr(driver, operation, _guarded(operation, getattr(driver, operation)))
        return driver

    return decorate


def _guarded(operation: str, method: Callable[..., Any]) -> Callable[..., Any]:
    # Of any signature. The class keeps the types that its methods were written with.
    @wraps(method)
    def guarded(self: Gated, request: Any, /, *body: Any) -> Any:
        gate = self.gate
        if not gate.open:
            return gate.through(operation, partial(method, self, request, *body))
        # What most operations are given is passed on without being unpacked, which takes twice as long.
        return method(self, request, *body) if body else method(self, request)

    return guarded

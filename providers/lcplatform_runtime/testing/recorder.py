"""What an operation of a generated mock does: it keeps what it was asked and answers as a test has told it to."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.errors import LCPlatformError, UnsupportedError

if TYPE_CHECKING:
    from lcplatform_runtime.operation import Operation
    from lcplatform_runtime.streams import ByteSource

Req = TypeVar("Req")
Res = TypeVar("Res")

_Step: TypeAlias = Callable[[Req], Res]


@dataclass(frozen=True, slots=True)
class _Latency:
    seconds: float = 0.0
    clock: Clock = SYSTEM


class Program(Generic[Req, Res]):
    """The program of one operation, for any number of threads.

    What was said for the next calls (`answers`, `raises`) comes first, in that order; then what was said for every call
    (`returns`). Where nothing was said, the call raises `UnsupportedError`.
    """

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forgets every call and all that was said."""
        with self._lock:
            self._calls: list[Req] = []
            self._bodies: list[bytes] = []
            self._next: deque[_Step[Req, Res]] = deque()
            self._always: _Step[Req, Res] | None = None
            self._latency = _Latency()

    @property
    def calls(self) -> tuple[Req, ...]:
        """The requests, in the order in which they came, those that failed included."""
        with self._lock:
            return tuple(self._calls)

    @property
    def bodies(self) -> tuple[bytes, ...]:
        """What was uploaded, in the order of `calls`. Empty for an operation that takes no body."""
        with self._lock:
            return tuple(self._bodies)

    def returns(self, answer: Res | Callable[[Req], Res], /) -> None:
        """From now on, every call returns this; or what this function makes of the request, which may also raise."""
        with self._lock:
            self._always = _step(answer)

    def answers(self, *answers: Res | Callable[[Req], Res]) -> None:
        """The next calls return these, one each."""
        with self._lock:
            self._next.extend(_step(answer) for answer in answers)

    def raises(self, error: Exception, /, *, times: int | None = 1) -> None:
        """The next calls raise this error, so many times; with `None`, every call from now on.

        Each raises an instance of its own of one of the platform's errors. Any other stands for a vendor's.
        """

        def fail(_: Req) -> Res:
            raise error.copy() if isinstance(error, LCPlatformError) else error

        with self._lock:
            if times is None:
                self._always = fail
            else:
                self._next.extend([fail] * times)

    def takes(self, latency: timedelta, /, *, clock: Clock = SYSTEM) -> None:
        """From now on, every call takes so long before it answers or fails."""
        with self._lock:
            self._latency = _Latency(latency.total_seconds(), clock)

    def play(self, request: Req, source: ByteSource | None = None, /) -> Res:
        """Takes one call. A body is read to its end, as a driver would."""
        body = None if source is None else source.read()
        with self._lock:
            self._calls.append(request)
            if body is not None:
                self._bodies.append(body)
            latency = self._latency
            step = self._next.popleft() if self._next else self._always
        if latency.seconds > 0:
            latency.clock.sleep(latency.seconds)
        if step is None:
            method, title = self._operation.method, self._operation.title
            raise UnsupportedError(
                f"the mock was not told what {title} answers: say on_{method}.returns(...) first"
            )
        return step(request)


def _step(answer: Res | Callable[[Req], Res]) -> _Step[Req, Res]:
    if callable(answer):
        return answer  # pyright: ignore[reportReturnType]  no message can be called: it is a function
    return lambda _: answer

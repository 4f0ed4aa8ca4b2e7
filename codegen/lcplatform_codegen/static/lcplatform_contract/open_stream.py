"""A stream of answers that is read in the background, so that a test can do other things and never hangs on it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar, cast

import pytest

from lcplatform_runtime.cancellation import CANCELLATION, Cancellation

T = TypeVar("T")

PATIENCE: Final = timedelta(seconds=30)
"""How long a test waits for an answer, for the end of a stream, and for a stream that is closed to be gone."""


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None


class OpenStream(Generic[T]):
    """What a server-streamed call answers, one answer after another.

    The call begins at once. Each answer is waited for in real time, 30 seconds unless the test says otherwise.
    """

    def __init__(self, answers: Iterator[T], /) -> None:
        # The clients' streams are generators, whatever the colour, so they can be closed.
        self._answers = cast("Generator[T, None, None]", answers)
        self._cancellation = Cancellation()
        self._heard: queue.SimpleQueue[_Answer[T] | _End] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, name="open-stream", daemon=True)
        self._thread.start()

    def next(self, *, within: timedelta = PATIENCE) -> T:
        """The next answer. Raises what the stream raises in its place."""
        heard = self._hear(within)
        if isinstance(heard, _Answer):
            return heard.value
        if heard.error is None:
            pytest.fail("the stream ended where another answer was expected")
        raise heard.error

    def begin(self) -> None:
        """Waits for the first answer or the end. Raises what the stream raises in their place, and closes it."""
        try:
            heard = self._hear(PATIENCE)
        finally:
            self.close()
        if isinstance(heard, _End) and heard.error is not None:
            raise heard.error

    def end(self, *, within: timedelta = PATIENCE) -> None:
        """The stream ends by itself, without another answer. Raises what the stream raises in the place of its end."""
        heard = self._hear(within)
        if isinstance(heard, _Answer):
            pytest.fail(f"the stream should end, and gives {heard.value!r}")
        if heard.error is not None:
            raise heard.error

    def rest(self) -> tuple[T, ...]:
        """All answers to the end of the stream. Raises what the stream raises in the place of its end."""
        answers: list[T] = []
        while isinstance(heard := self._hear(PATIENCE), _Answer):
            answers.append(heard.value)
        if heard.error is not None:
            raise heard.error
        return tuple(answers)

    def close(self) -> None:
        """Gives up the stream, which must end then. May be called again, and after its end."""
        self._cancellation.cancel()
        self._thread.join(PATIENCE.total_seconds())
        if self._thread.is_alive():
            pytest.fail("the stream goes on although its reader gave up")

    def _hear(self, within: timedelta) -> _Answer[T] | _End:
        try:
            heard = self._heard.get(timeout=within.total_seconds())
        except queue.Empty:
            self.close()
            pytest.fail(f"nothing came within {within}")
        if isinstance(heard, _End):
            self._heard.put(heard)  # whoever asks again is told again
        return heard

    def _read(self) -> None:
        # A thread has a context of its own, so nobody else sees this.
        CANCELLATION.set(self._cancellation)
        error: Exception | None = None
        try:
            with closing(self._answers):
                for answer in self._answers:
                    self._heard.put(_Answer(answer))
                    if self._cancellation.cancelled:
                        break
        except Exception as raised:  # noqa: BLE001  whatever it is, the test is to see it
            error = raised
        finally:
            self._heard.put(_End(error))

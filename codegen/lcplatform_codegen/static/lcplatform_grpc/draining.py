"""The end of a server's streams of answers, which have none of their own and would hold up its stop for all of the grace."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from lcplatform_runtime.cancellation import Cancellation
from lcplatform_runtime.errors import OperationCancelledError, ServiceUnavailableError

_STOPPING: Final = "the server is stopping: whoever asks again finds another"


class Draining:
    """The streams that are open at a server. Once it drains, each of them ends, and so does any that comes later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[Cancellation] = set()
        self._begun = False

    def begin(self) -> None:
        """Ends every stream. May be called again."""
        with self._lock:
            self._begun = True
            streams = list(self._open)
        for stream in streams:
            stream.cancel()

    @contextmanager
    def stream(self, cancellation: Cancellation) -> Iterator[None]:
        """Counts a stream as open, and has it give up when the server drains.

        Raises:
            ServiceUnavailableError: the server drains. Its callers are told so, and ask again.
        """
        with self._lock:
            if self._begun:
                raise ServiceUnavailableError(_STOPPING)
            self._open.add(cancellation)
        try:
            yield
        except OperationCancelledError as error:
            if self._begun:
                raise ServiceUnavailableError(_STOPPING) from error
            raise
        finally:
            with self._lock:
                self._open.discard(cancellation)

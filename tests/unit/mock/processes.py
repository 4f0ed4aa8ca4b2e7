"""Tells when processes have ended, from the outside and without looking again and again."""

from __future__ import annotations

import os
import select
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_PATIENCE: Final = 60.0


class Lifeline:
    """A named pipe that processes hold open. Its end is the end of the last of them, however that came about.

    A shell takes hold of it with `exec 3> "$LIFELINE"`, and what it starts inherits that.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = str(path)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def await_lines(self, count: int) -> list[str]:
        """Returns when so many lines were written to it, with them."""
        while self._read.count(b"\n") < count:
            assert self._more(), f"all have ended, and wrote only {self._read!r}"
        return self._read.decode().splitlines()

    def await_end(self) -> None:
        """Returns when all have ended that held it. One of them must have written something."""
        assert self._read
        while self._more():
            pass

    def _more(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        assert poll.poll(_PATIENCE * 1000), "they neither wrote nor ended"
        chunk = os.read(self._descriptor, 4096)
        self._read += chunk
        return bool(chunk)

"""Fresh processes of the interpreter, and the CPU time that they take."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from resource import RUSAGE_CHILDREN, getrusage
from typing import Final, Self


class Fresh:
    """Runs the interpreter again and again. Use it in a `with` statement.

    Every module is compiled once, whatever the environment says of that, and into a folder of its own: the first run of each
    command is slower than those that count, and what is installed has no advantage over what is in the checkout.
    """

    def __init__(self) -> None:
        self._bytecode: Final = tempfile.TemporaryDirectory()
        self._environment = {
            **{name: it for name, it in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": self._bytecode.name,
        }

    def cpu(self, *words: str) -> float:
        """The CPU milliseconds of one run with these arguments, and of all processes that it starts."""
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, *words],
            check=True,
            stdout=subprocess.DEVNULL,
            env=self._environment,
        )
        after = getrusage(RUSAGE_CHILDREN)
        return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bytecode.cleanup()

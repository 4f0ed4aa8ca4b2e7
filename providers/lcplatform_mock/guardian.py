"""Ends the processes that the mock started if it cannot do so itself, because it was killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from typing import Final

# It hears of process groups line by line. When the pipe ends, so has the mock: what is left is ended, politely at first.
_SCRIPT: Final = """
import os, signal, sys, time
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for number in signal.SIGTERM, signal.SIGKILL:
    for group in groups:
        try:
            os.killpg(group, number)
        except OSError:
            pass
    if groups and number == signal.SIGTERM:
        time.sleep(1)
"""


class Guardian:
    """A small process that outlives this one for as long as it takes to end what this one started.

    It is in a session of its own, so that it is not ended together with this process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def start(self) -> None:
        """Starts it, if that is still to be done. Raises OSError where that is not possible."""
        with self._lock:
            if self._process is None and not self._closed:
                self._process = subprocess.Popen(  # noqa: S603  our own words
                    [sys.executable, "-I", "-S", "-c", _SCRIPT],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    bufsize=1,
                    start_new_session=True,
                )

    def watch(self, group: int) -> None:
        """From now on the process group ends with this process at the latest."""
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """The process group has ended: its number may soon be somebody else's."""
        self._tell(f"-{group}")

    def close(self) -> None:
        """Ends it, and whatever it still watches over."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
        if process is not None:
            process.communicate()

    def _tell(self, line: str) -> None:
        with (
            self._lock,
            suppress(BrokenPipeError),
        ):  # somebody killed it: nothing else depends on it
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.write(f"{line}\n")

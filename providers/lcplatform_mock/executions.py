"""Attempts of jobs that really run: a function in a thread, or a process, each of which can be ended."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from typing_extensions import override

from lcplatform_mock.guardian import Guardian
from lcplatform_mock.images import Command, JobContext

_LOG: Final = logging.getLogger("lcplatform.mock")

_OWN_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SYSTEMROOT")
"""What a process gets of this one's environment, in which there may be credentials."""

_LONGEST_LINE: Final = 64 * 1024
"""Characters of a line. What is longer becomes several."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended: the exit code, unless it did not come so far, and why, if there is more to be said."""

    exit_code: int | None
    reason: str | None = None


class Execution(ABC):
    """One attempt that runs."""

    @abstractmethod
    def run(self) -> Ended:
        """Runs to the end, in the thread of who calls."""

    @abstractmethod
    def stop(self) -> None:
        """Ends it, whatever it does. Returns when it has ended, or can be told no more clearly."""


class HandlerExecution(Execution):
    """A function."""

    def __init__(self, handler: Callable[..., object], context: JobContext) -> None:
        """`handler` is a `Handler`, which only its call can tell."""
        self._handler = handler
        self._context = context

    @override
    def run(self) -> Ended:
        try:
            code = self._handler(self._context)
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        except BaseException as error:  # noqa: BLE001  a function may raise anything: it is the outcome
            lines = traceback.format_exception(error.with_traceback(_inside(error)))
            self._context.print("".join(lines), end="")
            # The text of an exception may hold a value that is not for everybody; its kind does not.
            return Ended(1, f"the function raised {type(error).__name__}")
        if code is None or isinstance(code, int):
            return Ended(int(code or 0))
        return Ended(1, f"the function returned a {type(code).__name__}, which is no exit code")

    @override
    def stop(self) -> None:
        self._context.cancel()


def _inside(error: BaseException) -> TracebackType | None:
    """Where an error came from, as the function sees it."""
    trace = error.__traceback__
    return None if trace is None else trace.tb_next


class CommandExecution(Execution):
    """A process, with all processes that it starts."""

    def __init__(
        self,
        command: Command,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        write: Callable[[str], object],
        guardian: Guardian,
        grace: float,
    ) -> None:
        """`arguments` are those of the job, `write` takes what the process writes, `guardian` ends it if this process is
        killed, `grace` is how many seconds it may take to end."""
        self._argv = [*command.argv, *(arguments if command.takes_command else ())]
        own = {name: os.environ[name] for name in _OWN_VARIABLES if name in os.environ}
        self._environment = {**own, **command.environment, **environment}
        self._folder = command.folder
        self._write = write
        self._guardian = guardian
        self._grace = grace
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    @override
    def run(self) -> Ended:
        try:
            process = self._started()
        except (
            OSError,
            ValueError,
        ) as error:  # there is no such program, or an argument holds a null character
            why = (
                error.strerror
                if isinstance(error, OSError)
                else "an argument or variable is unusable"
            )
            return Ended(None, f"the command cannot be started: {why}")
        if process is None:
            return Ended(None, "it was ended before it began")
        reader = threading.Thread(
            target=self._read, args=(process,), name="lcplatform-mock-output", daemon=True
        )
        reader.start()
        # While its end is not taken note of, nothing else gets its number: what it left behind can be ended.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._signal(signal.SIGKILL)
            self._guardian.forget(process.pid)
            code = process.wait()
            self._over.set()
        reader.join(self._grace)
        if code < 0:
            return Ended(128 - code, f"it was ended by {signal.Signals(-code).name}")
        return Ended(code)

    @override
    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            self._signal(signal.SIGTERM)
        if self._process is not None and not self._over.wait(self._grace):
            with self._lock:
                self._signal(signal.SIGKILL)
            self._over.wait()

    def _started(self) -> subprocess.Popen[str] | None:
        with self._lock:
            if not self._stopped:
                self._guardian.start()
                self._process = subprocess.Popen(  # noqa: S603  what runs was registered by the owner of this process
                    self._argv,
                    env=self._environment,
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # a group of its own, which is ended as a whole
                    encoding="utf-8",
                    errors="replace",
                )
                self._guardian.watch(self._process.pid)
            return self._process

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            while line := output.readline(_LONGEST_LINE):
                self._write(line.rstrip("\r\n"))

    def _signal(self, how: signal.Signals) -> None:
        """Sends a signal to the process and to all that it started. Called under the lock."""
        if self._process is not None and not self._over.is_set():
            with suppress(
                ProcessLookupError, PermissionError
            ):  # the whole group has ended by itself
                os.killpg(self._process.pid, how)


class Crew:
    """Runs so many executions at a time, each in a thread of its own."""

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        self._free = size
        self._running: dict[str, tuple[Execution, threading.Thread]] = {}

    def take(self) -> bool:
        """Whether there is room for another execution. If so, it is taken."""
        with self._lock:
            taken = self._free > 0
            self._free -= taken
            return taken

    @property
    def free(self) -> bool:
        """Whether there is room for another execution."""
        return self._free > 0

    @property
    def names(self) -> list[str]:
        """The names of all that run."""
        with self._lock:
            return list(self._running)

    def start(self, name: str, execution: Execution, done: Callable[[Ended], object]) -> None:
        """Runs an execution for which there is room, then calls `done`."""

        def work() -> None:
            try:
                ended = execution.run()
            except Exception as error:  # noqa: BLE001  the job must end, and somebody must hear of it
                _LOG.exception("a job's attempt broke")
                ended = Ended(None, f"the mock failed: {type(error).__name__}")
            with self._lock:
                self._running.pop(name, None)
                self._free += 1
            done(ended)

        thread = threading.Thread(target=work, name="lcplatform-mock-job", daemon=True)
        with self._lock:
            self._running[name] = execution, thread
        thread.start()

    def stop(self, name: str) -> None:
        """Ends an execution, if it still runs."""
        with self._lock:
            running = self._running.get(name)
        if running is not None:
            running[0].stop()

    def close(self, patience: float) -> None:
        """Ends all of them and waits for their threads, `patience` seconds in all: who does not listen is left alone."""
        with self._lock:
            running = list(self._running.values())
        stopping = [
            threading.Thread(target=execution.stop, daemon=True) for execution, _ in running
        ]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        for _, thread in running:
            thread.join(patience / len(running))

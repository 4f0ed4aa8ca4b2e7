"""Functions of the benchmarks in processes of their own: servers, and whatever must have its memory or its CPU for itself.

`Child("benchmarks.module:function", …)` runs the function there. It returns what `ask` calls, or says first how it is
reached. Answers are JSON. A child ends when its starter does, however that died: its standard input closes.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout, whose root makes `benchmarks` importable."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a function returns that was started as a child.

    Attributes:
        ask: what each `Child.ask` calls. Takes and returns what JSON knows.
        ready: told to the starter as `Child.ready`.
    """

    ask: Callable[..., Any]
    ready: Any = None


class ChildError(RuntimeError):
    """A child ended before it answered. What it printed went to standard error."""


class Child:
    """A process that runs one function. Use it in a `with` statement.

    Args:
        target: the function as `module:name`. It returns `Served`.
        arguments: its arguments.
        core: the only core that it may use; any where absent, or where there is but one.
    """

    def __init__(self, target: str, *arguments: object, core: int | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child", target, json.dumps(arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if core is not None:
            pin(core, self._process.pid)
        try:
            self.ready: Any = self._answer()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def ask(self, *arguments: object) -> Any:
        """What the child's function answers to these arguments."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildError(f"{self._process.args!r} ended with {self._process.wait()}")
        return json.loads(line)


def pin(core: int, pid: int = 0) -> None:
    """Keeps a process on one core, where the system can and there are two."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(pid, {cores[core % len(cores)]})


def main() -> None:
    """Runs the function that the arguments name, and answers until nobody asks any more."""
    module, _, name = sys.argv[1].partition(":")
    answers, sys.stdout = sys.stdout, sys.stderr  # what others print is no answer
    served: Served = getattr(importlib.import_module(module), name)(*json.loads(sys.argv[2]))
    print(json.dumps(served.ready), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(served.ask(*json.loads(line))), file=answers, flush=True)
    os._exit(0)  # servers have threads that would not end


if __name__ == "__main__":
    main()

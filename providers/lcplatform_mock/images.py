"""What the images of jobs are on this machine: functions, commands, or nothing but an outcome.

Who connects to the mock registers them under the name of an image. A caller chooses among them and says no more: what it
sends is given to them as data, and never run.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, InstanceOf
from typing_extensions import override

from lcplatform_runtime.model import Request


class JobContext:
    """One attempt of a job, as the function that runs it sees it.

    Attributes:
        job_id: the job.
        name: its name.
        image: the image that it asked for.
        command: the command and its arguments, as the caller gave them.
        environment: the environment variables, secrets among them.
        attempt: which attempt this is, counted from 1.
        array_index: the number of the copy, counted from 0; None if the job is no copy.
        logger: what is logged here is among the job's logs.
    """

    def __init__(
        self,
        *,
        job_id: str,
        name: str,
        image: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        attempt: int,
        array_index: int | None,
        write: Callable[[str], object],
    ) -> None:
        """`write` takes what the job writes, line by line."""
        self.job_id = job_id
        self.name = name
        self.image = image
        self.command = tuple(command)
        self.environment: Mapping[str, str] = MappingProxyType(dict(environment))
        self.attempt = attempt
        self.array_index = array_index
        self.logger = logging.Logger(f"job.{name}")  # noqa: LOG001  of this attempt alone, so not among all others
        self.logger.addHandler(_LineHandler(write))
        self._write = write
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the job was terminated or has run for too long. Nobody waits for its outcome any more."""
        return self._cancelled.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits for so much real time, or until the job is cancelled; true if it is."""
        return self._cancelled.wait(seconds)

    def print(self, *values: object, sep: str = " ", end: str = "\n") -> None:
        """Like Python's `print`, to the job's logs."""
        text = io.StringIO()
        print(*values, sep=sep, end=end, file=text)
        for line in text.getvalue().splitlines():
            self._write(line)

    def cancel(self) -> None:
        """Tells the function that it is to end."""
        self._cancelled.set()

    @override
    def __repr__(self) -> str:
        return f"JobContext(job_id={self.job_id!r}, name={self.name!r}, attempt={self.attempt})"


class _LineHandler(logging.Handler):
    """Writes records as lines."""

    def __init__(self, write: Callable[[str], object]) -> None:
        super().__init__()
        self._lines = write

    @override
    def emit(self, record: logging.LogRecord) -> None:
        for line in self.format(record).splitlines():
            self._lines(line)


Handler: TypeAlias = Callable[[JobContext], int | None]
"""Runs an attempt. It returns the exit code, None for 0; an exception is exit code 1. It should look whether it is
`cancelled`: a thread cannot be ended from outside."""


class Command(Request):
    """A command of this machine, run as a process of its own, without a shell.

    It has the job's environment, and of this process's own what finds programs, home and temporary files. Processes that
    it leaves behind are ended with it, unless they have left its process group. It ends with this process at the latest,
    even if that is killed.
    """

    argv: Annotated[tuple[str, ...], Field(min_length=1)]
    """The program and its arguments."""

    environment: dict[str, str] = Field(default_factory=dict)
    """More variables. Those of a job win over them."""

    variables: frozenset[str] | None = None
    """The variables that a job may set. None: any, but none of those known to decide what a program runs, such as PATH,
    LD_PRELOAD, BASH_ENV and PYTHONPATH. Name them for a program that has such variables of its own."""

    folder: Path | None = None
    """Where it runs; where this process does, by default."""

    takes_command: bool = False
    """The `command` of a job is appended to the arguments. Only for programs that can do no harm with any."""


class Simulated(Request):
    """An outcome without anything that runs, on the mock's clock."""

    duration: Annotated[timedelta, Field(ge=0)] = timedelta()
    """How long each attempt runs."""

    exit_code: int = 0
    """With what exit code the job ends."""

    lines: tuple[str, ...] = ()
    """What each attempt writes when it starts."""

    fail_attempts: Annotated[int, Field(ge=0)] = 0
    """So many attempts fail first, with exit code 1."""

    def exit_code_of(self, attempt: int) -> int:
        """With what exit code an attempt ends."""
        return 1 if attempt <= self.fail_attempts else self.exit_code


@dataclass(frozen=True, slots=True)
class Simulation:
    """An outcome that depends on the attempt. `decide` runs when the attempt starts, and takes no time on any clock."""

    decide: Callable[[JobContext], Simulated] = field(repr=False)


Image: TypeAlias = Command | Simulated | Simulation | Handler
"""What runs under the name of an image."""


def _image(value: object) -> object:
    """A list is the program and its arguments; a mapping is the fields of a command or an outcome."""
    match value:
        case list() | tuple():
            return Command.model_validate({"argv": value})
        case Mapping():
            return (Command if "argv" in value else Simulated).model_validate(value)
        case _:
            return value


class BatchSettings(Request):
    """What jobs run on the mock. `batch` in the settings of the mock."""

    images: dict[
        str,
        Annotated[
            InstanceOf[Command]
            | InstanceOf[Simulated]
            | InstanceOf[Simulation]
            | InstanceOf[Callable[..., object]],
            BeforeValidator(_image),
        ],
    ] = Field(default_factory=dict)
    """By the name of the image: a function (`Handler`), a list of program and arguments or a `Command`, or an outcome
    (`Simulated`, `Simulation`). Nothing else is ever run."""

    unregistered: Simulated | None = None
    """What a job of any other image comes to. None: it fails, as one whose image cannot be pulled."""

    concurrency: Annotated[int, Field(ge=1, le=1000)] = 16
    """So many functions and commands run at a time. Other jobs stay pending meanwhile."""

    grace: Annotated[timedelta, Field(ge=0, le=300)] = timedelta(seconds=5)
    """For so long a process may clean up after it was told to end, in real time. Then it is killed."""

"""How an attempt of a job starts: what is registered for its image, with the environment that it asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

from lcplatform.batch.models import JobTemplate
from lcplatform.secrets.models import GetSecretRequest, GetSecretResponse
from lcplatform_mock.executions import CommandExecution, Execution, HandlerExecution
from lcplatform_mock.guardian import Guardian
from lcplatform_mock.images import (
    BatchSettings,
    Command,
    JobContext,
    Simulated,
    Simulation,
)
from lcplatform_mock.jobs import Record
from lcplatform_mock.variables import decides_what_runs
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.job_variables import ARRAY_INDEX, ARRAY_INDEX_VARIABLE
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import build

_TRIES: Final = 5
"""So often a secret is read that could not be read for the moment."""

_TELLING: Final = 4
"""Parts of a secret that are shorter say too little, and occur in too much else."""


class NotStartedError(Exception):
    """An attempt that cannot start. Its text is the reason."""


class Writer:
    """Takes what an attempt writes, without the values of its secrets."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._hidden: list[str] = []

    def hide(self, value: str) -> None:
        """This value is shown to nobody, and neither are its lines and, if it is JSON, the texts in it."""
        parts = [it for it in _parts(value) if len(it) >= _TELLING]
        self._hidden = sorted({*self._hidden, *parts, value} - {""}, key=len, reverse=True)

    def shown(self, line: str) -> str:
        """A line as everybody may see it."""
        for value in self._hidden:
            line = line.replace(value, "***")
        return line

    def __call__(self, line: str) -> None:
        self._write(self.shown(line))


def _parts(value: str) -> Iterator[str]:
    yield from value.splitlines()
    try:
        left = [json.loads(value)]
    except ValueError:
        return
    while left:
        match left.pop():
            case dict() as members:
                left += members.values()
            case list() as items:
                left += items
            case str() as text:
                yield from text.splitlines()
            case _:
                pass


def attempt_of(
    record: Record,
    number: int,
    settings: BatchSettings,
    guardian: Guardian,
    read: Callable[[GetSecretRequest], GetSecretResponse],
    write: Callable[[str], object],
) -> Simulated | Execution:
    """What an attempt runs, or its outcome if it is simulated.

    Args:
        record: the job.
        number: which attempt, counted from 1.
        settings: what is registered.
        guardian: ends processes if this one is killed.
        read: reads a secret.
        write: takes what an execution writes, once it runs.

    Raises:
        NotStartedError: there is no such image, it does not take one of the variables, or a secret is missing.
    """
    template = record.template
    image = settings.images.get(template.image, settings.unregistered)
    if image is None:
        raise NotStartedError(
            f"there is no image {template.image!r} (`batch.images` in the mock's settings has none)"
        )
    if isinstance(image, Command):
        _check_variables(template, image)
    lines: list[str] = []
    writer = Writer(lines.append if isinstance(image, Simulation) else write)
    environment = _environment(template, record.index, read, writer)
    if isinstance(image, Simulated):
        return image
    if isinstance(image, Command):
        grace = settings.grace.total_seconds()
        return CommandExecution(image, template.command, environment, writer, guardian, grace)
    context = JobContext(
        job_id=record.job_id,
        name=record.name,
        image=template.image,
        command=template.command,
        environment=environment,
        attempt=number,
        array_index=record.index,
        write=writer,
    )
    if not isinstance(image, Simulation):
        return HandlerExecution(image, context)
    try:
        outcome = image.decide(context)
    except Exception as error:
        raise NotStartedError(f"its simulation raised {type(error).__name__}") from error
    return outcome.model_copy(update={"lines": (*lines, *map(writer.shown, outcome.lines))})


def _check_variables(template: JobTemplate, command: Command) -> None:
    """A caller says what a command works on, and not what it runs."""
    for name in (*template.environment, *template.secrets):
        allowed = command.variables
        if decides_what_runs(name) if allowed is None else name not in allowed:
            raise NotStartedError(f"a job may not set the variable {name} of this image")


def _environment(
    template: JobTemplate,
    index: int | None,
    read: Callable[[GetSecretRequest], GetSecretResponse],
    writer: Writer,
) -> dict[str, str]:
    """The environment of an attempt. The values of secrets are in it and nowhere else."""
    environment = dict(template.environment)
    for variable, name in template.secrets.items():
        environment[variable] = value = _secret(name, read)
        writer.hide(value)
    if index is not None:
        environment[ARRAY_INDEX] = str(index)
        environment[ARRAY_INDEX_VARIABLE] = ARRAY_INDEX
    return environment


def _secret(name: str, read: Callable[[GetSecretRequest], GetSecretResponse]) -> str:
    value = _read(name, read, _TRIES)
    if isinstance(value, bytes):
        raise NotStartedError(f"secret {name!r} is bytes, which no variable can hold")
    return value.text if isinstance(value, Json) else value


def _read(
    name: str, read: Callable[[GetSecretRequest], GetSecretResponse], tries: int
) -> str | bytes | Json:
    try:
        return read(build(GetSecretRequest, name=name)).value
    except LCPlatformError as error:
        if tries == 1 or not error.retryable:
            raise NotStartedError(f"secret {name!r} cannot be read: {error.code}") from error
    return _read(name, read, tries - 1)

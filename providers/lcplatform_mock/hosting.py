"""What can be chosen of the applications that the mock runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from pydantic import Field, PlainValidator

from lcplatform_mock.images import Command
from lcplatform_mock.variables import decides_what_runs
from lcplatform_runtime.model import Request

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Write: TypeAlias = Callable[[str], None]
"""Takes what an instance wrote."""

Serve: TypeAlias = Callable[[int, Mapping[str, str], threading.Event, Write], object]
"""Answers HTTP on a port of 127.0.0.1, with an environment, until the event is set. The last argument writes to the logs."""

Program: TypeAlias = "Command | WSGIApplication | Serve"
"""What an image stands for: a command, in whose arguments `{port}` is the port; a WSGI application; or a function that
serves."""


_WSGI: Final = 2
_SERVE: Final = (3, 4)


def is_wsgi(function: Callable[..., Any]) -> bool | None:
    """Whether it is a WSGI application, which takes two arguments by position. One that serves takes three, or four to
    write to the logs. Nothing, if it is neither."""
    import inspect

    for count in (_WSGI, *_SERVE):
        with suppress(TypeError, ValueError):
            inspect.signature(function).bind(*range(count))
            return count == _WSGI
    return None


def as_serve(function: Callable[..., Any]) -> Serve:
    """A function that serves, as one that takes all four arguments."""
    import inspect

    try:
        inspect.signature(function).bind(*range(_SERVE[1]))
    except TypeError:
        return lambda port, environment, stop, _: function(port, environment, stop)
    return function


def _program(value: object) -> Program:
    """What an image stands for."""
    if isinstance(value, Command):
        if value.takes_command:
            raise ValueError("a command that takes none from callers: an application is given none")
        if any("\0" in one for one in value.argv) or not value.argv[0]:
            raise ValueError("arguments of a process, of which the first is the program")
        return value
    if callable(value):
        if is_wsgi(value) is None:
            raise ValueError(
                "a WSGI application, or a function that takes port, environment and stop"
            )
        return value
    if isinstance(value, (list, tuple)) and value and all(isinstance(one, str) for one in value):
        return _program(Command(argv=tuple(value)))
    if isinstance(value, Mapping):
        return _program(Command.model_validate(value))
    raise ValueError(
        "a list of arguments, a command, a WSGI application, or a function that serves"
    )


def refused_variable(program: object, names: Iterable[str]) -> str | None:
    """The first variable that whoever deploys may not give to what an image stands for: they say what a command works on, and
    not what it runs (`Command.variables`). Functions look at what they like."""
    if not isinstance(program, Command):
        return None
    may = program.variables
    refused = decides_what_runs if may is None else lambda name: name not in may
    return next((name for name in names if refused(name)), None)


class WebHostingSettings(Request):
    """How the mock runs applications."""

    images: Mapping[str, Annotated[Any, PlainValidator(_program)]] = Field(default_factory=dict)
    """What the images stand for, by their names: a list of arguments or a `Command`, run as a process, `{port}` standing for
    the port; a WSGI application; or a function `serve(port, environment, stop)` that answers HTTP on that port of 127.0.0.1
    until the event `stop` is set, and writes to the logs by calling a fourth argument if it takes one. Whatever it is, its
    environment says in PORT where it is to listen. An image that is not here is simulated: it goes through every status, and
    its URL answers with a page that says so. Nothing else is ever run."""

    start_time: timedelta = timedelta(seconds=1)
    """How long a simulated application takes to start, by the clock of the mock."""

    start_timeout: Annotated[float, Field(gt=0)] = 60.0
    """For how many seconds a new instance may be unhealthy before its deployment fails."""

    health_interval: Annotated[float, Field(gt=0)] = 10.0
    """How many seconds lie between two looks at the health of an instance. Three in a row that find it unhealthy have it
    started anew."""

    max_restarts: Annotated[int, Field(ge=0)] = 5
    """How often instances that end by themselves are started again, ever more slowly, before the application fails. One that
    had run for 30 seconds does not count."""

    grace: Annotated[float, Field(ge=0)] = 5.0
    """For how many seconds an instance may go on answering when it is to end, and how many it has then to do so."""

    log_lines: Annotated[int, Field(ge=1)] = 10_000
    """How many lines of the logs of an application are kept."""

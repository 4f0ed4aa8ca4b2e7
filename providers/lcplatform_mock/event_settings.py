"""What can be chosen of event buses when a platform connects to the mock."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, InstanceOf

from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import Request

EventFunction: TypeAlias = Callable[[Json], object]
"""Is called with an event, or with what a transform made of it. What it returns is not looked at; if it raises, it is
called again later."""


def _blocking(function: Callable[..., object]) -> Callable[..., object]:
    if iscoroutinefunction(function):
        raise ValueError("a function that is not asynchronous")
    return function


class EventBusSettings(Request):
    """How events are brought to targets."""

    functions: dict[
        str, Annotated[InstanceOf[Callable[..., object]], AfterValidator(_blocking)]
    ] = Field(default_factory=dict)
    """What can be the target of a rule, by the name that the rule gives as `function`. Each is called on a thread of the
    mock, several at a time."""

    webhook_trust: Path | None = None
    """A file with the certificates (PEM) that those of webhooks are held against; those that this machine trusts by
    default."""

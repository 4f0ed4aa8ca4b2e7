"""Writes down what the AWS provider asks of AWS, as a pytest plugin: `pytest -p tests.iam.recording --iam-calls=DIR`.

A hook of the SDK sees every call before it is sent, on every client that the provider makes, and which operation of the platform
it is made for. Each process writes a file of its own. Over gRPC the server runs in the process of the test.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.iam.needs import Need, needs

if TYPE_CHECKING:
    import pytest
    from botocore.model import OperationModel

_MAKING: Final = "_made"
"""The method in which the provider makes every client."""
_OPTION: Final = "--iam-calls"
_DRIVERS: Final = f"{os.sep}lcplatform_aws{os.sep}"


class Made(NamedTuple):
    """One call of the SDK."""

    operation: str
    """For which operation of the platform: `queue.send_message`. Empty for work of the provider's own."""
    call: str
    """What was called: `sqs:SendMessage`."""
    needs: tuple[Need, ...]

    @property
    def service(self) -> str:
        """The service of the platform that the operation is one of."""
        return self.operation.partition(".")[0]


class Recorder:
    """Sees the calls of the provider's clients, and keeps each kind once."""

    def __init__(self) -> None:
        self.made: set[Made] = set()

    def install(self) -> Callable[[], None]:
        """Watches every client that is made from now on, until what is returned is called."""
        from lcplatform_aws.session import Session

        original = getattr(Session, _MAKING)

        def made(session: Session, name: str, service: Any, config: Any) -> Any:
            client = original(session, name, service, config)
            # Registered anew with the same identity, a hook is there once.
            client.meta.events.register(
                "before-parameter-build", self._see, unique_id="lcplatform-iam"
            )
            return client

        setattr(Session, _MAKING, made)

        def undo() -> None:
            setattr(Session, _MAKING, original)

        return undo

    def _see(self, params: dict[str, Any], model: OperationModel, **_: object) -> None:
        service = model.service_model.signing_name
        needed = tuple(needs(service, model.name, params))
        self.made.add(Made(operation(sys._getframe(1)), f"{service}:{model.name}", needed))

    def write(self, path: Path) -> None:
        """Writes down what was seen."""
        lines = [json.dumps(it) for it in sorted(self.made, key=repr)]
        path.write_text("".join(f"{it}\n" for it in lines), encoding="utf-8")


def operation(frame: FrameType | None) -> str:
    """The operation of the platform in whose driver this code runs, or "": the outermost, since drivers call each other."""
    found = ""
    while frame is not None:
        if _DRIVERS in frame.f_code.co_filename:
            found = _named(frame.f_locals.get("self"), frame.f_code.co_name) or found
        frame = frame.f_back
    return found


def _named(driver: object, method: str) -> str:
    for base in type(driver).__mro__:
        if method in getattr(base, "__abstractmethods__", ()):
            service = base.__module__.split(".")[-2]  # lcplatform.queue.driver
            return f"{service}.{method}"
    return ""


def read(folder: Path) -> set[Made]:
    """What all processes have written."""
    found: set[Made] = set()
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            name, call, needed = json.loads(line)
            found.add(Made(name, call, tuple(Need(*it) for it in needed)))
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write."""
    parser.addoption(_OPTION, metavar="DIR", help="write down which calls of AWS are made")


def pytest_configure(config: pytest.Config) -> None:
    """Begins."""
    folder = config.getoption(_OPTION)
    if folder is None:
        return
    recorder = Recorder()
    config.add_cleanup(recorder.install())
    config.add_cleanup(lambda: recorder.write(Path(folder, f"{os.getpid()}.jsonl")))

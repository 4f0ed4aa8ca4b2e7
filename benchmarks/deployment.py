"""How long a deployment takes: from `deploy_application` to running, over starting the same program and asking its port.

The program is Python's own HTTP server. Both sides look again and again whether it is there, at the same pace; what counts is
the wall time of one start. What was started is ended between two turns, which is not counted.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from itertools import count
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import take_turns
from benchmarks.verdict import Bar, Samples
from lcplatform import LCPlatform
from lcplatform.web_hosting.models import ApplicationStatus

_PACE: Final = 0.002


def _measure(effort: Effort) -> Samples:
    with TemporaryDirectory() as folder:
        program = [
            sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1", "--directory", folder
        ]  # fmt: skip
        with LCPlatform("mock", web_hosting={"images": {"site": program}}) as platform:
            numbers = count(1)
            return take_turns(
                lambda: _deployed(platform, f"site-{next(numbers)}"),
                lambda: _started(program),
                effort.rounds(40),
            )


def _deployed(platform: LCPlatform, name: str) -> float:
    hosting = platform.web_hosting
    started = time.perf_counter()
    made = hosting.deploy_application(name, image="site").application.application_id
    _until(lambda: hosting.get_application(made).application.status is ApplicationStatus.RUNNING)
    taken = time.perf_counter() - started
    hosting.delete_application(made)
    _until(lambda: not hosting.exists(made))
    return taken * 1000


def _started(program: list[str]) -> float:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    arguments = [word.replace("{port}", str(port)) for word in program]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as site:
        _until(lambda: _answers(port))
        taken = time.perf_counter() - started
        site.terminate()
    return taken * 1000


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 400
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _until(reached: Callable[[], bool]) -> None:
    while not reached():
        time.sleep(_PACE)


BENCHMARKS: Final = (
    Benchmark(
        name="deployment",
        bar=Bar(1.25),
        compared="an application deployed until it runs over its program started until it answers",
        unit="ms",
        measure=_measure,
    ),
)

"""Runs emulators of AWS and of MongoDB as child processes, for tests, benchmarks and the conformance run alike, and a
proxy that makes faults in front of them.

An emulator lives in an environment of its own (`make setup`), listens on a free loopback port, and cannot outlive the
process that started it: it ends itself when the pipe to its starter closes, however that starter died.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Final, Self

import psutil

_ROOT: Final = Path(__file__).resolve().parent.parent
_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02
_ATTEMPTS: Final = 3
_LOG_BYTES: Final = 8 * 1024

# Runs a module as `python -m` would, beside a thread that waits for the pipe to close. Then it removes its folder and kills
# its whole process group, since an emulator may have started processes of its own.
_BOOTSTRAP: Final = """
import os, runpy, shutil, signal, sys, threading

def watch(home):
    os.read(0, 1)
    shutil.rmtree(home, ignore_errors=True)
    os.killpg(os.getpid(), signal.SIGKILL)

threading.Thread(target=watch, args=sys.argv[1:2], daemon=True).start()
del sys.argv[:2]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


class EmulatorError(RuntimeError):
    """An emulator is not installed or did not come up; the message holds what it printed."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator. `stop` it, or use it as a context manager."""

    name: str
    url: str
    _process: subprocess.Popen[bytes] = field(repr=False)
    _log: IO[bytes] = field(repr=False)
    _resources: ExitStack = field(repr=False)

    @property
    def pid(self) -> int:
        """The process, and the process group, of the emulator."""
        return self._process.pid

    def output(self) -> str:
        """Returns the end of what the emulator has printed so far."""
        if self._log.closed:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        tail = os.pread(self._log.fileno(), _LOG_BYTES, max(0, size - _LOG_BYTES))
        return tail.decode(errors="replace")

    def stop(self) -> None:
        """Ends the emulator and everything it started; its port is free afterwards. Stopping twice is harmless."""
        # A process that has been waited for no longer owns its number.
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass(frozen=True, slots=True)
class _Kind:
    """What there is to know about one emulator: how to start it and what to ask it when it listens.

    One without `health` answers as soon as it listens.
    """

    name: str
    module: str
    health: str | None
    scheme: str = "http"
    arguments: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


# `{port}` and `{home}` are filled in. Everything an emulator writes stays in its own temporary folder.
_MOTO: Final = _Kind(
    name="moto",
    module="moto.server",
    health="/moto-api/",
    arguments=("-H", _HOST, "-p", "{port}"),
)
_MINISTACK: Final = _Kind(
    name="ministack",
    module="ministack.app",
    health="/_ministack/ready",
    # The two that are off would listen on every interface, on ports that two workers cannot share.
    settings={
        "BIND_HOST": _HOST,
        "GATEWAY_PORT": "{port}",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "S3_DATA_DIR": "{home}/s3",
    },
)
# Its licence is the GPL: it is talked to over its port, and never imported.
_SECANTUSDB: Final = _Kind(
    name="secantusdb",
    module="secantus",
    health=None,
    scheme="mongodb",
    arguments=("--host", _HOST, "--port", "{port}", "--storage-path", "{home}/data"),
)


def are_installed() -> bool:
    """Whether there are emulators to start."""
    return _python().exists()


# Its rules are set over the same port, below `/_microburst/`.
_MICROBURST: Final = _Kind(
    name="microburst",
    module="microburst",
    health="/_microburst/health",
    arguments=("--host", _HOST, "--port", "{port}", "--upstream", "{upstream}"),
)


def start_moto(settings: Mapping[str, str] | None = None) -> Emulator:
    """Starts moto's server and returns when it answers; `settings` are environment variables for it."""
    return _start(_MOTO, settings or {})


def start_ministack(settings: Mapping[str, str] | None = None) -> Emulator:
    """Starts ministack and returns when it answers; `settings` are environment variables for it."""
    return _start(_MINISTACK, settings or {})


def start_secantusdb() -> Emulator:
    """Starts secantusdb, which speaks MongoDB's protocol, and returns when it listens."""
    return _start(_SECANTUSDB, {})


def start_microburst(upstream: str) -> Emulator:
    """Starts a proxy that makes faults in front of an emulator, and returns when it answers."""
    arguments = tuple(it.replace("{upstream}", upstream) for it in _MICROBURST.arguments)
    return _start(replace(_MICROBURST, arguments=arguments), {})


def _start(kind: _Kind, settings: Mapping[str, str]) -> Emulator:
    printed = ""
    for _ in range(_ATTEMPTS):
        emulator = _launch(kind, _free_port(), settings)
        try:
            if _await_ready(emulator, kind):
                return emulator
            printed = emulator.output()
        except BaseException:
            emulator.stop()
            raise
        # Most likely another process took the port between our look and its start.
        emulator.stop()
    raise EmulatorError(
        f"{kind.name} did not start in {_ATTEMPTS} attempts. It printed:\n{printed}"
    )


def _launch(kind: _Kind, port: int, settings: Mapping[str, str]) -> Emulator:
    with ExitStack() as resources:
        home = resources.enter_context(tempfile.TemporaryDirectory(prefix=f"{kind.name}-"))
        log = resources.enter_context(tempfile.TemporaryFile())
        known = {"port": port, "home": home}
        arguments = [argument.format(**known) for argument in kind.arguments]
        defaults = {name: value.format(**known) for name, value in kind.settings.items()}
        process = subprocess.Popen(
            [str(_interpreter()), "-c", _BOOTSTRAP, home, kind.module, *arguments],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            env={**_environment(home), **defaults, **settings},
            start_new_session=True,
        )
        url = f"{kind.scheme}://{_HOST}:{port}"
        return Emulator(kind.name, url, process, log, resources.pop_all())


def _environment(home: str) -> dict[str, str]:
    """Builds a clean environment, so that neither credentials nor proxies of the machine reach an emulator."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": home,
        "TMPDIR": home,
        "PYTHONUNBUFFERED": "1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def _interpreter() -> Path:
    if not are_installed():
        raise EmulatorError("The emulators are not installed: run `make setup`.")
    return _python()


def _python() -> Path:
    return _ROOT / os.environ.get("EMULATORS_VENV", ".venv-emulators") / "bin" / "python"


def _await_ready(emulator: Emulator, kind: _Kind) -> bool:
    """Tells whether the emulator answers; False means that it exited instead."""
    port = int(emulator.url.rpartition(":")[2])
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if emulator._process.poll() is not None:
            return False
        # Asked of the process first: an answer alone could come from another one on the same port.
        if _listens(emulator.pid, port) and (kind.health is None or _answers(port, kind.health)):
            return True
        time.sleep(_POLL_SECONDS)
    raise EmulatorError(
        f"{kind.name} did not answer within {_START_SECONDS:.0f} s. It printed:\n{emulator.output()}"
    )


def _listens(pid: int, port: int) -> bool:
    try:
        connections = psutil.Process(pid).net_connections("tcp4")
    except psutil.NoSuchProcess:
        return False
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in connections
    )


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port

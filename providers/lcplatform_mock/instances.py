"""One instance of an application: a process of this machine, or a function in threads of this process.

What runs was registered by the process that connected to the mock (`WebHostingSettings.images`). Nothing of what a caller
sends is ever executed: a name selects, and the environment is handed over.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import socketserver
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from typing_extensions import override

from lcplatform_mock.hosting import Program, Serve, Write, as_serve, is_wsgi
from lcplatform_mock.images import Command

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from lcplatform_mock.guardian import Guardian

ENVIRONMENT: Final = "lcplatform.environment"
"""Where a WSGI application finds the environment of its instance in that of a request."""

# What a program needs of this machine to run at all. The rest is not its business: a container would not have it either.
_KEPT: Final = frozenset(
    {
        "HOME",
        "LANG",
        "LC_ALL",
        "PATH",
        "PYTHONPATH",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "TMPDIR",
        "TZ",
        "VIRTUAL_ENV",
    }
)
_LONGEST_READ: Final = 64 * 1024
_HEALTHY_BELOW: Final = 400


class Instance(ABC):
    """Something that answers HTTP on a port of 127.0.0.1 until it is stopped, or ends by itself."""

    port: int
    ended: str | None = None
    """How it came to its end, once it has."""

    @abstractmethod
    def stop(self, grace: float) -> None:
        """Asks it to end, and after so many seconds makes it. It has ended when this returns, if that can be done."""


class ProcessInstance(Instance):
    """A process, with those that it starts itself."""

    def __init__(
        self,
        command: Command,
        environment: Mapping[str, str],
        guardian: Guardian,
        write: Write,
        on_end: Callable[[], object],
    ) -> None:
        """Raises OSError where it cannot be started."""
        self.port = free_port()
        self._guardian = guardian
        guardian.start()
        self._process = subprocess.Popen(  # noqa: S603  the embedding process registered it
            [part.replace("{port}", str(self.port)) for part in command.argv],
            env={**_inherited(), **command.environment, **environment, "PORT": str(self.port)},
            cwd=command.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, so that nothing that it starts is left behind
        )
        guardian.watch(self._process.pid)
        self._lock = threading.Lock()
        self._over = threading.Event()
        _thread("output", partial(self._read, write))
        _thread("wait", partial(self._await, on_end))

    @override
    def stop(self, grace: float) -> None:
        with self._lock:
            self._signal(signal.SIGTERM)
        if not self._over.wait(grace):
            with self._lock:
                self._signal(signal.SIGKILL)
            self._over.wait()

    def _read(self, write: Write) -> None:
        """Hands on what it writes. A descendant may hold the pipe for longer than it lives."""
        assert self._process.stdout is not None
        with self._process.stdout as output:
            while line := output.readline(_LONGEST_READ):
                write(line.decode(errors="replace").rstrip("\r\n"))

    def _await(self, on_end: Callable[[], object]) -> None:
        # While its end is not taken note of, nothing else gets its number: what it left behind can be ended.
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._signal(signal.SIGKILL)
            self._guardian.forget(self._process.pid)
            code = self._process.wait()
            self.ended = f"exited with code {code}" if code >= 0 else f"was ended by signal {-code}"
            self._over.set()
        on_end()

    def _signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process and to all that it started. Called under the lock."""
        if not self._over.is_set():
            with suppress(ProcessLookupError, PermissionError):  # all have ended by themselves
                os.killpg(self._process.pid, number)


class ThreadInstance(Instance):
    """A function that serves, in a thread of this process. It can be asked to end, and not be made to."""

    def __init__(
        self,
        serve: Serve,
        environment: Mapping[str, str],
        write: Write,
        on_end: Callable[[], object],
    ) -> None:
        self.port = free_port()
        self._stop = threading.Event()
        self._thread = _thread(
            "serve",
            partial(self._run, serve, {**environment, "PORT": str(self.port)}, write, on_end),
        )

    @override
    def stop(self, grace: float) -> None:
        self._stop.set()
        self._thread.join(grace)

    def _run(
        self,
        serve: Serve,
        environment: Mapping[str, str],
        write: Write,
        on_end: Callable[[], object],
    ) -> None:
        try:
            serve(self.port, environment, self._stop, write)
            self.ended = "returned"
        except BaseException as error:  # noqa: BLE001  whatever it is, the application has failed, and its owner is told
            self.ended = f"raised {type(error).__name__}"
            write(f"{type(error).__name__}: {error}")
        on_end()


def start(
    program: Program,
    environment: Mapping[str, str],
    guardian: Guardian,
    write: Write,
    on_end: Callable[[], object],
) -> Instance:
    """Starts an instance of a program. Raises OSError where that is not possible."""
    if isinstance(program, Command):
        return ProcessInstance(program, environment, guardian, write, on_end)
    if is_wsgi(program):
        serve: Serve = partial(_serve_wsgi, cast("WSGIApplication", program))
    else:
        serve = as_serve(program)
    return ThreadInstance(serve, environment, write, on_end)


def problem_with(port: int, path: str, seconds: float) -> str | None:
    """Why an instance is not healthy; nothing if it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"User-Agent": "lcplatform-health-check"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        reason = "nobody listens" if isinstance(error, ConnectionRefusedError) else "no answer"
        return f"{reason} on its port"
    finally:
        connection.close()
    return None if status < _HEALTHY_BELOW else f"{path} answers {status}"


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in _KEPT}


def _thread(name: str, work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, name=f"lcplatform-mock-{name}", daemon=True)
    thread.start()
    return thread


# --- WSGI


def _serve_wsgi(
    application: WSGIApplication,
    port: int,
    environment: Mapping[str, str],
    stop: threading.Event,
    write: Write,
) -> None:
    with _Server(("127.0.0.1", port), environment, write) as server:
        server.set_app(application)
        _thread("wsgi", partial(server.serve_forever, 0.05))
        stop.wait()
        server.shutdown()


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], environment: Mapping[str, str], write: Write
    ) -> None:
        self.errors = _Errors(write)
        self._environment = environment
        super().__init__(address, _Handler)

    @override
    def server_bind(self) -> None:
        # HTTPServer would look up the name of the machine, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]
        self.setup_environ()

    @override
    def setup_environ(self) -> None:
        super().setup_environ()
        cast("dict[str, object]", self.base_environ)[ENVIRONMENT] = self._environment

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client that goes away is no event."""


class _Errors:
    """`wsgi.errors`: what is written there is in the logs of the application."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def write(self, text: str) -> int:
        if text.strip():
            self._write(text.rstrip("\n"))
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing is held back."""


class _Handler(WSGIRequestHandler):
    @override
    def get_stderr(self) -> Any:
        assert isinstance(self.server, _Server)
        return self.server.errors

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a request line may hold a secret, and logging is the application's business."""

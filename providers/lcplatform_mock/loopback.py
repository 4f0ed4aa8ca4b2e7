"""HTTP on this machine alone: what every server of the mock has in common, whatever it answers."""

from __future__ import annotations

import socketserver
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_IDLE_SECONDS: Final = 60
# What is read of a body that was refused, so that its sender gets to see why.
_DRAINED: Final = 8 * 1024**2


class Loopback:
    """An HTTP server that runs until it is closed.

    Attributes:
        base: its URL, without a path.
        port: its port.
    """

    def __init__(
        self,
        address: str,
        handler: Callable[..., BaseHTTPRequestHandler],
        *,
        again: int | None = None,
    ) -> None:
        """Opens it.

        Args:
            address: a host and a port of this machine; port 0 takes one that is free.
            handler: makes what serves a connection.
            again: the port of an earlier server, which is taken if any will do and this one is free: its URLs go on.

        Raises:
            OSError: the port is taken.
        """
        host, _, port = address.rpartition(":")
        self._server = _opened(host, int(port) or again or 0, handler, any_will_do=port == "0")
        self.port: int = self._server.server_address[1]
        self.base = f"http://{host}:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            args=(0.05,),
            name="lcplatform-mock-http",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stops answering. The port is free when this returns."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _opened(
    host: str, port: int, handler: Callable[..., BaseHTTPRequestHandler], *, any_will_do: bool
) -> _Server:
    try:
        return _Server((host, port), handler)
    except OSError:
        if not any_will_do or not port:
            raise
        return _Server((host, 0), handler)


class _Server(ThreadingHTTPServer):
    block_on_close = False
    request_queue_size = 128

    @override
    def server_bind(self) -> None:
        # HTTPServer would look up the name of the machine, which may take seconds.
        socketserver.TCPServer.server_bind(self)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client that goes away is no event."""


class Handler(BaseHTTPRequestHandler, Generic[T]):
    """One connection to a site. It says nothing in logs, since a request line may hold a signature or a code.

    Attributes:
        methods: the methods that it answers.
        site: what it serves.
        read: how much of the request's body was read.
    """

    protocol_version = "HTTP/1.1"
    server_version = "lcplatform-mock"
    sys_version = ""
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True

    methods: ClassVar[frozenset[str]]
    read = 0

    def __init__(self, site: T, *connection: object) -> None:
        self.site = site
        super().__init__(*connection)  # type: ignore[arg-type]  # what the server hands over

    def do_GET(self) -> None:
        """Answers a request."""
        self._serve()

    def do_POST(self) -> None:
        """Answers a request."""
        self._serve()

    def do_PUT(self) -> None:
        """Answers a request."""
        self._serve()

    def do_DELETE(self) -> None:
        """Answers a request."""
        self._serve()

    def answer(self) -> None:
        """Answers the request, of whatever method. The answer has a Content-Length or ends the connection."""
        raise NotImplementedError

    def _serve(self) -> None:
        self.read = 0
        if self.command in self.methods:
            self.answer()
        else:
            self.send_error(HTTPStatus.NOT_IMPLEMENTED)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def drain(self) -> None:
        """Reads what is left of a body that nobody wants."""
        length = self.headers.get("Content-Length", "0")
        left = int(length) - self.read if length.isdecimal() else 0
        if 0 < left <= _DRAINED:
            self.rfile.read(left)

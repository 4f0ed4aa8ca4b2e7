"""TLS before a PostgreSQL that has none, such as that of the package: it answers the request for encryption and hands on what comes."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import Final, Self

import trustme

from tests.postgresql import HOST

_REQUEST: Final = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
"""SSLRequest (PostgreSQL: Message Formats)."""


class TlsFront:
    """A port on which a server speaks TLS with a certificate in the name of 127.0.0.1. `secured` counts its connections."""

    def __init__(self, authority: trustme.CA, port: int) -> None:
        """`port` is where the server itself is."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(self._context)
        self._behind = port
        self._listener = socket.create_server((HOST, 0))
        self._open: list[socket.socket] = [self._listener]
        self.secured = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for it in self._open:
            with suppress(OSError):
                it.shutdown(socket.SHUT_RDWR)
            it.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError):  # whoever does not trust the certificate goes away
            assert plain.recv(len(_REQUEST), socket.MSG_WAITALL) == _REQUEST
            plain.sendall(b"S")
            secure = self._context.wrap_socket(plain, server_side=True)
            server = socket.create_connection((HOST, self._behind))
            self._open += [secure, server]
            self.secured += 1
            threading.Thread(target=_hand_on, args=(server, secure), daemon=True).start()
            _hand_on(secure, server)
            return
        plain.close()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)

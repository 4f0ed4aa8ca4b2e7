"""Calls a gRPC server as fast as it answers, for some ten microseconds a call: HTTP/2 frames over plain sockets.

A gRPC client in Python costs as much as the server that it asks, and would be what is measured. This one sends the same bytes
for every call and looks at nothing but the frames that come back. Every answer is compared with the one that is expected.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time
from base64 import b64decode
from collections.abc import Iterable
from typing import Final

from benchmarks.child import Served

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM: Final = 1
_END_HEADERS: Final = 4
_ACK: Final = 1
_WIDEST: Final = 2**31 - 1
_USUAL_WINDOW: Final = 65_535
# Answers never fill these, so no window has to be opened again.
_OURS: Final = struct.pack(">HIHI", 1, 0, 4, _WIDEST)


class LoadError(RuntimeError):
    """The server did not answer as it should."""


def serve() -> Served:
    """Answers `ask(endpoint, path, message, answer, callers, calls)` with the calls a second. Bytes come in base64."""

    def load(
        endpoint: str, path: str, message: str, answer: str, callers: int, calls: int
    ) -> float:
        host, _, port = endpoint.rpartition(":")
        return run((host, int(port)), path, b64decode(message), b64decode(answer), callers, calls)

    return Served(load)


def run(
    address: tuple[str, int], path: str, message: bytes, answer: bytes, callers: int, calls: int
) -> float:
    """How many calls a second are answered to so many callers at once, over four connections."""
    shares = [callers // 4 + (number < callers % 4) for number in range(4)]
    connections = [_Connection(address, path, message, answer) for share in shares if share]
    try:
        for connection in connections:
            connection.greet()
        started = time.perf_counter()
        _converse(connections, [share for share in shares if share], calls)
        return calls / (time.perf_counter() - started)
    finally:
        for connection in connections:
            connection.close()


def _converse(connections: list[_Connection], shares: Iterable[int], calls: int) -> None:
    with selectors.DefaultSelector() as selector:
        left = calls
        for connection, share in zip(connections, shares, strict=True):
            begun = min(share, left)
            left -= begun
            connection.call(begun)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        answered = 0
        while answered < calls:
            for key, _ in selector.select(30) or _silent():
                connection = key.data
                done = connection.receive()
                answered += done
                begun = min(done, left)
                left -= begun
                connection.call(begun)


def _silent() -> list[tuple[selectors.SelectorKey, int]]:
    raise LoadError("the server is silent")


class _Connection:
    """One connection with any number of calls under way."""

    def __init__(self, address: tuple[str, int], path: str, message: bytes, answer: bytes) -> None:
        self.socket = socket.create_connection(address, timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = _headers(path, f"{address[0]}:{address[1]}")
        self._data = _prefixed(message)
        self._answer = _prefixed(answer)
        self._stream = 1
        self._window = _USUAL_WINDOW
        self._waiting = 0
        self._received = b""
        self._payloads: dict[int, bytes] = {}

    def greet(self) -> None:
        """Exchanges settings."""
        self.socket.sendall(
            _PREFACE
            + _frame(_SETTINGS, 0, 0, _OURS)
            + _frame(_WINDOW, 0, 0, struct.pack(">I", _WIDEST - _USUAL_WINDOW))
        )

    def call(self, count: int) -> None:
        """Begins so many calls more, as far as the server has room for them; the rest when it has."""
        self._waiting += count
        size = len(self._data)
        out = []
        while self._waiting and self._window >= size:
            out.append(_frame(_HEADERS, _END_HEADERS, self._stream, self._headers))
            out.append(_frame(_DATA, _END_STREAM, self._stream, self._data))
            self._stream += 2
            self._window -= size
            self._waiting -= 1
        if out:
            self.socket.sendall(b"".join(out))

    def receive(self) -> int:
        """Takes what has come, and says how many calls were answered by it."""
        more = self.socket.recv(262_144)
        if not more:
            raise LoadError("the server closed the connection")
        buffer = self._received + more
        position = answered = 0
        while len(buffer) - position >= 9:
            size = int.from_bytes(buffer[position : position + 3], "big")
            end = position + 9 + size
            if end > len(buffer):
                break
            kind, flags = buffer[position + 3], buffer[position + 4]
            stream = int.from_bytes(buffer[position + 5 : position + 9], "big")
            answered += self._take(kind, flags, stream, buffer[position + 9 : end])
            position = end
        self._received = buffer[position:]
        return answered

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> int:
        if kind == _DATA:
            self._payloads[stream] = self._payloads.get(stream, b"") + payload
        elif kind == _HEADERS and flags & _END_STREAM:
            if self._payloads.pop(stream, b"") != self._answer:
                raise LoadError(f"another answer than expected, with trailers {payload!r}")
            return 1
        elif kind == _SETTINGS and not flags & _ACK:
            self.socket.sendall(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            self.socket.sendall(_frame(_PING, _ACK, 0, payload))
        elif kind == _WINDOW and not stream:
            self._window += int.from_bytes(payload, "big")
            self.call(0)
        elif kind in (_RESET, _GOAWAY):
            raise LoadError(f"the server gave up: {payload!r}")
        return 0

    def close(self) -> None:
        self.socket.close()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _prefixed(message: bytes) -> bytes:
    """A message as gRPC frames it: not compressed, its length, itself."""
    return struct.pack(">BI", 0, len(message)) + message


def _headers(path: str, authority: str) -> bytes:
    """The headers of a call, each in full, so that they are the same bytes in every call."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": authority,
        "te": "trailers",
        "content-type": "application/grpc",
        "user-agent": "grpc-python/1.85.1 grpc-c/55.0.0 (linux; chttp2)",
        "grpc-accept-encoding": "identity, deflate, gzip",
    }
    return b"".join(
        bytes((0, len(name))) + name.encode() + bytes((len(value),)) + value.encode()
        for name, value in fields.items()
    )

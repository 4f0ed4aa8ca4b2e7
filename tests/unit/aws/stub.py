"""A server on a real socket that answers as the test says: what an emulator never does, and AWS now and then."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Self

_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def target(self) -> str:
        """The operation, where the protocol names it in a header."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]

    @property
    def json(self) -> dict[str, object]:
        """The parameters, where they are JSON."""
        parsed: dict[str, object] = json.loads(self.body)
        return parsed


@dataclass(frozen=True)
class Answer:
    """What to answer. With `cut`, only so many bytes of the body are sent; with 0, the connection is reset instead."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: int | None = None
    silent: bool = False
    """Nothing is answered: the connection stays open until the server stops."""


def s3_error(status: int, code: str, message: str = "", **headers: str) -> Answer:
    """An error as S3 writes it."""
    text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"Content-Type": "application/xml", **named}, text.encode())


def json_error(status: int, code: str, message: str = "", **headers: str) -> Answer:
    """An error as services that speak JSON write it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, json.dumps({"__type": code, "message": message}).encode())


def json_answer(**fields: object) -> Answer:
    """An answer of a service that speaks JSON."""
    return Answer(200, {}, json.dumps(fields).encode())


class Stub:
    """The server. It answers what was queued, in order, and then what `otherwise` says."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: deque[Answer | Callable[[Asked], Answer]] = deque()
        self.otherwise: Callable[[Asked], Answer] = lambda asked: Answer(501)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def port(self) -> int:
        """The port on which it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def will(self, *answers: Answer | Callable[[Asked], Answer]) -> Self:
        """Queues answers."""
        self.answers.extend(answers)
        return self

    def stop(self) -> None:
        """Ends it, and every connection with it."""
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for connection in self._connections:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as reader:
            try:
                while (asked := self._read(reader, connection)) is not None:
                    self.asked.append(asked)
                    answer = self.answers.popleft() if self.answers else self.otherwise
                    if not self._send(connection, asked, answer):
                        return
            except OSError:
                return

    def _read(self, reader: BufferedReader, connection: socket.socket) -> Asked | None:
        readline = reader.readline
        line = readline().decode()
        if not line:
            return None
        method, path, _ = line.split(" ", 2)
        headers = {}
        while (line := readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("expect") == "100-continue":
            early = self.answers[0] if self.answers else None
            if isinstance(early, Answer) and early.status >= 400:
                return Asked(method, path, headers, b"")
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(headers.get("content-length", "0"))
        body = reader.read(length)
        return Asked(method, path, headers, body) if len(body) == length else None

    def _send(
        self, connection: socket.socket, asked: Asked, chosen: Answer | Callable[[Asked], Answer]
    ) -> bool:
        answer = chosen if isinstance(chosen, Answer) else chosen(asked)
        if answer.silent:
            self._stopping.wait(30)
            return False
        if answer.cut == 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.close()
            return False
        given = {name.lower(): value for name, value in answer.headers.items()}
        headers = {"content-length": str(len(answer.body)), **given}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body = b"" if asked.method == "HEAD" else answer.body[: answer.cut]
        connection.sendall(f"HTTP/1.1 {answer.status} Said\r\n{head}\r\n".encode() + body)
        if answer.cut is None:
            return True
        connection.shutdown(socket.SHUT_WR)  # what was sent arrives, the rest never does
        return False

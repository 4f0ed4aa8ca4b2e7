"""A server that speaks as much of MongoDB's protocol as a driver needs to send commands, and answers them as the test says.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Self, TypeAlias

import bson

Command: TypeAlias = dict[str, Any]
"""A command with its documents, as BSON gives it."""
Answer: TypeAlias = Mapping[str, Any] | None
"""What the server answers; none is no answer: the connection is closed."""

_HEADER: Final = struct.Struct("<iiii")
_QUERY: Final = 2004
_MESSAGE: Final = 2013
_REPLY: Final = 1
_QUIET: Final = frozenset({"hello", "ismaster", "buildInfo", "endSessions", "listCollections"})


class Mongo:
    """The server. Commands that are not its own business are noted in `commands` and answered by `answer`."""

    def __init__(self, answer: Callable[[Command], Answer], version: str = "5.0.0") -> None:
        self.commands: list[Command] = []
        self.answer = answer
        self._version = version
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._closed = False
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def named(self, *names: str) -> list[Command]:
        """The commands of these names."""
        return [it for it in self.commands if next(iter(it)) in names]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        for it in (self._listener, *self._connections):
            # A thread that waits for it is woken by that.
            with suppress(OSError):
                it.shutdown(socket.SHUT_RDWR)
            it.close()

    def _serve(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as stream:
            while head := stream.read(_HEADER.size):
                length, number, _, kind = _HEADER.unpack(head)
                read = _query if kind == _QUERY else _message
                command = read(stream.read(length - _HEADER.size))
                answer = self._answered(command)
                if answer is None:
                    return
                connection.sendall(_written(answer, number, kind))

    def _answered(self, command: Command) -> Answer:
        name = next(iter(command))
        if name in _QUIET:
            return self._own(name)
        self.commands.append(command)
        return self.answer(command)

    def _own(self, name: str) -> Mapping[str, Any]:
        if name == "buildInfo":
            array = [*map(int, self._version.split(".")), 0]
            return {"ok": 1, "version": self._version, "versionArray": array}
        if name == "listCollections":
            found = {"name": "things", "type": "collection", "options": {}}
            cursor = {"id": bson.Int64(0), "ns": "it.$cmd.listCollections", "firstBatch": [found]}
            return {"ok": 1, "cursor": cursor}
        if name == "endSessions":
            return {"ok": 1}
        address = f"127.0.0.1:{self.port}"
        return {
            "ok": 1,
            "ismaster": True,
            "isWritablePrimary": True,
            "helloOk": True,
            "setName": "rs0",
            "hosts": [address],
            "me": address,
            "minWireVersion": 0,
            "maxWireVersion": 13,
            "maxBsonObjectSize": 16 * 1024**2,
            "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000,
            "logicalSessionTimeoutMinutes": 30,
        }


def _query(body: bytes) -> Command:
    """The command of an old query, which a driver begins with."""
    name = body.index(b"\0", 4)
    return bson.decode(body[name + 9 :])


def _message(body: bytes) -> Command:
    """The command of a message, with the documents that come in a section of their own."""
    command: Command = {}
    at = 4
    while at < len(body):
        kind, at = body[at], at + 1
        (length,) = struct.unpack_from("<i", body, at)
        section, at = body[at : at + length], at + length
        if kind == 0:
            command = bson.decode(section) | command
        else:
            name = section.index(b"\0", 4)
            command[section[4:name].decode()] = bson.decode_all(section[name + 1 :])
    return command


def _written(answer: Mapping[str, Any], number: int, kind: int) -> bytes:
    document = bson.encode(answer)
    if kind == _QUERY:
        return (
            _HEADER.pack(36 + len(document), 0, number, _REPLY)
            + struct.pack("<iqii", 8, 0, 0, 1)
            + document
        )
    return (
        _HEADER.pack(21 + len(document), 0, number, _MESSAGE) + struct.pack("<iB", 0, 0) + document
    )

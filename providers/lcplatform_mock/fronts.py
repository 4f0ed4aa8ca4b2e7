"""What answers under the URL of an application: a reverse proxy on a loopback port that stays, whatever stands behind it.

Every request goes to the next instance in turn, on a connection of its own, so that an instance can be taken out between two
requests and none is lost. Heads are read, bodies pass through.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from lcplatform_runtime.clock import SYSTEM

R = TypeVar("R")

HOST: Final = "127.0.0.1"

_LARGEST_HEAD: Final = 64 * 1024
_CHUNK: Final = 64 * 1024
_IDLE_SECONDS: Final = 60.0
_LINGER_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 10.0
_MOMENT_SECONDS: Final = 0.05
_BACKLOG: Final = 1024
_HOP: Final = (b"connection:", b"keep-alive:", b"proxy-connection:")


class Front:
    """One URL."""

    def __init__(self, fronts: Fronts, port: int) -> None:
        """Opens it on a port, or any that is free if the port is taken or 0."""
        self._fronts = fronts
        self._ports: tuple[int, ...] = ()
        self._turn = 0
        self._busy: Counter[int] = Counter()
        self._idle = threading.Condition()
        self._connections: set[asyncio.Task[None]] = set()
        self._page: bytes | None = None
        self._decided = asyncio.Event()
        self._decided.set()
        self._server = fronts.run(self._open(port))
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    def show(self, ports: tuple[int, ...], page: str | None = None, *, soon: bool = False) -> None:
        """Sends requests to the instances on these ports from now on, and to no other.

        Where there are none, it answers with the page, or that nobody is there. With `soon` it waits a while before it says
        so, for an instance is on its way.
        """
        self._fronts.run(self._shown(ports, None if page is None else page.encode(), soon=soon))

    def drain(self, port: int, seconds: float) -> None:
        """Returns when nobody waits for an answer of this instance any more, or after so many seconds."""
        until = SYSTEM.monotonic() + seconds
        with self._idle:
            while self._busy[port] and (left := until - SYSTEM.monotonic()) > 0:
                self._idle.wait(left)

    def close(self) -> None:
        """Answers no more. The port is free when this returns."""
        self._fronts.run(self._closed())

    # --- on the loop

    async def _open(self, port: int) -> asyncio.Server:
        for one in (port, 0):
            with suppress(OSError):
                return await asyncio.start_server(
                    self._accept, HOST, one, limit=_LARGEST_HEAD, backlog=_BACKLOG
                )
        raise OSError("there is no free port")

    async def _shown(self, ports: tuple[int, ...], page: bytes | None, *, soon: bool) -> None:
        self._ports, self._page = ports, page
        if ports or page is not None or not soon:
            self._decided.set()
        else:
            self._decided.clear()

    async def _closed(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked went away, or asks for nothing that could be understood
        except asyncio.CancelledError:
            pass  # closed; the server has nobody to tell
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _IDLE_SECONDS)
        found = await self._instance()
        if found is not None:
            port, given, ask = found
            try:
                await _pass_through(_closing(head), (reader, writer), (given, ask))
            finally:
                self._left(port)
        elif self._page is not None:
            await _answer(reader, writer, b"200 OK", self._page)
        else:
            await _answer(reader, writer, b"503 Service Unavailable", b"no instance is running\n")

    async def _instance(self) -> tuple[int, asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection to the instance whose turn it is, which counts as busy from now on."""
        until = self._fronts.time() + _PATIENCE_SECONDS
        while True:
            if not self._decided.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._decided.wait(), until - self._fronts.time())
            tried: set[int] = set()
            while (port := self._next(tried)) is not None:
                self._busy[port] += 1
                try:
                    return port, *await asyncio.open_connection(HOST, port)
                except OSError:
                    tried.add(
                        port
                    )  # it has just ended: nothing was sent yet, so another can have it
                    self._left(port)
                except BaseException:
                    self._left(port)
                    raise
            if not tried or self._fronts.time() > until:
                return None
            await asyncio.sleep(_MOMENT_SECONDS)

    def _next(self, tried: set[int]) -> int | None:
        """The instance whose turn it is, of those that were not tried."""
        self._turn += 1
        ports = [port for port in self._ports if port not in tried]
        return ports[self._turn % len(ports)] if ports else None

    def _left(self, port: int) -> None:
        with self._idle:
            self._busy[port] -= 1
            if not self._busy[port]:
                del self._busy[port]
                self._idle.notify_all()


class Fronts:
    """The fronts of a platform, on one event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="lcplatform-mock-fronts", daemon=True
        )
        self._thread.start()

    def open(self, port: int = 0) -> Front:
        """A new front, on that port if it is free."""
        return Front(self, port)

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Does something on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def time(self) -> float:
        """The seconds of the loop."""
        return self._loop.time()

    def close(self) -> None:
        """Ends the loop. Its fronts are closed before."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _pass_through(
    head: bytes,
    front: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    behind: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Hands on the request, and the answer until its end."""
    asked, answer = front
    given, ask = behind
    ask.write(head)
    sending = asyncio.ensure_future(_copied(asked, ask))
    try:
        if not await _copied(given, answer):
            await _answer(asked, answer, b"502 Bad Gateway", b"the instance gave no answer\n")
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        ask.close()


async def _copied(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> int:
    """Copies to the end and returns how much that was. A source that breaks off has ended."""
    count = 0
    with suppress(ConnectionError):
        while chunk := await source.read(_CHUNK):
            count += len(chunk)
            target.write(chunk)
            await target.drain()
    with suppress(OSError, RuntimeError):
        if count and target.can_write_eof():
            target.write_eof()
    return count


def _closing(head: bytes) -> bytes:
    """The head of a request, asking for a connection that ends with its answer, or goes over to another protocol."""
    lines = head[:-4].split(b"\r\n")
    names = [line.lower() for line in lines]
    upgrades = any(name.startswith(b"upgrade:") for name in names)
    kept = [line for line, name in zip(lines, names, strict=True) if not name.startswith(_HOP)]
    connection = b"Connection: Upgrade" if upgrades else b"Connection: close"
    return b"\r\n".join([*kept, connection, b"", b""])


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: bytes, body: bytes
) -> None:
    """Answers itself."""
    headers = (
        b"HTTP/1.1 " + status,
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Length: %d" % len(body),
        b"Connection: close",
    )
    retry = (b"Retry-After: 1",) if status.startswith(b"503") else ()
    writer.write(b"\r\n".join([*headers, *retry, b"", body]))
    await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    with suppress(TimeoutError):  # what is not read of a request would take the answer with it
        await asyncio.wait_for(_drained(reader), _LINGER_SECONDS)


async def _drained(reader: asyncio.StreamReader) -> None:
    while await reader.read(_CHUNK):
        pass

"""Who hears of orders: servers to which events are posted, and a function that is called with them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

from lcplatform import Json


@dataclass
class Receiver:
    """A server of somebody else.

    Attributes:
        url: where it listens.
        closed: whether it is out of order.
        heard: what was posted to it while it was not.
        headers: those of the last request.
    """

    url: str = ""
    closed: bool = False
    heard: list[Any] = field(default_factory=list)  # JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.headers = dict(self.headers.items())
            if not receiver.closed:
                receiver.heard.append(json.loads(body))
            self.send_response(503 if receiver.closed else 204)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the story tells what matters."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/orders"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


class Loyalty:
    """Counts what a customer gets points for. The mock calls it with each order."""

    def __init__(self) -> None:
        self.orders: list[int] = []

    def __call__(self, event: Json) -> None:
        """Takes note of an order."""
        self.orders.append(event.value["data"]["order"])

"""The test site of the scenarios, which stands behind the URL of an application."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from typing_extensions import override

TEST_SITE: Final = "lcplatform/test-site:1"
"""Its image."""


class Site:
    """The test site on a port of its own, under one URL whatever revision answers. Without an environment it answers 503."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.environment: Mapping[str, str] | None = None
        self.write = write
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _page_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()
        self._closed = False

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Ends it. Ending it twice is harmless."""
        if not self._closed:
            self._closed = True
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def answer(self, path: str) -> tuple[int, str]:
        """Status and body."""
        environment = self.environment
        if environment is None:
            return 503, "nothing runs"
        self.write(f"GET {path}")
        if path.startswith("/environment/"):
            value = environment.get(path.removeprefix("/environment/"))
            return (404, "there is no such variable") if value is None else (200, value)
        return 200, environment.get("GREETING", "hello")


def _page_of(site: Site) -> type[BaseHTTPRequestHandler]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = site.answer(self.path)
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    return Page

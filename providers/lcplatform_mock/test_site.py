"""The site that the scenarios of WebHosting deploy: the image `lcplatform/test-site`, wherever it runs.

It writes `listening` when it starts, and `GET` and the path for every request. `/` answers with the value of the variable
GREETING, or `hello`; `/environment/NAME` with the value of a variable, or 404. With a variable FAILS it ends at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import ClassVar, Final

from typing_extensions import override

from lcplatform_mock.loopback import Handler, Loopback

IMAGE: Final = "lcplatform/test-site:1"
"""The name of the image."""

_START: Final = "/environment/"


def serve(
    port: int, environment: Mapping[str, str], stop: Event, write: Callable[[str], None], /
) -> None:
    """Answers until it is stopped. Raises RuntimeError if it is told to fail."""
    if "FAILS" in environment:
        raise RuntimeError("the variable FAILS is set")
    site = Loopback(f"127.0.0.1:{port}", partial(_Page, _Site(environment, write)))
    write(f"listening on {port}")
    stop.wait()
    site.close()


@dataclass(frozen=True, slots=True)
class _Site:
    environment: Mapping[str, str]
    write: Callable[[str], None]


class _Page(Handler[_Site]):
    methods: ClassVar[frozenset[str]] = frozenset({"GET"})

    @override
    def answer(self) -> None:
        self.site.write(f"GET {self.path}")
        text = self._text()
        body = (text or "there is no such variable").encode()
        self.send_response(404 if text is None else 200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _text(self) -> str | None:
        environment = self.site.environment
        if self.path.startswith(_START):
            return environment.get(self.path.removeprefix(_START))
        return environment.get("GREETING", "hello") if self.path == "/" else None

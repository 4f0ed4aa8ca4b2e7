"""What every contract test inherits: the platform under test, and words for what tests do again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urldefrag, urlencode, urljoin, urlsplit

import pytest

from lcplatform.errors import LCPlatformError
from lcplatform_contract.expect import problems
from lcplatform_contract.open_stream import PATIENCE, OpenStream
from lcplatform_contract.session import Session

if TYPE_CHECKING:
    from lcplatform import LCPlatform
    from lcplatform.platform.models import ServiceDescription

T = TypeVar("T")

needs: Final = pytest.mark.lcplatform_needs
"""Capabilities that the provider must declare for the test to hold. `clock`: the test's time can be moved."""

lacks: Final = pytest.mark.lcplatform_lacks
"""Capabilities that the provider must not declare for the test to hold."""

_PAUSE: Final = 0.1
_REDIRECTIONS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTIONS: Final = 10


class HttpAnswer(NamedTuple):
    """What an HTTP server answered. The names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Mapping[str, str]

    @property
    def location(self) -> Mapping[str, str]:
        """The parameters of the URL that it leads to."""
        return dict(parse_qsl(urlsplit(self.headers.get("location", "")).query))


class ContractTest:
    """A test that runs on every surface and in both colours. The platform is shared: each test makes names of its own."""

    service: ClassVar[str] = ""
    """The accessor of the service under test."""

    _session: Session
    _folder: Path
    _open: ExitStack

    @pytest.fixture(autouse=True)
    def _under_test(self, lcplatform_session: Session, tmp_path: Path) -> Iterator[None]:
        self._session = lcplatform_session
        self._folder = tmp_path
        with ExitStack() as self._open:
            yield

    @property
    def platform(self) -> LCPlatform:
        """The platform under test."""
        return self._session.platform

    @property
    def support(self) -> ServiceDescription:
        """What the provider declares of the service under test."""
        return self._session.support[self.service]

    def name(self, label: str) -> str:
        """A name for a resource that nobody else uses: lower-case letters, digits and hyphens."""
        return self._session.name(label)

    def advance(self, by: timedelta) -> None:
        """Lets time pass."""
        self._session.advance(by)

    def file(self, content: bytes) -> Path:
        """A file with that content."""
        path = self._folder / "content"
        path.write_bytes(content)
        return path

    def gather(self, call: Callable[[], Sequence[T]], count: int) -> tuple[T, ...]:
        """What the call gives when it is repeated until there are so many items together."""
        items: list[T] = []
        until = time.monotonic() + PATIENCE.total_seconds()
        while len(items) < count and time.monotonic() < until:
            items += call()
        return tuple(items)

    def eventually(self, read: Callable[[], T], expected: object, *, within: timedelta) -> T:
        """What is read as soon as it is as expected. It must become so in time."""
        until = time.monotonic() + within.total_seconds()
        while True:
            actual = read()
            wrong = list(problems(actual, expected))
            if not wrong:
                return actual
            if time.monotonic() >= until:
                pytest.fail(f"within {within}:\n" + "\n".join(wrong))
            self._pause()

    def eventually_refused(
        self, error: type[LCPlatformError], read: Callable[[], object], *, within: timedelta
    ) -> None:
        """The call raises that error sooner or later. It must come to that in time."""
        until = time.monotonic() + within.total_seconds()
        while time.monotonic() < until:
            try:
                read()
            except error:
                return
            self._pause()
        with pytest.raises(error):
            read()

    def open(self, answers: Iterator[T]) -> OpenStream[T]:
        """A stream of answers that is read in the background from now on, and closed at the end of the test at the latest."""
        stream = OpenStream(answers)
        self._open.callback(stream.close)
        return stream

    def finished(self, answers: Iterator[T]) -> tuple[T, ...]:
        """All answers of a stream that ends by itself."""
        return self.open(answers).rest()

    def http(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
        until: str | None = None,
    ) -> HttpAnswer:
        """Sends these headers and this body, or this form, and nothing else.

        With `until`, redirections are followed, with their cookies, up to one that leads to a URL which begins so. Without,
        none is.
        """
        given = dict(headers or {})
        if form is not None:
            given["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form).encode()
        answer = _sent(method, url, given, body)
        cookies: dict[str, str] = {}
        for _ in range(_MOST_REDIRECTIONS):
            url = urldefrag(urljoin(url, answer.headers.get("location", "")))[0]
            if until is None or answer.status not in _REDIRECTIONS or url.startswith(until):
                return answer
            cookies |= answer.cookies
            sent = {"Cookie": "; ".join(map("=".join, cookies.items()))} if cookies else {}
            answer = _sent("GET", url, sent, None)
        pytest.fail(f"{_MOST_REDIRECTIONS} redirections, and none leads to {until}")

    def _pause(self) -> None:
        # The provider may work in the background, in real time; one with a clock of its own may wait for that.
        time.sleep(_PAUSE)
        if self._session.harness.has_clock:
            self._session.advance(timedelta(seconds=_PAUSE))


def _sent(method: str, url: str, headers: Mapping[str, str], body: bytes | None, /) -> HttpAnswer:
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.netloc, timeout=PATIENCE.total_seconds())
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body=body, headers=dict(headers))
        answer = connection.getresponse()
        pairs = [(name.lower(), value) for name, value in answer.getheaders()]
        # One user at one issuer: neither the paths nor the ends of cookies matter.
        cookies = (value.partition(";")[0] for name, value in pairs if name == "set-cookie")
        kept = {name: value for name, _, value in (it.partition("=") for it in cookies)}
        return HttpAnswer(answer.status, dict(pairs), answer.read(), kept)
    finally:
        connection.close()

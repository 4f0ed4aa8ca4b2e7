"""What an issuer says of itself, fetched once and then now and again (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

from lcplatform_runtime.clock import Clock
from lcplatform_runtime.errors import InternalError, LCPlatformError
from lcplatform_runtime.oidc.issuers import IssuerSettings, expected_issuer
from lcplatform_runtime.oidc.records import text_of
from lcplatform_runtime.oidc.refusals import garbled, lacking, of_answer
from lcplatform_runtime.oidc.transport import Reply, Transport, is_safe

T = TypeVar("T")

PAUSE: Final = timedelta(seconds=30).total_seconds()
"""For how long something is not fetched again that could not be, or that an unknown key asks for: twice a minute at most."""

_GRACE: Final = timedelta(hours=24).total_seconds()
_SHORTEST: Final = timedelta(minutes=1).total_seconds()
_LONGEST: Final = timedelta(hours=24).total_seconds()
_USUAL: Final = timedelta(hours=1).total_seconds()
_MAX_AGE: Final = re.compile(r"(?:^|[,\s])max-age=(\d{1,9})(?:$|[,\s])")


def freshness(reply: Reply) -> float:
    """For how many seconds an answer may be kept: what it says itself, within reason, or an hour."""
    found = _MAX_AGE.search(reply.headers.get("cache-control", ""))
    return min(max(_SHORTEST, float(found[1])), _LONGEST) if found else _USUAL


class Kept(Generic[T]):
    """Something that an issuer publishes. One caller fetches it, and the others take what was there before.

    Where it cannot be fetched again, the last is good for a day.
    """

    def __init__(self, clock: Clock, fetch: Callable[[], tuple[T, float]]) -> None:
        """`fetch` gives the value and for how many seconds it is fresh."""
        self._monotonic = clock.monotonic
        self._fetch = fetch
        self._lock = threading.Lock()
        self._value: T | None = None
        self._fresh_until = self._good_until = self._pause_until = 0.0

    def get(self) -> T:
        """The value. Raises what `fetch` raises, if there is none that is still good."""
        value = self._value
        if value is not None and self._monotonic() < self._fresh_until:
            return value
        if value is not None and self._lock.locked() and self._monotonic() < self._good_until:
            return value
        with self._lock:
            if self._value is not None and self._monotonic() < self._fresh_until:
                return self._value
            return self._renewed()

    def again(self, seen: T) -> T:
        """The value, fetched anew if it is still `seen`, unless that was done a short time ago."""
        with self._lock:
            now = self._monotonic()
            if self._value is seen and now >= self._pause_until:
                self._pause_until = now + PAUSE
                return self._renewed()
            return seen if self._value is None else self._value

    def forget(self) -> None:
        """The next caller fetches it."""
        with self._lock:
            self._value = None
            self._fresh_until = self._good_until = self._pause_until = 0.0

    def _renewed(self) -> T:
        now = self._monotonic()
        try:
            value, seconds = self._fetch()
        except LCPlatformError:
            if self._value is None or now >= self._good_until:
                raise
            self._fresh_until = now + PAUSE
            return self._value
        self._value = value
        self._fresh_until, self._good_until = now + seconds, now + seconds + _GRACE
        return value


@dataclass(frozen=True, slots=True)
class Metadata:
    """The discovery document.

    Attributes:
        issuer: byte for byte as the issuer names itself.
        all: everything that it says.
    """

    issuer: str
    all: Mapping[str, Any]

    def endpoint(self, name: str) -> str:
        """The URL of an endpoint, such as `token_endpoint`. Raises UnsupportedError if the issuer has none."""
        url = text_of(self.all, name)
        if url is None:
            raise lacking(name.replace("_", " "))
        if not is_safe(url):
            raise InternalError(f"the issuer names an address that is not encrypted: {url}")
        return url

    def listed(self, name: str) -> frozenset[str] | None:
        """A list of texts, or `None` if it says nothing about that."""
        values = self.all.get(name)
        return frozenset(map(str, values)) if isinstance(values, list) else None


def discovery(settings: IssuerSettings, transport: Transport, clock: Clock) -> Kept[Metadata]:
    """The document of an issuer."""
    url = settings.discovery

    def fetch() -> tuple[Metadata, float]:
        reply = transport.send(url, headers={})
        found = reply.object()
        if reply.status != 200:
            raise of_answer(max(reply.status, 500), reply.headers, found)
        issuer = text_of(found, "issuer")
        if issuer is None:
            raise garbled("discovery document")
        # Otherwise one issuer could give itself out as another (section 4.3).
        other = issuer.removesuffix("/") != expected_issuer(url).removesuffix("/")
        if other and not settings.quirks.own_issuer:
            raise InternalError(f"the discovery document at {url} is that of another issuer")
        return Metadata(issuer, found), max(freshness(reply), _USUAL)

    return Kept(clock, fetch)

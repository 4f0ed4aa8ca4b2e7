"""One POST to a URL that an application named: what came of it, and nothing more than that is done with it.

Redirects are not followed, certificates are verified, no proxy is asked, nothing is sent where a cloud's machines find their
own credentials, and no receiver holds up a thread for longer than was agreed, however slowly it drips. What is sent may be secret, so no failure quotes it.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import SplitResult, urlsplit

from typing_extensions import override

from lcplatform_runtime.errors import invalid

if TYPE_CHECKING:
    from datetime import datetime

    from _typeshed import WriteableBuffer

CONNECT_TIMEOUT: Final = 3.0
"""Seconds of real time for finding and reaching the receiver."""

TIMEOUT: Final = 5.0
"""Seconds of real time for sending to it and for its answer."""

_PORTS: Final = {"http": 80, "https": 443}
_BODY: Final = 64 * 1024
# Besides what is link-local, as 169.254.169.254 is.
_METADATA: Final = frozenset({IPv6Address("fd00:ec2::254")})


class Why(StrEnum):
    """Why a request did not arrive."""

    ADDRESS = "address"
    """The name of the receiver is unknown, or is that of somebody whom nothing is sent to."""
    CONNECTION = "connection"
    """Nobody listens there, or the connection broke."""
    TLS = "tls"
    """The receiver did not show that it is who it should be."""
    TIMEOUT = "timeout"
    """It took too long."""
    PROTOCOL = "protocol"
    """What came was no answer, or what was to be sent is no request."""
    REDIRECT = "redirect"
    """The receiver asked to go elsewhere, which nobody does for it."""
    STATUS = "status"
    """The receiver refused it."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """The receiver answered with a status below 300.

    Attributes:
        status: that status.
        body: the beginning of what it said.
    """

    status: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Missed:
    """The request did not arrive, as far as anybody knows.

    Attributes:
        why: what kind of failure it is.
        reason: for a person to read. Nothing that was sent is in it.
        status: what the receiver answered, if it did.
        retry_after: in how many seconds it wants to be asked again, if it said so.
    """

    why: Why
    reason: str
    status: int | None = None
    retry_after: float | None = None


def check_url(field: str, url: str) -> None:
    """Refuses a URL to which nothing can be posted: when somebody gives it, not only when it is needed.

    Raises:
        ValidationError: it names the field.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    else:
        if parts.username is not None or parts.password is not None:
            raise invalid(field, "a URL without user and password: give them as a header")
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise invalid(field, "an absolute http or https URL")


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    now: datetime,
    context: ssl.SSLContext | None = None,
    connect_timeout: float = CONNECT_TIMEOUT,
    timeout: float = TIMEOUT,
) -> Arrived | Missed:
    """Posts `body` once.

    Args:
        url: one that `check_url` lets pass.
        body: what is sent.
        headers: sent along. Host, Content-Length and Connection are added.
        now: the time of day, for a Retry-After that names one.
        context: whom to trust; by default whom this machine trusts.
        connect_timeout: seconds of real time until it is connected.
        timeout: seconds of real time from then on.
    """
    parts = urlsplit(url)
    try:
        with _connected(parts, context, connect_timeout) as there:
            connection = HTTPConnection(parts.hostname or "")
            # As far as http.client looks at a socket, it is one.
            connection.sock = cast("socket.socket", _Patient(there, time.monotonic() + timeout))
            _send(connection, parts, body, headers)
            with connection.getresponse() as answer:
                return _read(answer, now)
    except (OSError, HTTPException, ValueError) as error:
        return _missed(error)


def _connected(parts: SplitResult, context: ssl.SSLContext | None, timeout: float) -> socket.socket:
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    plain = _reached(host, port, timeout)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "http":
            return plain
        trust = context or ssl.create_default_context()
        return trust.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


class _Forbidden(OSError):
    """Nothing is sent there."""


def _reached(host: str, port: int, timeout: float) -> socket.socket:
    """A connection to one of the addresses of a host, which is asked for them once: what was checked is what is reached."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(there[0]) for *_, there in found]
    if any(map(_tells_credentials, addresses)):
        raise _Forbidden
    broken: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            broken = error
    raise broken or OSError("no address")


def _tells_credentials(text: str) -> bool:
    """Whether machines of a cloud are told their own credentials at this address."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address.is_link_local or address in _METADATA


def _send(
    connection: HTTPConnection, parts: SplitResult, body: bytes, headers: Mapping[str, str]
) -> None:
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", parts.netloc)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Connection", "close")
    connection.endheaders(body)


def _read(answer: HTTPResponse, now: datetime) -> Arrived | Missed:
    status = answer.status
    if status < 300:
        return Arrived(status, answer.read(_BODY))
    after = _retry_after(answer.getheader("Retry-After"), now)
    if status < 400:
        return Missed(Why.REDIRECT, f"HTTP {status}: redirects are not followed", status, after)
    return Missed(Why.STATUS, f"HTTP {status}", status, after)


def _retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds of a Retry-After (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if value.isdecimal() and value.isascii() and len(value) < 10:
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError):  # no date, or one without a zone
        return None


def _missed(error: Exception) -> Missed:
    """The failure that an exception stands for. The texts of those of `http.client` quote headers, so they are left out."""
    match error:
        case TimeoutError():
            return Missed(Why.TIMEOUT, "no answer in time")
        case ssl.SSLCertVerificationError():
            return Missed(Why.TLS, f"certificate: {error.verify_message}")
        case ssl.SSLError():
            return Missed(Why.TLS, f"TLS: {error.reason or 'the handshake failed'}")
        case socket.gaierror():
            return Missed(Why.ADDRESS, "the host is unknown")
        case _Forbidden():
            return Missed(Why.ADDRESS, "nothing is sent to link-local addresses")
        case OSError():
            return Missed(Why.CONNECTION, error.strerror or type(error).__name__)
        case HTTPException():
            return Missed(Why.PROTOCOL, f"no HTTP answer ({type(error).__name__})")
        case _:
            return Missed(Why.PROTOCOL, "a header that cannot be sent")


class _Patient:
    """A socket on which sending and receiving together end at one moment. Whoever opened it closes it."""

    def __init__(self, inner: socket.socket, end: float) -> None:
        self._inner = inner
        self._end = end

    def sendall(self, data: bytes) -> None:
        """Sends all of it."""
        self._inner.settimeout(self._left())
        self._inner.sendall(data)

    def receive(self, buffer: WriteableBuffer) -> int:
        """Reads what comes next."""
        self._inner.settimeout(self._left())
        return self._inner.recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What comes in."""
        assert mode == "rb"
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Nothing: the answer is read after http.client has closed its connection."""

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Incoming(io.RawIOBase):
    """What comes in on a socket, to be read."""

    def __init__(self, source: _Patient) -> None:
        self._source = source

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._source.receive(buffer)

"""HTTP between a relying party and its issuer: encrypted unless it stays on this machine, and no redirection is followed."""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPException, HTTPResponse
from typing import Any, Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from typing_extensions import override

from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import (
    DeadlineExceededError,
    InternalError,
    Outcome,
    ServiceUnavailableError,
)

_PATIENCE: Final = 10.0
_LARGEST: Final = 1024**2


@dataclass(frozen=True, slots=True)
class Reply:
    """What an issuer answered.

    Attributes:
        headers: by their names in lower case.
        given: the secrets that it was given, some of which it may repeat.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    given: tuple[str, ...] = field(default=(), repr=False)

    def object(self) -> Mapping[str, Any]:  # what JSON can be is for the caller to know
        """The JSON object in the body; an empty one where there is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class Transport(Protocol):
    """Sends requests to an issuer."""

    def send(
        self,
        url: str,
        /,
        *,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """The answer to a GET, or to a POST of a form. It takes no longer than the call in progress may.

        Raises:
            ServiceUnavailableError: the issuer cannot be reached.
            DeadlineExceededError: the call's deadline passed.
        """
        ...


def is_safe(url: str) -> bool:
    """Whether what is sent there stays secret: it is encrypted, or does not leave this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and _is_here(str(parts.hostname)))
    )


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class HttpTransport(Transport):
    """Through the standard library, with the proxies that the environment names."""

    @override
    def send(
        self,
        url: str,
        /,
        *,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        if not is_safe(url):
            raise InternalError(f"the issuer names an address that is not encrypted: {url}")
        data = None if form is None else urlencode(form).encode()
        request = Request(url, data=data, headers={"Accept": "application/json", **headers})  # noqa: S310  https
        opener = self._direct if _is_here(str(urlsplit(url).hostname)) else self._proxied
        try:
            with opener.open(request, timeout=_time_left()) as answer:
                return _reply(answer)
        except HTTPError as error:
            with error:
                return _reply(error)
        except (OSError, HTTPException) as error:
            raise _unreachable(url, error) from error

    @cached_property
    def _proxied(self) -> OpenerDirector:
        return build_opener(_Stay, HTTPSHandler(context=ssl.create_default_context()))

    @cached_property
    def _direct(self) -> OpenerDirector:
        return build_opener(_Stay, ProxyHandler({}))


class _Stay(HTTPRedirectHandler):
    """Follows no redirection: none of these endpoints sends one, and a form holds secrets."""

    @override
    def redirect_request(
        self, req: Request, fp: object, code: int, msg: str, headers: object, newurl: str
    ) -> None:
        return None


def _reply(answer: HTTPResponse | HTTPError) -> Reply:
    body = answer.read(_LARGEST + 1)
    if len(body) > _LARGEST:
        raise InternalError(f"the issuer's answer is longer than {_LARGEST} bytes")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Reply(answer.status or 0, headers, body)


def _time_left() -> float:
    call = current_call()
    left = None if call is None else call.remaining()
    if left is None:
        return _PATIENCE
    if left <= 0:
        raise DeadlineExceededError(
            "the deadline passed before the issuer was asked", outcome=Outcome.NOT_EXECUTED
        )
    return min(left, _PATIENCE)


def _unreachable(url: str, error: Exception) -> ServiceUnavailableError | DeadlineExceededError:
    reason = error.reason if isinstance(error, URLError) else error
    host = urlsplit(url).netloc
    call = current_call()
    if isinstance(reason, TimeoutError) and call is not None and call.remaining() == 0:
        return DeadlineExceededError("the deadline passed before the issuer answered")
    # Only a connection that never came about has certainly done nothing. One that broke also comes as a URLError.
    broken = isinstance(reason, TimeoutError | ConnectionResetError | BrokenPipeError)
    nothing = isinstance(error, URLError) and not broken
    return ServiceUnavailableError(
        f"the issuer at {host} cannot be reached: {type(reason).__name__}",
        outcome=Outcome.NOT_EXECUTED if nothing else Outcome.UNKNOWN,
    )

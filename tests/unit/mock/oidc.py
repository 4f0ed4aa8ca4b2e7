"""A browser and a forger, for tests of the mock's issuer."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from lcplatform.authentication.client import Authentication
from lcplatform.authentication.models import GetLoginUrlResponse, TokenSet

HERE: Final = "https://app.example/callback"


@dataclass(frozen=True, slots=True)
class Page:
    """What an HTTP server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def location(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.headers.get("location", "")).query))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    url: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Page:
    """A GET, or a POST of a form. No redirection is followed."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    given = dict(headers or {})
    if form is not None:
        given["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(
            "GET" if form is None else "POST",
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            body=None if form is None else urlencode(form),
            headers=given,
        )
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Page(answer.status, named, answer.read())
    finally:
        connection.close()


def begin(authentication: Authentication, *scopes: str) -> tuple[GetLoginUrlResponse, str]:
    """A login, and the code that it brought."""
    login = authentication.get_login_url(redirect_uri=HERE, scopes=scopes)
    return login, ask(login.url).location["code"]


def finish(
    authentication: Authentication,
    login: GetLoginUrlResponse,
    code: str,
    *,
    code_verifier: str | None = None,
) -> TokenSet:
    """Exchanges a code as it should be, or with another verifier."""
    return authentication.exchange_code(
        code,
        redirect_uri=HERE,
        code_verifier=code_verifier or login.code_verifier,
        nonce=login.nonce,
    ).tokens


def log_in(authentication: Authentication, *scopes: str) -> TokenSet:
    """The tokens of a user who logs in."""
    return finish(authentication, *begin(authentication, *scopes))


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token."""
    header, claims = (json.loads(_plain(part)) for part in token.split(".")[:2])
    return header, claims


def encoded(value: Mapping[str, object]) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _plain(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

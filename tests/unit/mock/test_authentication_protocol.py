"""What the protocols forbid an issuer and its client in small print: doubled parameters, framing, echoes, tokens of the gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from hashlib import scrypt
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from lcplatform import LCPlatform
from lcplatform.authentication.client import Authentication
from lcplatform.authentication.models import DeviceFlowStatus
from lcplatform.errors import AuthenticationError
from lcplatform_mock.issuer import people
from lcplatform_mock.issuer.http import Answer, Question
from lcplatform_mock.issuer.people import People
from lcplatform_mock.issuer.settings import AuthenticationSettings, IssuerClient
from lcplatform_runtime.model import build
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.oidc import HERE, ask, begin, finish, log_in

pytestmark = pytest.mark.usefixtures("ready_keys")

OTHER: Final = {"client_id": "other", "client_secret": "its secret", "redirect_uris": [HERE]}


@pytest.fixture
def authentication(clock: ManualClock) -> Iterator[Authentication]:
    with LCPlatform("mock", clock=clock, authentication={"clients": [OTHER]}) as platform:
        yield platform.authentication


@pytest.fixture
def issuer(authentication: Authentication) -> str:
    return authentication.get_login_url(redirect_uri=HERE).issuer


# --- parameters (RFC 6749, sections 3.1 and 3.2; OpenID Connect Core 1.0, section 6)


@pytest.mark.parametrize("name", ["nonce", "scope", "state", "resource", "code_challenge_method"])
def test_a_parameter_of_a_login_comes_once(authentication: Authentication, name: str) -> None:
    url = authentication.get_login_url(redirect_uri=HERE, audience="https://api.app.example").url
    again = urlencode({name: dict(parse_qsl(urlsplit(url).query))[name]})
    answer = ask(f"{url}&{again}")
    assert answer.status == 400
    assert answer.json["error"] == "invalid_request"
    assert "location" not in answer.headers


@pytest.mark.parametrize("twice", ["grant_type", "scope", "client_id"])
def test_a_parameter_of_a_request_for_tokens_comes_once(issuer: str, twice: str) -> None:
    form = {"client_id": "other", "client_secret": "its secret", "scope": "read"}
    form["grant_type"] = "client_credentials"
    assert ask(f"{issuer}/token", form).status == 200
    answer = ask(f"{issuer}/token?{twice}=x", form)  # a query is no part of the form
    assert answer.status == 200
    told = raw(issuer, "POST /token", urlencode([*form.items(), (twice, form[twice])]))
    assert told.startswith(b"HTTP/1.1 400 ")
    assert b"invalid_request" in told


def test_a_parameter_without_a_value_is_as_one_that_is_not_there(
    authentication: Authentication,
) -> None:
    url = authentication.get_login_url(redirect_uri=HERE).url
    nonce = dict(parse_qsl(urlsplit(url).query))["nonce"]
    code = ask(url.replace(nonce, "")).location["code"]
    assert code
    assert ask(url.replace("code_challenge=", "code_challenge=&x=")).location["error"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("response_mode", "invalid_request"),
    ],
)
def test_what_would_be_asked_elsewhere_or_answered_otherwise_is_refused(
    authentication: Authentication, name: str, error: str
) -> None:
    login = authentication.get_login_url(redirect_uri=HERE)
    back = ask(f"{login.url}&{name}=https://evil.example/").location
    assert back["error"] == error
    assert back["state"] == login.state
    assert "code" not in back
    assert "code" in ask(f"{login.url}&response_mode=query").location


# --- framing


def raw(issuer: str, request: str, body: str, *headers: str) -> bytes:
    """What comes back for bytes that no client would send."""
    host = urlsplit(issuer).netloc
    lines = [f"{request} HTTP/1.1", f"Host: {host}", *headers]
    if not headers:
        lines.append(f"Content-Length: {len(body)}")
    with socket.create_connection((host.split(":")[0], int(host.split(":")[1])), 10) as wire:
        wire.sendall("\r\n".join([*lines, "", body]).encode())
        wire.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: wire.recv(65536), b""))


@pytest.mark.parametrize(
    "headers",
    [
        ("Transfer-Encoding: chunked",),
        ("Transfer-Encoding: chunked", "Content-Length: 4"),
        ("Content-Length: 0", "Content-Length: 40"),
        ("Content-Length: -1",),
    ],
)
def test_nobody_hides_a_request_in_the_body_of_another(
    issuer: str, headers: tuple[str, ...]
) -> None:
    inner = f"GET /jwks HTTP/1.1\r\nHost: {urlsplit(issuer).netloc}\r\n\r\n"
    answer = raw(issuer, "POST /token", inner, *headers)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in answer
    assert b'"keys"' not in answer


# --- tokens


def test_with_a_refresh_token_that_was_replaced_the_whole_login_is_taken_back_too(
    authentication: Authentication,
) -> None:
    first = log_in(authentication, "openid", "offline_access")
    second = authentication.refresh_token(str(first.refresh_token)).tokens
    assert not authentication.introspect_token(str(first.refresh_token)).active
    authentication.revoke_token(str(first.refresh_token))
    assert not authentication.introspect_token(str(second.refresh_token)).active
    assert not authentication.introspect_token(second.access_token).active
    with pytest.raises(AuthenticationError):
        authentication.refresh_token(str(second.refresh_token))


def test_another_client_cannot_take_back_a_refresh_token(
    authentication: Authentication, issuer: str
) -> None:
    first = log_in(authentication, "openid", "offline_access")
    second = authentication.refresh_token(str(first.refresh_token)).tokens
    theirs = {"client_id": "other", "client_secret": "its secret"}
    for token in (first.refresh_token, second.refresh_token):
        assert ask(f"{issuer}/revoke", {**theirs, "token": str(token)}).status == 400
    assert authentication.introspect_token(str(second.refresh_token)).active


def test_a_user_who_is_gone_is_nobody(clock: ManualClock, tmp_path: Path) -> None:
    def opened(*users: str) -> LCPlatform:
        known: dict[str, Any] = {"users": {name: {} for name in users}}
        return LCPlatform("mock", clock=clock, state=tmp_path, authentication=known)

    with opened("ada") as platform:
        mine = platform.authentication
        tokens = log_in(mine, "openid", "offline_access")
        login, code = begin(mine)
        flow = mine.start_device_flow()
        assert flow.complete_verification_url is not None
        ask(flow.complete_verification_url)
    with opened("grace") as platform:
        mine = platform.authentication
        assert mine.poll_device_flow(flow.device_code).status is DeviceFlowStatus.DENIED
        assert not mine.introspect_token(tokens.access_token).active
        for call in (
            lambda: mine.get_user_info(tokens.access_token),
            lambda: mine.refresh_token(str(tokens.refresh_token)),
            lambda: finish(mine, login, code),
        ):
            with pytest.raises(AuthenticationError):
                call()


# --- what an onlooker learns


@pytest.mark.parametrize("name", ["ada", "eve", "nobody"])
def test_it_takes_as_long_to_refuse_whoever_is_no_user(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = build(AuthenticationSettings, users={"ada": {"password": "right"}, "eve": {}})
    known = People(settings, IssuerClient(client_id="lcplatform"))
    digests: list[bytes] = []

    def counting(text: bytes, **words: Any) -> bytes:
        digests.append(text)
        return scrypt(text, **words)

    monkeypatch.setattr(people, "scrypt", counting)
    assert known.with_password(name, "wrong") is None
    assert digests == [b"wrong"]


def test_nothing_of_a_request_is_shown() -> None:
    question = Question("GET", "/authorize?state=hidden", {"authorization": "hidden"}, "x=hidden")
    answer = Answer(302, {"Location": "https://app.example/?code=hidden"}, b"hidden")
    assert "hidden" not in repr(question) + repr(answer)

"""One POST to a receiver: that it arrives as it was sent, and that nothing a receiver does goes further than that."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import trustme

from lcplatform.errors import ValidationError
from lcplatform_mock.webhook import TIMEOUT, Arrived, Missed, Why, check_url, post
from tests.unit.mock.receiver import receiving

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def send(
    url: str, headers: Mapping[str, str] | None = None, *, timeout: float = TIMEOUT
) -> Arrived | Missed:
    return post(url, b"body", headers or {}, now=NOW, timeout=timeout)


def missed(
    url: str, headers: Mapping[str, str] | None = None, *, timeout: float = TIMEOUT
) -> Missed:
    came = send(url, headers, timeout=timeout)
    assert isinstance(came, Missed)
    return came


@contextmanager
def raw(answer: bytes, *, pause: float = 0) -> Iterator[str]:
    """A server that sends these bytes, one by one if it pauses in between."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            there, _ = listener.accept()
            with there:
                there.recv(65536)
                pieces = [answer[at : at + 1] for at in range(len(answer))] if pause else [answer]
                for piece in pieces:
                    try:
                        there.sendall(piece)
                    except OSError:
                        return
                    time.sleep(pause)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        thread.join()


def test_a_request_arrives_as_it_was_sent() -> None:
    with receiving() as receiver:
        assert send(f"{receiver.url}/a/b?c=d", {"X-Own": "naïve"}) == Arrived(204)
        [got] = receiver.received
        assert (got.path, got.body) == ("/a/b?c=d", b"body")
        assert got.headers["x-own"] == "naïve"
        assert got.headers["host"] == receiver.url.removeprefix("http://")
        assert got.headers["content-length"] == "4"


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "2852039166", "[::ffff:169.254.169.254]", "[fe80::1]", "[fd00:ec2::254]"],
)
def test_nothing_is_sent_where_machines_find_their_own_credentials(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reach(*_: object, **__: object) -> socket.socket:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "create_connection", reach)
    assert missed(f"http://{host}/latest") == Missed(
        Why.ADDRESS, "nothing is sent to link-local addresses"
    )


def test_a_name_is_resolved_once_so_that_what_was_checked_is_what_is_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve, asked = socket.getaddrinfo, list[str]()

    def look_up(host: str, port: int, family: int = 0, type: int = 0) -> object:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return resolve(address if host == "receiver.test" else host, port, family, type)

    with receiving() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        port = receiver.url.rpartition(":")[2]
        assert send(f"http://receiver.test:{port}/") == Arrived(204)
    assert asked.count("receiver.test") == 1


def test_a_url_without_a_path_names_the_root() -> None:
    with receiving() as receiver:
        assert send(receiver.url) == Arrived(204)
        assert receiver.received[0].path == "/"


def test_redirects_are_not_followed() -> None:
    with receiving() as elsewhere, receiving() as receiver:
        receiver.answer = lambda _: (307, {"Location": elsewhere.url})
        assert missed(receiver.url).why is Why.REDIRECT
        assert elsewhere.received == []


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_a_refusal_tells_its_status(status: int) -> None:
    with receiving() as receiver:
        receiver.answers(status)
        came = missed(receiver.url)
        assert (came.why, came.status, came.retry_after) == (Why.STATUS, status, None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Tue, 01 Jan 2030 00:01:30 GMT", 90.0),
        ("Tue, 01 Jan 2019 00:01:30 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("9" * 400, None),
    ],
)
def test_a_receiver_can_say_when_to_come_back(value: str, seconds: float | None) -> None:
    with receiving() as receiver:
        receiver.answer = lambda _: (503, {"Retry-After": value})
        assert missed(receiver.url).retry_after == seconds


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert missed(f"http://127.0.0.1:{port}").why is Why.CONNECTION


def test_a_name_that_is_none() -> None:
    assert missed("http://nowhere.invalid").why is Why.ADDRESS


def test_a_receiver_that_says_nothing_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        came = missed(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
        assert (came.why, came.status) == (Why.TIMEOUT, None)
        assert time.monotonic() - started < 2


def test_a_receiver_that_drips_is_left_in_time() -> None:
    with raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200, pause=0.02) as url:
        started = time.monotonic()
        assert missed(url, timeout=0.3).why is Why.TIMEOUT
        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "answer", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000]
)
def test_what_is_no_answer_is_a_failure(answer: bytes) -> None:
    with raw(answer) as url:
        assert missed(url).why in {Why.PROTOCOL, Why.CONNECTION}


@pytest.mark.parametrize("value", ["s3cret\r\nX-Evil: 1", "s3cret ☕", "s3cret\n"])
def test_a_header_that_cannot_be_sent_is_not_quoted(value: str) -> None:
    with receiving() as receiver:
        came = missed(receiver.url, {"Authorization": value})
        assert came.why is Why.PROTOCOL
        assert "s3cret" not in repr(came)
        assert receiver.received == []


def test_certificates_are_verified() -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    with receiving(server) as receiver:
        for trusted, arrives in ((authority, True), (stranger, False)):
            context = ssl.create_default_context()
            trusted.configure_trust(context)
            came = post(receiver.url, b"", {}, now=NOW, context=context)
            if arrives:
                assert came == Arrived(204)
            else:
                assert isinstance(came, Missed)
                assert came.why is Why.TLS
        assert missed(receiver.url).why is Why.TLS
        assert len(receiver.received) == 1


def test_a_certificate_for_another_name_is_refused() -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("example.org").configure_cert(server)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with receiving(server) as receiver:
        came = post(receiver.url, b"", {}, now=NOW, context=context)
        assert isinstance(came, Missed)
        assert came.why is Why.TLS


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org",
        "http://",
        "//example.org",
        "http://example.org:99999",
        "http://example.org:0",
        "http://[::1",
        "http://me:word@example.org",
        "http://example.org/a b",
        "http://example.org/\r\nX: 1",
        "http://exämple.org",
    ],
)
def test_a_url_to_which_nothing_can_be_posted_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        check_url("url", url)
    assert [it.field for it in caught.value.violations] == ["url"]
    assert "word" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/x?y=z", "https://example.org", "http://[::1]:1"]
)
def test_other_urls_are_fine(url: str) -> None:
    check_url("url", url)

"""Presigned URLs, used as any HTTP client uses them."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from lcplatform import LCPlatform
from lcplatform.object_store.client import ObjectStore
from lcplatform.object_store.models import PresignedMethod
from lcplatform.type.models import ErrorCode
from lcplatform_runtime.streams import CHUNK
from lcplatform_runtime.testing.clock import ManualClock

BODY = bytes(range(256)) * (CHUNK // 128) + b"the end"


@pytest.fixture(autouse=True)
def inbox(objects: ObjectStore) -> None:
    objects.create_bucket("inbox")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    method: str,
    url: str,
    body: bytes | Iterable[bytes] | None = None,
    *,
    chunked: bool = False,
    **headers: str,
) -> Answer:
    parts = urlsplit(url)
    assert parts.hostname == "127.0.0.1"
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 0, timeout=10)
    try:
        connection.request(
            method,
            url[url.index("/", len("http://")) :],
            body=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            encode_chunked=chunked,
        )
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()


def test_a_get_answers_with_what_http_readers_need(
    objects: ObjectStore, clock: ManualClock
) -> None:
    stored = objects.put_object(
        "inbox",
        "ü/film?.bin",
        BODY,
        content_type="video/x",
        cache_control="no-store",
        content_disposition="inline",
        content_encoding="identity",
    )
    answer = ask("GET", objects.generate_presigned_url("inbox", "ü/film?.bin").url)
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.headers["ETag"] == f'"{stored.etag}"'
    assert answer.headers["Content-Type"] == "video/x"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == "inline"
    assert answer.headers["Content-Encoding"] == "identity"
    assert answer.headers["Last-Modified"] == "Tue, 01 Jan 2030 00:00:00 GMT"


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        (f"bytes={CHUNK - 1}-{CHUNK}", CHUNK - 1, CHUNK),
        ("bytes=5-", 5, len(BODY) - 1),
        ("bytes=-7", len(BODY) - 7, len(BODY) - 1),
        ("bytes=3-99999999", 3, len(BODY) - 1),
        ("bytes=-99999999", 0, len(BODY) - 1),
    ],
)
def test_a_range_is_answered_with_a_part(
    objects: ObjectStore, wanted: str, first: int, last: int
) -> None:
    objects.put_object("inbox", "film", BODY)
    answer = ask("GET", objects.generate_presigned_url("inbox", "film").url, Range=wanted)
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(BODY)}"
    assert answer.body == BODY[first : last + 1]


@pytest.mark.parametrize("wanted", [f"bytes={len(BODY)}-", "bytes=-0"])
def test_a_range_beyond_the_end_cannot_be_satisfied(objects: ObjectStore, wanted: str) -> None:
    objects.put_object("inbox", "film", BODY)
    answer = ask("GET", objects.generate_presigned_url("inbox", "film").url, Range=wanted)
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(BODY)}"


@pytest.mark.parametrize(
    "wanted",
    ["bytes=2-1", "bytes=0-1,3-4", "lines=1-2", "bytes=x", f"bytes={9**99}-", f"bytes=-{9**99}"],
)
def test_a_range_that_is_none_asks_for_everything(objects: ObjectStore, wanted: str) -> None:
    objects.put_object("inbox", "film", BODY)
    answer = ask("GET", objects.generate_presigned_url("inbox", "film").url, Range=wanted)
    assert (answer.status, len(answer.body)) == (200, len(BODY))


def test_conditions_of_http_are_kept(objects: ObjectStore) -> None:
    etag = f'"{objects.put_object("inbox", "q1", b"hello").etag}"'
    url = objects.generate_presigned_url("inbox", "q1").url
    unchanged = ask("GET", url, If_None_Match=f'"x", {etag}')
    assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", etag)
    assert ask("GET", url, If_None_Match='"x"').status == 200
    assert ask("GET", url, If_Match=etag).status == 200
    assert ask("GET", url, If_Match='"x"').status == 412
    assert ask("GET", url, If_Match="*").status == 200
    assert ask("GET", url, Range="bytes=1-1", If_Range=etag).status == 206
    assert ask("GET", url, Range="bytes=1-1", If_Range='"x"').status == 200


def test_a_connection_serves_one_request_after_another(objects: ObjectStore) -> None:
    objects.put_object("inbox", "q1", b"hello")
    get = urlsplit(objects.generate_presigned_url("inbox", "q1").url)
    put = urlsplit(objects.generate_presigned_url("inbox", "q1", method=PresignedMethod.PUT).url)
    connection = http.client.HTTPConnection("127.0.0.1", get.port or 0, timeout=10)
    try:
        for body in (b"one", b"two"):
            connection.request("PUT", f"{put.path}?{put.query}", body)
            assert connection.getresponse().read() == b""
            connection.request("GET", f"{get.path}?{get.query}")
            assert connection.getresponse().read() == body
    finally:
        connection.close()


def test_a_put_stores_what_is_said_of_the_object(objects: ObjectStore) -> None:
    url = objects.generate_presigned_url("inbox", "letter", method=PresignedMethod.PUT).url
    answer = ask("PUT", url, BODY, Content_Type="text/x", Cache_Control="no-store")
    head = objects.head_object("inbox", "letter")
    assert (answer.status, answer.headers["ETag"]) == (200, f'"{head.etag}"')
    assert (head.content_type, head.cache_control, head.size) == ("text/x", "no-store", len(BODY))


def test_a_put_in_chunks_stores_the_sum_of_them(objects: ObjectStore) -> None:
    url = objects.generate_presigned_url("inbox", "letter", method=PresignedMethod.PUT).url
    pieces = [b"one", BODY, b"two"]
    answer = ask("PUT", url, iter(pieces), chunked=True, Transfer_Encoding="chunked")
    assert answer.status == 200
    assert objects.get_object("inbox", "letter").read() == b"".join(pieces)


def test_a_put_of_no_known_length_is_refused(objects: ObjectStore) -> None:
    url = urlsplit(objects.generate_presigned_url("inbox", "x", method=PresignedMethod.PUT).url)
    with socket.create_connection(("127.0.0.1", url.port or 0), timeout=10) as connection:
        connection.sendall(f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 411 ")


def test_a_put_that_breaks_off_stores_nothing(objects: ObjectStore) -> None:
    objects.put_object("inbox", "letter", b"whole")
    url = urlsplit(
        objects.generate_presigned_url("inbox", "letter", method=PresignedMethod.PUT).url
    )
    with socket.create_connection(("127.0.0.1", url.port or 0), timeout=10) as connection:
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"
        connection.sendall(head.encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    assert objects.get_object("inbox", "letter").read() == b"whole"


def test_what_is_agreed_on_must_be_sent(objects: ObjectStore) -> None:
    signed = objects.generate_presigned_url(
        "inbox", "letter", method=PresignedMethod.PUT, content_type="application/json"
    )
    assert signed.headers == {"Content-Type": "application/json"}
    assert ask("PUT", signed.url, b"{}").status == 403
    assert ask("PUT", signed.url, b"{}", Content_Type="text/html").status == 403
    assert not objects.exists("inbox", "letter")
    assert ask("PUT", signed.url, b"{}", Content_Type="application/json").status == 200


def test_a_delete_deletes(objects: ObjectStore) -> None:
    objects.put_object("inbox", "letter", b"")
    url = objects.generate_presigned_url("inbox", "letter", method=PresignedMethod.DELETE).url
    assert [ask("DELETE", url).status for _ in range(2)] == [204, 204]
    assert not objects.exists("inbox", "letter")


def test_a_url_works_until_its_clock_says_that_it_has_expired(
    objects: ObjectStore, clock: ManualClock
) -> None:
    objects.put_object("inbox", "q1", b"hello")
    signed = objects.generate_presigned_url("inbox", "q1", expires=timedelta(minutes=1))
    assert signed.expires_at == clock.now() + timedelta(minutes=1)
    clock.advance(59)
    assert ask("GET", signed.url).status == 200
    clock.advance(1)
    assert ask("GET", signed.url).status == 403


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/q1?", "/q2?"),
        ("/inbox/", "/outbox/"),
        ("expires=1", "expires=2"),
        ("expires=", "expires=0"),
        ("signature=", "x=1&signature="),
        ("signature=", "signature=0"),
        ("?expires", "?content-type=a&expires"),
        ("signature=", "other="),
    ],
)
def test_a_url_that_was_changed_is_refused(objects: ObjectStore, old: str, new: str) -> None:
    for key in ("q1", "q2"):
        objects.put_object("inbox", key, b"hello")
    url = objects.generate_presigned_url("inbox", "q1").url
    assert ask("GET", url).status == 200
    assert old in url
    assert ask("GET", url.replace(old, new)).status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_url_for_reading_changes_nothing(objects: ObjectStore, method: str) -> None:
    objects.put_object("inbox", "q1", b"hello")
    url = objects.generate_presigned_url("inbox", "q1").url
    assert ask(method, url, b"replaced").status == 403
    assert objects.get_object("inbox", "q1").read() == b"hello"


def test_methods_that_no_url_is_made_for_are_unknown(objects: ObjectStore) -> None:
    url = objects.generate_presigned_url("inbox", "q1").url
    assert ask("POST", url).status == 501
    assert ask("HEAD", url).status == 501


def test_what_is_missing_is_not_found(objects: ObjectStore) -> None:
    assert ask("GET", objects.generate_presigned_url("inbox", "no").url).status == 404
    assert ask("GET", objects.generate_presigned_url("nowhere", "no").url).status == 404


def test_an_injected_fault_reaches_http_too(platform: LCPlatform) -> None:
    url = platform.object_store.generate_presigned_url("inbox", "q1").url
    platform.control.inject_fault(
        "object_store",
        "get_object",
        error=ErrorCode.SERVICE_UNAVAILABLE,
        retry_after=timedelta(seconds=1.5),
    )
    answer = ask("GET", url)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")


def test_the_url_of_one_platform_is_nothing_to_another(objects: ObjectStore) -> None:
    objects.put_object("inbox", "q1", b"hello")
    url = objects.generate_presigned_url("inbox", "q1").url
    with LCPlatform("mock", clock=ManualClock()) as other:
        other.object_store.create_bucket("inbox")
        other.object_store.put_object("inbox", "q1", b"hello")
        port = urlsplit(other.object_store.generate_presigned_url("inbox", "q1").url).netloc
        assert ask("GET", url.replace(urlsplit(url).netloc, port)).status == 403


def test_closing_the_platform_closes_the_listener() -> None:
    before = threading.active_count()
    with LCPlatform("mock") as platform:
        platform.object_store.create_bucket("inbox")
        assert threading.active_count() == before
        url = urlsplit(platform.object_store.generate_presigned_url("inbox", "q1").url)
        assert threading.active_count() > before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", url.port or 0), timeout=10)


def test_the_url_is_never_shown(objects: ObjectStore) -> None:
    signed = objects.generate_presigned_url("inbox", "q1")
    assert urlsplit(signed.url).query not in repr(signed)

"""A stand-in for AWS that answers at once: canned answers over plain sockets, a thread a connection.

It knows the requests that the benchmarks make and checks nothing. It runs in a process of its own, so that what it costs is
nobody's CPU. An object's size is its key: `/bucket/1024` holds 1,024 bytes. Bodies that come are thrown away.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Final

from benchmarks.aws_answers import BY_PATH, BY_SCOPE, BY_TARGET, NEXT_POLL, written
from benchmarks.child import Child, Served

_SCRATCH: Final = 1024 * 1024
_ZEROS: Final = memoryview(bytes(_SCRATCH))
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RANGE: Final = re.compile(rb"\r\nrange: *bytes=(\d+)-(\d*)", re.IGNORECASE)
_TARGET: Final = re.compile(rb"\r\nx-amz-target: *([\w.]+)", re.IGNORECASE)
_SCOPE: Final = re.compile(rb"/([a-z0-9-]+)/aws4_request")
_EXPECT: Final = re.compile(rb"\r\nexpect: *100-continue", re.IGNORECASE)
_COMMON: Final = (
    b"x-amzn-RequestId: 6f1c2d3e-1b2a-4c3d-8e9f-0a1b2c3d4e5f\r\n"
    b"x-amz-request-id: 4442587FB7D0A2F9\r\n"
    b"Date: Wed, 12 Nov 2025 10:00:00 GMT\r\n"
    b"Server: stub\r\n"
)
_OBJECT: Final = (
    b'ETag: "9bb58f26192e4ba00f01e2e7b136bbd8"\r\n'
    b"Last-Modified: Wed, 12 Nov 2025 09:00:00 GMT\r\n"
    b"Accept-Ranges: bytes\r\n"
)
_BEGUN: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?><InitiateMultipartUploadResult><Bucket>bucket</Bucket>'
    b"<Key>key</Key><UploadId>upload</UploadId></InitiateMultipartUploadResult>"
)
_COMPLETED: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUploadResult><Bucket>bucket</Bucket>'
    b"<Key>key</Key><ETag>&quot;9bb58f26192e4ba00f01e2e7b136bbd8-32&quot;</ETag></CompleteMultipartUploadResult>"
)
_MESSAGE: Final = {
    "MessageId": "5fea7756-0ea4-451a-a703-a558b933e274",
    "ReceiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" * 6,
    "MD5OfBody": "fafb00f5732ab283681e124bf8747ed1",
    "Body": "x" * 200,
    "Attributes": {"SentTimestamp": "1762941600000", "ApproximateReceiveCount": "1"},
}
_ANSWERS: Final = {
    **BY_TARGET,
    "AmazonSQS.GetQueueUrl": {"QueueUrl": "http://127.0.0.1/000000000000/queue"},
    "AmazonSQS.SendMessage": {
        "MessageId": "5fea7756-0ea4-451a-a703-a558b933e274",
        "MD5OfMessageBody": "fafb00f5732ab283681e124bf8747ed1",
    },
    "AmazonSQS.ReceiveMessage": {"Messages": [_MESSAGE]},
    "AmazonSQS.DeleteMessage": {},
    "secretsmanager.GetSecretValue": {
        "ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:secret-AbCdEf",
        "Name": "secret",
        "VersionId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
        "SecretString": "s" * 200,
        "VersionStages": ["AWSCURRENT"],
        "CreatedDate": 1762941600.123,
    },
}


def stub() -> Child:
    """A running stub. Its endpoint is `ready`."""
    return Child("benchmarks.aws_stub:serve")


def serve() -> Served:
    """Listens on a free port of loopback. Tells its endpoint."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    return Served(lambda: None, f"http://127.0.0.1:{listener.getsockname()[1]}")


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_converse, args=(connection,), daemon=True).start()


def _converse(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    scratch = memoryview(bytearray(_SCRATCH))
    with closing(connection), suppress(ConnectionError):
        received = b""
        while True:
            while (end := received.find(b"\r\n\r\n")) < 0:
                more = connection.recv(65536)
                if not more:
                    return
                received += more
            head, received = received[: end + 2], received[end + 4 :]
            if _EXPECT.search(head):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            found = _LENGTH.search(head)
            left = int(found[1]) if found else 0
            received, left = received[left:], left - min(left, len(received))
            while left:
                count = connection.recv_into(scratch, min(left, _SCRATCH))
                if not count:
                    return
                left -= count
            for part in _answer(head):
                connection.sendall(part)


def _answer(head: bytes) -> Iterator[bytes | memoryview]:
    target = _TARGET.search(head)
    if target:
        yield _CANNED[target[1]]
        return
    method, path = head.split(b" ", 2)[:2]
    found = _SCOPE.search(head)
    if found and found[1] != b"s3":
        yield _SCOPED.get(found[1]) or _PATHS[path.partition(b"?")[0]]
    elif method == b"GET" or method == b"HEAD":
        yield from _object(method, path, head)
    elif method == b"POST" and path.endswith(b"?uploads"):
        yield _framed(_BEGUN, b"application/xml")
    elif method == b"POST":
        yield _framed(_COMPLETED, b"application/xml")
    else:
        yield _STORED


def _object(method: bytes, path: bytes, head: bytes) -> Iterator[bytes | memoryview]:
    size = int(path.partition(b"?")[0].rpartition(b"/")[2])
    wanted = _RANGE.search(head)
    first, last = (int(wanted[1]), int(wanted[2] or size - 1)) if wanted else (0, size - 1)
    left = last - first + 1
    yield (
        b"HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n%s%s%s\r\n"
        % (
            b"206 Partial Content" if wanted else b"200 OK",
            left,
            b"Content-Range: bytes %d-%d/%d\r\n" % (first, last, size) if wanted else b"",
            _OBJECT,
            _COMMON,
        )
    )
    while method == b"GET" and left:
        part = _ZEROS[: min(left, _SCRATCH)]
        yield part
        left -= len(part)


def _framed(body: bytes, kind: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s%s\r\n%s" % (
        kind,
        len(body),
        more,
        _COMMON,
        body,
    )


_STORED: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s%s\r\n" % (_OBJECT, _COMMON)
_CANNED: Final = {
    target.encode(): _framed(written(answer), b"application/x-amz-json-1.0")
    for target, answer in _ANSWERS.items()
}
_SCOPED: Final = {
    scope.encode(): _framed(answer, b"text/xml") for scope, answer in BY_SCOPE.items()
}
_PATHS: Final = {
    path.encode(): _framed(
        written(answer), b"application/json", NEXT_POLL if path == "/configuration" else b""
    )
    for path, answer in BY_PATH.items()
}

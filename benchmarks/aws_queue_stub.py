"""A stand-in for SQS that answers at once, entry by entry: what batches are benchmarked against.

It reads what is asked, in a process of its own, and keeps nothing. A receive always finds as many messages as were asked for,
until the queue named `empty` is asked, which has none.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Any, Final

from benchmarks.child import Child, Served

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TARGET: Final = re.compile(rb"\r\nx-amz-target: *AmazonSQS\.(\w+)", re.IGNORECASE)
_NAME: Final = "5fea7756-0ea4-451a-a703-a558b933e274"
_DIGEST: Final = "fafb00f5732ab283681e124bf8747ed1"
_HANDLE: Final = "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" * 6
_ATTRIBUTES: Final = {
    "QueueArn": "arn:aws:sqs:us-east-1:000000000000:queue",
    "VisibilityTimeout": "30",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "ApproximateNumberOfMessages": "0",
    "ApproximateNumberOfMessagesNotVisible": "0",
    "ApproximateNumberOfMessagesDelayed": "0",
}


def stub() -> Child:
    """A running stub. Its endpoint is `ready`."""
    return Child("benchmarks.aws_queue_stub:serve")


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
    with closing(connection), suppress(ConnectionError), connection.makefile("rb") as reader:
        while line := reader.readline():
            head = line
            while (line := reader.readline()) != b"\r\n":
                head += line
            length, target = _LENGTH.search(b"\r\n" + head), _TARGET.search(b"\r\n" + head)
            asked = json.loads(reader.read(int(length[1]) if length else 0))
            answer = _ANSWERS[target[1].decode() if target else ""](asked)
            connection.sendall(_framed(json.dumps(answer).encode()))


def _framed(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n"
        b"x-amzn-RequestId: 6f1c2d3e-1b2a-4c3d-8e9f-0a1b2c3d4e5f\r\n"
        b"Date: Wed, 12 Nov 2025 10:00:00 GMT\r\nServer: stub\r\n\r\n%s" % (len(body), body)
    )


def _received(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    message = {
        "MD5OfBody": _DIGEST,
        "Body": "x" * 200,
        "Attributes": {"SentTimestamp": "1762941600000", "ApproximateReceiveCount": "1"},
    }
    return {
        "Messages": [
            {**message, "MessageId": f"{_NAME}{number}", "ReceiptHandle": f"{_HANDLE}{number}"}
            for number in range(asked["MaxNumberOfMessages"])
        ]
    }


def _each(more: Mapping[str, str]) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    def answer(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"Successful": [{"Id": it["Id"], **more} for it in asked["Entries"]]}

    return answer


_SENT: Final = {"MessageId": _NAME, "MD5OfMessageBody": _DIGEST}
_ANSWERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]] = {
    "GetQueueUrl": lambda _: {"QueueUrl": "http://127.0.0.1/000000000000/queue"},
    "GetQueueAttributes": lambda _: {"Attributes": _ATTRIBUTES},
    "SendMessage": lambda _: _SENT,
    "SendMessageBatch": _each(_SENT),
    "ReceiveMessage": _received,
    "DeleteMessageBatch": _each({}),
    "ChangeMessageVisibilityBatch": _each({}),
}

"""Calls as a client in another language makes them: bytes, and what gRPC itself says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from lcplatform_runtime.operation import Operation
    from lcplatform_server.server import Server


@contextmanager
def channel(server: Server) -> Iterator[grpc.Channel]:
    """A connection of its own."""
    with grpc.insecure_channel(server.endpoint) as opened:
        yield opened


def raw_call(
    server: Server, operation: Operation, request: Message, metadata: Any = (), timeout: float = 20
) -> bytes:
    """One call with one answer. Raises grpc.RpcError."""
    with channel(server) as opened:
        call: Any = opened.unary_unary(operation.rpc)
        answer: bytes = call(request.SerializeToString(), timeout=timeout, metadata=metadata)
        return answer


def raw_upload(server: Server, operation: Operation, messages: Iterable[Message]) -> bytes:
    """One upload, of these messages whatever they are. Raises grpc.RpcError."""
    with channel(server) as opened:
        call: Any = opened.stream_unary(operation.rpc)
        answer: bytes = call((it.SerializeToString() for it in messages), timeout=20)
        return answer

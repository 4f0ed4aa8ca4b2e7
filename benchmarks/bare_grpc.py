"""Servers with nothing in them but grpcio, protobuf and what the comparison needs: the peers of the gRPC benchmarks.

They have what `lcplatform serve` has: the server class, the number of threads, the size of messages, and its settings of the
garbage collector.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc

from benchmarks.child import Served
from lcplatform.object_store.v1.object_store_pb2 import (
    GetObjectHeader,
    GetObjectRequest,
    GetObjectResponse,
    HeadObjectRequest,
    PutObjectRequest,
    PutObjectResponse,
)
from lcplatform_runtime.streams import CHUNK
from lcplatform_server.settings import ServerSettings

SERVICE: Final = "benchmarks.Bare"
_CHUNK: Final = bytes(CHUNK)


def serve() -> Served:
    """Listens on a free port of loopback. Tells its endpoint."""
    settings = ServerSettings()
    server = grpc.server(
        ThreadPoolExecutor(settings.threads),
        options=[
            ("grpc.max_receive_message_length", settings.max_message_bytes),
            ("grpc.max_send_message_length", settings.max_message_bytes),
            ("grpc.so_reuseport", 0),
        ],
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, _handlers())])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    return Served(lambda: server is None, f"127.0.0.1:{port}")


def _handlers() -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    return {
        "Echo": grpc.unary_unary_rpc_method_handler(
            _echo, HeadObjectRequest.FromString, _written(HeadObjectRequest)
        ),
        "Up": grpc.stream_unary_rpc_method_handler(
            _up, PutObjectRequest.FromString, _written(PutObjectResponse)
        ),
        "Down": grpc.unary_stream_rpc_method_handler(
            _down, GetObjectRequest.FromString, _written(GetObjectResponse)
        ),
    }


def _written(message: Any) -> Callable[[Any], bytes]:
    write: Callable[[Any], bytes] = message.SerializeToString
    return write


def _echo(request: HeadObjectRequest, _: grpc.ServicerContext) -> HeadObjectRequest:
    return request


def _up(requests: Iterator[PutObjectRequest], _: grpc.ServicerContext) -> PutObjectResponse:
    return PutObjectResponse(etag="none", size=sum(len(it.chunk) for it in requests))


def _down(request: GetObjectRequest, context: grpc.ServicerContext) -> Iterator[GetObjectResponse]:
    size = int(request.key)
    yield GetObjectResponse(header=GetObjectHeader(size=size))
    for _ in range(0, size, CHUNK):
        yield GetObjectResponse(chunk=_CHUNK)

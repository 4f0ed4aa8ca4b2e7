"""Short calls to a server: ours with the mock behind it, over a bare grpcio echo.

64 callers at once, one message of 200 bytes each way. Ours is `lcplatform serve` with head_object on an object that exists:
conversion, checks, pipeline and mock included. The peer gives back the request that it got. Both have 64 threads, one core, and
the same load: HTTP/2 frames from one process on the other core (`http2_load`), which takes a few microseconds a call.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.child import Child
from benchmarks.platform_server import PlatformServer
from benchmarks.turns import take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from google.protobuf.message import Message

_CALLERS: Final = 64
_CALLS: Final = 3000
_SERVERS, _LOAD = 0, 1
_HEAD: Final = "/lcplatform.object_store.v1.ObjectStoreService/HeadObject"
_BUCKET: Final = "bucket"
_KEY: Final = "k" * 189  # with the bucket's name and the tags of the fields: 200 bytes


def _measure(effort: Effort) -> Samples:
    import grpc

    from benchmarks.bare_grpc import SERVICE
    from lcplatform import LCPlatform
    from lcplatform.object_store.v1.object_store_pb2 import HeadObjectRequest

    request = HeadObjectRequest(bucket=_BUCKET, key=_KEY)
    assert request.ByteSize() == 200
    with (
        PlatformServer("mock", core=_SERVERS) as ours,
        Child("benchmarks.bare_grpc:serve", core=_SERVERS) as bare,
        Child("benchmarks.http2_load:serve", core=_LOAD) as load,
    ):
        with LCPlatform("grpc", endpoint=ours.endpoint) as platform:
            platform.object_store.create_bucket(_BUCKET)
            platform.object_store.put_object(_BUCKET, _KEY, b"body", metadata={"note": "n" * 127})

        def side(endpoint: str, path: str) -> list[object]:
            with grpc.insecure_channel(endpoint) as channel:
                call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
                answer = call(request.SerializeToString())
            assert 190 <= len(answer) <= 210, len(answer)
            return [endpoint, path, _text(request), b64encode(answer).decode(), _CALLERS, _CALLS]

        sides = side(ours.endpoint, _HEAD), side(bare.ready, f"/{SERVICE}/Echo")
        return take_turns(
            lambda: load.ask(*sides[0]), lambda: load.ask(*sides[1]), effort.rounds(80)
        )


def _text(message: Message) -> str:
    return b64encode(message.SerializeToString()).decode()


BENCHMARKS: Final = (
    Benchmark(
        name="grpc_unary",
        bar=Bar(0.85, at_least=True),
        compared="head_object of the served mock over a bare grpcio echo: 64 callers, 64 threads, 200 bytes",
        unit="calls/s",
        measure=_measure,
    ),
)

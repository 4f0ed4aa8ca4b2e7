"""Objects streamed to and from a server: ours with the mock behind it, over bare grpcio streaming.

64 MiB in chunks of 256 KiB, one transfer at a time. Ours is `lcplatform serve` and its Python client, with checksum, trailer and
the mock's store. The peer's messages are the same, and nothing else happens to them: its server throws away what comes, and
gives out the same chunk again and again. Each server has one core, both clients are in one process on the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.child import Child, Served
from benchmarks.platform_server import PlatformServer
from benchmarks.turns import take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from lcplatform.object_store.v1.object_store_pb2 import PutObjectRequest

_SIZE: Final = 64 * 1024 * 1024
_TIMES: Final = 3
_SERVERS, _CLIENTS = 0, 1


def clients(endpoint: str, bare: str) -> Served:
    """Answers `ask(side, direction)` with MB a second."""
    sides = {
        **{("ours", name): it for name, it in _ours(endpoint).items()},
        **{("peer", name): it for name, it in _peer(bare).items()},
    }

    def speed(side: str, direction: str) -> float:
        transfer = sides[side, direction]
        started = time.perf_counter()
        for _ in range(_TIMES):
            assert transfer() == _SIZE
        return _SIZE * _TIMES / 1e6 / (time.perf_counter() - started)

    return Served(speed)


def _ours(endpoint: str) -> dict[str, Callable[[], int]]:
    from lcplatform import LCPlatform
    from lcplatform_runtime.streams import CHUNK

    store = LCPlatform("grpc", endpoint=endpoint).object_store
    store.create_bucket("bucket")
    chunk = bytes(CHUNK)

    def up() -> int:
        body = (chunk for _ in range(0, _SIZE, CHUNK))
        return store.put_object("bucket", "key", body).size

    def down() -> int:
        return sum(map(len, store.get_object("bucket", "key")))

    up()
    return {"up": up, "down": down}


def _peer(endpoint: str) -> dict[str, Callable[[], int]]:
    import grpc

    from benchmarks.bare_grpc import SERVICE
    from lcplatform.object_store.v1.object_store_pb2 import (
        GetObjectRequest,
        GetObjectResponse,
        PutObjectHeader,
        PutObjectRequest,
        PutObjectResponse,
        PutObjectTrailer,
    )
    from lcplatform_grpc.options import MAX_MESSAGE_BYTES
    from lcplatform_runtime.streams import CHUNK

    channel = grpc.insecure_channel(
        endpoint,
        [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ],
    )
    send = channel.stream_unary(
        f"/{SERVICE}/Up", PutObjectRequest.SerializeToString, PutObjectResponse.FromString
    )
    receive = channel.unary_stream(
        f"/{SERVICE}/Down", GetObjectRequest.SerializeToString, GetObjectResponse.FromString
    )
    chunk = bytes(CHUNK)

    def parts() -> Iterator[PutObjectRequest]:
        yield PutObjectRequest(header=PutObjectHeader(bucket="bucket", key="key"))
        for _ in range(0, _SIZE, CHUNK):
            yield PutObjectRequest(chunk=chunk)
        yield PutObjectRequest(trailer=PutObjectTrailer(size=_SIZE, crc32c=0))

    def up() -> int:
        return int(send(parts()).size)

    def down() -> int:
        return sum(
            len(it.chunk) for it in receive(GetObjectRequest(bucket="bucket", key=str(_SIZE)))
        )

    return {"up": up, "down": down}


def _streamed(direction: str) -> Callable[[Effort], Samples]:
    def measure(effort: Effort) -> Samples:
        with ExitStack() as processes:
            ours = processes.enter_context(PlatformServer("mock", core=_SERVERS))
            bare = processes.enter_context(Child("benchmarks.bare_grpc:serve", core=_SERVERS))
            both = processes.enter_context(
                Child("benchmarks.grpc_stream:clients", ours.endpoint, bare.ready, core=_CLIENTS)
            )
            return take_turns(
                lambda: both.ask("ours", direction),
                lambda: both.ask("peer", direction),
                effort.rounds(40),
            )

    return measure


BENCHMARKS: Final = tuple(
    Benchmark(
        name=f"grpc_stream_{direction}",
        bar=Bar(0.9, at_least=True),
        compared=f"{called} of 64 MiB over bare grpcio streaming, chunks of 256 KiB",
        unit="MB/s",
        measure=_streamed(direction),
    )
    for direction, called in (("up", "put_object"), ("down", "get_object"))
)

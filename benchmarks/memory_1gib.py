"""The memory that an object of 1 GiB takes on its way up and down: in-process to S3, and through a server.

S3 is the stub, so the object is nowhere but on its way. It comes from an iterator of unknown size, which is the hardest case
(it goes up in parts), and is read chunk by chunk. What counts is the peak above what the process has after small transfers, in
each process; the peer is 1 MiB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from benchmarks.aws_sides import options
from benchmarks.aws_stub import stub
from benchmarks.benchmark import Benchmark, Effort
from benchmarks.child import Child, Served
from benchmarks.memory import Growth
from benchmarks.platform_server import PlatformServer
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from lcplatform.object_store.client import ObjectStore

_MIB: Final = 1024 * 1024
_GIB: Final = 1024 * _MIB
_SMALL: Final = 1024


def client(provider: str, given: dict[str, Any]) -> Served:
    """Warms up at once; `ask` moves the object up and down and answers by how many MiB the process has grown."""
    from lcplatform import LCPlatform

    store = LCPlatform(provider, **given).object_store
    for _ in range(3):
        _both_ways(store, _SMALL)
    growth = Growth()

    def large() -> float:
        _both_ways(store, _GIB)
        return growth.mib()

    return Served(large)


def _both_ways(store: ObjectStore, size: int) -> None:
    assert store.put_object("bucket", str(size), _body(size)).size == size
    assert sum(map(len, store.get_object("bucket", str(size)))) == size


def _body(size: int) -> Iterator[bytes]:
    chunk = bytearray(min(size, 256 * 1024))
    return (bytes(chunk) for _ in range(0, size, len(chunk)))  # each takes memory of its own


@cache
def _in_process() -> float:
    with stub() as aws, Child("benchmarks.memory_1gib:client", "aws", options(aws.ready)) as ours:
        return float(ours.ask())


@cache
def _through_server() -> tuple[float, float]:
    """The growth of client and server."""
    with (
        stub() as aws,
        PlatformServer("aws", options(aws.ready)) as server,
        Child("benchmarks.memory_1gib:client", "grpc", {"endpoint": server.endpoint}) as ours,
    ):
        growth = Growth(server.pid)
        return float(ours.ask()), growth.mib()


def _once(figure: Callable[[], float]) -> Callable[[Effort], Samples]:
    return lambda effort: Samples((figure(),), (1.0,))


BENCHMARKS: Final = tuple(
    Benchmark(
        name=f"memory_1gib_{name}",
        bar=Bar(64),
        compared=f"1 GiB up and down {called}: peak memory above idle, over 1 MiB",
        unit="MiB",
        measure=_once(figure),
    )
    for name, called, figure in (
        ("s3", "to S3 in-process", _in_process),
        ("grpc_client", "through gRPC, in the client", lambda: _through_server()[0]),
        ("grpc_server", "through gRPC, in the server", lambda: _through_server()[1]),
    )
)

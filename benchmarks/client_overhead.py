"""What client and pipeline add to a call, counted in bare Python method calls.

A mock get of 1 KiB, body included, through the client, minus the same get by the driver's own method; over a method call that
does nothing. The three are looped over alike. The driver gets a request that was built before; the client builds and checks
one for every call, as applications have it.
"""

from __future__ import annotations

from typing import Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

_CALLS: Final = 1000
_BARE_CALLS: Final = 50_000


class _Bare:
    def method(self, request: object) -> object:
        return request


def _measure(effort: Effort) -> Samples:
    from lcplatform import LCPlatform
    from lcplatform.object_store.driver import ObjectStoreDriver
    from lcplatform.object_store.models import GetObjectRequest

    with LCPlatform("mock") as platform:
        store = platform.object_store
        store.create_bucket("bucket")
        store.put_object("bucket", "key", bytes(1024))
        driver = platform._foundation.drivers("object_store").object_store()
        assert isinstance(driver, ObjectStoreDriver)
        request = GetObjectRequest(bucket="bucket", key="key")
        bare = _Bare()
        assert store.get_object("bucket", "key").read() == bytes(1024)
        assert b"".join(driver.get_object(request)) == bytes(1024)

        through_client = cpu_of(lambda: store.get_object("bucket", "key").read(), _CALLS)
        by_driver = cpu_of(lambda: b"".join(driver.get_object(request)), _CALLS)
        bare_call = cpu_of(lambda: bare.method(request), _BARE_CALLS)
        nothing = cpu_of(lambda: None, _BARE_CALLS)
        return take_turns(
            lambda: (through_client() - by_driver()) * 1e6,
            lambda: (bare_call() - nothing()) * 1e6,
            effort.rounds(60),
        )


BENCHMARKS: Final = (
    Benchmark(
        name="client_overhead",
        bar=Bar(200),
        compared="a mock get of 1 KiB through client and pipeline minus the driver's method, over a bare method call",
        unit="µs",
        measure=_measure,
    ),
)

"""Documents of the mock over mongomock in the same process: both keep them in memory and check what they are given.

Reads go through the client. An insert is measured twice: what the store itself does with it (`document_insert`), and a whole
call, in which the document becomes JSON first and the pipeline of every service is passed (`document_call`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from statistics import mean
from typing import TYPE_CHECKING, Any, Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from lcplatform.document_store.client import DocumentStore

_MANY: Final = 100_000
_SCANNED: Final = 10_000
_INSERTS: Final = 1_000
_FRESH: Final = 50
_READS: Final = 1_000
_BATCH: Final = 1_000
_FOUND: Final = 100


def _document(number: int) -> dict[str, Any]:
    return {
        "_id": str(number),
        "name": f"n{number % 100}",
        "age": number % 1000,
        "city": "x",
        "score": number * 0.5,
        "tags": ["a", "b"],
    }


@contextmanager
def _both() -> Iterator[tuple[DocumentStore, Any]]:  # mongomock has no types
    """An empty collection `things` on both sides."""
    import mongomock

    from lcplatform import LCPlatform

    with LCPlatform("mock") as platform:
        platform.document_store.create_collection("things")
        yield platform.document_store, mongomock.MongoClient().db.things


@contextmanager
def _filled(size: int) -> Iterator[tuple[DocumentStore, Any]]:
    with _both() as (ours, peer):
        for start in range(0, size, _BATCH):
            documents = [_document(number) for number in range(start, start + _BATCH)]
            ours.insert_documents("things", documents)
            peer.insert_many(documents)
        yield ours, peer


def _turns(
    ours: Callable[[], object], peer: Callable[[], object], calls: tuple[int, int], rounds: int
) -> Samples:
    our_cpu, peer_cpu = cpu_of(ours, calls[0]), cpu_of(peer, calls[1])
    return take_turns(lambda: our_cpu() * 1e6, lambda: peer_cpu() * 1e6, rounds)


def _inserts(effort: Effort) -> Samples:
    from lcplatform.document_store.models import CreateCollectionRequest, InsertDocumentRequest
    from lcplatform_mock.services import Services
    from lcplatform_mock.settings import MockSettings
    from lcplatform_mock.world import World
    from lcplatform_runtime.json_value import Json
    from lcplatform_runtime.model import build

    services = Services(World(build(MockSettings)))
    store = services.document_store()
    store.create_collection(CreateCollectionRequest(name="things"))
    numbers = count()

    def few() -> float:
        # Requests are made outside of the time that counts, and few at once: to a store they come fresh from the client.
        requests = [
            InsertDocumentRequest(collection="things", document=Json(_document(next(numbers))))
            for _ in range(_FRESH)
        ]
        return cpu_of(map(store.insert_document, requests).__next__, _FRESH)()

    def ours() -> float:
        return mean(few() for _ in range(_INSERTS // _FRESH)) * 1e6

    with _both() as (_, things):
        peer_numbers = count()
        peer = cpu_of(lambda: things.insert_one(_document(next(peer_numbers))), _INSERTS)
        return take_turns(ours, lambda: peer() * 1e6, effort.rounds(30))


def _calls(effort: Effort) -> Samples:
    with _both() as (store, things):
        our_numbers, peer_numbers = count(), count()
        return _turns(
            lambda: store.insert_document("things", _document(next(our_numbers))),
            lambda: things.insert_one(_document(next(peer_numbers))),
            (_INSERTS, _INSERTS),
            effort.rounds(20),
        )


def _by_identity(effort: Effort) -> Samples:
    with _filled(_MANY) as (store, things):

        def ours() -> None:
            assert store.get_document("things", "77777").document.content.plain["city"] == "x"

        def peer() -> None:
            assert things.find_one({"_id": "77777"})["city"] == "x"

        return _turns(ours, peer, (_READS, 1), effort.rounds(8))


def _equal(effort: Effort, *, indexed: bool) -> Samples:
    from lcplatform.document_store.models import FieldOrder

    with _filled(_SCANNED) as (store, things):
        if indexed:
            store.create_index("things", fields=[FieldOrder(field="name")])
            things.create_index("name")

        def ours() -> None:
            assert len(store.find_documents("things", filter={"name": "n7"}).documents) == _FOUND

        def peer() -> None:
            assert len(list(things.find({"name": "n7"}))) == _FOUND

        return _turns(ours, peer, (200 if indexed else 20, 1), effort.rounds(12))


BENCHMARKS: Final = (
    Benchmark(
        name="document_insert",
        bar=Bar(1 / 3),
        compared="an insert: the mock's store over mongomock",
        unit="CPU µs",
        measure=_inserts,
    ),
    Benchmark(
        name="document_call",
        bar=Bar(1.5),
        compared="an insert: a whole call of the mock's client over mongomock",
        unit="CPU µs",
        measure=_calls,
    ),
    Benchmark(
        name="document_by_id",
        bar=Bar(1 / 1000),
        compared="one of 100,000 documents by its identity: the mock's client over mongomock",
        unit="CPU µs",
        measure=_by_identity,
    ),
    Benchmark(
        name="document_scan",
        bar=Bar(1 / 10),
        compared="100 of 10,000 documents by a field, no index: the mock's client over mongomock",
        unit="CPU µs",
        measure=lambda effort: _equal(effort, indexed=False),
    ),
    Benchmark(
        name="document_indexed",
        bar=Bar(1 / 200),
        compared="100 of 10,000 documents by a field, with an index: the mock's client over mongomock",
        unit="CPU µs",
        measure=lambda effort: _equal(effort, indexed=True),
    ),
)

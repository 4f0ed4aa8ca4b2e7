"""Documents of the AWS provider over the same calls of pymongo, in CPU time of the client's process.

Both sides ask the same server, which runs as a process of its own, over warm connections, and both look at a field of the document
that they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from benchmarks.aws_sides import uncached
from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from lcplatform.document_store.client import DocumentStore

_CALLS: Final = 100
_ROUNDS: Final = 60
_NAME: Final = "things"
_DOCUMENT: Final = {
    "_id": "1",
    "name": "n1",
    "age": 3,
    "city": "x",
    "score": 0.5,
    "tags": ["a", "b"],
}


@contextmanager
def _both() -> Iterator[tuple[DocumentStore, Collection[dict[str, Any]]]]:
    """The same collection of one document, seen by us and by pymongo as an application makes it."""
    from pymongo import MongoClient

    from lcplatform import LCPlatform
    from tests.emulators import start_secantusdb

    with start_secantusdb() as server:
        address = urlsplit(server.url)
        store = {
            "host": address.hostname,
            "port": address.port,
            "authentication": "none",
            "tls": False,
            "replica_set": None,
        }
        with (
            LCPlatform("aws", settings=uncached(), document_store=store) as platform,
            MongoClient[dict[str, Any]](server.url, retryWrites=False) as client,
        ):
            platform.document_store.create_collection(_NAME)
            platform.document_store.insert_document(_NAME, _DOCUMENT)
            yield platform.document_store, client["lcplatform"][_NAME]


def _measured(
    ours: Callable[[DocumentStore], object],
    theirs: Callable[[Collection[dict[str, Any]]], object],
) -> Callable[[Effort], Samples]:
    def measure(effort: Effort) -> Samples:
        with _both() as (store, things):
            our_cpu = cpu_of(lambda: ours(store), _CALLS)
            their_cpu = cpu_of(lambda: theirs(things), _CALLS)
            return take_turns(
                lambda: our_cpu() * 1e6, lambda: their_cpu() * 1e6, effort.rounds(_ROUNDS)
            )

    return measure


def _find_one(store: DocumentStore) -> None:
    found = store.find_one(_NAME, filter={"_id": "1"})
    assert found is not None
    assert found.content.plain["city"] == "x"


def _their_find_one(things: Collection[dict[str, Any]]) -> None:
    found = things.find_one({"_id": "1"})
    assert found is not None
    assert found["city"] == "x"


BENCHMARKS: Final = (
    Benchmark(
        name="document_find_one",
        bar=Bar(1.15),
        compared="find_one by identity: our client on the AWS provider over pymongo",
        unit="CPU µs",
        measure=_measured(_find_one, _their_find_one),
    ),
)

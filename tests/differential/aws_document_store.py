"""Documents of the mock beside those of the AWS provider, both asked through the platform: what an application may rely on when it
moves from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from pymongo import MongoClient
from typing_extensions import override

from lcplatform import LCPlatform
from lcplatform.document_store.client import DocumentStore
from tests.differential.cases import Case, Raw
from tests.differential.comparison import Differential, Tally
from tests.differential.document_store import Sides, Theirs, answered, compared
from tests.differential.secantusdb import KNOWN
from tests.emulators import start_secantusdb


class _Providers(Sides):
    """The same documents on the mock and on the AWS provider. They get there past the provider, which is asked alone."""

    def __init__(self, ours: DocumentStore, theirs: Theirs, aws: DocumentStore) -> None:
        super().__init__(ours, theirs)
        self._aws = aws

    @override
    def _their(self, case: Case) -> Raw:
        return answered(self._aws, case)


@contextmanager
def _sides() -> Iterator[Sides]:
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
            MongoClient[dict[str, Any]](server.url) as client,
            LCPlatform("mock") as mock,
            LCPlatform("aws", document_store=store) as aws,
        ):
            yield _Providers(
                mock.document_store, client["lcplatform"]["things"], aws.document_store
            )


def compare(cases: int, seed: int) -> Tally:
    """Compares that many cases."""
    return compared(_sides(), cases, seed)


DIFFERENTIAL: Final = Differential("aws on secantusdb", compare, KNOWN)

"""Statements on the mock's SQLite beside the AWS provider on PostgreSQL: the same columns, values and errors, as `data_store` has
it of the mock's own PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from typing_extensions import override

from lcplatform import LCPlatform
from tests.differential.comparison import Differential, Tally
from tests.differential.data_store import KNOWN, Comparison, Mock, Side, compared
from tests.postgresql import HOST, USER, PostgreSQL

_PORTION: Final = 100


class _Aws(Side):
    """The AWS provider, and the server that it asks."""

    def __init__(self, platform: LCPlatform, server: PostgreSQL) -> None:
        super().__init__(platform)
        self._server = server

    @override
    def empty(self) -> None:
        self._server.run("drop schema public cascade")
        self._server.run("create schema public")


@contextmanager
def _sides() -> Iterator[Comparison]:
    with (
        PostgreSQL() as server,
        LCPlatform("mock") as mock,
        LCPlatform(
            "aws",
            region="us-east-1",
            access_key_id="testing",
            secret_access_key="testing",
            data_store={
                "host": HOST,
                "port": server.port,
                "database": USER,
                "user": USER,
                "tls": "disable",
            },
        ) as aws,
    ):
        yield Comparison(Mock(mock), _Aws(aws, server))


def compare(cases: int, seed: int) -> Tally:
    """The whole corpus, and generated statements until there are enough cases."""
    # What the two databases make of the corpus is shown by `data_store` in every run of the tests.
    return compared(_sides(), cases, seed, corpus=cases > _PORTION)


DIFFERENTIAL: Final = Differential("aws on PostgreSQL", compare, KNOWN, portion=_PORTION)

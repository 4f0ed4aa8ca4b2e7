"""Every benchmark there is, in the order in which they are run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Final

from benchmarks.benchmark import Benchmark

_MODULES: Final = (
    "client_overhead",
    "converters",
    "cached_secret",
    "verified_token",
    "notification_delivery",
    "aws_small_calls",
    "aws_service_calls",
    "aws_clients",
    "aws_queue_gathering",
    "aws_queue_consumer",
    "aws_data_store",
    "s3_transfer",
    "grpc_unary",
    "grpc_stream",
    "mock_in_memory",
    "data_store",
    "event_patterns",
    "document_store",
    "aws_document_store",
    "event_publishing",
    "deployment",
    "job_submission",
    "memory_1gib",
    "import_cpu",
    "generate_cold",
)


def every() -> Iterator[Benchmark]:
    """All of them. What a benchmark needs is imported when it runs."""
    for name in _MODULES:
        yield from import_module(f"benchmarks.{name}").BENCHMARKS


def chosen(names: Iterable[str], among: Iterable[Benchmark]) -> list[Benchmark]:
    """The benchmarks of that name; where there is none, those whose names begin with it. All, if none is named.

    Raises:
        KeyError: a name fits none. It is the argument.
    """
    known = list(among)
    found: list[Benchmark] = []
    for name in names:
        fitting = [it for it in known if it.name == name] or [
            it for it in known if it.name.startswith(name)
        ]
        if not fitting:
            raise KeyError(name)
        found += fitting
    return [it for it in known if it in found] if found else known

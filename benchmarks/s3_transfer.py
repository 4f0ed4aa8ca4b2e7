"""Objects of 256 MiB to and from S3: our client over s3transfer, which is behind boto3's upload_file and download_fileobj.

Each side has a process of its own that lasts for the whole run, and the same stub. Both send the same file, and both write what
they receive to an open file that forgets it: what a disk costs is neither's. s3transfer is as boto3 sets it up: parts of 8 MiB,
ten threads; neither side sends a checksum, which would cost s3transfer half as much again. CPU is that of the client's process, per MB. Memory is the peak above what the process had before its first large
transfer, once it has made small ones; ours may grow by 16 MiB, whatever the peer takes.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.aws_sides import Boto3, options
from benchmarks.aws_stub import stub
from benchmarks.benchmark import Benchmark, Effort
from benchmarks.child import Child, Served
from benchmarks.memory import Growth
from benchmarks.turns import take_turns
from benchmarks.verdict import Bar, Samples

_SIZE: Final = 256 * 1024 * 1024
_SMALL: Final = 64 * 1024


def ours(direction: str, endpoint: str, file: str) -> Served:
    """Transfers by our client."""
    from lcplatform import LCPlatform

    store = LCPlatform("aws", **options(endpoint)).object_store

    def upload(size: int) -> object:
        return store.put_object("bucket", str(size), Path(f"{file}{size}"))

    def download(size: int) -> object:
        with Path(os.devnull).open("wb") as sink:
            return store.get_object("bucket", str(size)).save(sink)

    return _side(upload if direction == "up" else download)


def peer(direction: str, endpoint: str, file: str) -> Served:
    """Transfers by s3transfer."""
    s3 = Boto3(endpoint, checksums=False).s3

    def upload(size: int) -> None:
        s3.upload_file(f"{file}{size}", "bucket", str(size))

    def download(size: int) -> None:
        with Path(os.devnull).open("wb") as sink:
            s3.download_fileobj("bucket", str(size), sink)

    return _side(upload if direction == "up" else download)


def _side(transfer: Callable[[int], object]) -> Served:
    for _ in range(3):
        transfer(_SMALL)
    growth = Growth()

    def large() -> tuple[float, float]:
        started = time.process_time()
        transfer(_SIZE)
        cpu = time.process_time() - started
        return cpu * 1000 / (_SIZE / 1e6), growth.mib()

    return Served(large)


@cache
def _measured(direction: str, effort: Effort) -> tuple[Samples, float]:
    """CPU milliseconds per MB of both sides, and by how many MiB ours grew."""
    with tempfile.TemporaryDirectory() as folder, stub() as aws:
        file = _files(Path(folder))
        with (
            Child("benchmarks.s3_transfer:ours", direction, aws.ready, file) as us,
            Child("benchmarks.s3_transfer:peer", direction, aws.ready, file) as them,
        ):
            samples = take_turns(lambda: us.ask()[0], lambda: them.ask()[0], effort.rounds(20))
            return samples, us.ask()[1]


def _files(folder: Path) -> str:
    """The files to send: their path up to their size."""
    for size in (_SMALL, _SIZE):
        with (folder / str(size)).open("wb") as file:
            for _ in range(0, size, _SMALL):
                file.write(bytes(_SMALL))
    return f"{folder}/"


def _cpu(direction: str) -> Callable[[Effort], Samples]:
    return lambda effort: _measured(direction, effort)[0]


def _memory(direction: str) -> Callable[[Effort], Samples]:
    return lambda effort: Samples((_measured(direction, effort)[1],), (1.0,))


BENCHMARKS: Final = (
    *(
        Benchmark(
            name=f"s3_{name}_256m",
            bar=Bar(limit),
            compared=f"S3 {name} of 256 MiB: our client over s3transfer, CPU a MB",
            unit="CPU ms/MB",
            measure=_cpu(direction),
        )
        for name, direction, limit in (("download", "down", 0.4), ("upload", "up", 0.75))
    ),
    *(
        Benchmark(
            name=f"s3_{name}_256m_memory",
            bar=Bar(16),
            compared=f"S3 {name} of 256 MiB: peak memory of our client above idle, over 1 MiB",
            unit="MiB",
            measure=_memory(direction),
        )
        for name, direction in (("download", "down"), ("upload", "up"))
    ),
)

"""Objects on disk: each is one file, whose first line holds the facts and whose rest is the body.

A file appears whole or not at all, since it is written elsewhere and then moved to its place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from lcplatform_runtime.streams import CHUNK


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of an object beside its body."""

    key: str
    etag: str
    content_type: str
    cache_control: str | None
    content_disposition: str | None
    content_encoding: str | None
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it was found in its file."""

    facts: Facts
    modified_at: datetime
    size: int


def file_name(key: str) -> str:
    """The name of an object's file. A key may be longer than file names, and may differ from another in case only."""
    return sha256(key.encode()).hexdigest()


def write(path: Path, facts: Facts, body: Iterable[bytes]) -> int:
    """Writes an object to the disk and returns the size of its body. What fails leaves no file."""
    try:
        with path.open("xb") as file:
            start = file.write(json.dumps(asdict(facts)).encode() + b"\n")
            for chunk in body:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            return file.tell() - start
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read(file: BinaryIO) -> Stored:
    """Reads the facts. The file then stands at the first byte of the body."""
    line = file.readline()
    status = os.fstat(file.fileno())
    moment = datetime.fromtimestamp(status.st_mtime, UTC)
    return Stored(Facts(**json.loads(line)), moment, status.st_size - len(line))


def body(file: BinaryIO, length: int) -> Iterator[bytes]:
    """The next `length` bytes in chunks."""
    while length > 0 and (chunk := file.read(min(CHUNK, length))):
        length -= len(chunk)
        yield chunk

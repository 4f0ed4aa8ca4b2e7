"""Ingests a directory: stores its files, queues a message for each, and has workers hash and sign them.

Nothing here knows which provider it runs on. Configuration says so, and the code stays as it is:

    export INGEST_SIGNING_KEY=...
    LCPLATFORM_PROVIDER=mock python examples/ingest/pipeline.py idl
    LCPLATFORM_PROVIDER=grpc LCPLATFORM_PROVIDERS__GRPC__ENDPOINT=127.0.0.1:50051 python examples/ingest/pipeline.py idl
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from lcplatform import Json, LCPlatform
from lcplatform.errors import AlreadyExistsError

FILES: Final = "files/"
"""Where the files stand in the bucket."""

REPORT: Final = "report.json"
"""Where the report stands in the bucket."""

PATIENCE: Final = timedelta(milliseconds=200)
"""How long a worker waits at an empty queue before it goes home."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the report says of one file."""

    key: str
    size: int
    sha256: str
    signature: str


@dataclass(frozen=True, slots=True)
class Ingest:
    """An ingest pipeline on a platform. Its bucket, its queue and its secret bear its name."""

    platform: LCPlatform
    name: str = "ingest"

    def run(self, directory: Path, signing_key: str, *, workers: int = 4) -> list[Entry]:
        """Ingests every file below the directory. Returns what the report says, in the order of keys."""
        self.prepare(signing_key)
        self.upload(directory)
        entries = self.process(workers)
        self.publish(entries)
        return entries

    def prepare(self, signing_key: str) -> None:
        """Creates what the pipeline needs. What is there already stays as it is."""
        with suppress(AlreadyExistsError):
            self.platform.object_store.create_bucket(self.name)
        with suppress(AlreadyExistsError):
            self.platform.queue.create_queue(self.name, visibility_timeout=timedelta(minutes=1))
        with suppress(AlreadyExistsError):
            self.platform.secrets.create_secret(self.name, signing_key)

    def upload(self, directory: Path) -> None:
        """Stores every file and queues a message with its key."""
        for path in files(directory):
            key = FILES + path.relative_to(directory).as_posix()
            self.platform.object_store.put_object(self.name, key, path)
            self.platform.queue.send_message(self.name, key)

    def process(self, workers: int) -> list[Entry]:
        """Has that many workers empty the queue. What each of them raises is raised here."""
        with ThreadPoolExecutor(workers) as pool:
            shares = [pool.submit(self.work) for _ in range(workers)]
        # A queue delivers at least once: the same file may have been worked on twice, with the same result.
        entries = {entry.key: entry for share in shares for entry in share.result()}
        return sorted(entries.values(), key=lambda entry: entry.key)

    def work(self) -> list[Entry]:
        """Takes messages in batches until there are none. A message is deleted when its file is done."""
        done: list[Entry] = []
        while batch := self.platform.queue.receive_messages(
            self.name, max_messages=10, wait=PATIENCE
        ).messages:
            for message in batch:
                done.append(self.sign(text(message.body)))
                self.platform.queue.delete_message(self.name, message.receipt_handle)
        return done

    def sign(self, key: str) -> Entry:
        """Streams an object of any size, hashes it and signs the hash. The secret is cached by the platform."""
        digest = hashlib.sha256()
        with self.platform.object_store.get_object(self.name, key) as download:
            for chunk in download:
                digest.update(chunk)
        secret = text(self.platform.secrets.get_secret(self.name).value)
        signature = hmac.digest(secret.encode(), digest.digest(), "sha256")
        return Entry(key, download.received, digest.hexdigest(), signature.hex())

    def publish(self, entries: list[Entry]) -> None:
        """Writes the report beside the files. Equal files and an equal secret give equal bytes."""
        report = json.dumps([asdict(entry) for entry in entries], indent=2, ensure_ascii=False)
        self.platform.object_store.put_object(
            self.name, REPORT, report.encode(), content_type="application/json"
        )

    def summary(self) -> dict[str, object]:
        """What is found on the platform afterwards: the report in the bucket, and what is left in the queue."""
        report = self.platform.object_store.get_object(self.name, REPORT).read()
        entries = [Entry(**entry) for entry in json.loads(report)]
        queue = self.platform.queue.get_queue(self.name).queue
        counts = (queue.available_messages, queue.in_flight_messages, queue.delayed_messages)
        return {
            "files": len(entries),
            "bytes": sum(entry.size for entry in entries),
            "report": hashlib.sha256(report).hexdigest(),
            "signatures": hashlib.sha256(
                "".join(entry.signature for entry in entries).encode()
            ).hexdigest(),
            "left": sum(count or 0 for count in counts),
        }


def files(directory: Path) -> Iterator[Path]:
    """The files below a directory, in a fixed order."""
    return (path for path in sorted(directory.rglob("*")) if path.is_file())


def text(value: str | bytes | Json) -> str:
    """A message or a secret is text, bytes or JSON. Ours are text."""
    assert isinstance(value, str)
    return value


def main() -> None:
    """Ingests the directory on the command line and prints the summary as JSON."""
    directory, signing_key = Path(sys.argv[1]), os.environ["INGEST_SIGNING_KEY"]
    with LCPlatform.from_env() as platform:
        started = time.perf_counter()
        ingest = Ingest(platform)
        ingest.run(directory, signing_key)
        seconds = time.perf_counter() - started
        print(json.dumps({**ingest.summary(), "seconds": seconds}))


if __name__ == "__main__":
    main()

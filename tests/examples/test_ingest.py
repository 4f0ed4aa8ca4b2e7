"""The ingest example: one pipeline on every surface, and the demo that compares them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from examples.ingest import run
from examples.ingest.pipeline import REPORT, Ingest
from lcplatform import LCPlatform
from lcplatform.errors import ResourceNotFoundError
from tests.emulators import Emulator

KEY: Final = "a key that signs"
FILES: Final = {
    "empty": b"",
    "letter.txt": "Grüße".encode(),
    "Letter.txt": b"Greetings",
    "a/b/c d+é.bin": bytes(range(256)) * 4096,
    "a.b": b"\r\n",
}
WITHOUT_NODE: Final = [name for name in ("node", "npm") if shutil.which(name) is None]

needs_node = pytest.mark.skipif(bool(WITHOUT_NODE), reason=f"needs {' and '.join(WITHOUT_NODE)}")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with files of all kinds."""
    for name, content in FILES.items():
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "files"


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A server on a mock of its own, in a process of its own."""
    with run.serving() as endpoint:
        yield endpoint


def expected() -> list[dict[str, object]]:
    """What a report must say, computed without any platform."""
    digests = {name: hashlib.sha256(content) for name, content in FILES.items()}
    return [
        {
            "key": f"files/{name}",
            "size": len(FILES[name]),
            "sha256": digests[name].hexdigest(),
            "signature": hmac.new(KEY.encode(), digests[name].digest(), "sha256").hexdigest(),
        }
        for name in sorted(FILES)
    ]


def demo(*arguments: str | Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """The demo as make runs it."""
    environment = {**os.environ, "PATH": path} if path is not None else None
    command = [sys.executable, run.__file__, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_report_has_the_hash_and_the_signature_of_every_file(
    lcplatform_mock: LCPlatform, directory: Path
) -> None:
    Ingest(lcplatform_mock).run(directory, KEY)
    report = lcplatform_mock.object_store.get_object("ingest", REPORT)
    assert report.header.content_type == "application/json"
    assert json.loads(report.read()) == expected()


def test_no_message_is_left(lcplatform_mock: LCPlatform, directory: Path) -> None:
    ingest = Ingest(lcplatform_mock)
    ingest.run(directory, KEY)
    assert ingest.summary()["left"] == 0


def test_ingesting_again_gives_the_same_report(
    lcplatform_mock: LCPlatform, directory: Path
) -> None:
    ingest = Ingest(lcplatform_mock)
    ingest.run(directory, KEY)
    first = ingest.summary()
    ingest.run(directory, KEY)
    assert ingest.summary() == first


def test_deliveries_out_of_order_and_in_duplicate_give_the_same_report(directory: Path) -> None:
    adversarial = {"duplicates": 1.0, "errors": 0.0, "lost_answers": 0.0}
    with LCPlatform("mock", adversarial=adversarial, seed=1) as platform:
        Ingest(platform).run(directory, KEY)
        report = platform.object_store.get_object("ingest", REPORT).read()
    assert json.loads(report) == expected()


def test_an_object_that_is_gone_ends_the_pipeline_with_its_error(
    lcplatform_mock: LCPlatform,
) -> None:
    ingest = Ingest(lcplatform_mock)
    ingest.prepare(KEY)
    lcplatform_mock.queue.send_message("ingest", "files/gone")
    with pytest.raises(ResourceNotFoundError, match="files/gone"):
        ingest.process(workers=2)


def test_the_pipeline_is_the_same_over_grpc(endpoint: str, directory: Path) -> None:
    with LCPlatform(provider="grpc", endpoint=endpoint) as platform:
        Ingest(platform).run(directory, KEY)
        report = platform.object_store.get_object("ingest", REPORT).read()
    assert json.loads(report) == expected()


def test_the_pipeline_is_the_same_on_aws(moto: Emulator, directory: Path) -> None:
    with LCPlatform(
        provider="aws",
        endpoint_url=moto.url,
        region="us-east-1",
        access_key_id="example",
        secret_access_key="example",
    ) as platform:
        Ingest(platform, "ingest-example").run(directory, KEY)
        report = platform.object_store.get_object("ingest-example", REPORT).read()
    assert json.loads(report) == expected()


@needs_node
def test_node_writes_the_same_report(endpoint: str, directory: Path) -> None:
    assert run.node_packages() is None
    result = run.node(directory, {"INGEST_SIGNING_KEY": KEY}, endpoint)
    with LCPlatform(provider="grpc", endpoint=endpoint) as platform:
        ingest = Ingest(platform)
        assert json.loads(platform.object_store.get_object("ingest", REPORT).read()) == expected()
        assert ingest.summary() == {name: result[name] for name in run.COLUMNS[:-1]}


@needs_node
def test_node_says_what_went_wrong(endpoint: str, directory: Path) -> None:
    assert run.node_packages() is None
    with LCPlatform(provider="grpc", endpoint=endpoint) as platform:
        platform.secrets.create_secret("ingest", KEY)
        platform.secrets.delete_secret("ingest")
    command: list[str | Path] = ["node", run.NODE / "ingest.mjs", endpoint, directory]
    done = subprocess.run(
        command,
        env={**os.environ, "INGEST_SIGNING_KEY": KEY},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("PRECONDITION_FAILED: ")
    assert "operation Secrets.GetSecret, resource ingest" in done.stderr
    assert KEY not in done.stderr


def test_the_demo_shows_that_the_runs_are_equal(directory: Path) -> None:
    done = demo(directory)
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    runs = [row for row in rows if row.startswith(("Python, ", "Node, "))]
    assert len(runs) == (2 if WITHOUT_NODE else 3)
    assert rows[-1] == f"The {len(runs)} runs are equal."
    for row in runs:
        assert f" {len(FILES)} " in row
        assert f" {sum(map(len, FILES.values())):,} " in row


def test_without_node_the_demo_says_so_and_compares_the_python_runs(
    directory: Path, tmp_path: Path
) -> None:
    done = demo(directory, path=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "There is no node on this machine: the run from Node is left out." in done.stdout
    assert done.stdout.rstrip().endswith("The 2 runs are equal.")


def test_runs_that_differ_fail_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    result: run.Result = dict.fromkeys(run.COLUMNS, 1)
    assert run.verdict({"one": result, "other": {**result, "seconds": 2}}) == 0
    assert run.verdict({"one": result, "other": {**result, "signatures": 2}}) == 1
    assert capsys.readouterr().out.endswith("The runs differ: signatures.\n")


def test_a_directory_that_is_not_there_fails_the_demo(tmp_path: Path) -> None:
    done = demo(tmp_path / "nowhere")
    assert done.returncode == 1
    assert done.stderr.startswith("There is no directory ")

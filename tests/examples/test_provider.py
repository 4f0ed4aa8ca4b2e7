"""The provider example: installed as its users install it, found by its entry point, and held to the contract."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from examples.ingest import run
from examples.provider.lcplatform_filesystem import provider
from lcplatform import LCPlatform
from lcplatform.errors import ConflictError, UnsupportedError, ValidationError
from lcplatform.object_store import ObjectStore

PROVIDER: Final = run.ROOT / "examples" / "provider"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that has the provider installed."""
    target = tmp_path_factory.mktemp("site-packages")
    options = [
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--target",
        str(target),
    ]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, *options, str(PROVIDER)], check=True)
    return {**run.clean_environment(), "PYTHONPATH": str(target)}


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[ObjectStore]:
    """The object store in a directory of its own, with a bucket."""
    with LCPlatform(provider, root=tmp_path) as platform:
        platform.object_store.create_bucket("reports")
        yield platform.object_store


def parts(root: Path) -> list[Path]:
    """What uploads have left behind."""
    return list((root / ".parts").iterdir())


def test_it_passes_the_contract_tests(installed: dict[str, str], tmp_path: Path) -> None:
    command = ["-m", "pytest", "--pyargs", "lcplatform_contract", "-q", "-p", "no:cacheprovider"]
    options = ["--lcplatform-provider=filesystem", "--lcplatform-surface=all"]
    done = subprocess.run(
        [sys.executable, *command, *options],
        cwd=tmp_path,
        env=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    assert " passed" in done.stdout


def test_it_is_found_by_its_name(installed: dict[str, str], tmp_path: Path) -> None:
    program = (
        "from lcplatform import LCPlatform\n"
        "with LCPlatform.from_env() as platform:\n"
        "    platform.object_store.create_bucket('reports')\n"
        "    print(platform.describe().services[0].provider)\n"
    )
    settings = {
        "LCPLATFORM_PROVIDER": "filesystem",
        "LCPLATFORM_PROVIDERS__FILESYSTEM__ROOT": str(tmp_path / "objects"),
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**installed, **settings},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"filesystem\n"
    assert (tmp_path / "objects" / "reports").is_dir()


def test_an_option_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        LCPlatform(provider, root="/nowhere", colour="red")


def test_the_directory_must_be_given() -> None:
    with pytest.raises(ValidationError, match="root"):
        LCPlatform(provider)


def test_what_it_does_not_offer_is_refused(tmp_path: Path) -> None:
    with LCPlatform(provider, root=tmp_path) as platform:
        with pytest.raises(UnsupportedError):
            platform.queue.create_queue("orders")
        with pytest.raises(UnsupportedError, match="presigned_urls"):
            platform.object_store.generate_presigned_url(
                "reports", "q1", expires=timedelta(hours=1)
            )


def test_objects_outlive_their_process(objects: ObjectStore, tmp_path: Path) -> None:
    objects.put_object("reports", "2026/q1", b"hello", metadata={"author": "kim"})
    with LCPlatform(provider, root=tmp_path) as other:
        found = other.object_store.get_object("reports", "2026/q1")
        assert (found.header.metadata, found.read()) == ({"author": "kim"}, b"hello")


def test_an_upload_that_breaks_off_leaves_what_was_there(
    objects: ObjectStore, tmp_path: Path
) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(1024 * 1024)
        raise OSError("the cable is out")

    objects.put_object("reports", "q1", b"first")
    with pytest.raises(ValidationError):
        objects.put_object("reports", "q1", broken())
    assert objects.get_object("reports", "q1").read() == b"first"
    assert parts(tmp_path) == []


def test_a_refused_condition_leaves_no_part(objects: ObjectStore, tmp_path: Path) -> None:
    objects.put_object("reports", "q1", b"first")
    with pytest.raises(ConflictError):
        objects.put_object("reports", "q1", b"second", if_match="stale")
    assert parts(tmp_path) == []


def test_of_many_writers_with_one_etag_one_wins(objects: ObjectStore, tmp_path: Path) -> None:
    etag = objects.put_object("reports", "counter", b"0").etag

    def write(number: int) -> bool:
        with LCPlatform(provider, root=tmp_path) as own:
            try:
                own.object_store.put_object("reports", "counter", b"%d" % number, if_match=etag)
            except ConflictError:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(32))) == 1


def test_a_reader_finishes_the_object_that_it_began(objects: ObjectStore) -> None:
    old, new = b"a" * 2**20, b"b" * 2**20
    objects.put_object("reports", "q1", old)
    with objects.get_object("reports", "q1") as download:
        chunks = iter(download)
        start = next(chunks)
        objects.put_object("reports", "q1", new)
        assert start + b"".join(chunks) == old
    assert objects.get_object("reports", "q1").read() == new

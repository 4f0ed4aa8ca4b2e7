"""The wheel, in an environment that has nothing else: as a user gets it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {
    "lcplatform",
    "lcplatform_aws",
    "lcplatform_contract",
    "lcplatform_grpc",
    "lcplatform_mock",
    "lcplatform_runtime",
    "lcplatform_server",
}
UV = Path(sys.executable).with_name("uv")


def run(*words: str | Path, cwd: Path, expect: int = 0) -> str:
    """The output of a command that ends with that code."""
    clean = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("PYTHON", "VIRTUAL", "LCPL", "PYTEST"))
    }
    ran = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == expect, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(Path(sys.executable).with_name("hatchling"), "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


class Environment:
    """A virtual environment of its own, in a folder outside the checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run(UV, "venv", "--quiet", "--python", sys.executable, folder / "venv", cwd=folder)
        self.bin = folder / "venv" / "bin"

    def install(self, *what: str | Path) -> None:
        locked = ROOT / "requirements" / "dev.txt"
        run(
            UV, "pip", "install", "--quiet", "--python", self.bin / "python", "--constraint", _versions(locked, self.folder), *what,
            cwd=self.folder,
        )  # fmt: skip

    def python(self, code: str, *, expect: int = 0) -> str:
        return run(self.bin / "python", "-c", code, cwd=self.folder, expect=expect)


def _versions(locked: Path, folder: Path) -> Path:
    """The locked versions without hashes: as constraints they also hold for a wheel that has none."""
    names = [
        line.split(" \\")[0]
        for line in locked.read_text(encoding="utf-8").splitlines()
        if "==" in line
    ]
    target = folder / "constraints.txt"
    target.write_text("\n".join(names) + "\n", encoding="utf-8")
    return target


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel without any extra."""
    environment = Environment(tmp_path_factory.mktemp("plain"))
    environment.install(wheel)
    return environment


@pytest.fixture(scope="module")
def suite(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel with what the contract tests need, and a provider of somebody else."""
    environment = Environment(tmp_path_factory.mktemp("suite"))
    environment.install(
        f"lcplatform[contract,mock,server] @ {wheel.as_uri()}", ROOT / "examples" / "provider"
    )
    return environment


def test_the_wheel_holds_exactly_our_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == OURS
    assert all(f"{package}/py.typed" in names for package in OURS)
    assert not [name for name in names if name.endswith((".j2", ".proto")) or "__pycache__" in name]


def test_the_mock_works_without_any_extra(plain: Environment) -> None:
    said = plain.python(
        "from lcplatform import LCPlatform\n"
        "with LCPlatform(provider='mock') as platform:\n"
        "    platform.secrets.create_secret('database', 'swordfish')\n"
        "    print(platform.secrets.get_secret('database').value)"
    )
    assert said == "swordfish\n"


@pytest.mark.parametrize(
    ("provider", "options"), [("aws", ""), ("grpc", ", endpoint='127.0.0.1:1'")]
)
def test_a_missing_extra_is_named(provider: str, options: str, plain: Environment) -> None:
    said = plain.python(
        "from lcplatform import LCPlatform, errors\n"
        "try:\n"
        f"    LCPlatform(provider='{provider}'{options}).queue.get_queue('orders')\n"
        "except errors.UnsupportedError as error:\n"
        "    print(error)"
    )
    assert f"pip install 'lcplatform[{provider}]'" in said


def test_the_server_names_its_extra(plain: Environment) -> None:
    said = run(plain.bin / "lcplatform", "serve", "--provider", "mock", cwd=plain.folder, expect=2)
    assert "pip install 'lcplatform[server]'" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("provider", ["mock", "filesystem"])
def test_the_contract_suite_runs_from_outside_the_checkout(
    provider: str, suite: Environment
) -> None:
    said = run(
        suite.bin / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "lcplatform_contract",
        f"--lcplatform-provider={provider}", "--lcplatform-colour=blocking",
        cwd=suite.folder,
    )  # fmt: skip
    assert " passed" in said
    assert not re.search(r"[0-9] (failed|error|skipped|xpassed)", said), said

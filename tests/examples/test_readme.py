"""What README.md shows works as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from examples.ingest import run
from lcplatform import LCPlatform, PlatformSettings
from tests.examples.test_ingest import needs_node

README: Final = (run.ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE: Final = (run.ROOT / "Makefile").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


PROGRAMS: Final = [block for block in blocks("python") if "def test_" not in block]
TESTS: Final = [block for block in blocks("python") if "def test_" in block]


def python(*arguments: str | Path, cwd: Path) -> str:
    """What a program prints that must succeed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=run.clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_example_prints_what_stands_below_it(tmp_path: Path) -> None:
    assert python("-c", PROGRAMS[0], cwd=tmp_path) == blocks("text")[0]


@pytest.mark.parametrize("program", PROGRAMS[1:])
def test_a_program_runs(program: str, tmp_path: Path) -> None:
    python("-c", program, cwd=tmp_path)


@pytest.mark.parametrize("tests", TESTS)
def test_tests_pass(tests: str, tmp_path: Path) -> None:
    (tmp_path / "test_application.py").write_text(tests, encoding="utf-8")
    assert "2 passed" in python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)


def test_settings_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, _ = blocks("toml")
    for name in list(os.environ):
        if name.startswith("LCPLATFORM_"):
            monkeypatch.delenv(name)
    path = tmp_path / "lcplatform.toml"
    path.write_text(settings, encoding="utf-8")
    found = PlatformSettings.from_file(path)
    assert found.chosen("queue") == ("aws", {"region": "eu-central-1"})
    assert found.chosen("secrets") == ("mock", {})
    assert found.retry.max_attempts == 5


def test_what_aws_is_told_makes_it_offer_its_services(tmp_path: Path) -> None:
    _, options = blocks("toml")
    path = tmp_path / "lcplatform.toml"
    path.write_text(f'provider = "aws"\n\n{options}', encoding="utf-8")
    with LCPlatform.from_file(path) as platform:
        left_out = {it.service for it in platform.describe().services if not it.offered}
    assert not left_out & {
        "authentication",
        "data_store",
        "document_store",
        "event_bus",
        "web_hosting",
    }


@needs_node
@pytest.mark.parametrize("program", blocks("javascript"))
def test_a_program_for_node_runs(program: str) -> None:
    assert run.node_packages() is None
    with run.serving() as endpoint:
        done = subprocess.run(
            ["node", "--input-type=module", "-"],
            cwd=run.NODE,
            input=program.replace("127.0.0.1:50051", endpoint),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("8 Dear Kim\nNOT_FOUND: ")


def test_every_target_is_listed_and_every_listed_one_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)) - {"help"}
    table = re.findall(r"^\| (`make .*?) \|", README, re.MULTILINE)
    assert set(re.findall(r"`make ([a-z-]+)`", "\n".join(table))) == targets
    assert set(re.findall(r"make ([a-z-]+)\b", "\n".join(blocks("console")))) <= targets


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (run.ROOT / link).exists()] == []

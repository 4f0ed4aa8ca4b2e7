"""`make check-breaking`: the IDL may grow, and may not break who uses the released one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.codegen.rendering import ROOT

QUEUE = "lcplatform/queue/v1/queue.proto"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The IDL and buf's rules in a folder where a test may plant changes."""
    shutil.copytree(ROOT / "idl", tmp_path / "idl")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    return tmp_path


def breaking(checkout: Path) -> subprocess.CompletedProcess[str]:
    buf = shutil.which("buf", path=ROOT / ".venv" / "bin") or shutil.which("buf")
    assert buf is not None
    return subprocess.run(
        [buf, "breaking", "--against", "idl/released.binpb"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )


def plant(checkout: Path, before: str, after: str) -> None:
    proto = checkout / "idl" / QUEUE
    text = proto.read_text(encoding="utf-8")
    assert before in text
    proto.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_the_idl_keeps_what_was_released(checkout: Path) -> None:
    assert (breaking(checkout).returncode, breaking(checkout).stdout) == (0, "")


def test_a_new_field_breaks_nobody(checkout: Path) -> None:
    plant(
        checkout,
        "  // How many were moved.\n",
        "  // How many are left.\n  optional int64 left = 2 [jstype = JS_STRING];\n  // How many were moved.\n",
    )
    assert breaking(checkout).returncode == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("int64 moved = 1", "int64 moved = 2"),
        ("int64 moved = 1 [jstype = JS_STRING];", "string moved = 1;"),
        ("rpc PurgeQueue(", "rpc EmptyQueue("),
        ("  bool fifo = 2;\n", ""),
    ],
    ids=["another number", "another type", "another name", "a field taken away"],
)
def test_a_planted_break_is_refused(checkout: Path, before: str, after: str) -> None:
    plant(checkout, before, after)
    refused = breaking(checkout)
    assert refused.returncode != 0
    assert QUEUE in refused.stdout

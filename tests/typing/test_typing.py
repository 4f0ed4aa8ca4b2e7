"""mypy is the first contract test: it refuses incomplete providers and lets right applications pass (SC-015).

A line of a broken file that mypy must refuse ends in `# E:` and a part of what it says. It must say nothing else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BROKEN = sorted((HERE / "broken").glob("*.py"))
SAID = re.compile(r"^(?P<path>[^:]+):(?P<line>\d+): error: (?P<text>.*)$")


@pytest.fixture(scope="module")
def said() -> dict[str, dict[int, list[str]]]:
    """What mypy says of every file here, by file and line."""
    output, trouble, _ = api.run(
        ["--config-file", str(ROOT / "pyproject.toml"), "--no-pretty", *map(str, _files())]
    )
    assert not trouble
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for line in output.splitlines():
        match = SAID.match(line)
        if match:
            found[Path(match["path"]).name][int(match["line"])].append(match["text"])
    return found


def _files() -> list[Path]:
    return [*BROKEN, *sorted((HERE / "applications").glob("*.py"))]


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_mypy_refuses(path: Path, said: dict[str, dict[int, list[str]]]) -> None:
    expected = {
        number: line.split("# E: ")[1]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if "# E: " in line
    }
    assert expected
    assert sorted(said[path.name]) == sorted(expected)
    for number, text in expected.items():
        assert any(text in one for one in said[path.name][number]), said[path.name][number]


@pytest.mark.parametrize("name", ["blocking.py", "asynchronous.py"])
def test_a_right_application_passes(name: str, said: dict[str, dict[int, list[str]]]) -> None:
    assert said[name] == {}

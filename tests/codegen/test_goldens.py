"""The generator's output for small protos stands in `goldens/`, where a change of a template can be read.

After a change that is meant: `python -m tests.codegen.rendering`, then read the difference.
"""

from __future__ import annotations

import difflib

import pytest

from tests.codegen.rendering import GOLDENS, rendered


def test_every_golden_is_still_generated() -> None:
    goldens = {
        path.relative_to(GOLDENS).as_posix() for path in GOLDENS.rglob("*") if path.is_file()
    }
    assert goldens == set(rendered())


@pytest.mark.parametrize("path", sorted(rendered()))
def test_the_output_is_the_golden(path: str) -> None:
    golden = (GOLDENS / path).read_text(encoding="utf-8")
    difference = difflib.unified_diff(
        golden.splitlines(), rendered()[path].splitlines(), "golden", "generated", lineterm=""
    )
    assert list(difference) == []

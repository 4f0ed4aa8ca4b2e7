"""The generator's output for small protos stands in `goldens/`, where a change of a template can be read.

After a change that is meant: `python -m tests.codegen.rendering`, then read the difference.
"""

from __future__ import annotations

import difflib
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from lcplatform_runtime.model import build
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


def test_a_model_takes_fields_whose_names_are_words_of_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = spec_from_file_location("words_models", GOLDENS / "lcplatform/words/models.py")
    assert spec is not None
    assert spec.loader is not None
    models = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "words_models", models)
    spec.loader.exec_module(models)
    made = build(models.SendRequest, from_="a", class_="b", json_="c", schema_="d")
    assert (made.from_, made.class_, made.json_, made.schema_) == ("a", "b", "c", "d")

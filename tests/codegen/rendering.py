"""Renders the fragments: one small proto for each family of oddities."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lcplatform_codegen.emit import emit
from lcplatform_codegen.lint import lint
from lcplatform_codegen.load import load
from lcplatform_codegen.model import Schema
from lcplatform_codegen.publish import polish
from lcplatform_codegen.resolve import build

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FRAGMENTS = HERE / "fragments"
GOLDENS = HERE / "goldens"
NAMES = ("moves", "shapes", "words")


def schema_of(folder: Path) -> Schema:
    """The linted schema of the protos below a folder, which may import the project's own."""
    schema = build(load(folder, includes=(ROOT / "idl",)))
    lint(schema)
    return schema


@cache
def rendered() -> dict[str, str]:
    """Every file that belongs to a fragment, as it would be published."""
    idl = load(FRAGMENTS, includes=(ROOT / "idl",))
    files = {
        path: text
        for path, text in emit(idl, schema_of(FRAGMENTS)).items()
        if any(f"/{name}" in path or f".{name}." in path for name in NAMES) and "_pb2" not in path
    }
    return polish(files, ROOT / "pyproject.toml")


if __name__ == "__main__":
    for path, text in rendered().items():
        target = GOLDENS / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

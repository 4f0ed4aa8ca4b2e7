"""`python -m lcplatform_codegen [--check]`: writes `generated/` from `idl/`, or tells whether that would change it."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from lcplatform_codegen.emit import emit
from lcplatform_codegen.errors import IdlError
from lcplatform_codegen.lint import lint
from lcplatform_codegen.load import load
from lcplatform_codegen.publish import compare, polish, publish
from lcplatform_codegen.resolve import build

ROOT = Path(__file__).parents[2]


def main() -> int:
    """0 when all is well, 1 when `--check` finds a difference, 2 when the IDL cannot be generated from."""
    parser = argparse.ArgumentParser(prog="lcplatform_codegen", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if anything would change"
    )
    parser.add_argument("--idl", type=Path, default=ROOT / "idl", help="the folder of the IDL")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "generated", help="the folder to write"
    )
    arguments = parser.parse_args()
    try:
        files = generate(arguments.idl)
    except IdlError as error:
        print(error, file=sys.stderr)
        return 2
    if not arguments.check:
        difference = publish(files, arguments.output)
        print(f"{len(files)} files, {sum(1 for _ in difference.lines())} written or removed")
        return 0
    difference = compare(files, arguments.output)
    for line in difference.lines():
        print(line)
    if difference:
        print("run: make generate")
    return 1 if difference else 0


def generate(idl: Path) -> dict[str, str]:
    """Load, check, render, polish."""
    parsed = load(idl)
    schema = build(parsed)
    lint(schema)
    return polish(emit(parsed, schema, idl), ROOT / "pyproject.toml")


if __name__ == "__main__":
    # Nearly all that is made is needed to the end, which comes within seconds: looking for garbage, on the way and when the
    # interpreter shuts down, would take more than a tenth of the time.
    gc.disable()
    status = main()
    gc.freeze()
    sys.exit(status)

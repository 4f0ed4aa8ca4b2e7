"""The whole generator in a fresh process over datamodel-code-generator alone, as a library, on the same schemas.

Ours reads the IDL, generates everything, formats it and compares it with what is there, as `make verify-generated` does. The
peer reads the same JSON Schemas from files and makes models of them with the same options, all packages in one process, and
without its formatter. CPU time counts, of the processes and of all that they start.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.child import ROOT
from benchmarks.fresh import Fresh
from benchmarks.turns import take_turns
from benchmarks.verdict import Bar, Samples

_PEER: Final = """
import sys
from pathlib import Path
from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import PythonVersion

for schema in Path(sys.argv[1]).iterdir():
    text = generate(
        schema.read_text(),
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        use_annotated=True,
        field_constraints=True,
        use_standard_collections=True,
        use_union_operator=True,
        use_exact_imports=True,
        use_subclass_enum=True,
        disable_timestamp=True,
        formatters=[],
    )
    assert isinstance(text, str)
"""


def _measure(effort: Effort) -> Samples:
    with (
        tempfile.TemporaryDirectory() as scratch,
        tempfile.TemporaryDirectory() as output,
        Fresh() as python,
    ):
        _write_schemas(Path(scratch))
        # Into a folder of its own, so that it writes all files, and nothing else depends on what is in the tree.
        ours = ("-m", "lcplatform_codegen", "--output", output)
        return take_turns(
            lambda: python.cpu(*ours),
            lambda: python.cpu("-c", _PEER, scratch),
            effort.rounds(15, quick=3),
        )


def _write_schemas(folder: Path) -> None:
    """The schemas from which our generator makes models."""
    from lcplatform_codegen.load import load
    from lcplatform_codegen.resolve import build
    from lcplatform_codegen.schema import for_pydantic

    for package in build(load(ROOT / "idl")).released:
        path = folder / f"{package.module}.json"
        path.write_text(json.dumps(for_pydantic(package)), encoding="utf-8")


BENCHMARKS: Final = (
    Benchmark(
        name="generate_cold",
        bar=Bar(2),
        compared="make generate over datamodel-code-generator as a library, unformatted, on the same schemas",
        unit="CPU ms",
        measure=_measure,
    ),
)

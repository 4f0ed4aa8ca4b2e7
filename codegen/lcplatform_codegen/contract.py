"""The contract tests that come from `scenarios.yaml`, and the package that they stand on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lcplatform_codegen import laws, scenarios
from lcplatform_codegen.errors import IdlError
from lcplatform_codegen.imports import models_of
from lcplatform_codegen.layout import ERROR_CLASSES, render
from lcplatform_codegen.model import Schema
from lcplatform_codegen.scenario_text import statements

PACKAGE: Final = "lcplatform_contract"
_STATIC: Final = Path(__file__).parent / "static" / PACKAGE
_IMPORTS: Final = f"""\
from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from lcplatform import Json
from lcplatform.errors import {", ".join(ERROR_CLASSES.values())}
from lcplatform.type.models import ErrorCode
from lcplatform_contract.contract_test import ContractTest, needs
from lcplatform_contract.expect import ANY, KIB, MIB, bytes_of_size, containing, flat, like, of_length, one_of, present, refused, unlike, unordered
"""


def render_all(idl: Path, schema: Schema) -> dict[str, str]:
    """Every file of the contract package by its path below `generated/`.

    Raises:
        IdlError: everything that is wrong with the scenarios of any service.
    """
    files = static() | laws.render_all(schema)
    problems: list[str] = []
    for service in schema.services:
        try:
            suite = scenarios.load(idl, service)
        except IdlError as error:
            problems += error.problems
            continue
        folder = f"{PACKAGE}/{service.accessor}"
        files[f"{folder}/__init__.py"] = f'"""The contract tests of {service.name}."""\n'
        files[f"{folder}/test_{service.accessor}_scenarios.py"] = render_scenarios(suite)
    if problems:
        raise IdlError(problems)
    return files


def static() -> dict[str, str]:
    """The hand-written modules of the package, as they are."""
    return {
        f"{PACKAGE}/{path.name}": path.read_text(encoding="utf-8")
        for path in sorted(_STATIC.iterdir())
        if path.suffix == ".py" or path.name == "py.typed"
    }


def render_scenarios(suite: scenarios.Suite) -> str:
    """The test module of one service."""
    return render(
        "contract_scenarios.py.j2",
        suite=suite,
        service=suite.service,
        imports=_imports(suite),
        statements=statements,
    )


def _imports(suite: scenarios.Suite) -> str:
    service = suite.service
    called = {owner for scenario in suite.scenarios for owner in scenario.owners}
    packages = [it.package for it in service.schema.services if it.accessor in called]
    models = [models_of(service.schema.packages[it]) for it in (*packages, service.package)]
    return "\n".join([_IMPORTS, f"from {service.module}.client import {service.name}", *models])

"""Whatever carries the released services carries the drafts: all eleven are generated and type-checked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mypy import api

from lcplatform_codegen.emit import emit
from lcplatform_codegen.lint import lint
from lcplatform_codegen.load import load
from lcplatform_codegen.publish import polish, publish
from lcplatform_codegen.resolve import build
from tests.codegen.rendering import ROOT

DRAFT = "option (lcplatform.options.v1.file).draft = true;"
ELEVEN = {
    "authentication",
    "batch",
    "configuration",
    "data_store",
    "document_store",
    "event_bus",
    "notification",
    "object_store",
    "queue",
    "secrets",
    "web_hosting",
}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything generated from the whole IDL, as if no draft were one."""
    idl = tmp_path_factory.mktemp("eleven") / "idl"
    shutil.copytree(ROOT / "idl", idl)
    for proto in idl.rglob("*.proto"):
        proto.write_text(proto.read_text(encoding="utf-8").replace(DRAFT, ""), encoding="utf-8")
    parsed = load(idl)
    schema = build(parsed)
    lint(schema)
    assert {service.accessor for service in schema.services} == ELEVEN
    folder = idl.with_name("generated")
    publish(polish(emit(parsed, schema), ROOT / "pyproject.toml"), folder)
    return folder


def test_the_eleven_services_pass_the_type_checker(
    generated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYPYPATH", f"{generated}:{ROOT / 'providers'}")
    configuration = generated.with_name("mypy.ini")
    configuration.write_text(
        "[mypy]\nstrict = True\nexplicit_package_bases = True\n"
        "[mypy-lcplatform.*.v1.*]\nignore_errors = True\n"
        "[mypy-google.rpc.*]\nignore_missing_imports = True\n",
        encoding="utf-8",
    )
    packages = (str(generated / name) for name in ("lcplatform", "lcplatform_grpc"))
    cache = str(generated.with_name("cache"))
    said, trouble, code = api.run(
        ["--config-file", str(configuration), "--cache-dir", cache, *packages]
    )
    assert (code, trouble) == (0, ""), said

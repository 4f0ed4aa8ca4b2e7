"""Whoever adds to the contract is told by mypy what every provider has to write, and whoever departs from it, where."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

import pytest
from mypy import api

from lcplatform_codegen.emit import emit
from lcplatform_codegen.load import load
from lcplatform_codegen.publish import polish, publish
from lcplatform_codegen.resolve import build
from tests.codegen.rendering import ROOT

RPC = """
  // Holds back a queue.
  rpc PauseQueue(PauseQueueRequest) returns (PauseQueueResponse) {
    option idempotency_level = IDEMPOTENT;
  }
}

// Asks to hold back a queue.
message PauseQueueRequest {
  // The queue.
  string name = 1 [(lcplatform.options.v1.field) = {required: true positional: true resource: true}];
}

// The queue is held back.
message PauseQueueResponse {}

// What a message carries"""
FIELD = """message SendMessageResponse {
  // Where the message waits.
  string shelf = 3;
"""

PROVIDERS: Final = tuple(ROOT / "providers" / it for it in ("lcplatform_aws", "lcplatform_mock"))
# A class that is a driver, and the first of its operations.
DRIVER: Final = re.compile(
    r"^class (?P<driver>\w+)\((?:.*, )?(?P<kind>\w+Driver)\):\n"
    r".*?@override\n    def (?P<method>\w+)\(self, request: \w+, /(?P<planted>)\)",
    re.MULTILINE | re.DOTALL,
)
DRIVERS: Final = {
    found["driver"]: (path, found)
    for provider in PROVIDERS
    for path in sorted(provider.glob("*.py"))
    if (found := DRIVER.search(path.read_text(encoding="utf-8"))) is not None
}
"""Every driver: its module, and where one of its operations is to take something that the contract does not give."""


def _planted(folder: Path) -> list[str]:
    """What makes mypy read each driver with an operation that has one parameter more."""
    words = []
    for driver, (path, found) in DRIVERS.items():
        text, place = path.read_text(encoding="utf-8"), found.start("planted")
        copy = folder / f"{driver}.py"
        copy.write_text(f"{text[:place]}, planted: memoryview{text[place:]}", encoding="utf-8")
        words += ["--shadow-file", str(path), str(copy)]
    return words


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of the providers after an rpc and a field were added and everything was generated, and after one
    operation of each driver was changed."""
    idl = tmp_path_factory.mktemp("new") / "idl"
    shutil.copytree(ROOT / "idl", idl)
    queue = idl / "lcplatform" / "queue" / "v1" / "queue.proto"
    text = queue.read_text(encoding="utf-8")
    text = text.replace("\n}\n\n// What a message carries", f"\n{RPC}", 1)
    text = text.replace("message SendMessageResponse {\n", FIELD, 1)
    queue.write_text(text, encoding="utf-8")
    parsed = load(idl)
    generated = idl.with_name("generated")
    publish(polish(emit(parsed, build(parsed)), ROOT / "pyproject.toml"), generated)
    configuration = idl.with_name("mypy.ini")
    configuration.write_text(
        "[mypy]\nstrict = True\nexplicit_package_bases = True\n"
        f"mypy_path = {generated}:{ROOT / 'providers'}\n"
        "[mypy-lcplatform.*.v1.*]\nignore_errors = True\n",
        encoding="utf-8",
    )
    cache = str(idl.with_name("cache"))
    words = ["--config-file", str(configuration), "--cache-dir", cache, *_planted(idl.parent)]
    output, trouble, _ = api.run([*words, *map(str, PROVIDERS)])
    assert not trouble
    return output


@pytest.mark.parametrize("driver", ["MockQueue", "SqsQueue"])
def test_mypy_names_the_method_to_write(driver: str, said: str) -> None:
    assert (
        f'Cannot instantiate abstract class "{driver}" with abstract attribute "pause_queue"'
        in said
    )


@pytest.mark.parametrize("provider", ["lcplatform_mock", "lcplatform_aws"])
def test_mypy_names_the_answer_that_lacks_the_field(provider: str, said: str) -> None:
    lacking = 'Missing named argument "shelf" for "SendMessageResponse"'
    assert [line for line in said.splitlines() if provider in line and lacking in line]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda it: it.name)
def test_the_driver_of_every_service_is_changed(provider: Path) -> None:
    kinds = {found["kind"] for path, found in DRIVERS.values() if path.parent == provider}
    generated = {it.parent.name for it in (ROOT / "generated" / "lcplatform").glob("*/driver.py")}
    offers = (provider / "provider.py").read_text(encoding="utf-8")
    unbuilt = set(re.findall(r"=unimplemented\.(\w+),", offers))
    services = generated - {"platform", "testing"} - unbuilt
    assert services <= {
        re.sub(r"\B([A-Z])", r"_\1", it.removesuffix("Driver")).lower() for it in kinds
    }


@pytest.mark.parametrize("driver", DRIVERS)
def test_mypy_names_the_operation_whose_signature_was_changed(driver: str, said: str) -> None:
    path, found = DRIVERS[driver]
    refused = f'Signature of "{found["method"]}" incompatible with supertype'
    name = path.relative_to(ROOT).as_posix()
    assert [line for line in said.splitlines() if name in line and refused in line]


def test_mypy_says_nothing_else(said: str) -> None:
    errors = [line for line in said.splitlines() if ": error: " in line]
    ours = ("pause_queue", '"shelf"', "planted", "memoryview", "incompatible with supertype")
    assert [line for line in errors if not any(it in line for it in ours)] == []

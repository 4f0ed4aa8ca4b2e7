"""Whoever adds to the contract is told by mypy what every provider has to write."""

from __future__ import annotations

import shutil

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


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of the providers after an rpc and a field were added and everything was generated."""
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
    folders = [str(ROOT / "providers" / name) for name in ("lcplatform_aws", "lcplatform_mock")]
    cache = str(idl.with_name("cache"))
    output, trouble, _ = api.run(
        ["--config-file", str(configuration), "--cache-dir", cache, *folders]
    )
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


def test_mypy_says_nothing_else(said: str) -> None:
    errors = [line for line in said.splitlines() if ": error: " in line]
    assert [line for line in errors if "pause_queue" not in line and '"shelf"' not in line] == []

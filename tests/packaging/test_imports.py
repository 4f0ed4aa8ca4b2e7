"""What an import may cost: `import lcplatform` loads next to nothing, and a mock call loads no cloud."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("boto3", "botocore", "grpc", "jinja2", "psycopg", "pymongo", "opentelemetry.sdk")
FIRST_CALL = """
from lcplatform import LCPlatform
with LCPlatform(provider="mock") as platform:
    platform.object_store.create_bucket("reports")
"""


def loaded_by(code: str) -> set[str]:
    """The names of the modules that a fresh interpreter has loaded after running the code."""
    script = f"{code}\nimport sys\nprint(*sorted(sys.modules), sep='\\n', file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(ran.stderr.split())


@pytest.mark.parametrize("code", ["import lcplatform", FIRST_CALL], ids=["import", "first call"])
def test_no_cloud_and_no_tool_is_loaded(code: str) -> None:
    loaded = loaded_by(code)
    assert [name for name in HEAVY if name in loaded] == []


def test_the_import_alone_loads_none_of_our_modules_but_itself() -> None:
    added = loaded_by("import lcplatform") - loaded_by("")
    assert {name for name in added if name.startswith("lcplatform")} == {"lcplatform"}
    assert "pydantic" not in added


def test_a_first_call_needs_no_settings_from_the_environment() -> None:
    assert "pydantic_settings" not in loaded_by(FIRST_CALL)


def test_a_first_call_needs_no_settings_of_other_services() -> None:
    others = ("event_settings", "hosting", "images", "issuer", "notification_settings", "sql")
    loaded = loaded_by(FIRST_CALL)
    assert [name for name in others if f"lcplatform_mock.{name}" in loaded] == []
    assert not {"http.client", "ssl"} & loaded


def test_every_public_name_is_there() -> None:
    import lcplatform

    for name in lcplatform.__all__:
        assert getattr(lcplatform, name) is not None
    with pytest.raises(AttributeError, match="mainframe"):
        _ = lcplatform.mainframe

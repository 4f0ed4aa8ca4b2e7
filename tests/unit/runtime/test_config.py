"""Configuration: keywords over environment over file, unknown names refused, secrets not shown."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from lcplatform_runtime.bridge import SIZES
from lcplatform_runtime.config import PlatformSettings, ServiceSettings, ThreadSettings
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.retry import RetryPolicy

CANARY = "canary-0123456789-0123456789-0123456789"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LCPLATFORM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("LCPLATFORM_PROVIDER", "aws")
    return monkeypatch


def _file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_environment_names_everything(environment: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DEADLINE": "30.5",
        "RETRY__MAX_ATTEMPTS": "5",
        "RETRY__BASE_DELAY": "0.25",
        "CACHE__ENABLED": "false",
        "CACHE__TTL": "PT1M",
        "PAGE_TOKEN_KEY": CANARY,
        "PROVIDERS__AWS__REGION": "eu-central-1",
        "SERVICES__QUEUE": "mock",
        "SERVICES__OBJECT_STORE__PROVIDER": "grpc",
        "SERVICES__OBJECT_STORE__OPTIONS__ENDPOINT": "localhost:1",
        "THREADS__CALLS": "4",
    }.items():
        environment.setenv(f"LCPLATFORM_{name}", value)

    settings = PlatformSettings.from_env()

    assert settings.provider == "aws"
    assert settings.deadline == timedelta(seconds=30.5)
    assert settings.retry == RetryPolicy(max_attempts=5, base_delay=timedelta(seconds=0.25))
    assert not settings.cache.enabled
    assert settings.cache.ttl == timedelta(minutes=1)
    assert settings.pipeline().page_token_key == CANARY.encode()
    assert settings.chosen("secrets") == ("aws", {"region": "eu-central-1"})
    assert settings.chosen("queue") == ("mock", {})
    assert settings.chosen("object_store") == ("grpc", {"endpoint": "localhost:1"})
    assert settings.lanes() == {**SIZES, "calls": 4}
    assert type(settings) is PlatformSettings


def test_keywords_win_over_the_environment_and_the_environment_over_the_file(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    path = _file(
        tmp_path / "lcplatform.toml",
        """
        provider = "file"
        deadline = 1

        [retry]
        max_attempts = 7
        base_delay = 0.5

        [services]
        queue = "mock"

        [services.secrets]
        options = {region = "file"}

        [providers.aws]
        region = "file"
        profile = "file"
        """,
    )
    environment.setenv("LCPLATFORM_DEADLINE", "2")
    environment.setenv("LCPLATFORM_PROVIDERS__AWS__REGION", "environment")

    settings = PlatformSettings.from_file(path, deadline=3)

    assert settings.provider == "aws"
    assert settings.deadline == timedelta(seconds=3)
    assert settings.retry == RetryPolicy(max_attempts=7, base_delay=timedelta(seconds=0.5))
    assert settings.chosen("queue") == ("mock", {})
    assert settings.chosen("secrets") == ("aws", {"region": "file", "profile": "file"})
    assert settings.chosen("batch") == ("aws", {"region": "environment", "profile": "file"})


def test_keywords_are_taken_as_they_are() -> None:
    policy = RetryPolicy(max_attempts=1)

    settings = PlatformSettings(
        provider="mock",
        retry=policy,
        deadline=timedelta(seconds=1),
        services={"queue": ServiceSettings(provider="aws")},
        threads=ThreadSettings(calls=1),
    )

    assert settings.retry is policy
    assert settings.chosen("queue") == ("aws", {})


def test_what_is_not_said_has_a_default() -> None:
    settings = PlatformSettings()

    assert settings.provider is None
    assert settings.retry == RetryPolicy()
    assert settings.lanes() == SIZES
    assert settings.pipeline().page_token_key is None


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("LCPLATFORM_PROVIDR", "aws", "LCPLATFORM_PROVIDR is no setting"),
        ("LCPLATFORM_RETRY__MAX_ATEMPTS", "5", "'max_atempts' unknown"),
        ("LCPLATFORM_RETRY__MAX_ATTEMPTS", "0", "max_attempts must be at least 1"),
        ("LCPLATFORM_RETRY__MAX_ATTEMPTS", "many", "retry.*integer"),
        ("LCPLATFORM_DEADLINE", "-1", "deadline"),
        ("LCPLATFORM_THREADS__CALLS", "0", "threads.calls"),
        ("LCPLATFORM_THREADS__LANES", "1", "threads.lanes"),
        ("LCPLATFORM_SERVICES__QUEUE__PROVIDR", "aws", "services.queue.providr"),
        ("LCPLATFORM_SERVICES", "{", 'field "services"'),
        ("LCPLATFORM_PAGE_TOKEN_KEY", "canary", "page_token_key"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(
    environment: pytest.MonkeyPatch, variable: str, value: str, complaint: str
) -> None:
    environment.setenv(variable, value)

    with pytest.raises(ValidationError, match=complaint) as caught:
        PlatformSettings.from_env()
    assert caught.value.violations
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None or "canary" not in repr(caught.value.__context__)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("provider = ", "is no TOML"),
        ("provdr = 'aws'", "provdr"),
        ("provider = 5", "provider"),
        ("[services.queue]\nprovidr = 'aws'", "services.queue.providr"),
        ("deadline = 5", "no provider is named"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        PlatformSettings.from_file(_file(tmp_path / "lcplatform.toml", text))


def test_a_missing_file_is_not_an_empty_one(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValidationError, match="cannot be read"):
        PlatformSettings.from_file(tmp_path / "lcplatform.toml")


def test_an_environment_without_a_provider_is_refused_and_not_taken_for_a_mock() -> None:
    with pytest.raises(ValidationError, match="LCPLATFORM_PROVIDER"):
        PlatformSettings.from_env()
    assert PlatformSettings.from_env(provider="mock").provider == "mock"


def test_keywords_win_over_the_environment_alone(environment: pytest.MonkeyPatch) -> None:
    assert PlatformSettings.from_env(provider="mock").provider == "mock"


def test_a_service_that_does_not_exist_is_refused() -> None:
    settings = PlatformSettings(services={"queu": ServiceSettings(provider="aws")})

    with pytest.raises(ValidationError, match=r"'queu'; known: queue, secrets"):
        settings.check_services(("queue", "secrets"))
    settings.check_services(("queu",))


def test_keys_and_options_are_not_shown() -> None:
    settings = PlatformSettings(
        page_token_key=CANARY,
        providers={"aws": {"secret_access_key": CANARY}},
        services={"queue": ServiceSettings(options={"token": CANARY})},
    )

    for shown in (repr(settings), str(settings), repr(settings.pipeline())):
        assert CANARY not in shown


def test_keywords_alone_do_not_load_pydantic_settings() -> None:
    # Whoever measures the coverage of child processes has loaded some of them before.
    code = (
        "import sys; before = set(sys.modules); "
        "from lcplatform_runtime.config import PlatformSettings; "
        "PlatformSettings(provider='mock'); "
        "sys.exit(any(it in sys.modules.keys() - before"
        " for it in ('pydantic_settings', 'tomllib', 'asyncio')))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

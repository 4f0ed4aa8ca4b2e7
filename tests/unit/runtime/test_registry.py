"""Providers are found by their entry point, imported only when they are asked for, and refused with the way out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lcplatform_runtime import registry
from lcplatform_runtime.errors import UnsupportedError, ValidationError

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution with one provider, as pip would leave it on disk."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(distribution: str, name: str, code: str, *, extra: str | None = None) -> None:
        module = f"provider_of_{distribution}"
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{distribution}-1.0.dist-info"
        info.mkdir()
        extras = f"Provides-Extra: {extra}\n" if extra else ""
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n{extras}"
        )
        (info / "entry_points.txt").write_text(
            f"[lcplatform.providers]\n{name} = {module}:provider\n"
        )
        registry.refresh()

    yield install
    registry.refresh()
    for module in [module for module in sys.modules if module.startswith("provider_of_")]:
        del sys.modules[module]


def test_an_installed_provider_is_found_by_its_name(install: Install) -> None:
    install("acme", "acme_cloud", "provider = 'the provider'")

    assert registry.find_provider("acme_cloud") == "the provider"
    assert "acme_cloud" in registry.providers()
    assert list(registry.providers()) == sorted(registry.providers())


def test_listing_providers_imports_none(install: Install) -> None:
    install("acme", "acme_cloud", "raise SystemExit('imported')")

    assert "acme_cloud" in registry.providers()


def test_an_unknown_provider_is_refused_with_the_known_ones(install: Install) -> None:
    install("acme", "acme_cloud", "provider = 1")

    with pytest.raises(ValidationError, match=r"no provider 'amce'.*acme_cloud") as caught:
        registry.find_provider("amce")
    assert caught.value.violations[0].field == "provider"


def test_a_missing_extra_is_named(install: Install) -> None:
    install("acme", "acme_cloud", "import acme_sdk_that_is_missing", extra="acme_cloud")

    with pytest.raises(UnsupportedError, match=r"pip install 'acme\[acme_cloud\]'") as caught:
        registry.find_provider("acme_cloud")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_missing_package_is_named_where_there_is_no_extra(install: Install) -> None:
    install("acme", "acme_cloud", "import acme_sdk_that_is_missing")

    with pytest.raises(UnsupportedError, match="pip install 'acme_sdk_that_is_missing'"):
        registry.find_provider("acme_cloud")


def test_a_provider_that_is_broken_itself_fails_as_it_does(install: Install) -> None:
    install("acme", "acme_cloud", "provider = 1 / 0")

    with pytest.raises(ZeroDivisionError):
        registry.find_provider("acme_cloud")


def test_a_name_that_two_distributions_claim_is_refused(install: Install) -> None:
    install("acme", "cloud", "provider = 1")
    install("evil", "cloud", "provider = 2")

    with pytest.raises(ValidationError, match=r"acme \(.*evil \(|evil \(.*acme \("):
        registry.find_provider("cloud")


def test_the_environment_is_looked_at_once(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme", "acme_cloud", "provider = 1")
    registry.providers()

    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: pytest.fail("again"))

    assert registry.find_provider("acme_cloud") == 1

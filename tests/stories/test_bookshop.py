"""The story of an application that uses all eleven services, and tells the same wherever they are (FR-064, SC-002)."""

from __future__ import annotations

import subprocess

import pytest

from examples.stories.bookshop import run
from lcplatform import PlatformSettings
from lcplatform.catalogue import SERVICES
from tests import emulators

APPLICATION = (run.HERE / "bookshop.py").read_text()


def test_the_story_comes_out_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main() == 0
    told = capsys.readouterr().out
    assert "report: 2 orders, 28.25 in all, 2 invoices" in told
    assert "the same on mock, mock over gRPC, aws, aws over gRPC" in told


def test_the_application_uses_all_services_and_knows_no_provider() -> None:
    assert [it for it in SERVICES if f".{it}" not in APPLICATION] == []
    assert "lcplatform_" not in APPLICATION
    assert ".describe()" not in APPLICATION


def test_on_aws_every_service_is_on_aws() -> None:
    settings = PlatformSettings.from_file(run.HERE / "aws.toml")
    assert (settings.provider, settings.services, [*settings.providers]) == ("aws", {}, ["aws"])


def test_another_report_spoils_the_story() -> None:
    with pytest.raises(AssertionError, match="aws tells something else:\ntax: 8"):
        run.compare({"mock": "tax: 7\n", "aws": "tax: 8\n"})
    with pytest.raises(AssertionError, match="nothing was told"):
        run.compare({"mock": "", "aws": ""})


def test_an_application_that_fails_spoils_the_story() -> None:
    environment = {"LCPLATFORM_PROVIDER": "nobody"}
    with pytest.raises(subprocess.CalledProcessError):
        run.told("mock.toml", environment)


def test_where_no_emulator_is_installed_it_is_played_on_the_mock_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(emulators, "are_installed", lambda: False)
    monkeypatch.setattr(run, "told", lambda *_: "tax: 7\n")
    assert run.main() == 0
    told = capsys.readouterr().out
    assert "not played on AWS" in told
    assert told.endswith("the same on mock, mock over gRPC\n")

"""The contract plugin, run on a provider that is registered by entry point as any third party's is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import pytest

pytest_plugins = ["pytester"]

TINY: Final = Path(__file__).with_name("tiny.py")
ENTRY_POINTS: Final = "[lcplatform.providers]\ntiny = tiny:provider\n"
TESTS: Final = """
from datetime import timedelta

import pytest

from lcplatform.errors import ResourceNotFoundError
from lcplatform_contract.contract_test import ContractTest, lacks, needs
from lcplatform_contract.expect import ANY, like


class TestTiny(ContractTest):
    service = "secrets"

    def test_reads(self) -> None:
        name = self.name("token")
        with pytest.raises(ResourceNotFoundError):
            self.platform.secrets.get_secret(name)
        self.platform.secrets.create_secret(name, "hidden")
        assert self.platform.secrets.get_secret(name) == like(value="hidden", created_at=ANY)

    @needs("binary_values")
    def test_bytes(self) -> None:
        assert "binary_values" in self.support.capabilities

    @needs("rotation")
    def test_rotates(self) -> None:
        raise AssertionError

    @lacks("binary_values")
    def test_has_no_bytes(self) -> None:
        raise AssertionError

    @lacks("rotation")
    def test_has_no_rotation(self) -> None:
        pass

    @needs("clock")
    def test_time(self) -> None:
        self.advance(timedelta(days=300))

    def test_passing_time(self) -> None:
        self.advance(timedelta(milliseconds=20))
"""
FAILS: Final = """
from lcplatform_contract.contract_test import ContractTest
from lcplatform_contract.expect import like


class TestTiny(ContractTest):
    service = "secrets"

    def test_fails(self) -> None:
        name = self.name("token")
        self.platform.secrets.create_secret(name, "hidden")
        found = self.platform.secrets.get_secret(name)
        assert (found, found) == (like(version="1"), like(version="2", stages=("current",)))
"""
ELSEWHERE: Final = """
from lcplatform_contract.contract_test import ContractTest, needs


class TestTiny(ContractTest):
    service = "secrets"

    @needs("platform.secrets", "secrets.binary_values")
    def test_with_what_is_there(self) -> None:
        pass

    @needs("platform.bell")
    def test_with_a_service_that_is_not(self) -> None:
        raise AssertionError

    @needs("platform.secrets", "secrets.rotation")
    def test_with_a_capability_that_is_not(self) -> None:
        raise AssertionError

    @needs("bell.loud")
    def test_with_a_capability_of_a_service_that_is_not(self) -> None:
        raise AssertionError
"""


@pytest.fixture
def tiny(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with the provider, installed there."""
    pytester.makepyfile(tiny=TINY.read_text(encoding="utf-8"))
    register(pytester, ENTRY_POINTS)
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=os.pathsep)
    return pytester


def register(pytester: pytest.Pytester, entry_points: str) -> None:
    """Writes what an installer writes for a distribution."""
    info = pytester.path / "tiny-1.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")


def run(pytester: pytest.Pytester, *options: str, provider: str = "tiny") -> pytest.RunResult:
    """Runs pytest in a process of its own."""
    words = [] if provider == "" else [f"--lcplatform-provider={provider}"]
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *words, *options)


def test_every_test_runs_in_both_colours(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(TESTS)
    result = run(tiny, "-v")
    result.assert_outcomes(passed=8, deselected=6)
    result.stdout.fnmatch_lines(
        ["*test_reads?in-process-blocking? PASSED*", "*test_reads?in-process-async? PASSED*"]
    )


def test_a_colour_can_be_chosen(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(TESTS)
    result = run(tiny, "-v", "--lcplatform-colour=async", "--lcplatform-surface=in-process")
    result.assert_outcomes(passed=4, deselected=3)
    result.stdout.no_fnmatch_line("*blocking*PASSED*")


def test_what_the_provider_does_not_declare_is_left_out_and_told(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(TESTS)
    result = run(tiny, "--lcplatform-colour=blocking")
    result.stdout.fnmatch_lines(
        [
            "lcplatform: tiny has no clock: 1 tests left out",
            "lcplatform: tiny has no rotation: 1 tests left out",
        ]
    )


def test_what_needs_another_service_is_left_out_where_that_is_not_offered(
    tiny: pytest.Pytester,
) -> None:
    tiny.makepyfile(ELSEWHERE)
    result = run(tiny, "--lcplatform-colour=blocking")
    result.assert_outcomes(passed=1, deselected=3)
    result.stdout.fnmatch_lines(
        [
            "lcplatform: tiny has no bell.loud: 1 tests left out",
            "lcplatform: tiny has no platform.bell: 1 tests left out",
            "lcplatform: tiny has no secrets.rotation: 1 tests left out",
        ]
    )


def test_an_option_reaches_the_provider_and_its_clock_is_moved(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(TESTS)
    result = run(tiny, "--lcplatform-option", "clock=true", "--durations=0")
    result.assert_outcomes(passed=10, deselected=4)


def test_a_known_difference_is_expected_to_fail(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(FAILS)
    known = tiny.path / "known.toml"
    known.write_text('[secrets]\ntest_fails = "it is tiny"\n', encoding="utf-8")
    run(tiny, f"--lcplatform-differences={known}").assert_outcomes(xfailed=2)


def test_a_difference_that_is_gone_is_a_failure(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(FAILS.replace('"2"', '"1"'))
    known = tiny.path / "known.toml"
    known.write_text('[secrets]\ntest_fails = "it is tiny"\n', encoding="utf-8")
    result = run(tiny, f"--lcplatform-differences={known}")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*XPASS(strict)*it is tiny*"])


def test_a_difference_of_no_test_is_refused(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(FAILS)
    known = tiny.path / "known.toml"
    known.write_text('[secrets]\ntest_failed = "it is tiny"\n', encoding="utf-8")
    result = run(tiny, f"--lcplatform-differences={known}")
    assert "known differences name tests that do not exist: secrets.test_failed" in output(result)


def test_a_difference_without_a_reason_is_refused(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(FAILS)
    known = tiny.path / "known.toml"
    known.write_text("[secrets]\ntest_fails = true\n", encoding="utf-8")
    assert "secrets.test_fails" in output(run(tiny, f"--lcplatform-differences={known}"))


def test_a_failure_tells_where_the_answer_differs(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(FAILS)
    result = run(tiny)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["E *[[]1[]].version: expected '2', found '1'"])


def test_a_harness_is_found_by_the_name_of_its_provider(tiny: pytest.Pytester) -> None:
    register(tiny, f"{ENTRY_POINTS}[lcplatform.harness]\ntiny = tiny:TinyHarness\n")
    tiny.makepyfile(test_both=TESTS, test_fails=FAILS)
    result = run(tiny, "-s")
    result.assert_outcomes(passed=10, deselected=4, xfailed=2)
    result.stdout.fnmatch_lines(["*the harness is closed*"])


def test_a_harness_can_be_named(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(test_both=TESTS, test_fails=FAILS)
    result = run(tiny, "--lcplatform-harness=tiny:TinyHarness")
    result.assert_outcomes(passed=10, deselected=4, xfailed=2)


@pytest.mark.parametrize(
    ("options", "provider", "reason"),
    [
        (["--lcplatform-surface=telepathy"], "tiny", "there is no surface 'telepathy'"),
        ([], "huge", "there is no provider 'huge'"),
        (["--lcplatform-option=clock"], "tiny", "--lcplatform-option takes KEY=VALUE, not 'clock'"),
        (
            ["--lcplatform-harness=tiny"],
            "tiny",
            "--lcplatform-harness takes MODULE:NAME, not 'tiny'",
        ),
        (["--lcplatform-differences=missing.toml"], "tiny", "missing.toml"),
    ],
)
def test_a_wrong_option_is_told_before_anything_runs(
    tiny: pytest.Pytester, options: list[str], provider: str, reason: str
) -> None:
    tiny.makepyfile(TESTS)
    result = run(tiny, *options, provider=provider)
    assert result.ret not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    assert reason in output(result)
    assert "Traceback" not in output(result)


def test_a_run_without_contract_tests_loads_nothing_of_them(tiny: pytest.Pytester) -> None:
    tiny.makepyfile(
        """
        import sys

        def test_nothing() -> None:
            loaded = {name for name in sys.modules if name.startswith("lcplatform")}
            assert loaded <= {
                "lcplatform", "lcplatform.pytest_plugin", "lcplatform_contract", "lcplatform_contract.plugin",
            }
        """
    )
    run(tiny, provider="").assert_outcomes(passed=1)


def output(result: pytest.RunResult) -> str:
    """All that pytest printed, in one line."""
    return re.sub(r"\s+", " ", "\n".join(result.outlines + result.errlines))

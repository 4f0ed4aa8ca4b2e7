"""Runs the contract suite on providers, surfaces and colours, and prints one table of what came out.

python -m tests.conformance               every provider on every surface and in both colours
python -m tests.conformance --everyday    what every test run does: the mock on all, AWS called directly and blocking
python -m tests.conformance mock          only what runs on the mock
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from xml.etree import ElementTree as ET

from tests.iam import replay

ROOT: Final = Path(__file__).parents[2]
OUTCOMES: Final = ("passed", "known differences", "failed")
Table: TypeAlias = dict[tuple[str, str, str], Counter[str]]
"""How often which outcome was, by provider, surface and colour, and service."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What the suite runs against, and the words that set it up."""

    name: str
    words: tuple[str, ...]
    services: tuple[str, ...] = ()
    """Those whose part of the suite concerns it; all if none is named."""
    programs: tuple[str, ...] = ()
    """What has to be on the machine. Where it is not, an everyday run says so and goes on."""
    workers: int = 2
    """More than the cores of a small machine pay where tests mostly wait for a server."""

    @property
    def on_aws(self) -> bool:
        """Whether the AWS provider is under test: what it calls is held against the policies of docs/iam."""
        return "--lcplatform-provider=aws" in self.words

    @property
    def packages(self) -> tuple[str, ...]:
        """The part of the suite that runs."""
        if not self.services:
            return ("lcplatform_contract",)
        return tuple(f"lcplatform_contract.{it}" for it in self.services)


def _persistent(provider: str) -> tuple[str, ...]:
    return (
        f"--lcplatform-provider={provider}",
        "--lcplatform-harness=tests.conformance.harnesses:Persistent",
    )


def _aws(harness: str) -> tuple[str, ...]:
    return (
        "--lcplatform-provider=aws",
        f"--lcplatform-harness=tests.conformance.harnesses:{harness}",
    )


PROVIDERS: Final = (
    Provider("mock", ("--lcplatform-provider=mock",)),
    Provider("persistent mock", _persistent("mock")),
    Provider("restarting mock", _persistent("tests.conformance.restarting:provider")),
    Provider(
        "async mock",
        (
            "--lcplatform-provider=tests.conformance.asynchronous:provider",
            "--lcplatform-harness=lcplatform_mock.harness:MockHarness",
        ),
    ),
    Provider(
        "mock on PostgreSQL",
        (
            "--lcplatform-provider=mock",
            "--lcplatform-harness=tests.conformance.harnesses:OnPostgresql",
        ),
        services=("data_store",),
    ),
    # Each service on what is most like it.
    Provider("aws on moto", _aws("moto"), ("object_store", "queue", "secrets")),
    Provider(
        "aws on ministack",
        _aws("ministack"),
        ("configuration", "event_bus", "notification", "object_store", "queue", "secrets"),
        workers=3,
    ),
    Provider("aws on the mock's issuer", _aws("mock_issuer"), ("authentication",)),
    Provider("aws on oidc-provider", _aws("oidc_provider"), ("authentication",), ("node", "npm")),
    Provider("aws on PostgreSQL", _aws("AwsOnPostgresql"), ("data_store",)),
    Provider("aws on the fake", _aws("fake"), ("batch", "web_hosting")),
    Provider("aws on the fake, App Runner", _aws("fake_app_runner"), ("web_hosting",)),
    Provider("aws on secantusdb", _aws("AwsOnSecantusdb"), ("document_store",)),
)
EVERY_SURFACE: Final = ("--lcplatform-surface=all", "--lcplatform-colour=all")
DIRECT: Final = ("--lcplatform-surface=in-process", "--lcplatform-colour=blocking")


def main() -> int:
    """0 if everything passed or differs as it is known to."""
    parser = argparse.ArgumentParser(prog="tests.conformance", description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="a part of a provider's name")
    parser.add_argument("--everyday", action="store_true", help="what every test run does")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as calls:
        code, table, ran = _run_all(arguments.only, Path(calls), everyday=arguments.everyday)
        problems = replay.problems(Path(calls), _whole(ran))
    _print(table)
    for problem in problems:
        print(f"docs/iam: {problem}")
    return code or bool(problems)


def _run_all(only: str, calls: Path, *, everyday: bool) -> tuple[int, Table, list[Provider]]:
    table: Table = {}
    ran: list[Provider] = []
    code = 0
    for provider in PROVIDERS:
        if only not in provider.name:
            continue
        missing = [it for it in provider.programs if shutil.which(it) is None]
        if missing and everyday:
            print(f"not run: {provider.name}, which needs {' and '.join(missing)}")
            continue
        direct = everyday and provider.name != "mock"
        ended, rows = run(provider, DIRECT if direct else EVERY_SURFACE, calls)
        code = code or ended
        table |= rows
        ran.append(provider)
    return code, table, ran


def _whole(ran: list[Provider]) -> set[str]:
    """The services that ran everywhere on AWS: what nothing called, nothing needs."""
    aws = [provider for provider in PROVIDERS if provider.on_aws]
    partly = {service for provider in aws if provider not in ran for service in provider.services}
    return {service for provider in aws for service in provider.services} - partly


def run(provider: Provider, surfaces: tuple[str, ...], calls: Path) -> tuple[int, Table]:
    """How pytest ended, and its outcomes by provider, combination and service. What is called on AWS goes into `calls`."""
    recorded = ("-p", "tests.iam.recording", f"--iam-calls={calls}") if provider.on_aws else ()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        words = ["-q", "-n", f"{provider.workers}", "--dist=worksteal", "--pyargs"]
        words += [*provider.packages, f"--junitxml={report}"]
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *words, *recorded, *provider.words, *surfaces],
            cwd=ROOT,
            check=False,
        )
        if not report.is_file():
            return ran.returncode or 1, {}
        cases = list(ET.parse(report).getroot().iter("testcase"))
    rows: Table = {}
    for case in cases:
        service = case.get("classname", "").split(".")[-3]
        combination = case.get("name", "").partition("[")[2].removesuffix("]").split("-token")[0]
        rows.setdefault((provider.name, combination, service), Counter())[_outcome(case)] += 1
    return ran.returncode, rows


def _outcome(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "known differences" if case.find("skipped") is not None else "passed"


def _print(table: Table) -> None:
    heads = ("provider", "surface and colour", "service", *OUTCOMES)
    lines = [(*row, *(str(table[row][outcome]) for outcome in OUTCOMES)) for row in sorted(table)]
    widths = [max(len(line[column]) for line in (heads, *lines)) for column in range(len(heads))]
    for line in (heads, tuple("-" * width for width in widths), *lines):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


if __name__ == "__main__":
    sys.exit(main())

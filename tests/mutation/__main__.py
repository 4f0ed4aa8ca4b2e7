"""Sabotage: plants each fault in a copy of the sources and requires that the contract suite fails on it.

python -m tests.mutation            all faults
python -m tests.mutation secret     those whose name says so
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.mutation.faults import FAULTS, GRPC, IN_PROCESS, Fault

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ("generated", "providers", "server")
SUITE: Final = ("-q", "-x", "-p", "no:cacheprovider", "--lcplatform-provider=mock")


def main() -> int:
    """0 if the suite passes on the sources as they are and finds every fault."""
    wanted = [fault for fault in FAULTS if all(word in fault.name for word in sys.argv[1:])]
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch)
        for folder in SOURCES:
            shutil.copytree(
                ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__")
            )
        for service in sorted({fault.service for fault in wanted}):
            for surface in (IN_PROCESS, GRPC):
                if _fails(copy, service, surface):
                    print(f"the suite fails on {service} without any fault")
                    return 1
        survivors = [fault for fault in wanted if not _found(copy, fault)]
    print(f"{len(wanted) - len(survivors)} of {len(wanted)} faults found")
    return 1 if survivors or not wanted else 0


def _found(copy: Path, fault: Fault) -> bool:
    """Whether the suite fails on the fault. The copy is as it was afterwards."""
    target = copy / fault.file
    text = target.read_text(encoding="utf-8")
    if text.count(fault.before) != 1:
        print(f"NOT PLANTED  {fault.name}: {fault.file} has changed")
        return False
    target.write_text(text.replace(fault.before, fault.after), encoding="utf-8")
    try:
        test = _fails(copy, fault.service, fault.surface)
    finally:
        target.write_text(text, encoding="utf-8")
    print(
        f"found        {fault.name}: {test}" if test else f"SURVIVES     {fault.name}", flush=True
    )
    return bool(test)


def _fails(copy: Path, service: str, surface: tuple[str, ...]) -> str:
    """The first contract test of the service that fails; empty if all pass."""
    roots = os.pathsep.join(str(copy / folder) for folder in SOURCES)
    # The copy comes before the installed sources, and leaves no stale bytecode behind.
    environment = {**os.environ, "PYTHONPATH": roots, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *SUITE,
            *surface,
            "--pyargs",
            f"lcplatform_contract.{service}",
        ],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if ran.returncode == 0:
        return ""
    return (
        failed[0].split("::")[-1].split(" - ")[0]
        if failed
        else f"pytest ended with {ran.returncode}"
    )


if __name__ == "__main__":
    sys.exit(main())

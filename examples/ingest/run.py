"""Runs the ingest pipeline three times on the same files and compares what it leaves behind: `make demo`.

In-process on the mock; from Python over gRPC; from Node over gRPC. The two Python runs are the same program: only its
configuration differs. Another directory than `idl/` can be given: make demo ARGS=/some/directory
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
NODE: Final = HERE / "node"
PIPELINE: Final = HERE / "pipeline.py"

COLUMNS: Final[Sequence[str]] = ("files", "bytes", "report", "signatures", "left", "seconds")
"""What a run tells of itself. All but the seconds must be equal."""

Result = dict[str, Any]  # as a run prints it, in JSON


def main() -> int:
    """Prints the table, and says whether the runs are equal."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "idl"
    if not directory.is_dir():
        sys.exit(f"There is no directory {directory}.")
    print(f"Ingesting {directory}\n", flush=True)
    key = {"INGEST_SIGNING_KEY": secrets.token_hex(32)}
    results = {"Python, in-process": python(directory, key, provider="mock")}
    with serving() as endpoint:
        results["Python, gRPC"] = python(directory, key, provider="grpc", endpoint=endpoint)
    if missing := node_packages():
        print(f"{missing}: the run from Node is left out.\n")
    else:
        with serving() as endpoint:
            results["Node, gRPC"] = node(directory, key, endpoint)
    print(table(results))
    return verdict(results)


def python(
    directory: Path, key: Mapping[str, str], *, provider: str, endpoint: str | None = None
) -> Result:
    """The run of pipeline.py on a provider, which its configuration alone names."""
    settings = {"LCPLATFORM_PROVIDER": provider}
    if endpoint is not None:
        settings["LCPLATFORM_PROVIDERS__GRPC__ENDPOINT"] = endpoint
    return run([sys.executable, PIPELINE, directory], {**key, **settings})


def node(directory: Path, key: Mapping[str, str], endpoint: str) -> Result:
    """The run of ingest.mjs."""
    return run(["node", NODE / "ingest.mjs", endpoint, directory], key)


def run(command: list[str | Path], environment: Mapping[str, str]) -> Result:
    """What a program prints. Its complaints go where ours go."""
    settings = {**clean_environment(), **environment}
    done = subprocess.run(command, env=settings, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"This failed: {' '.join(map(str, command))}")
    result: Result = json.loads(done.stdout)
    return result


@contextmanager
def serving() -> Iterator[str]:
    """The endpoint of a server on a mock of its own, which ends with the context."""
    lcplatform = Path(sys.executable).with_name("lcplatform")
    command = [str(lcplatform), "serve", "--provider", "mock", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command, env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            said, _, endpoint = server.stdout.readline().strip().rpartition(" ")
            if said != "listening on":
                sys.exit("The server did not start.")
            yield endpoint
        finally:
            server.terminate()
            server.communicate()


def node_packages() -> str | None:
    """Installs what the lock file names, unless it is there. Returns what is missing for that."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"There is no {program} on this machine"
    lock, installed = NODE / "package-lock.json", NODE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--silent"], cwd=NODE, check=True)
    return None


def clean_environment() -> dict[str, str]:
    """The environment without settings of LCPlatform: the runs have their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LCPLATFORM_")}


def table(results: Mapping[str, Result]) -> str:
    """The results, a line for each run: names to the left, everything else to the right."""
    rows = [["run", *COLUMNS]]
    for name, result in results.items():
        rows.append([name, *(cell(result[column]) for column in COLUMNS)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(line(row, widths) for row in rows)


def line(row: list[str], widths: list[int]) -> str:
    """A row with its columns under those of the others."""
    return "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])


def cell(value: object) -> str:
    """Digests are cut to what a person compares."""
    if isinstance(value, float):
        return f"{value:.2f}"
    return value[:16] if isinstance(value, str) else f"{value:,}"


def verdict(results: Mapping[str, Result]) -> int:
    """Whether all runs came to the same, as an exit status."""
    for column in COLUMNS[:-1]:
        if len({result[column] for result in results.values()}) > 1:
            print(f"\nThe runs differ: {column}.")
            return 1
    print(f"\nThe {len(results)} runs are equal.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

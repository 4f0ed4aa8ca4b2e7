"""Plays the story: one application, with its settings alone changed, has the same to tell everywhere (FR-064, SC-002).

    python run.py

On the mock and on AWS, directly and over gRPC. Emulators and servers stand for AWS; where they are not installed, it is not played there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests import emulators
from tests.stories.cloud import cloud

HERE: Final = Path(__file__).parent
PATIENCE: Final = 60.0
"""For how many seconds something is waited for that comes by itself."""

CLIENT: Final = {"client_id": "bookshop", "client_secret": "only-on-this-machine"}
LETTERS: Final = [
    (["ada@example.com"], "Your invoice 1"),
    (["kim@example.com"], "Your invoice 2"),
]
"""Who is sent what."""

Environment = Mapping[str, str]


def main() -> int:
    """Plays it everywhere at once. Whatever is not as it should be ends it with an AssertionError."""
    places: dict[str, Callable[[], str]] = {
        "mock": partial(told, "mock.toml", {}),
        "mock over gRPC": partial(told_over_grpc, "mock.toml", {}),
    }
    if emulators.are_installed():
        places["aws"] = partial(on_aws, told)
        places["aws over gRPC"] = partial(on_aws, told_over_grpc)
    else:
        print("not played on AWS: run `make setup` for what stands for it", flush=True)
    with ThreadPoolExecutor() as pool:
        reports = dict(zip(places, pool.map(lambda play: play(), places.values()), strict=True))
    compare(reports)
    return 0


def compare(reports: Mapping[str, str]) -> None:
    """Tells the report, which has to be the same wherever it comes from."""
    first = next(iter(reports.values()))
    assert first, "nothing was told"
    print(first, end="")
    for place, report in reports.items():
        assert report == first, f"{place} tells something else:\n{report}"
    print("the same on", ", ".join(reports), flush=True)


def told(settings: str, environment: Environment) -> str:
    """What the application tells with these settings."""
    command = [sys.executable, "bookshop.py", settings]
    return subprocess.run(
        command, cwd=HERE, env=ours(environment), stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def told_over_grpc(settings: str, environment: Environment) -> str:
    """What it tells where a server has these settings, and the application knows the server alone."""
    with serving(settings, environment) as endpoint:
        return told("grpc.toml", {"LCPLATFORM_PROVIDERS__GRPC__ENDPOINT": endpoint})


def on_aws(play: Callable[[str, Environment], str]) -> str:
    """What it tells on AWS. Whatever it sends has arrived."""
    with cloud(CLIENT, "bookshop/issuer") as (environment, mailbox):
        report = play("aws.toml", environment)
        until(lambda: len(mailbox.taken) == len(LETTERS))
        assert [(it.recipients, it.message["Subject"]) for it in mailbox.taken] == LETTERS
    return report


@contextmanager
def serving(settings: str, environment: Environment) -> Iterator[str]:
    """A server with these settings, until the context ends: where it listens."""
    with tempfile.TemporaryDirectory() as scratch:
        ready = Path(scratch, "ready")
        command = [sys.executable, "-m", "lcplatform_server", "serve", "--config", settings]
        command += ["--listen", "127.0.0.1:0", "--ready-file", str(ready)]
        with subprocess.Popen(
            command, cwd=HERE, env=ours(environment), stdout=subprocess.DEVNULL
        ) as server:
            try:
                until(lambda: ready.exists() or server.poll() is not None)
                assert server.returncode is None, "the server has ended"
                yield ready.read_text().strip()
            finally:
                server.terminate()


def ours(environment: Environment) -> dict[str, str]:
    """An environment without settings of LCPlatform and identities in AWS, but for these."""
    kept = {it: at for it, at in os.environ.items() if not it.startswith(("LCPLATFORM_", "AWS_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"  # where its Python is
    return {**kept, "PATH": path, **environment}


def until(true: Callable[[], bool]) -> None:
    """Returns when that is true."""
    latest = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < latest, "it did not come true"
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())

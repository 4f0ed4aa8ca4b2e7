"""The story of a deployment: one command, one file, an application with its database and its bucket (SC-001)."""

from __future__ import annotations

import subprocess
import sys

from examples.stories.deploy import run


def test_one_command_deploys_an_application_with_its_database_and_its_bucket() -> None:
    done = subprocess.run(
        [sys.executable, run.__file__], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    for told in (
        "bucket gallery-pictures: created",
        "migrations: 1 of 1 applied now",
        "application gallery: running at http://127.0.0.1:",
        "created, read, changed and deleted, rows and objects alike",
        "took its place; all requests were answered",
        "no process is left",
        "the same URL, and the gallery as it was left",
    ):
        assert told in done.stdout

"""Plays every story, or those that are named: `make stories`, `make stories ARGS=deploy`.

A story is a folder beside this file with a `run.py`, which tells what it does, checks it, and ends with status 0 if all was as it
should be.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent


def stories(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """The programs of the stories in a folder by their names, or of those that are named.

    Raises:
        SystemExit: there is no such story. It says which there are.
    """
    found = {path.parent.name: path for path in sorted(folder.glob("*/run.py"))}
    for name in names:
        if name not in found:
            sys.exit(f"There is no story {name}. There are: {', '.join(found)}.")
    return [path for name, path in found.items() if not names or name in names]


def play(path: Path) -> bool:
    """Plays a story, which writes where this does, with no settings of LCPlatform but its own. Whether it came to a good end."""
    name = path.parent.name
    print(f"--- {name}", flush=True)
    environment = {
        it: value for it, value in os.environ.items() if not it.startswith("LCPLATFORM_")
    }
    started = time.perf_counter()
    status = subprocess.run([sys.executable, path], env=environment, check=False).returncode
    outcome = "well" if status == 0 else f"FAILED with status {status}"
    print(f"--- {name}: {outcome}, {time.perf_counter() - started:.1f} s\n", flush=True)
    return status == 0


def main(names: Sequence[str], folder: Path = HERE) -> int:
    """0 if every story came to a good end. Those after one that did not are played too."""
    outcomes = [play(path) for path in stories(folder, names)]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

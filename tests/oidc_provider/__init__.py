"""oidc-provider, a certified issuer of OpenID Connect, as a child process: Node runs it, and npm installs it."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
CLIENT_ID: Final = "contract"
CLIENT_SECRET: Final = "a secret of the contract suite"


class OidcProvider:
    """A running issuer. It ends when it is stopped, and with its starter however that ended."""

    def __init__(self) -> None:
        _install()
        command = ["node", str(_HERE / "issuer.mjs"), CLIENT_ID, CLIENT_SECRET]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        """Who the issuer is."""
        if not self.url:
            _, printed = self._process.communicate()
            raise RuntimeError(f"oidc-provider did not start. It printed:\n{printed}")

    def stop(self) -> None:
        """Ends it."""
        self._process.communicate()


def _install() -> None:
    """Installs what the lock file names, unless it is there. One process does it, and the others wait."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise RuntimeError(f"oidc-provider needs {program}, which is not on this machine")
    lock = _HERE / "package-lock.json"
    with lock.open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        installed = _HERE / "node_modules" / ".package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run(["npm", "ci", "--silent"], cwd=_HERE, check=True)

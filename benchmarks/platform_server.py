"""`lcplatform serve` as its users start it, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, Self

from benchmarks.child import ROOT, ChildError, pin

_START_SECONDS: Final = 60.0


class PlatformServer:
    """A server on a free port of loopback. Use it in a `with` statement.

    Args:
        provider: what it serves.
        options: the provider's options.
        core: the only core that it may use; any where absent.
    """

    def __init__(
        self, provider: str, options: dict[str, str] | None = None, core: int | None = None
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        ready = Path(self._folder.name, "endpoint")
        words = [f"--option={name}={value}" for name, value in (options or {}).items()]
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "lcplatform_server", "serve", "--provider", provider),
                *("--listen", "127.0.0.1:0", "--ready-file", str(ready), *words),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        if core is not None:
            pin(core, self._process.pid)
        try:
            self.endpoint = self._await(ready)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def close(self) -> None:
        """Ends it. Nothing is under way any more, so nothing is waited for."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _await(self, ready: Path) -> str:
        deadline = time.monotonic() + _START_SECONDS
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ChildError(f"lcplatform serve did not come up: {self._process.poll()}")
            time.sleep(0.02)
        return ready.read_text(encoding="utf-8").strip()

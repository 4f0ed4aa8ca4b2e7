"""The memory of a process: what it has now, and the most that it had since it was asked to forget. By Linux's /proc."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Final

_MIB: Final = 1024 * 1024


class Growth:
    """How far the memory of a process goes beyond what it has when this is made.

    Args:
        pid: the process; this one where absent.
    """

    def __init__(self, pid: int | None = None) -> None:
        if pid is None:
            gc.collect()
        self._proc = Path("/proc", str(pid or os.getpid()))
        (self._proc / "clear_refs").write_text("5")  # the peak is what there is now
        self._idle = self._kib("VmRSS")

    def mib(self) -> float:
        """The peak since then, above what there was."""
        return (self._kib("VmHWM") - self._idle) * 1024 / _MIB

    def _kib(self, name: str) -> int:
        for line in (self._proc / "status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise LookupError(name)

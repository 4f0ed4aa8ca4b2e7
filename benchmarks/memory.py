"""The memory of this process: what it has now, and the most that it had since it was asked to forget."""

from __future__ import annotations

import gc
import resource
import sys
from pathlib import Path
from typing import Final

_MIB: Final = 1024 * 1024
_STATUS: Final = Path("/proc/self/status")
_FORGET: Final = Path("/proc/self/clear_refs")


class Growth:
    """How far the memory of this process goes beyond what it has when this is made."""

    def __init__(self) -> None:
        gc.collect()
        if _FORGET.exists():
            _FORGET.write_text("5")  # the peak is what there is now
        self._idle = _now()

    def mib(self) -> float:
        """The peak since then, above what there was."""
        return (_peak() - self._idle) / _MIB


def _now() -> int:
    return _status("VmRSS") if _STATUS.exists() else _peak()


def _peak() -> int:
    if _STATUS.exists():
        return _status("VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)

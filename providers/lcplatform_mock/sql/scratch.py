"""Folders that are thrown away, even where the process that made them was killed: then the next one does it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import IO, Final

_PREFIX: Final = "lcp-sql-"
_LOCK: Final = "lock"


class Scratch:
    """A folder, for its owner's eyes alone.

    Attributes:
        path: where it is.
    """

    def __init__(self, within: Path | None = None) -> None:
        """Makes it, in the place for temporary files unless another is given."""
        within = within or Path(tempfile.gettempdir())
        _sweep(within)
        self.path: Final = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=within))
        # Under its own name only once it is held: whoever sweeps takes a lock that nobody holds for a dead one's.
        early = self.path / f"{_LOCK}.part"
        self._lock = early.open("ab")
        _held(self._lock)
        early.rename(self.path / _LOCK)

    def close(self) -> None:
        """Throws it away."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _sweep(within: Path) -> None:
    """Throws away what processes have left that are no longer there."""
    for folder in within.glob(f"{_PREFIX}*"):
        try:
            with (folder / _LOCK).open("rb") as lock:
                if _held(lock):
                    shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # somebody else's, or somebody else was faster


def _held(file: IO[bytes]) -> bool:
    """Whether the lock of a file is ours now. The operating system takes it back when the process ends."""
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

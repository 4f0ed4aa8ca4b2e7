"""A body on its way through: cut to size, counted and checked. It reads nothing itself, so it serves both colours."""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Final

from lcplatform_runtime.errors import FieldViolation, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lcplatform_runtime.errors import LCPlatformError

CHUNK: Final = 256 * 1024
"""The size in which bodies travel, in bytes: the fastest over gRPC, and small enough to hold many at once."""


@cache
def _extend() -> Callable[[int, bytes], int]:
    """The CRC-32C of more bytes, from the CRC-32C of those before. Loaded by the first body that keeps one."""
    from google_crc32c import extend

    return extend  # type: ignore[no-any-return]  # the library is untyped


class Body:
    """Takes pieces of any size and gives chunks of the size asked for.

    The last chunk leaves only when the end has been fed and the whole body found as announced, so whoever commits on the
    last chunk cannot commit a body that was never checked.
    """

    __slots__ = (
        "_crc32c",
        "_ended",
        "_expected_crc32c",
        "_held",
        "_offset",
        "_pieces",
        "count",
        "failure",
        "guard",
        "size",
    )

    def __init__(self, size: int | None = None) -> None:
        self.size = size
        """What the body must come to, in bytes, if that is known."""
        self.guard: Callable[[], object] | None = None
        """Called before more of it is read. What it raises ends the body."""
        self._crc32c: int | None = None
        self._expected_crc32c: int | None = None
        self.reset()

    def reset(self) -> None:
        """Starts over with the same expectations."""
        self.count = 0
        """How many bytes were fed."""
        self.failure: LCPlatformError | None = None
        """Why no more bytes can be had. Raised by every further read."""
        self._pieces: deque[bytes] = deque()
        self._offset = 0
        self._held = 0
        self._ended = False
        if self._crc32c is not None:
            self._crc32c = 0

    @property
    def started(self) -> bool:
        """Whether anything was fed, or the end, or a failure."""
        return self.count > 0 or self._ended or self.failure is not None

    @property
    def crc32c(self) -> int:
        """The CRC-32C of what was fed. Only for a body that keeps one."""
        if self._crc32c is None:
            raise ValueError("no checksum is kept: call checksum() before the first read")
        return self._crc32c

    def checksum(self) -> None:
        """Keeps a CRC-32C from now on. Nothing may have been fed yet."""
        if self._crc32c is None:
            if self.count:
                raise ValueError("a checksum must be asked for before the first read")
            self._crc32c = 0

    def expect(self, size: int | None, crc32c: int | None) -> None:
        """Announces what the body must come to. May be said until the end is fed."""
        if size is not None:
            self._refuse_unequal("size", self.size, size)
            self.size = size
        if crc32c is not None:
            self.checksum()
            self._refuse_unequal("crc32c", self._expected_crc32c, crc32c)
            self._expected_crc32c = crc32c

    def feed(self, piece: bytes) -> None:
        """Takes the next piece; an empty one is the end. Raises ValidationError where the body is not as announced."""
        if piece:
            self._pieces.append(piece)
            self._held += len(piece)
            self.count += len(piece)
            if self._crc32c is not None:
                self._crc32c = _extend()(self._crc32c, piece)
            if self.size is not None and self.count > self.size:
                raise _mismatch("size", self.size, f"{self.count} or more")
        else:
            self._refuse_unequal("size", self.size, self.count)
            self._refuse_unequal("crc32c", self._expected_crc32c, self._crc32c)
            self._ended = True

    def take(self, n: int) -> bytes | None:
        """The next `n` bytes, all if negative, fewer only at the end. None: feed more first."""
        if not self._ended and (n < 0 or self._held <= n):
            return None
        wanted = self._held if n < 0 else min(n, self._held)
        self._held -= wanted
        if not wanted:
            return b""
        if not self._offset and wanted == len(
            self._pieces[0]
        ):  # as it came: most bodies are one piece
            return self._pieces.popleft()[:]
        parts = []
        while wanted:
            piece, start = self._pieces[0], self._offset
            part = piece[start : start + wanted]
            parts.append(part)
            wanted -= len(part)
            if start + len(part) == len(piece):
                self._pieces.popleft()
                self._offset = 0
            else:
                self._offset = start + len(part)
        return b"".join(parts)

    @staticmethod
    def _refuse_unequal(what: str, expected: int | None, actual: int | None) -> None:
        if expected is not None and expected != actual:
            raise _mismatch(what, expected, actual)


def _mismatch(what: str, expected: int, actual: object) -> ValidationError:
    return ValidationError(
        f"the body is not the one announced: its {what} is {actual} instead of {expected}",
        details={"mismatch": what, "expected": str(expected), "actual": str(actual)},
        violations=[FieldViolation(what, f"announced as {expected}, found {actual}")],
    )

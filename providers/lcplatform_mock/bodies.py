"""The bodies of objects as files, so that neither memory nor a restart limits what is kept (SC-007)."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, overload

from typing_extensions import override

from lcplatform_runtime.streams import CHUNK

_PART: Final = ".part"


class BodyFile:
    """A body in a file that never changes. Whoever opens it can read on although the file is deleted."""

    __slots__ = ("path", "size")

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size

    def opened(self) -> OpenBody:
        """Its chunks, as long as anybody holds them."""
        return OpenBody(self)


class OpenBody(Sequence[bytes]):
    """The chunks of a body file, read when they are asked for. All but the last have the usual size."""

    def __init__(self, body: BodyFile) -> None:
        self._descriptor = os.open(body.path, os.O_RDONLY)
        self._count = -(-body.size // CHUNK)
        weakref.finalize(self, os.close, self._descriptor)

    @override
    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...

    @override
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[it] for it in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        return os.pread(self._descriptor, CHUNK, index * CHUNK)


class BodyFiles:
    """The files of one store, each named after the etag of its object."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)

    def write(self, name: str, chunks: Iterable[bytes], check: Callable[[int], None]) -> BodyFile:
        """Writes a body, whole or not at all. `check` is told how large it is so far, and may refuse more."""
        path = self._folder / name
        part = path.with_suffix(_PART)
        size = 0
        try:
            with part.open("wb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    check(size)
                    file.write(chunk)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return BodyFile(path, size)

    def copy(self, body: BodyFile, name: str) -> BodyFile:
        """The same body under another name. It costs no space: a file that never changes may have two names."""
        path = self._folder / name
        os.link(body.path, path)
        return BodyFile(path, body.size)

    def find(self, name: str, size: int) -> BodyFile:
        """The body that was written under that name."""
        return BodyFile(self._folder / name, size)

    def delete(self, name: str) -> None:
        """Deletes a body, if it is there."""
        (self._folder / name).unlink(missing_ok=True)

    def keep_only(self, names: set[str]) -> None:
        """Deletes whatever no object names: what an upload wrote that was never acknowledged."""
        for path in self._folder.iterdir():
            if path.name not in names:
                path.unlink()

"""Sets the provider up for the contract tests, on a directory of its own."""

from __future__ import annotations

from collections.abc import Mapping
from tempfile import TemporaryDirectory

from typing_extensions import override

from lcplatform_contract.harness import PlainHarness


class FilesystemHarness(PlainHarness):
    """The provider on a directory that is gone after the tests."""

    def __init__(self, options: Mapping[str, object], /) -> None:
        self._folder = TemporaryDirectory(prefix="lcplatform-")
        super().__init__("filesystem", {"root": self._folder.name, **options})

    @override
    def close(self) -> None:
        self._folder.cleanup()

"""Sets the provider up for the contract tests: a directory of its own, and what is known to differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from typing_extensions import override

from lcplatform_contract.differences import read
from lcplatform_contract.harness import PlainHarness

_DIFFERENCES: Final = Path(__file__).with_name("differences.toml")


class FilesystemHarness(PlainHarness):
    """The provider on a directory that is gone after the tests."""

    def __init__(self, options: Mapping[str, object], /) -> None:
        self._folder = TemporaryDirectory(prefix="lcplatform-")
        super().__init__("filesystem", {"root": self._folder.name, **options})

    @property
    @override
    def differences(self) -> Mapping[str, str]:
        return read(_DIFFERENCES)

    @override
    def close(self) -> None:
        self._folder.cleanup()

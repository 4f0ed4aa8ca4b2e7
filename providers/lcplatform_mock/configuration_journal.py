"""What the mock keeps of configurations across restarts: each with its versions, which are written once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lcplatform_mock.configurations import Configuration, ConfigurationRecord, Version

if TYPE_CHECKING:
    from lcplatform_mock.journal import Journal


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version, and the configuration that it belongs to."""

    uid: str
    version: Version


class ConfigurationJournal:
    """The records of all configurations, if anything is kept. Whoever calls holds the lock of the service."""

    def __init__(self, journal: Journal | None) -> None:
        self._tables = None
        if journal is not None:
            self._tables = (
                journal.table("configuration.configuration", ConfigurationRecord),
                journal.table("configuration.version", VersionRecord),
            )

    def load(self) -> Iterator[Configuration]:
        """What was kept."""
        if self._tables is None:
            return
        heads, versions = self._tables
        kept: defaultdict[str, dict[str, Version]] = defaultdict(dict)
        for _, record in versions.load():
            kept[record.uid][record.version.name] = record.version
        for uid, head in heads.load():
            yield Configuration.of(head, kept[uid])

    def put(self, it: Configuration) -> None:
        """Keeps what is known of a configuration."""
        if self._tables is not None:
            self._tables[0].put(it.uid, it.record)

    def put_version(self, it: Configuration, version: Version, gone: Iterable[str]) -> None:
        """Keeps a new version, in place of those that made room for it."""
        if self._tables is not None:
            versions = self._tables[1]
            versions.put(f"{it.uid}/{version.name}", VersionRecord(it.uid, version))
            for name in gone:
                versions.remove(f"{it.uid}/{name}")

    def remove(self, it: Configuration) -> None:
        """Keeps a configuration no longer."""
        if self._tables is not None:
            heads, versions = self._tables
            heads.remove(it.uid)
            for name in it.versions:
                versions.remove(f"{it.uid}/{name}")

    def keep(self, configurations: Iterable[Configuration]) -> None:
        """Keeps these, and no others."""
        if self._tables is not None:
            for table in self._tables:
                table.clear()
            for it in configurations:
                self.put(it)
                for version in it.versions.values():
                    self.put_version(it, version, ())

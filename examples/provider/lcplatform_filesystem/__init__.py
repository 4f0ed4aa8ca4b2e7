"""A provider of LCPlatform that keeps objects in a local directory. It shows how a provider is written."""

from __future__ import annotations

from .provider import FilesystemProvider

provider = FilesystemProvider()

"""Bodies on their way up and down, in both colours, never held in memory as a whole (SC-007).

What drivers, pipelines and applications need is here; how it works is in the modules that this one gathers.
"""

from __future__ import annotations

from lcplatform_runtime.body import CHUNK
from lcplatform_runtime.downloads import AsyncByteStream, AsyncDownload, ByteStream, Download
from lcplatform_runtime.origins import AsyncData, Data, Readable
from lcplatform_runtime.sources import AsyncByteSource, ByteSource

__all__ = [
    "CHUNK",
    "AsyncByteSource",
    "AsyncByteStream",
    "AsyncData",
    "AsyncDownload",
    "ByteSource",
    "ByteStream",
    "Data",
    "Download",
    "Readable",
]

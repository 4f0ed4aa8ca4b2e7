"""Objects and what is said of them, between S3's words and the platform's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from lcplatform.object_store.models import (
    ByteRange,
    GetObjectHeader,
    ObjectVersion,
    PutObjectHeader,
)
from lcplatform_aws.units import given
from lcplatform_runtime.errors import invalid
from lcplatform_runtime.streams import CHUNK


def described(request: PutObjectHeader, /) -> dict[str, Any]:
    """What is said of an object."""
    return given(
        ContentType=request.content_type,
        CacheControl=request.cache_control,
        ContentDisposition=request.content_disposition,
        ContentEncoding=request.content_encoding,
        Metadata=request.metadata or None,
        Tagging=urlencode(request.tags) if request.tags else None,
    )


def known(answer: Mapping[str, Any], /) -> dict[str, Any]:
    """What is known of an object that was found."""
    return {
        "etag": answer["ETag"],
        "version": answer.get("VersionId"),
        "modified_at": answer["LastModified"],
        "content_type": answer.get("ContentType") or "application/octet-stream",
        "cache_control": answer.get("CacheControl"),
        "content_disposition": answer.get("ContentDisposition"),
        "content_encoding": answer.get("ContentEncoding"),
        "metadata": answer.get("Metadata") or {},
    }


def not_modified(etag: str, /) -> GetObjectHeader:
    """What is said of an object that the caller knows. S3 says no more either."""
    return GetObjectHeader(
        size=0, etag=etag, content_type="", range_offset=0, range_length=0, not_modified=True
    )


def version_of(it: Mapping[str, Any], /, *, deleted: bool) -> ObjectVersion:
    """A version, or the mark of a deletion, as a listing tells it."""
    return ObjectVersion(
        key=it["Key"],
        version=it["VersionId"],
        latest=it["IsLatest"],
        deleted=deleted,
        size=it.get("Size", 0),
        etag=it.get("ETag", ""),
        modified_at=it["LastModified"],
    )


def range_of(wanted: ByteRange | None, /) -> str | None:
    """A stretch of an object as HTTP asks for it."""
    if wanted is None:
        return None
    if wanted.last is not None:
        return f"bytes=-{wanted.last}"
    first = wanted.offset
    if first is None:
        raise invalid("range", "offset, perhaps with length, or last")
    return f"bytes={first}-{'' if wanted.length is None else first + wanted.length - 1}"


def stretch(content_range: str | None, length: int, /) -> tuple[int, int]:
    """Where the bytes start in the object, and its size: `bytes 2-4/10`."""
    if content_range is None:
        return 0, length
    place, _, size = content_range.removeprefix("bytes ").partition("/")
    return int(place.partition("-")[0]), int(size)


def chunks(body: Any, length: int, /) -> Iterator[bytes]:
    """The body of an answer. It is closed at its end, or by whoever gives it up."""
    try:
        if length <= CHUNK:
            if data := body.read():
                yield data
            return
        while data := body.read(CHUNK):
            yield data
    finally:
        body.close()

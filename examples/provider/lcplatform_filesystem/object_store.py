"""The driver of the object store. Whatever it does not override is not offered."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import uuid4

from typing_extensions import override

from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    FieldViolation,
    PreconditionFailedError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.object_store.models import (
    Bucket,
    ByteRange,
    CopyObjectRequest,
    CopyObjectResponse,
    CreateBucketRequest,
    CreateBucketResponse,
    DeleteBucketRequest,
    DeleteBucketResponse,
    DeleteObjectRequest,
    DeleteObjectResponse,
    DeleteObjectsRequest,
    DeleteObjectsResponse,
    DeleteObjectsResult,
    GetObjectHeader,
    GetObjectRequest,
    HeadObjectRequest,
    HeadObjectResponse,
    ListBucketsRequest,
    ListBucketsResponse,
    ListObjectsRequest,
    ListObjectsResponse,
    ObjectInfo,
    PutObjectHeader,
    PutObjectResponse,
)
from lcplatform.object_store.stub import UnimplementedObjectStore
from lcplatform_runtime.streams import ByteSource, ByteStream
from lcplatform_runtime.support import ConditionalUpdate, Support

from .stored import Facts, Stored, body, file_name, read, write

_BUCKET: Final = ".bucket"
"""The file that makes a directory a bucket. Nobody writes to it, so its time is that of the bucket."""

_SUPPORT: Final = Support(
    conditional_updates=dict.fromkeys(
        ("copy_object", "delete_object", "get_object", "put_object"), ConditionalUpdate.ATOMIC
    ),
    native=False,
)
"""No tags, no versions, no expiry, no presigned URLs; no limits but those of the disk."""


class FilesystemObjectStore(UnimplementedObjectStore):
    """A directory for each bucket and a file for each object. Processes may share it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parts = root / ".parts"
        self._parts.mkdir(parents=True, exist_ok=True)

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    # --- buckets

    @override
    def create_bucket(self, request: CreateBucketRequest, /) -> CreateBucketResponse:
        with self._locked():
            marker = self._root / request.name / _BUCKET
            marker.parent.mkdir(exist_ok=True)
            try:
                marker.touch(exist_ok=False)
            except FileExistsError:
                raise AlreadyExistsError(f"bucket {request.name!r} exists") from None
            return CreateBucketResponse(bucket=_described(marker))

    @override
    def list_buckets(self, request: ListBucketsRequest, /) -> ListBucketsResponse:
        found = {marker.parent.name: marker for marker in self._root.glob(f"*/{_BUCKET}")}
        names, token = _page(sorted(found), request.page_token, request.page_size)
        buckets = tuple(_described(found[name]) for name in names)
        return ListBucketsResponse(buckets=buckets, next_page_token=token)

    @override
    def delete_bucket(self, request: DeleteBucketRequest, /) -> DeleteBucketResponse:
        with self._locked():
            bucket = self._bucket(request.name)
            if any(path.name != _BUCKET for path in bucket.iterdir()):
                raise PreconditionFailedError(f"bucket {request.name!r} still holds objects")
            (bucket / _BUCKET).unlink()
            bucket.rmdir()
        return DeleteBucketResponse()

    # --- objects

    @override
    def put_object(self, request: PutObjectHeader, source: ByteSource, /) -> PutObjectResponse:
        _check_conditions(request)
        self._bucket(request.bucket)  # before the body is read for nothing
        facts = Facts(
            key=request.key,
            etag=uuid4().hex,
            content_type=request.content_type,
            cache_control=request.cache_control,
            content_disposition=request.content_disposition,
            content_encoding=request.content_encoding,
            metadata=request.metadata,
        )
        part = self._parts / facts.etag
        size = write(part, facts, source.chunks())
        self._commit(part, request)
        return PutObjectResponse(etag=facts.etag, size=size)

    @override
    def get_object(self, request: GetObjectRequest, /) -> ByteStream[GetObjectHeader]:
        file = self._open(request.bucket, request.key)
        try:
            return _opened(file, request)
        except BaseException:
            file.close()
            raise

    @override
    def head_object(self, request: HeadObjectRequest, /) -> HeadObjectResponse:
        stored = self._stored(request.bucket, request.key)
        return HeadObjectResponse(
            size=stored.size, modified_at=stored.modified_at, **_facts(stored)
        )

    @override
    def delete_object(self, request: DeleteObjectRequest, /) -> DeleteObjectResponse:
        with self._locked():
            if request.if_match is not None:
                _check_etag(self._stored(request.bucket, request.key), request.if_match)
            self._path(request.bucket, request.key).unlink(missing_ok=True)
        return DeleteObjectResponse()

    @override
    def delete_objects(self, request: DeleteObjectsRequest, /) -> DeleteObjectsResponse:
        with self._locked():
            for entry in request.entries:
                self._path(request.bucket, entry.key).unlink(missing_ok=True)
        return DeleteObjectsResponse(
            successful=tuple(
                DeleteObjectsResult(index=index, key=entry.key)
                for index, entry in enumerate(request.entries)
            )
        )

    @override
    def copy_object(self, request: CopyObjectRequest, /) -> CopyObjectResponse:
        _check_conditions(request)
        origin = request.source_bucket or request.bucket
        if (origin, request.source_key) == (request.bucket, request.key):
            raise _invalid("source_key", "an object cannot be copied onto itself")
        with self._open(origin, request.source_key) as file:
            source = read(file)
            if request.source_if_match is not None:
                _check_etag(source, request.source_if_match)
            facts = replace(source.facts, key=request.key, etag=uuid4().hex)
            part = self._parts / facts.etag
            write(part, facts, body(file, source.size))
        self._commit(part, request)
        return CopyObjectResponse(etag=facts.etag)

    @override
    def list_objects(self, request: ListObjectsRequest, /) -> ListObjectsResponse:
        entries: dict[str, ObjectInfo | None] = {}
        for stored in self._objects(request.bucket):
            key = stored.facts.key
            if key.startswith(request.prefix) and key > request.start_after:
                common = _common_prefix(key, request.prefix, request.delimiter)
                entries[common or key] = None if common else _listed(stored)
        names, token = _page(list(entries), request.page_token, request.page_size)
        return ListObjectsResponse(
            objects=tuple(entry for name in names if (entry := entries[name])),
            common_prefixes=tuple(name for name in names if not entries[name]),
            next_page_token=token,
        )

    # --- inside

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time, over all processes. Bodies are written before, so it is held for a moment."""
        with (self._root / ".lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _commit(self, part: Path, request: PutObjectHeader | CopyObjectRequest) -> None:
        """Moves a written part to its place if the conditions of the request hold."""
        try:
            with self._locked():
                path = self._path(request.bucket, request.key)
                if request.if_absent and path.exists():
                    raise AlreadyExistsError(f"object {request.key!r} exists")
                if request.if_match is not None:
                    _check_etag(self._stored(request.bucket, request.key), request.if_match)
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _bucket(self, name: str) -> Path:
        bucket = self._root / name
        if not (bucket / _BUCKET).exists():
            raise ResourceNotFoundError(f"bucket {name!r} does not exist", resource=name)
        return bucket

    def _path(self, bucket: str, key: str) -> Path:
        return self._bucket(bucket) / file_name(key)

    def _open(self, bucket: str, key: str) -> BinaryIO:
        path = self._path(bucket, key)
        try:
            return path.open("rb")
        except FileNotFoundError:
            raise ResourceNotFoundError(
                f"bucket {bucket!r} has no object {key!r}", resource=key
            ) from None

    def _stored(self, bucket: str, key: str) -> Stored:
        with self._open(bucket, key) as file:
            return read(file)

    def _objects(self, bucket: str) -> list[Stored]:
        """The objects of a bucket in the order of their keys: that of code points is that of UTF-8 bytes."""
        found = []
        for path in self._bucket(bucket).glob("[!.]*"):
            with suppress(FileNotFoundError), path.open("rb") as file:
                found.append(read(file))
        return sorted(found, key=lambda stored: stored.facts.key)


def _opened(file: BinaryIO, request: GetObjectRequest) -> ByteStream[GetObjectHeader]:
    stored = read(file)
    if request.if_match is not None:
        _check_etag(stored, request.if_match)
    not_modified = request.if_none_match == stored.facts.etag
    offset, length = (0, 0) if not_modified else _span(request.range, stored.size)
    file.seek(offset, 1)
    header = GetObjectHeader(
        size=stored.size,
        modified_at=stored.modified_at,
        range_offset=offset,
        range_length=length,
        not_modified=not_modified,
        **_facts(stored),
    )
    return ByteStream(header, body(file, length), close=file.close)


def _span(wanted: ByteRange | None, size: int) -> tuple[int, int]:
    """Where a range starts in a body and how many bytes it has."""
    if wanted is None:
        return 0, size
    if (wanted.offset is None) == (wanted.last is None):
        raise _invalid("range", "one of offset and last")
    offset = max(size - (wanted.last or 0), 0) if wanted.offset is None else wanted.offset
    if offset >= size:
        raise _invalid("range", f"a start before the end of the object, at {size}")
    return offset, min(wanted.length or size, size - offset)


def _common_prefix(key: str, prefix: str, delimiter: str) -> str:
    """What the key is rolled up into: up to the first delimiter after the prefix. Empty: it is not."""
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return "" if end < 0 else key[: end + len(delimiter)]


def _page(names: list[str], token: str, size: int) -> tuple[list[str], str]:
    """The page of ordered names after the one that the token is, and the token of the next page."""
    rest = [name for name in names if name > token]
    return rest[:size], rest[size - 1] if len(rest) > size else ""


def _check_conditions(request: PutObjectHeader | CopyObjectRequest) -> None:
    if request.if_absent and request.if_match is not None:
        raise _invalid("if_absent", "not together with if_match")


def _check_etag(stored: Stored, etag: str) -> None:
    if stored.facts.etag != etag:
        raise ConflictError(f"object {stored.facts.key!r} has changed: read it again")


def _described(marker: Path) -> Bucket:
    moment = datetime.fromtimestamp(marker.stat().st_mtime, UTC)
    return Bucket(name=marker.parent.name, created_at=moment)


def _listed(stored: Stored) -> ObjectInfo:
    facts = stored.facts
    return ObjectInfo(
        key=facts.key, size=stored.size, etag=facts.etag, modified_at=stored.modified_at
    )


def _facts(stored: Stored) -> dict[str, Any]:  # fields of different types
    """What the answers of head and get have in common."""
    facts = asdict(stored.facts)
    del facts["key"]
    return facts


def _invalid(field: str, expected: str) -> ValidationError:
    return ValidationError(f"{field}: {expected}", violations=[FieldViolation(field, expected)])

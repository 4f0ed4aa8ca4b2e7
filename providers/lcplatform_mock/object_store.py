"""ObjectStore in memory (FR-031 to FR-036)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from typing_extensions import override

from lcplatform.object_store.driver import ObjectStoreDriver
from lcplatform.object_store.models import (
    Bucket as BucketInfo,
)
from lcplatform.object_store.models import (
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
    GeneratePresignedUrlRequest,
    GeneratePresignedUrlResponse,
    GetObjectHeader,
    GetObjectRequest,
    GetObjectTagsRequest,
    GetObjectTagsResponse,
    HeadObjectRequest,
    HeadObjectResponse,
    ListBucketsRequest,
    ListBucketsResponse,
    ListObjectsRequest,
    ListObjectsResponse,
    ListObjectVersionsRequest,
    ListObjectVersionsResponse,
    PutObjectHeader,
    PutObjectResponse,
    PutObjectTagsRequest,
    PutObjectTagsResponse,
)
from lcplatform.object_store.support import ObjectStoreCapability, ObjectStoreLimits
from lcplatform.type.models import BatchFailure
from lcplatform_mock.bodies import BodyFile
from lcplatform_mock.gate import gated
from lcplatform_mock.listing import names_page, page_of
from lcplatform_mock.objects import (
    Bucket,
    Stored,
    check_range,
    cut,
    place,
    place_of,
    required,
    span,
)
from lcplatform_mock.ready import EMPTY, frozen
from lcplatform_mock.refusals import failure, missing, stale, whole_days
from lcplatform_mock.service import Service
from lcplatform_mock.world import World
from lcplatform_runtime.errors import AlreadyExistsError, PreconditionFailedError, invalid
from lcplatform_runtime.streams import ByteSource, ByteStream
from lcplatform_runtime.support import ConditionalUpdate, Support
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from lcplatform_mock.journal import Journal
    from lcplatform_mock.listener import Listener, Listening
    from lcplatform_mock.object_records import ObjectTables

Chunks: TypeAlias = Sequence[bytes] | BodyFile

# S3's, and for the size of an object what an application may count on everywhere (SC-007).
LIMITS: Final = ObjectStoreLimits(
    max_object_bytes=5 * 1024**3,
    max_key_bytes=1024,
    max_metadata_bytes=2048,
    max_tags=10,
    max_delete_batch=1000,
    max_presign_seconds=7 * 24 * 3600,
)
SUPPORT: Final = Support(
    capabilities=frozenset(ObjectStoreCapability),
    limits=LIMITS.by_name(),
    conditional_updates=dict.fromkeys(
        ("copy_object", "delete_object", "get_object", "put_object"), ConditionalUpdate.ATOMIC
    ),
)

_put = trusted(PutObjectResponse)
_tags = trusted(GetObjectTagsResponse)
_PUT_TAGS: Final = trusted(PutObjectTagsResponse)()
_DELETED_BUCKET: Final = trusted(DeleteBucketResponse)()
_DELETED: Final = trusted(DeleteObjectResponse)()


@gated(ObjectStoreDriver)
class MockObjectStore(Service[dict[str, Bucket]], ObjectStoreDriver):
    """Buckets and objects in memory. Conditions are checked and changes made in one step; a body is kept in the chunks in
    which it came, and only if it came to its end."""

    def __init__(self, world: World) -> None:
        super().__init__(world, {})
        self._name = world.names()
        self._listener: Listener | None = None
        self._tables = None if world.journal is None else _tables(world.journal)
        if self._tables is not None:
            self._state = self._tables.load()
            if (before := self._tables.listening) is not None:
                self._listen(before)

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    # --- buckets

    @override
    def create_bucket(self, request: CreateBucketRequest, /) -> CreateBucketResponse:
        for index, rule in enumerate(request.lifecycle):
            whole_days(f"lifecycle.{index}.expire_after", rule.expire_after)
        info = BucketInfo(name=request.name, created_at=self._clock.now())
        bucket = Bucket(info, versioning=request.versioning, rules=request.lifecycle)
        with self._lock:
            if request.name in self._state:
                raise AlreadyExistsError(f"bucket {request.name!r} exists", resource=request.name)
            self._state[request.name] = bucket
            if self._tables is not None:
                self._tables.keep_bucket(bucket)
        return CreateBucketResponse(bucket=info)

    @override
    def list_buckets(self, request: ListBucketsRequest, /) -> ListBucketsResponse:
        with self._lock:
            names, token = names_page(
                sorted(self._state), "", request.page_size, request.page_token
            )
            buckets = tuple(self._state[name].info for name in names)
        return ListBucketsResponse(buckets=buckets, next_page_token=token)

    @override
    def delete_bucket(self, request: DeleteBucketRequest, /) -> DeleteBucketResponse:
        with self._lock:
            if not self._changing(request.name).empty:
                raise PreconditionFailedError(
                    f"bucket {request.name!r} is not empty: delete its objects first, and their versions"
                )
            del self._state[request.name]
            if self._tables is not None:
                self._tables.buckets.remove(request.name)
        return _DELETED_BUCKET

    # --- objects

    @override
    def put_object(self, request: PutObjectHeader, source: ByteSource, /) -> PutObjectResponse:
        self._bucket(request.bucket)  # before the body is read for nothing
        if request.size is not None or request.crc32c is not None:
            source.expect(size=request.size, crc32c=request.crc32c)
        etag = self._name()
        chunks, size = self._received(etag, source)
        try:
            return self._put(request, etag, chunks, size)
        except BaseException:
            self._discard(etag)
            raise

    def _put(
        self, request: PutObjectHeader, etag: str, chunks: Chunks, size: int
    ) -> PutObjectResponse:
        with self._lock:
            bucket = self._changing(request.bucket)
            _check(bucket, request.key, request.if_match, if_absent=request.if_absent)
            stored = Stored(
                key=request.key,
                etag=etag,
                version=self._name() if bucket.versioning else None,
                modified_at=self._clock.now(),
                chunks=chunks,
                size=size,
                content_type=request.content_type,
                cache_control=request.cache_control,
                content_disposition=request.content_disposition,
                content_encoding=request.content_encoding,
                metadata=frozen(request.metadata),
                tags=frozen(request.tags),
            )
            bucket.put(stored)
        return _put(etag=stored.etag, version=stored.version, size=size)

    @override
    def get_object(self, request: GetObjectRequest, /) -> ByteStream[GetObjectHeader]:
        if request.range is not None:
            check_range(request.range)
        if self._tables is None:
            return _read(
                required(self._bucket(request.bucket), request.key, request.version), request
            )
        with self._lock:  # else the file could go before it is opened
            bucket = self._changing(request.bucket)
            return _read(required(bucket, request.key, request.version), request)

    @override
    def head_object(self, request: HeadObjectRequest, /) -> HeadObjectResponse:
        return required(self._bucket(request.bucket), request.key, request.version).head

    @override
    def delete_object(self, request: DeleteObjectRequest, /) -> DeleteObjectResponse:
        with self._lock:
            bucket = self._changing(request.bucket)
            _check(bucket, request.key, request.if_match, if_absent=False)
            return self._delete(bucket, request.key, request.version)

    @override
    def delete_objects(self, request: DeleteObjectsRequest, /) -> DeleteObjectsResponse:
        successful: list[DeleteObjectsResult] = []
        failed: list[BatchFailure] = []
        with self._lock:
            bucket = self._changing(request.bucket)
            for index, entry in enumerate(request.entries):
                if len(entry.key.encode()) > LIMITS.max_key_bytes:
                    problem = invalid("key", f"at most {LIMITS.max_key_bytes} bytes in UTF-8")
                    failed.append(failure(index, problem))
                    continue
                self._delete(bucket, entry.key, entry.version)
                successful.append(DeleteObjectsResult(index=index, key=entry.key))
        return DeleteObjectsResponse(successful=tuple(successful), failed=tuple(failed))

    @override
    def copy_object(self, request: CopyObjectRequest, /) -> CopyObjectResponse:
        origin = request.source_bucket or request.bucket
        with self._lock:
            source = required(self._changing(origin), request.source_key, request.source_version)
            if request.source_if_match is not None and request.source_if_match != source.etag:
                raise stale("object", request.source_key)
            bucket = self._changing(request.bucket)
            if source is bucket.find(request.key):
                raise invalid("source_key", "another object, or an earlier version of this one")
            _check(bucket, request.key, request.if_match, if_absent=request.if_absent)
            etag = self._name()
            stored = Stored(
                key=request.key,
                etag=etag,
                version=self._name() if bucket.versioning else None,
                modified_at=self._clock.now(),
                chunks=self._copied(source, etag),
                size=source.size,
                content_type=source.content_type,
                cache_control=source.cache_control,
                content_disposition=source.content_disposition,
                content_encoding=source.content_encoding,
                metadata=source.metadata,
                tags=source.tags,
            )
            bucket.put(stored)
        return CopyObjectResponse(etag=stored.etag, version=stored.version)

    # --- listings

    @override
    def list_objects(self, request: ListObjectsRequest, /) -> ListObjectsResponse:
        with self._lock:
            bucket = self._changing(request.bucket)
            page = page_of(
                bucket.keys.ordered(),
                prefix=request.prefix,
                delimiter=request.delimiter,
                start_after=request.start_after,
                size=request.page_size,
                token=request.page_token,
            )
            current = bucket.current
            objects = tuple([current[key].info for key in page.keys])
        return ListObjectsResponse(
            objects=objects, common_prefixes=tuple(page.prefixes), next_page_token=page.token
        )

    @override
    def list_object_versions(
        self, request: ListObjectVersionsRequest, /
    ) -> ListObjectVersionsResponse:
        with self._lock:
            found = [
                it
                for it in self._changing(request.bucket).versions()
                if it.key.startswith(request.prefix)
            ]
        if request.page_token:
            found = [it for it in found if place(it) > place_of(request.page_token)]
        page, more = found[: request.page_size], found[request.page_size :]
        token = f"{page[-1].key}\n{page[-1].version}" if more else ""
        return ListObjectVersionsResponse(versions=tuple(page), next_page_token=token)

    # --- tags

    @override
    def get_object_tags(self, request: GetObjectTagsRequest, /) -> GetObjectTagsResponse:
        return _tags(tags=required(self._bucket(request.bucket), request.key).tags)

    @override
    def put_object_tags(self, request: PutObjectTagsRequest, /) -> PutObjectTagsResponse:
        with self._lock:
            bucket = self._changing(request.bucket)
            bucket.retag(required(bucket, request.key), frozen(request.tags))
        return _PUT_TAGS

    # --- presigned URLs

    @override
    def generate_presigned_url(
        self, request: GeneratePresignedUrlRequest, /
    ) -> GeneratePresignedUrlResponse:
        with self._lock:
            listener = self._listener or self._listen()
            return listener.presign(request)

    def _listen(self, before: Listening | None = None) -> Listener:
        from lcplatform_mock.listener import Listener

        address = self._world.settings.http_listen
        self._listener = listener = Listener(self, self._clock, address, before)
        if self._tables is not None:
            self._tables.listens(listener.listening)
        return listener

    @override
    def close(self) -> None:
        """Closes the listener that answers presigned URLs, if one was opened."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    # --- bodies

    def _received(self, etag: str, source: ByteSource) -> tuple[Chunks, int]:
        """The whole body, and its size. Whatever ends it early is raised from here, and nothing is kept."""
        if self._tables is not None:
            body = self._tables.bodies.write(etag, source.chunks(), _check_size)
            if body.size:
                return body, body.size
            self._tables.bodies.delete(etag)
            return (), 0
        chunks: list[bytes] = []
        size = 0
        for chunk in source.chunks():
            chunks.append(chunk)
            size += len(chunk)
            _check_size(size)
        return tuple(chunks), size

    def _copied(self, source: Stored, etag: str) -> Chunks:
        """The body of another object."""
        if isinstance(source.chunks, BodyFile):
            assert self._tables is not None
            return self._tables.bodies.copy(source.chunks, etag)
        return source.chunks

    def _discard(self, etag: str) -> None:
        """Deletes a body that became no object."""
        if self._tables is not None:
            self._tables.bodies.delete(etag)

    # --- inside

    @override
    def snapshot(self) -> dict[str, Bucket]:
        if self._tables is not None:
            self._tables.files_stay = True
        return super().snapshot()

    @override
    def _keep(self) -> None:
        assert self._tables is not None
        self._tables.keep_all(self._state.values())

    @override
    def settle(self) -> None:
        with self._lock:
            for name in self._state:
                self._changing(name)

    def _bucket(self, name: str) -> Bucket:
        """The bucket with what a reader finds in it now."""
        bucket = self._state.get(name)
        if bucket is None:
            raise missing("bucket", name)
        if bucket.rules:
            with self._lock:
                self._expire(bucket)
        return bucket

    def _changing(self, name: str) -> Bucket:
        """The bucket, for whoever holds the lock."""
        bucket = self._state.get(name)
        if bucket is None:
            raise missing("bucket", name)
        if bucket.rules:
            self._expire(bucket)
        return bucket

    def _expire(self, bucket: Bucket) -> None:
        bucket.expire(self._clock.now(), self._marker)

    def _delete(self, bucket: Bucket, key: str, version: str | None) -> DeleteObjectResponse:
        if version is not None:
            bucket.delete_version(key, version, self._clock.now())
            return _DELETED
        marker = bucket.delete(key, lambda: self._marker(key, self._clock.now()))
        return _DELETED if marker is None else DeleteObjectResponse(version=marker.version)

    def _marker(self, key: str, moment: datetime) -> Stored:
        """The version that says that the object is deleted."""
        return Stored(
            key=key,
            etag=self._name(),
            version=self._name(),
            modified_at=moment,
            metadata=EMPTY,
            tags=EMPTY,
            deleted=True,
        )


def _read(stored: Stored, request: GetObjectRequest) -> ByteStream[GetObjectHeader]:
    """The answer with an object, or with a stretch of it."""
    if request.if_match is not None and request.if_match != stored.etag:
        raise stale("object", request.key)
    if request.if_none_match == stored.etag:
        return ByteStream(stored.header(0, 0, not_modified=True))
    if request.range is None:
        return ByteStream(stored.whole, stored.opened())
    offset, length = span(request.range, stored.size)
    return ByteStream(stored.header(offset, length), cut(stored.opened(), offset, length))


def _check(bucket: Bucket, key: str, if_match: str | None, *, if_absent: bool) -> None:
    """Refuses a write whose condition does not hold. A deleted object counts as absent."""
    if if_match is not None and required(bucket, key).etag != if_match:
        raise stale("object", key)
    if if_absent and bucket.find(key) is not None:
        raise AlreadyExistsError(
            f"object {key!r} exists in bucket {bucket.info.name!r}", resource=key
        )


def _check_size(size: int) -> None:
    if size > LIMITS.max_object_bytes:
        raise invalid("data", f"at most {LIMITS.max_object_bytes} bytes")


def _tables(journal: Journal) -> ObjectTables:
    from lcplatform_mock.object_records import ObjectTables

    return ObjectTables(journal)

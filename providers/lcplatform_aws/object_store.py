"""Object storage on Amazon S3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from botocore.exceptions import ClientError
from typing_extensions import override

from lcplatform.object_store.driver import ObjectStoreDriver
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
    GeneratePresignedUrlRequest,
    GeneratePresignedUrlResponse,
    GetObjectHeader,
    GetObjectRequest,
    GetObjectTagsRequest,
    GetObjectTagsResponse,
    HeadObjectRequest,
    HeadObjectResponse,
    LifecycleRule,
    ListBucketsRequest,
    ListBucketsResponse,
    ListObjectsRequest,
    ListObjectsResponse,
    ListObjectVersionsRequest,
    ListObjectVersionsResponse,
    ObjectInfo,
    ObjectVersion,
    PresignedMethod,
    PutObjectHeader,
    PutObjectResponse,
    PutObjectTagsRequest,
    PutObjectTagsResponse,
)
from lcplatform.object_store.operations import COPY_OBJECT, PUT_OBJECT
from lcplatform.object_store.support import ObjectStoreCapability, ObjectStoreLimits
from lcplatform_aws.errors import batch_failure, problem_of, status_of
from lcplatform_aws.pages import join_token, split_token
from lcplatform_aws.session import moment
from lcplatform_aws.units import days, given, invalid, seconds
from lcplatform_aws.uploads import (
    MAX_OBJECT,
    MAX_REQUEST,
    MIB,
    Parts,
    Upload,
    part_size,
    read_part,
)
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    LCPlatformError,
)
from lcplatform_runtime.streams import CHUNK, ByteSource, ByteStream
from lcplatform_runtime.support import ConditionalUpdate, Support

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from lcplatform_aws.session import Session

_HOME: Final = "us-east-1"
_WEEK: Final = timedelta(days=7)
_COPY_PART: Final = 512 * MIB

_SUPPORT: Final = Support(
    capabilities=frozenset(ObjectStoreCapability),
    limits=ObjectStoreLimits(
        max_object_bytes=MAX_OBJECT,
        max_key_bytes=1024,
        max_metadata_bytes=2048,
        max_tags=10,
        max_delete_batch=1000,
        max_presign_seconds=int(_WEEK.total_seconds()),
    ).by_name(),
    conditional_updates=dict.fromkeys(
        ("put_object", "copy_object", "delete_object", "get_object"), ConditionalUpdate.ATOMIC
    ),
)


class S3ObjectStore(ObjectStoreDriver):
    """Buckets and objects on Amazon S3. Etags are S3's, with their quotes."""

    def __init__(self, session: Session, /) -> None:
        self._session = session

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    @property
    def _s3(self) -> S3Client:
        return self._session.s3

    # --- buckets

    @override
    def create_bucket(self, request: CreateBucketRequest, /) -> CreateBucketResponse:
        s3, name, region = self._s3, request.name, self._s3.meta.region_name
        rules = [_rule(number, rule) for number, rule in enumerate(request.lifecycle)]
        if region == _HOME:
            self._refuse_taken(name)  # there, S3 takes creating one's own bucket again for success
            answer = s3.create_bucket(Bucket=name)
        else:
            place: Any = {"LocationConstraint": region}
            answer = s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
        try:
            self._configure(request, rules)
        except BaseException:
            with suppress(Exception):  # what went wrong first is what the caller is to know
                s3.delete_bucket(Bucket=name)
            raise
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        created = moment(date) if date else datetime.now(UTC)
        return CreateBucketResponse(bucket=Bucket(name=name, created_at=created))

    def _refuse_taken(self, name: str) -> None:
        try:
            self._s3.head_bucket(Bucket=name)
        except ClientError as error:
            if status_of(error) == 404:
                return
            if status_of(error) != 403:
                raise
        raise AlreadyExistsError(f"the bucket name {name!r} is taken")

    def _configure(self, request: CreateBucketRequest, rules: list[Any]) -> None:
        s3, name = self._s3, request.name
        if request.versioning:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if request.encryption_key is not None:
            default: Any = {
                "ApplyServerSideEncryptionByDefault": {
                    "SSEAlgorithm": "aws:kms",
                    "KMSMasterKeyID": request.encryption_key,
                },
                "BucketKeyEnabled": True,
            }
            s3.put_bucket_encryption(
                Bucket=name, ServerSideEncryptionConfiguration={"Rules": [default]}
            )
        if rules:
            s3.put_bucket_lifecycle_configuration(
                Bucket=name, LifecycleConfiguration={"Rules": [*rules, _FORGOTTEN_PARTS]}
            )

    @override
    def list_buckets(self, request: ListBucketsRequest, /) -> ListBucketsResponse:
        answer: Any = self._s3.list_buckets(
            **given(MaxBuckets=request.page_size, ContinuationToken=request.page_token or None)
        )
        buckets = (
            Bucket(name=it["Name"], created_at=it["CreationDate"]) for it in answer["Buckets"]
        )
        return ListBucketsResponse(
            buckets=tuple(sorted(buckets, key=lambda bucket: bucket.name)),
            next_page_token=answer.get("ContinuationToken", ""),
        )

    @override
    def delete_bucket(self, request: DeleteBucketRequest, /) -> DeleteBucketResponse:
        self._s3.delete_bucket(Bucket=request.name)
        return DeleteBucketResponse()

    # --- objects

    @override
    def put_object(self, request: PutObjectHeader, source: ByteSource, /) -> PutObjectResponse:
        upload = Upload(
            self._s3,
            PUT_OBJECT,
            {"Bucket": request.bucket, "Key": request.key},
            _described(request),
            _condition(request.if_match, if_absent=request.if_absent),
        )
        size = source.size
        with _conditions(request):
            if size is not None and size <= MIB:
                answer = upload.small(read_part(source, size))
            elif size is not None and size <= MAX_REQUEST:
                answer = upload.whole(source, size, request.crc32c)
            else:
                answer = upload.in_parts(source)
        return PutObjectResponse(
            etag=answer["ETag"], version=answer.get("VersionId"), size=source.count
        )

    @override
    def get_object(self, request: GetObjectRequest, /) -> ByteStream[GetObjectHeader]:
        try:
            answer = self._s3.get_object(
                **given(
                    Bucket=request.bucket,
                    Key=request.key,
                    Range=_range(request.range),
                    VersionId=request.version,
                    IfMatch=request.if_match,
                    IfNoneMatch=request.if_none_match,
                )
            )
        except ClientError as error:
            if status_of(error) != 304:
                raise
            return ByteStream(_not_modified(request.if_none_match or ""))
        length = answer["ContentLength"]
        offset, size = _stretch(answer.get("ContentRange"), length)
        header = GetObjectHeader(
            size=size,
            range_offset=offset,
            range_length=length,
            not_modified=False,
            **_known(answer),
        )
        body = answer["Body"]
        return ByteStream(header, _chunks(body, length), close=body.close)

    @override
    def head_object(self, request: HeadObjectRequest, /) -> HeadObjectResponse:
        answer = self._s3.head_object(
            **given(Bucket=request.bucket, Key=request.key, VersionId=request.version)
        )
        return HeadObjectResponse(size=answer["ContentLength"], **_known(answer))

    @override
    def delete_object(self, request: DeleteObjectRequest, /) -> DeleteObjectResponse:
        try:
            answer = self._s3.delete_object(
                **given(
                    Bucket=request.bucket,
                    Key=request.key,
                    VersionId=request.version,
                    IfMatch=request.if_match,
                )
            )
        except ClientError as error:
            if status_of(error) == 412:
                # S3 answers the same for another object and for none.
                self._s3.head_object(Bucket=request.bucket, Key=request.key)
            raise
        # Where a version was deleted for good, S3 names that one: it marks nothing.
        marker = answer.get("VersionId") if request.version is None else None
        return DeleteObjectResponse(version=marker)

    @override
    def delete_objects(self, request: DeleteObjectsRequest, /) -> DeleteObjectsResponse:
        objects: list[Any] = [
            given(Key=entry.key, VersionId=entry.version) for entry in request.entries
        ]
        answer = self._s3.delete_objects(
            Bucket=request.bucket, Delete={"Objects": objects, "Quiet": True}
        )
        refused = {
            (it.get("Key"), it.get("VersionId") or None): it for it in answer.get("Errors", ())
        }
        successful, failed = [], []
        for index, entry in enumerate(request.entries):
            error = refused.get((entry.key, entry.version))
            if error is None:
                successful.append(DeleteObjectsResult(index=index, key=entry.key))
            else:
                code, text = error.get("Code", ""), error.get("Message", "")
                failed.append(batch_failure(index, code, text, ("object_store", "delete_objects")))
        return DeleteObjectsResponse(successful=tuple(successful), failed=tuple(failed))

    # --- listings

    @override
    def list_objects(self, request: ListObjectsRequest, /) -> ListObjectsResponse:
        answer: Any = self._s3.list_objects_v2(
            **given(
                Bucket=request.bucket,
                MaxKeys=request.page_size,
                Prefix=request.prefix or None,
                Delimiter=request.delimiter or None,
                StartAfter=request.start_after or None,
                ContinuationToken=request.page_token or None,
            )
        )
        return ListObjectsResponse(
            objects=tuple(
                ObjectInfo(
                    key=it["Key"],
                    size=it["Size"],
                    etag=it["ETag"],
                    modified_at=it["LastModified"],
                )
                for it in answer.get("Contents", ())
            ),
            common_prefixes=tuple(it["Prefix"] for it in answer.get("CommonPrefixes", ())),
            next_page_token=answer.get("NextContinuationToken", ""),
        )

    @override
    def list_object_versions(
        self, request: ListObjectVersionsRequest, /
    ) -> ListObjectVersionsResponse:
        key, version = split_token(request.page_token)
        answer = self._s3.list_object_versions(
            **given(
                Bucket=request.bucket,
                MaxKeys=request.page_size,
                Prefix=request.prefix or None,
                KeyMarker=key or None,
                VersionIdMarker=version or None,
            )
        )
        kept: Iterable[Any] = answer.get("Versions", ())
        deletions: Iterable[Any] = answer.get("DeleteMarkers", ())
        versions = [
            *(_version(it, deleted=True) for it in deletions),
            *(_version(it, deleted=False) for it in kept),
        ]
        # The SDK sorts the two kinds apart.
        versions.sort(key=lambda it: (it.key.encode(), not it.latest, -it.modified_at.timestamp()))
        token = join_token(answer.get("NextKeyMarker", ""), answer.get("NextVersionIdMarker", ""))
        return ListObjectVersionsResponse(
            versions=tuple(versions), next_page_token=token if answer.get("IsTruncated") else ""
        )

    # --- copies

    @override
    def copy_object(self, request: CopyObjectRequest, /) -> CopyObjectResponse:
        origin: dict[str, Any] = {
            "CopySource": given(
                Bucket=request.source_bucket or request.bucket,
                Key=request.source_key,
                VersionId=request.source_version,
            ),
            **given(CopySourceIfMatch=request.source_if_match),
        }
        target: dict[str, Any] = {"Bucket": request.bucket, "Key": request.key}
        condition = _condition(request.if_match, if_absent=request.if_absent)
        with _conditions(request):
            try:
                answer: Any = self._s3.copy_object(**target, **origin, **condition)
            except ClientError as error:
                if not _too_large_to_copy(error):
                    raise
                return self._copy_in_parts(request, target, condition)
        return CopyObjectResponse(
            etag=answer["CopyObjectResult"]["ETag"], version=answer.get("VersionId")
        )

    def _copy_in_parts(
        self, request: CopyObjectRequest, target: Mapping[str, Any], condition: Mapping[str, Any]
    ) -> CopyObjectResponse:
        source: dict[str, Any] = given(
            Bucket=request.source_bucket or request.bucket,
            Key=request.source_key,
            VersionId=request.source_version,
        )
        found: Any = self._s3.head_object(**source, **given(IfMatch=request.source_if_match))
        tags = self._s3.get_object_tagging(**source)["TagSet"]
        described = given(
            ContentType=found.get("ContentType"),
            CacheControl=found.get("CacheControl"),
            ContentDisposition=found.get("ContentDisposition"),
            ContentEncoding=found.get("ContentEncoding"),
            Metadata=found.get("Metadata") or None,
            Tagging=urlencode({tag["Key"]: tag["Value"] for tag in tags}) or None,
        )
        # Every part is of the same content, or the copy fails.
        origin = {"CopySource": source, "CopySourceIfMatch": found["ETag"]}
        size = found["ContentLength"]
        step = max(_COPY_PART, part_size(0, size))

        def fill(parts: Parts) -> Mapping[str, Any]:
            for first in range(0, size, step):
                parts.copy(first, min(first + step, size) - 1, origin)
            return {}

        upload = Upload(self._s3, COPY_OBJECT, target, described, condition)
        answer = upload.multipart(fill, checked=False)
        return CopyObjectResponse(etag=answer["ETag"], version=answer.get("VersionId"))

    # --- tags

    @override
    def get_object_tags(self, request: GetObjectTagsRequest, /) -> GetObjectTagsResponse:
        answer = self._s3.get_object_tagging(Bucket=request.bucket, Key=request.key)
        return GetObjectTagsResponse(tags={it["Key"]: it["Value"] for it in answer["TagSet"]})

    @override
    def put_object_tags(self, request: PutObjectTagsRequest, /) -> PutObjectTagsResponse:
        place: dict[str, Any] = {"Bucket": request.bucket, "Key": request.key}
        tags: list[Any] = [{"Key": name, "Value": value} for name, value in request.tags.items()]
        if tags:
            self._s3.put_object_tagging(**place, Tagging={"TagSet": tags})
        else:
            self._s3.delete_object_tagging(**place)
        return PutObjectTagsResponse()

    # --- presigned URLs

    @override
    def generate_presigned_url(
        self, request: GeneratePresignedUrlRequest, /
    ) -> GeneratePresignedUrlResponse:
        # The SDK signs longer ones, and S3 refuses them.
        if request.expires > _WEEK:
            raise invalid("expires", "at most 7 days")
        media_type = request.content_type if request.method is PresignedMethod.PUT else None
        life = seconds(request.expires)
        until = datetime.now(UTC) + timedelta(seconds=life)
        url = self._s3.generate_presigned_url(
            f"{request.method}_object",
            Params=given(Bucket=request.bucket, Key=request.key, ContentType=media_type),
            ExpiresIn=life,
        )
        return GeneratePresignedUrlResponse(
            url=url,
            expires_at=until,
            headers={} if media_type is None else {"Content-Type": media_type},
        )


# Parts of an upload whose process was killed would be kept, and paid for, for ever.
_FORGOTTEN_PARTS: Final[Any] = {
    "ID": "lcplatform-forgotten-parts",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


def _rule(number: int, rule: LifecycleRule) -> dict[str, Any]:
    return {
        "ID": f"lcplatform-{number}",
        "Status": "Enabled",
        "Filter": {"Prefix": rule.prefix},
        "Expiration": {"Days": days(rule.expire_after, f"lifecycle.{number}.expire_after")},
    }


def _described(request: PutObjectHeader) -> dict[str, Any]:
    """What is said of an object."""
    return given(
        ContentType=request.content_type,
        CacheControl=request.cache_control,
        ContentDisposition=request.content_disposition,
        ContentEncoding=request.content_encoding,
        Metadata=request.metadata or None,
        Tagging=urlencode(request.tags) if request.tags else None,
    )


def _known(answer: Mapping[str, Any]) -> dict[str, Any]:
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


def _not_modified(etag: str) -> GetObjectHeader:
    """What is said of an object that the caller knows. S3 says no more either."""
    return GetObjectHeader(
        size=0, etag=etag, content_type="", range_offset=0, range_length=0, not_modified=True
    )


def _version(it: Mapping[str, Any], *, deleted: bool) -> ObjectVersion:
    return ObjectVersion(
        key=it["Key"],
        version=it["VersionId"],
        latest=it["IsLatest"],
        deleted=deleted,
        size=it.get("Size", 0),
        etag=it.get("ETag", ""),
        modified_at=it["LastModified"],
    )


def _range(wanted: ByteRange | None) -> str | None:
    if wanted is None:
        return None
    if wanted.last is not None:
        return f"bytes=-{wanted.last}"
    first = wanted.offset or 0
    return f"bytes={first}-{'' if wanted.length is None else first + wanted.length - 1}"


def _stretch(content_range: str | None, length: int) -> tuple[int, int]:
    """Where the bytes start in the object, and its size: `bytes 2-4/10`."""
    if content_range is None:
        return 0, length
    stretch, _, size = content_range.removeprefix("bytes ").partition("/")
    return int(stretch.partition("-")[0]), int(size)


def _chunks(body: Any, length: int) -> Iterator[bytes]:
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


def _condition(if_match: str | None, *, if_absent: bool) -> dict[str, Any]:
    if if_absent:
        return {"IfNoneMatch": "*"}
    return {} if if_match is None else {"IfMatch": if_match}


@contextmanager
def _conditions(request: PutObjectHeader | CopyObjectRequest) -> Iterator[None]:
    """Tells which condition of `request` it was that did not hold. S3's code is the same for all of them."""
    try:
        yield
    except ClientError as error:
        if status_of(error) != 412:
            raise
        raise _unmet(request, error) from error


def _unmet(request: PutObjectHeader | CopyObjectRequest, error: ClientError) -> LCPlatformError:
    problem = problem_of(error)
    condition = str(problem.get("Condition", "")).lower()
    details = {"code": str(problem.get("Code", "")), "status": "412"}
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId")
    # A HEAD says no more than the status, and asks about the source alone.
    if "copy-source" in condition or problem.get("Code") == "412":
        text = "the source is no longer the one that was asked for"
    elif request.if_absent:
        return AlreadyExistsError(
            "there is such an object already", request_id=request_id, details=details
        )
    else:
        text = "the object is no longer the one that was asked for"
    return ConflictError(text, request_id=request_id, details=details)


def _too_large_to_copy(error: ClientError) -> bool:
    problem = problem_of(error)
    return problem.get("Code") == "InvalidRequest" and "larger than the maximum" in str(
        problem.get("Message", "")
    )

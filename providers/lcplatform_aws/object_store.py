"""Object storage on Amazon S3."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from typing_extensions import override

from lcplatform.object_store.driver import ObjectStoreDriver
from lcplatform.object_store.models import (
    Bucket,
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
    ObjectInfo,
    PresignedMethod,
    PutObjectHeader,
    PutObjectResponse,
    PutObjectTagsRequest,
    PutObjectTagsResponse,
)
from lcplatform.object_store.operations import PUT_OBJECT
from lcplatform.object_store.support import ObjectStoreCapability, ObjectStoreLimits
from lcplatform_aws.errors import batch_failure, status_of
from lcplatform_aws.object_store_buckets import configure, refuse_taken, rule
from lcplatform_aws.object_store_conditions import condition_of, conditions
from lcplatform_aws.object_store_copies import copied
from lcplatform_aws.object_store_values import (
    chunks,
    described,
    known,
    not_modified,
    range_of,
    stretch,
    version_of,
)
from lcplatform_aws.pages import join_token, split_token
from lcplatform_aws.session import moment
from lcplatform_aws.units import given, seconds
from lcplatform_aws.uploads import (
    MAX_OBJECT,
    MAX_REQUEST,
    MIB,
    Upload,
    read_part,
)
from lcplatform_runtime.errors import invalid
from lcplatform_runtime.streams import ByteSource, ByteStream
from lcplatform_runtime.support import ConditionalUpdate, Support

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from lcplatform_aws.session import Session

_HOME: Final = "us-east-1"
_WEEK: Final = timedelta(days=7)

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
        rules = [rule(number, it) for number, it in enumerate(request.lifecycle)]
        if region == _HOME:
            refuse_taken(s3, name)  # there, S3 takes creating one's own bucket again for success
            answer = s3.create_bucket(Bucket=name)
        else:
            place: Any = {"LocationConstraint": region}
            answer = s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
        try:
            configure(s3, request, rules)
        except BaseException:
            with suppress(Exception):  # what went wrong first is what the caller is to know
                s3.delete_bucket(Bucket=name)
            raise
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        created = moment(date) if date else datetime.now(UTC)
        return CreateBucketResponse(bucket=Bucket(name=name, created_at=created))

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
            described(request),
            condition_of(request.if_match, if_absent=request.if_absent),
        )
        size = source.size
        with conditions(request):
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
                    Range=range_of(request.range),
                    VersionId=request.version,
                    IfMatch=request.if_match,
                    IfNoneMatch=request.if_none_match,
                )
            )
        except ClientError as error:
            if status_of(error) != 304:
                raise
            return ByteStream(not_modified(request.if_none_match or ""))
        length = answer["ContentLength"]
        offset, size = stretch(answer.get("ContentRange"), length)
        header = GetObjectHeader(
            size=size,
            range_offset=offset,
            range_length=length,
            not_modified=False,
            **known(answer),
        )
        body = answer["Body"]
        return ByteStream(header, chunks(body, length), close=body.close)

    @override
    def head_object(self, request: HeadObjectRequest, /) -> HeadObjectResponse:
        place: dict[str, Any] = given(
            Bucket=request.bucket, Key=request.key, VersionId=request.version
        )
        try:
            answer = self._s3.head_object(**place)
        except ClientError as error:
            if status_of(error) == 400 and request.version is not None:
                # Most likely there is no such version: the answer to a HEAD does not say so, that to a GET does.
                self._s3.get_object(**place)["Body"].close()
            raise
        return HeadObjectResponse(size=answer["ContentLength"], **known(answer))

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
            *(version_of(it, deleted=True) for it in deletions),
            *(version_of(it, deleted=False) for it in kept),
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
        return copied(self._s3, request)

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

"""Copies within Amazon S3, of objects of any size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from lcplatform.object_store.models import CopyObjectRequest, CopyObjectResponse
from lcplatform.object_store.operations import COPY_OBJECT
from lcplatform_aws.errors import problem_of
from lcplatform_aws.object_store_conditions import condition_of, conditions
from lcplatform_aws.units import given
from lcplatform_aws.uploads import MIB, Parts, Upload, part_size
from lcplatform_runtime.errors import invalid

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_COPY_PART: Final = 512 * MIB


def copied(s3: S3Client, request: CopyObjectRequest, /) -> CopyObjectResponse:
    """Copies an object, in parts if it is too large for one request."""
    origin: dict[str, Any] = {
        "CopySource": given(
            Bucket=request.source_bucket or request.bucket,
            Key=request.source_key,
            VersionId=request.source_version,
        ),
        **given(CopySourceIfMatch=request.source_if_match),
    }
    target: dict[str, Any] = {"Bucket": request.bucket, "Key": request.key}
    condition = condition_of(request.if_match, if_absent=request.if_absent)
    with conditions(request):
        try:
            answer: Any = s3.copy_object(**target, **origin, **condition)
        except ClientError as error:
            if _onto_itself(error):
                raise invalid(
                    "source_key", "another object, or an earlier version of this one"
                ) from error
            if not _too_large_to_copy(error):
                raise
            return _copied_in_parts(s3, request, target, condition)
    return CopyObjectResponse(
        etag=answer["CopyObjectResult"]["ETag"], version=answer.get("VersionId")
    )


def _copied_in_parts(
    s3: S3Client,
    request: CopyObjectRequest,
    target: Mapping[str, Any],
    condition: Mapping[str, Any],
) -> CopyObjectResponse:
    source: dict[str, Any] = given(
        Bucket=request.source_bucket or request.bucket,
        Key=request.source_key,
        VersionId=request.source_version,
    )
    found: Any = s3.head_object(**source, **given(IfMatch=request.source_if_match))
    tags = s3.get_object_tagging(**source)["TagSet"]
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

    def fill(parts: Parts) -> Mapping[str, Any]:
        for first, last in stretches(found["ContentLength"]):
            parts.copy(first, last, origin)
        return {}

    upload = Upload(s3, COPY_OBJECT, target, described, condition)
    answer = upload.multipart(fill, checked=False)
    return CopyObjectResponse(etag=answer["ETag"], version=answer.get("VersionId"))


def stretches(size: int, /) -> Iterator[tuple[int, int]]:
    """The first and the last byte of each part of a copy."""
    step = max(_COPY_PART, part_size(0, size))
    for first in range(0, size, step):
        yield first, min(first + step, size) - 1


def _onto_itself(error: ClientError) -> bool:
    return _says(error, "to itself")


def _too_large_to_copy(error: ClientError) -> bool:
    return _says(error, "larger than the maximum")


def _says(error: ClientError, words: str) -> bool:
    """Which of the many things it is that S3 has one code for."""
    problem = problem_of(error)
    return problem.get("Code") == "InvalidRequest" and words in str(problem.get("Message", ""))

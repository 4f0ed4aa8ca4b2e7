"""How a bucket on Amazon S3 comes to be as it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lcplatform.object_store.models import CreateBucketRequest, LifecycleRule
from lcplatform_aws.errors import status_of
from lcplatform_aws.units import days
from lcplatform_runtime.errors import AlreadyExistsError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Parts of an upload whose process was killed would be kept, and paid for, for ever.
_FORGOTTEN_PARTS: Final[Any] = {
    "ID": "lcplatform-forgotten-parts",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


def rule(number: int, asked: LifecycleRule, /) -> dict[str, Any]:
    """A rule by which objects expire. Raises ValidationError for part of a day."""
    return {
        "ID": f"lcplatform-{number}",
        "Status": "Enabled",
        "Filter": {"Prefix": asked.prefix},
        "Expiration": {"Days": days(asked.expire_after, f"lifecycle.{number}.expire_after")},
    }


def refuse_taken(s3: S3Client, name: str, /) -> None:
    """Raises AlreadyExistsError if a bucket has that name, whoever owns it."""
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        if status_of(error) == 404:
            return
        if status_of(error) != 403:
            raise
    raise AlreadyExistsError(f"the bucket name {name!r} is taken")


def configure(s3: S3Client, request: CreateBucketRequest, rules: list[Any], /) -> None:
    """Gives a new bucket what was asked for."""
    name = request.name
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

"""The two sides of every comparison with boto3: a platform on the AWS provider, and the SDK's own clients.

Both speak to the same endpoint with the same region, keys and addressing. The peer is boto3 as an application makes it, but for
one option that is to its advantage: it does not sign bodies. Over TLS, as at AWS, it would not do so either; over the plain
HTTP of the stub it would hash each body a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

    from lcplatform import PlatformSettings

_REGION: Final = "us-east-1"
_KEY: Final = "AKIAIOSFODNN7EXAMPLE"
_SECRET: Final = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # the one of the documentation


def options(endpoint: str) -> dict[str, Any]:
    """The options of provider "aws"."""
    return {
        "endpoint_url": endpoint,
        "region": _REGION,
        "access_key_id": _KEY,
        "secret_access_key": _SECRET,
    }


def uncached() -> PlatformSettings:
    """Settings of a platform that keeps no answers: every call reaches the driver."""
    from lcplatform import PlatformSettings
    from lcplatform_runtime.cache import CacheSettings

    return PlatformSettings(cache=CacheSettings(enabled=False))


def boto3_client(service: str, endpoint: str) -> Any:
    """A client of any service as boto3 makes it."""
    import boto3

    session = boto3.Session(
        region_name=_REGION, aws_access_key_id=_KEY, aws_secret_access_key=_SECRET
    )
    untyped: Any = session  # which client it is depends on the name
    return untyped.client(service, endpoint_url=endpoint)


class Boto3:
    """The SDK's clients. `checksums` off spares S3 every checksum that it does not insist on; `connections` is how many are kept
    open to SQS."""

    def __init__(self, endpoint: str, *, checksums: bool = True, connections: int = 10) -> None:
        import boto3
        from botocore.config import Config

        session = boto3.Session(
            region_name=_REGION, aws_access_key_id=_KEY, aws_secret_access_key=_SECRET
        )
        when: Literal["when_supported", "when_required"] = (
            "when_supported" if checksums else "when_required"
        )
        config = Config(
            s3={"addressing_style": "path", "payload_signing_enabled": False},
            request_checksum_calculation=when,
            response_checksum_validation=when,
        )
        self.s3: S3Client = session.client("s3", endpoint_url=endpoint, config=config)
        self.sqs: SQSClient = session.client(
            "sqs", endpoint_url=endpoint, config=Config(max_pool_connections=connections)
        )
        self.secrets: SecretsManagerClient = session.client("secretsmanager", endpoint_url=endpoint)

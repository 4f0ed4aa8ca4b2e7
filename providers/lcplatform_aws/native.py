"""The way past the platform, for what it does not offer: the SDK's own clients on the same connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lcplatform_aws.provider import AwsDrivers
from lcplatform_runtime.errors import UnsupportedError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

    from lcplatform.async_lc_platform import AsyncLCPlatform
    from lcplatform.lc_platform import LCPlatform
    from lcplatform_aws.session import Session


class Native:
    """Clients of boto3 with the region, endpoint and credentials of a platform.

    They are plain: the SDK checks requests and retries by itself, and raises its own exceptions. The platform closes them.
    """

    def __init__(self, session: Session, /) -> None:
        self._session = session

    @property
    def s3(self) -> S3Client:
        """Amazon S3."""
        client: S3Client = self._session.plain("s3")
        return client

    @property
    def sqs(self) -> SQSClient:
        """Amazon SQS."""
        client: SQSClient = self._session.plain("sqs")
        return client

    @property
    def secretsmanager(self) -> SecretsManagerClient:
        """AWS Secrets Manager."""
        client: SecretsManagerClient = self._session.plain("secretsmanager")
        return client


def native(platform: LCPlatform | AsyncLCPlatform, /) -> Native:
    """The SDK's clients of a platform that has at least one service on AWS.

    Raises:
        UnsupportedError: it has none.
    """
    from lcplatform.catalogue import SERVICES

    foundation = platform._foundation
    for service in SERVICES:
        drivers = foundation.drivers(service)
        if isinstance(drivers, AwsDrivers):
            return Native(drivers.connection.session)
    raise UnsupportedError("no service of this platform is on AWS")

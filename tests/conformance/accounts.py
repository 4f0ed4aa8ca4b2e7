"""What has to be in an account before services can be used: what a person sets up once, and no driver makes."""

from __future__ import annotations

from typing import Any

import boto3


def notification(url: str) -> None:
    """A domain that SES has verified, and the application to whose devices the contract suite pushes."""
    ses = client("sesv2", url)
    ses.create_email_identity(EmailIdentity="example.com")
    sns = client("sns", url)
    for platform in ("APNS", "GCM"):
        sns.create_platform_application(
            Name="lcplatform-contract",
            Platform=platform,
            Attributes={"PlatformCredential": "testing"},
        )


def client(service: Any, url: str) -> Any:
    """Any client of the SDK, for whatever stands for AWS there."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )

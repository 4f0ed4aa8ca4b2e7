"""What has to be in an account before services can be used: what a person sets up once, and no driver makes."""

from __future__ import annotations

from typing import Any

import boto3


def notification(url: str) -> None:
    """A domain that SES has verified, and the application to whose devices the contract suite pushes."""
    client: Any = _client("sesv2", url)
    client.create_email_identity(EmailIdentity="example.com")
    client = _client("sns", url)
    for platform in ("APNS", "GCM"):
        client.create_platform_application(
            Name="lcplatform-contract",
            Platform=platform,
            Attributes={"PlatformCredential": "testing"},
        )


def _client(service: Any, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )

"""LCPlatform on AWS: its services behind the platform's interfaces, and a way past them (`native`).

Nothing of the SDK is imported before a service is used.
"""

from __future__ import annotations

from lcplatform_aws.native import Native, native
from lcplatform_aws.provider import AwsProvider, provider

__all__ = ["AwsProvider", "Native", "native", "provider"]

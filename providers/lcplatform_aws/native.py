"""The way past the platform, for what it does not offer: the SDKs' own clients on the same connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lcplatform_aws.provider import AwsDrivers, Connection
from lcplatform_runtime.errors import UnsupportedError

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow
    from pymongo.database import Database
    from types_boto3_appconfig import AppConfigClient
    from types_boto3_appconfigdata import AppConfigDataClient
    from types_boto3_apprunner import AppRunnerClient
    from types_boto3_batch import BatchClient
    from types_boto3_ecs import ECSClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_pinpoint_sms_voice_v2 import PinpointSMSVoiceV2Client
    from types_boto3_rds import RDSClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sesv2 import SESV2Client
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient

    from lcplatform.async_lc_platform import AsyncLCPlatform
    from lcplatform.lc_platform import LCPlatform
    from lcplatform_aws.session import PlainService


class Native:
    """Clients of boto3, psycopg and pymongo with the region, endpoints and credentials of a platform.

    Each has what the service is told that it belongs to: `sns` is where `notification` is. That of a service which is not
    on AWS is where the others are.

    Those of boto3 are plain: the SDK checks requests and retries by itself. All of them raise their own exceptions. The
    platform closes clients when it closes.
    """

    def __init__(self, connections: Mapping[str, Connection], /) -> None:
        """`connections` are those of the services that are on AWS, by the name of the service. There is one at least."""
        self._connections = connections

    @property
    def appconfig(self) -> AppConfigClient:
        """AWS AppConfig: how configurations are written."""
        client: AppConfigClient = self._plain("appconfig", "configuration")
        return client

    @property
    def appconfigdata(self) -> AppConfigDataClient:
        """AWS AppConfig: how configurations are read."""
        client: AppConfigDataClient = self._plain("appconfigdata", "configuration")
        return client

    @property
    def apprunner(self) -> AppRunnerClient:
        """AWS App Runner."""
        client: AppRunnerClient = self._plain("apprunner", "web_hosting")
        return client

    @property
    def batch(self) -> BatchClient:
        """AWS Batch."""
        client: BatchClient = self._plain("batch", "batch")
        return client

    @property
    def ecs(self) -> ECSClient:
        """Amazon ECS."""
        client: ECSClient = self._plain("ecs", "web_hosting")
        return client

    @property
    def events(self) -> EventBridgeClient:
        """Amazon EventBridge."""
        client: EventBridgeClient = self._plain("events", "event_bus")
        return client

    @property
    def logs(self) -> CloudWatchLogsClient:
        """Amazon CloudWatch Logs, where applications and jobs write."""
        client: CloudWatchLogsClient = self._plain("logs", "web_hosting", "batch")
        return client

    @property
    def rds(self) -> RDSClient:
        """Amazon RDS: its instances and clusters. `postgresql` is the way into the database."""
        client: RDSClient = self._plain("rds", "data_store")
        return client

    @property
    def s3(self) -> S3Client:
        """Amazon S3."""
        client: S3Client = self._plain("s3", "object_store")
        return client

    @property
    def scheduler(self) -> EventBridgeSchedulerClient:
        """Amazon EventBridge Scheduler, which submits jobs."""
        client: EventBridgeSchedulerClient = self._plain("scheduler", "batch")
        return client

    @property
    def secretsmanager(self) -> SecretsManagerClient:
        """AWS Secrets Manager."""
        client: SecretsManagerClient = self._plain("secretsmanager", "secrets")
        return client

    @property
    def sesv2(self) -> SESV2Client:
        """Amazon SES."""
        client: SESV2Client = self._plain("sesv2", "notification")
        return client

    @property
    def sms(self) -> PinpointSMSVoiceV2Client:
        """AWS End User Messaging, for text messages."""
        client: PinpointSMSVoiceV2Client = self._plain("pinpoint-sms-voice-v2", "notification")
        return client

    @property
    def sns(self) -> SNSClient:
        """Amazon SNS."""
        client: SNSClient = self._plain("sns", "notification")
        return client

    @property
    def sqs(self) -> SQSClient:
        """Amazon SQS."""
        client: SQSClient = self._plain("sqs", "queue")
        return client

    @property
    def sts(self) -> STSClient:
        """AWS STS, which tells who the caller is."""
        client: STSClient = self._plain("sts")
        return client

    def postgresql(self) -> psycopg.Connection[TupleRow]:
        """A new connection to the database of the data store, which lets it in as it does the platform's own.

        It is psycopg's own and none of the pool, so it may be used in any way. It is in a transaction from the first statement
        on, and belongs to the caller, who closes it: `with native(platform).postgresql() as connection:` commits as well.

        Raises:
            UnsupportedError: the data store is not on AWS.
        """
        connection = self._connection("data_store")
        door = None if connection is None else connection.door()
        if door is None:
            raise UnsupportedError("data_store of this platform is not on AWS")
        import psycopg

        def connect(words: dict[str, Any]) -> psycopg.Connection[TupleRow]:
            return psycopg.connect(**{**words, "autocommit": False})

        return door.opened(connect)

    @property
    def mongodb(self) -> Database[dict[str, Any]]:
        """The database of the document store. Its `client` is the one that the platform has: it repeats no read by itself.

        Raises:
            UnsupportedError: the document store is not on AWS.
        """
        connection = self._connection("document_store")
        server = None if connection is None else connection.server()
        if server is None:
            raise UnsupportedError("document_store of this platform is not on AWS")
        return server.client.get_database(server.database.name)

    def _connection(self, service: str) -> Connection | None:
        return self._connections.get(service)

    def _plain(self, client: PlainService, *services: str) -> Any:
        """A client of boto3, where the first of these services is that is on AWS."""
        names = (*services, *self._connections)
        name = next(it for it in names if it in self._connections)
        return self._connections[name].session.plain(client)


def native(platform: LCPlatform | AsyncLCPlatform, /) -> Native:
    """The SDKs' clients of a platform that has at least one service on AWS.

    Raises:
        UnsupportedError: it has none.
    """
    from lcplatform.catalogue import SERVICES

    foundation = platform._foundation
    found = {
        service: drivers.connection
        for service in SERVICES
        if isinstance(drivers := foundation.drivers(service), AwsDrivers)
    }
    if not found:
        raise UnsupportedError("no service of this platform is on AWS")
    return Native(found)

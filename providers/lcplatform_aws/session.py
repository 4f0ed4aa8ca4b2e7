"""One session with AWS: a client per service, each made once, when it is first needed.

The clients do for the platform what it does not do itself, and no more. The gains below are in process CPU over a plain
client of the same SDK, against a server that answers at once (small calls of S3, SQS and Secrets Manager):

- `user_agent` is fixed: the SDK builds the header twice a call from sixteen parts. 10 to 18 %.
- Requests are not validated again: ours are. Checksums only where a service insists, since bodies carry their own. 1 to 7 %.
- Timestamps are read by `datetime` instead of by dateutil, which guesses the format. 10 % of a small S3 get.
- A small S3 body is a `bytearray`: the SDK wraps bytes in a file, and asks before it sends a file. 11 % of a small put.
- S3 bodies are not signed, so they are read once. Next to nothing for small ones, half a millisecond for each MiB.

Retries are off (`total_max_attempts` counts the first): the pipeline retries, and alone knows what may be repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import Loader, create_loader
from botocore.utils import parse_timestamp

from lcplatform_runtime.context import current_call

if TYPE_CHECKING:
    from botocore.model import OperationModel
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

    from lcplatform_aws.options import AwsOptions

_SHORTEST_WAIT: Final = 0.001  # none at all would not be taken
_HURRY: Final = 2.0
_TIDYING_WAIT: Final = (
    2.0  # for what takes back a call that has failed, often because its time was up
)
_TIDYING: Final = frozenset({"AbortMultipartUpload"})
PlainService = Literal[
    "appconfig",
    "appconfigdata",
    "apprunner",
    "batch",
    "ecs",
    "events",
    "logs",
    "rds",
    "s3",
    "scheduler",
    "secretsmanager",
    "sesv2",
    "pinpoint-sms-voice-v2",
    "sns",
    "sqs",
    "sts",
]
"""The services of which there are plain clients, by their names in the SDK."""
LONGEST_POLL: Final = 20.0
"""The longest wait of one receive, in seconds. A poll must not time out before its answer is due."""


class Session:
    """The clients of one connection, for any number of threads."""

    def __init__(self, options: AwsOptions) -> None:
        self._options = options
        self._lock = threading.RLock()
        self._clients: dict[str, Any] = {}  # clients of different services have no type in common
        self._session: boto3.Session | None = None
        self._user_agent = ""

    @property
    def s3(self) -> S3Client:
        """The client of the object store."""
        client: S3Client = self._clients.get("s3") or self._made("s3", "s3", self._s3_config)
        return client

    @property
    def sqs(self) -> SQSClient:
        """The client of queues, for calls that are answered at once."""
        client: SQSClient = self._clients.get("sqs") or self._made("sqs", "sqs", self._config)
        return client

    @property
    def sqs_polls(self) -> SQSClient:
        """The client of queues, for calls that wait for messages."""
        client: SQSClient = self._clients.get("polls") or self._made(
            "polls", "sqs", self._poll_config
        )
        return client

    @property
    def appconfig(self) -> AppConfigClient:
        """The client of how configurations are written."""
        client: AppConfigClient = self._clients.get("appconfig") or self._made(
            "appconfig", "appconfig", self._config
        )
        return client

    @property
    def appconfigdata(self) -> AppConfigDataClient:
        """The client of how configurations are read."""
        client: AppConfigDataClient = self._clients.get("appconfigdata") or self._made(
            "appconfigdata", "appconfigdata", self._config
        )
        return client

    @property
    def apprunner(self) -> AppRunnerClient:
        """The client of applications on App Runner."""
        client: AppRunnerClient = self._clients.get("apprunner") or self._made(
            "apprunner", "apprunner", self._config
        )
        return client

    @property
    def batch(self) -> BatchClient:
        """The client of jobs."""
        client: BatchClient = self._clients.get("batch") or self._made(
            "batch", "batch", self._config
        )
        return client

    @property
    def ecs(self) -> ECSClient:
        """The client of applications on ECS."""
        client: ECSClient = self._clients.get("ecs") or self._made("ecs", "ecs", self._config)
        return client

    @property
    def events(self) -> EventBridgeClient:
        """The client of event buses."""
        client: EventBridgeClient = self._clients.get("events") or self._made(
            "events", "events", self._config
        )
        return client

    @property
    def logs(self) -> CloudWatchLogsClient:
        """The client of what jobs and applications print."""
        client: CloudWatchLogsClient = self._clients.get("logs") or self._made(
            "logs", "logs", self._config
        )
        return client

    @property
    def rds(self) -> RDSClient:
        """The client of data stores: it signs logins."""
        client: RDSClient = self._clients.get("rds") or self._made("rds", "rds", self._config)
        return client

    @property
    def scheduler(self) -> EventBridgeSchedulerClient:
        """The client of schedules."""
        client: EventBridgeSchedulerClient = self._clients.get("scheduler") or self._made(
            "scheduler", "scheduler", self._config
        )
        return client

    @property
    def secretsmanager(self) -> SecretsManagerClient:
        """The client of secrets."""
        client: SecretsManagerClient = self._clients.get("secretsmanager") or self._made(
            "secretsmanager", "secretsmanager", self._config
        )
        return client

    @property
    def sesv2(self) -> SESV2Client:
        """The client of e-mail."""
        client: SESV2Client = self._clients.get("sesv2") or self._made(
            "sesv2", "sesv2", self._config
        )
        return client

    @property
    def sms(self) -> PinpointSMSVoiceV2Client:
        """The client of text messages."""
        client: PinpointSMSVoiceV2Client = self._clients.get("sms") or self._made(
            "sms", "pinpoint-sms-voice-v2", self._config
        )
        return client

    @property
    def sns(self) -> SNSClient:
        """The client of topics."""
        client: SNSClient = self._clients.get("sns") or self._made("sns", "sns", self._config)
        return client

    @property
    def sts(self) -> STSClient:
        """The client that tells who the caller is."""
        client: STSClient = self._clients.get("sts") or self._made("sts", "sts", self._config)
        return client

    def plain(self, service: PlainService) -> Any:
        """A client as the SDK itself would make it, for callers who go past the platform: nobody else checks and retries
        for them."""

        def config() -> Config:
            base = self._s3_config() if service == "s3" else self._poll_config()
            return base.merge(
                Config(user_agent=None, parameter_validation=True, retries={"mode": "standard"})
            )

        name = f"plain {service}"
        return self._clients.get(name) or self._made(name, service, config)

    def close(self) -> None:
        """Closes every connection."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def _made(self, name: str, service: Any, config: Callable[[], Config]) -> Any:
        options = self._options
        with self._lock:  # the SDK's sessions make one client at a time
            if name in self._clients:
                return self._clients[name]
            client = self._boto3.client(
                service,
                region_name=options.region,
                endpoint_url=options.endpoint_url,
                aws_access_key_id=options.access_key_id,
                aws_secret_access_key=options.secret_access_key,
                aws_session_token=options.session_token,
                config=config(),
            )
            client.meta.events.register("before-call", _within_deadline)
            if name == "s3":
                client.meta.events.register("before-call.s3", _expect_continue)
            self._clients[name] = client
            return client

    @property
    def _boto3(self) -> boto3.Session:
        if self._session is None:
            core = botocore.session.Session(
                profile=self._options.profile,
                event_hooks=copy(_hooks()),
                include_builtin_handlers=False,
            )
            loader = _loader(core.get_config_variable("data_path"))
            core.register_component("data_loader", loader)
            core.get_component("response_parser_factory").set_parser_defaults(
                timestamp_parser=moment
            )
            self._user_agent = f"{core.user_agent()} lib/lcplatform"
            self._session = boto3.Session(botocore_session=core)
            paths = loader.search_paths
            paths[:] = dict.fromkeys(paths)  # boto3 adds its own, each time
        return self._session

    def _config(self) -> Config:
        options = self._options
        return Config(
            user_agent=self._user_agent,
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=options.connect_timeout,
            read_timeout=options.read_timeout,
            max_pool_connections=options.max_pool_connections,
            tcp_keepalive=True,
            parameter_validation=False,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )

    def _poll_config(self) -> Config:
        return self._config().merge(Config(read_timeout=self._options.read_timeout + LONGEST_POLL))

    def _s3_config(self) -> Config:
        # Without this, presigned URLs are signed by the old scheme and ignore conditions. Bodies are not signed: they
        # are protected by TLS and by their own checksum, and signing would read each of them twice.
        style: Literal["path", "virtual"] = (
            "path" if _by_path(self._options.endpoint_url) else "virtual"
        )
        return self._config().merge(
            Config(
                signature_version="s3v4",
                s3={"addressing_style": style, "payload_signing_enabled": False},
            )
        )


@cache
def _hooks() -> HierarchicalEmitter:
    """What every session of the SDK listens to from the beginning. To find that out takes ten times as long as to copy
    it, and half of what a further platform's first client would cost."""
    hooks = HierarchicalEmitter()
    botocore.session.Session(event_hooks=hooks)
    return hooks


@cache
def _loader(data_path: str | None) -> Loader:
    """Reads the descriptions of services, of which that of S3 alone takes tens of milliseconds: once in a process, and not
    for each platform. The SDK's clients of one session share it as well, and change nothing in what it gives them."""
    return create_loader(data_path)


def moment(value: str | float) -> datetime:
    """The moment that a timestamp in an answer stands for, in UTC."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    try:
        found = (
            datetime.fromisoformat(value) if value[:1].isdigit() else parsedate_to_datetime(value)
        )
    except ValueError:
        found = parse_timestamp(value)
    return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _by_path(endpoint: str | None) -> bool:
    """Whether a bucket can be named in the path only: nobody resolves a subdomain of an address or of a bare host."""
    host = urlsplit(endpoint).hostname if endpoint else None
    if host is None:
        return False
    try:
        ip_address(host)
    except ValueError:
        return "." not in host
    return True


def _within_deadline(context: dict[str, Any], model: OperationModel, **_: object) -> None:
    """Waits for an answer no longer than the call may take. What tidies up after it has a moment of its own: without an
    answer, nobody would know whether parts of an upload are left."""
    remaining = _remaining()
    if remaining is not None:
        longest = context["client_config"].read_timeout
        shortest = _TIDYING_WAIT if model.name in _TIDYING else _SHORTEST_WAIT
        context["read_timeout"] = min(longest, max(remaining, shortest))


def _expect_continue(params: dict[str, Any], **_: object) -> None:
    """Asks before a large body is sent, so that one that is refused stays here. The SDK waits a second for what is said to
    that, whatever the deadline: a call that may not last much longer does not ask."""
    remaining = _remaining()
    if getattr(params.get("body"), "large", False) and (remaining is None or remaining > _HURRY):
        params["headers"]["Expect"] = "100-continue"


def _remaining() -> float | None:
    call = current_call()
    return None if call is None else call.remaining()

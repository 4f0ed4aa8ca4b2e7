"""What an application may say about its connection to AWS. It need not say anything: the environment usually does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from lcplatform_aws.authentication_options import AuthenticationOptions
from lcplatform_aws.batch_options import BatchOptions
from lcplatform_aws.data_store_options import DataStoreOptions
from lcplatform_aws.document_store_options import DocumentStoreOptions
from lcplatform_aws.notification_options import NotificationOptions
from lcplatform_aws.web_hosting_options import WebHostingOptions
from lcplatform_runtime.model import Request, build


class ConfigurationOptions(Request):
    """How configurations are read."""

    poll_interval: Annotated[int, Field(ge=15, le=86_400)] = 15
    """Seconds between two looks for what others have changed. Each look is paid for."""


class EventBusOptions(Request):
    """What the event bus needs to know of the account."""

    role: Annotated[
        str | None, Field(pattern=r"^arn:[^:]+:iam::\d{12}:role/\S+$", max_length=1600)
    ] = None
    """The role as which EventBridge posts to webhooks: it may `events:InvokeApiDestination`, and EventBridge may assume it.
    Without it, webhooks are no targets."""


class QueueOptions(Request):
    """How messages are sent, and dead letters sent back."""

    gather_window: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Milliseconds for which a message waits for others to the same queue, so that up to ten travel in one request: with many
    callers at once, that costs less than a fifth in CPU and a tenth in requests. Each caller has an answer of its own, as
    late as that. Where absent, each message is sent by itself at once."""

    redrive: Literal["messages", "tasks"] = "messages"
    """How dead letters are sent back: message by message, or by a task of SQS, which is cheaper for thousands of them and counts
    them approximately. Where other queues share the dead-letter queue, or it holds more than may be moved, it is message by
    message all the same."""


class AwsOptions(Request):
    """The options of provider "aws".

    Without keys, credentials come from the SDK's default chain: environment, profile, web identity, container or
    instance role (FR-060).
    """

    __sensitive__: ClassVar[frozenset[str]] = frozenset(
        {"access_key_id", "secret_access_key", "session_token"}
    )

    region: Annotated[str | None, Field(min_length=1)] = None
    """The region; where absent, that of the environment or the profile."""

    endpoint_url: Annotated[str | None, Field(pattern=r"^https?://\S+$")] = None
    """Where every service is, instead of at AWS: an emulator, or a store that speaks the same protocol."""

    profile: Annotated[str | None, Field(min_length=1)] = None
    """The profile of the shared configuration files."""

    access_key_id: Annotated[str | None, Field(min_length=1)] = None
    """A key, where there is no better way to know the caller. Together with `secret_access_key`."""

    secret_access_key: Annotated[str | None, Field(min_length=1)] = None
    """The secret of the key."""

    session_token: Annotated[str | None, Field(min_length=1)] = None
    """The token of a temporary key."""

    queue_prefix: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_-]*$")] = ""
    """Put before the name of every queue, to keep environments apart that share an account. Callers do not see it."""

    queue: QueueOptions | None = None
    """How messages are sent, and dead letters sent back."""

    configuration: ConfigurationOptions | None = None
    """How configurations are read."""

    event_bus: EventBusOptions | None = None
    """What the event bus needs to know."""

    authentication: AuthenticationOptions | None = None
    """With which issuer users log in."""

    notification: NotificationOptions | None = None
    """What notification needs to know."""

    connect_timeout: Annotated[float, Field(gt=0, le=300)] = 3.0
    """Seconds until a connection must be there."""

    read_timeout: Annotated[float, Field(gt=0, le=900)] = 60.0
    """Seconds without a byte of an answer after which a call has failed. A long poll may take its wait on top."""

    max_pool_connections: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Connections that each client keeps open. Calls beyond it open more, and close them again."""

    data_store: DataStoreOptions | None = None
    """The database behind the data store. Without it, the data store is not offered."""

    web_hosting: WebHostingOptions | None = None
    """How applications are deployed. Without it, web hosting is not offered."""

    batch: BatchOptions | None = None
    """Where jobs run. Without it, batch is not offered."""

    document_store: DocumentStoreOptions | None = None
    """The cluster behind the document store. Without it, the document store is not offered."""

    @model_validator(mode="after")
    def _whole_key(self) -> AwsOptions:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key are given together or not at all")
        if self.session_token is not None and self.access_key_id is None:
            raise ValueError("session_token is given with the access_key_id that it belongs to")
        return self


def read_options(options: Mapping[str, object], /) -> AwsOptions:
    """The options as given. Raises ValidationError naming what is unknown or wrong, never its value."""
    return build(AwsOptions, **options)


def inherited(options: AwsOptions, /) -> dict[str, object]:
    """The options that an application which runs on AWS is given too: where things are. It has an identity of its own, so no
    keys; and it deploys nothing."""
    parts = {name: it for name, it in options if isinstance(it, Request)}
    hidden: dict[str, Any] = dict.fromkeys(("profile", "web_hosting", *options.__sensitive__), True)
    hidden |= {name: set(it.__sensitive__) for name, it in parts.items() if name not in hidden}
    kept: dict[str, object] = options.model_dump(
        mode="json", exclude=hidden, exclude_defaults=True, exclude_none=True
    )
    return kept

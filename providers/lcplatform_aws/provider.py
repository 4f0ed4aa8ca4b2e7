"""The provider "aws": connects a platform to AWS, or to what speaks its protocols."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from lcplatform import unimplemented
from lcplatform.drivers import Drivers
from lcplatform.provider import Provider
from lcplatform_aws.errors import translate
from lcplatform_aws.options import AwsOptions, inherited, read_options
from lcplatform_aws.web_hosting_options import AppRunnerOptions

if TYPE_CHECKING:
    from lcplatform.authentication.driver import AuthenticationDriver
    from lcplatform.batch.driver import BatchDriver
    from lcplatform.configuration.driver import ConfigurationDriver
    from lcplatform.data_store.driver import DataStoreDriver
    from lcplatform.document_store.driver import DocumentStoreDriver
    from lcplatform.event_bus.driver import EventBusDriver
    from lcplatform.notification.driver import NotificationDriver
    from lcplatform.object_store.driver import ObjectStoreDriver
    from lcplatform.queue.driver import QueueDriver
    from lcplatform.secrets.driver import SecretsDriver
    from lcplatform.web_hosting.driver import WebHostingDriver
    from lcplatform_aws.data_store_door import Door
    from lcplatform_aws.document_store_server import Server
    from lcplatform_aws.session import Session


class Connection:
    """One way to AWS: a session that is made when it is first needed, and the drivers that share it."""

    def __init__(self, options: AwsOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._server: Server | None = None
        self._closing = ExitStack()

    @property
    def session(self) -> Session:
        """The session with its clients."""
        with self._lock:
            if self._session is None:
                from lcplatform_aws.session import Session

                self._session = Session(self._options)
            return self._session

    def authentication(self) -> AuthenticationDriver:
        """A driver for an issuer of OpenID Connect."""
        options = self._options.authentication
        if options is None:
            return unimplemented.authentication(
                "the option authentication says with which issuer users log in, and it is not set"
            )
        from lcplatform_aws.authentication import OidcAuthentication

        return OidcAuthentication(options, self.secrets())

    def batch(self) -> BatchDriver:
        """A driver for AWS Batch."""
        options = self._options.batch
        if options is None:
            return unimplemented.batch(
                "the option batch says in which queue and roles jobs run, and it is not set"
            )
        from lcplatform_aws.batch import AwsBatch

        return AwsBatch(self.session, options)

    def configuration(self) -> ConfigurationDriver:
        """A driver for AppConfig."""
        from lcplatform_aws.configuration import AppConfigConfiguration
        from lcplatform_aws.options import ConfigurationOptions

        options = self._options.configuration or ConfigurationOptions()
        driver = AppConfigConfiguration(self.session, options.poll_interval)
        self._closing.callback(driver.close)
        return driver

    def data_store(self) -> DataStoreDriver:
        """A driver for a database on RDS."""
        options = self._options.data_store
        if options is None:
            return unimplemented.data_store(
                "the option data_store says where the database is, and it is not set"
            )
        from lcplatform_aws.data_store import RdsDataStore

        driver = RdsDataStore(options, self.session, self._options.connect_timeout)
        self._closing.callback(driver.close)
        return driver

    def event_bus(self) -> EventBusDriver:
        """A driver for EventBridge."""
        from lcplatform_aws.event_bus import EventBridgeEventBus
        from lcplatform_aws.queue_names import Queues

        options = self._options
        role = None if options.event_bus is None else options.event_bus.role
        queues = Queues(self.session, options.queue_prefix)
        return EventBridgeEventBus(self.session, queues, role)

    def notification(self) -> NotificationDriver:
        """A driver for SNS, SES and End User Messaging."""
        from lcplatform_aws.notification import SnsNotification
        from lcplatform_aws.notification_options import NotificationOptions
        from lcplatform_aws.queue_names import Queues

        queues = Queues(self.session, self._options.queue_prefix)
        options = self._options.notification or NotificationOptions()
        return SnsNotification(self.session, queues, options)

    def document_store(self) -> DocumentStoreDriver:
        """A driver for DocumentDB."""
        server = self.server()
        if server is None:
            return unimplemented.document_store(
                "the option document_store says where the cluster is, and it is not set"
            )
        from lcplatform_aws.document_store import DocumentDbDocumentStore

        driver = DocumentDbDocumentStore(server)
        self._closing.callback(driver.close)
        return driver

    def object_store(self) -> ObjectStoreDriver:
        """A driver for S3."""
        from lcplatform_aws.object_store import S3ObjectStore

        return S3ObjectStore(self.session)

    def queue(self) -> QueueDriver:
        """A driver for SQS."""
        from lcplatform_aws.options import QueueOptions
        from lcplatform_aws.queue import SqsQueue
        from lcplatform_aws.queue_names import Queues

        queues = Queues(self.session, self._options.queue_prefix)
        driver = SqsQueue(self.session, queues, self._options.queue or QueueOptions())
        self._closing.callback(driver.close)
        return driver

    def secrets(self) -> SecretsDriver:
        """A driver for Secrets Manager."""
        from lcplatform_aws.secrets import SecretsManagerSecrets

        return SecretsManagerSecrets(self.session)

    def web_hosting(self) -> WebHostingDriver:
        """A driver for ECS in its Express Mode, or for App Runner."""
        options = self._options.web_hosting
        if options is None:
            return unimplemented.web_hosting(
                "the option web_hosting says in which roles applications are deployed, and it is not set"
            )
        if isinstance(options, AppRunnerOptions):
            from lcplatform_aws.web_hosting_app_runner import AppRunnerWebHosting

            return AppRunnerWebHosting(self.session, options, inherited(self._options))
        from lcplatform_aws.web_hosting import EcsExpressWebHosting

        return EcsExpressWebHosting(self.session, options, inherited(self._options))

    def door(self) -> Door | None:
        """What opens connections to the database on RDS, if the options say where that is."""
        options = self._options.data_store
        if options is None:
            return None
        from lcplatform_aws.data_store_door import Door

        return Door(options, self.session, self._options.connect_timeout)

    def server(self) -> Server | None:
        """The cluster of DocumentDB, if the options say where it is: its client is shared by all who use it."""
        options = self._options.document_store
        if options is None:
            return None
        with self._lock:
            if self._server is None:
                from lcplatform_aws.document_store_server import Server

                self._server = Server(self._options, options, lambda: self.session)
                self._closing.callback(self._server.close)
            return self._server

    def close(self) -> None:
        """Closes what drivers hold, and the session, if there ever was one."""
        self._closing.close()
        with self._lock:
            if self._session is not None:
                self._session.close()


@dataclass(frozen=True, kw_only=True)
class AwsDrivers(Drivers):
    """The drivers, and the connection behind them."""

    connection: Connection


class AwsProvider(Provider):
    """Offers AWS under the name "aws"."""

    @property
    @override
    def name(self) -> str:
        return "aws"

    @override
    def connect(self, options: Mapping[str, object], /, *, asynchronous: bool) -> AwsDrivers:
        """The drivers for these options (`AwsOptions` lists them). They block; the platform bridges them.

        Raises:
            ValidationError: an option is unknown or wrong. It names the option.
        """
        connection = Connection(read_options(options))
        return AwsDrivers(
            object_store=connection.object_store,
            queue=connection.queue,
            secrets=connection.secrets,
            authentication=connection.authentication,
            batch=connection.batch,
            configuration=connection.configuration,
            data_store=connection.data_store,
            document_store=connection.document_store,
            event_bus=connection.event_bus,
            notification=connection.notification,
            web_hosting=connection.web_hosting,
            provider=self.name,
            translate=translate,
            close=connection.close,
            connection=connection,
        )


provider: Final = AwsProvider()
"""The provider, for the entry point."""

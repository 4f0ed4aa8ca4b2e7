"""Connects a platform to services of its own, in memory or in a directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lcplatform.drivers import Drivers
    from lcplatform_runtime.errors import LCPlatformError
    from lcplatform_runtime.operation import Operation


class MockProvider:
    """The provider "mock". Each connection has a state of its own, which ends with it unless `state` names a directory.

    `MockSettings` tells its options.
    """

    name: Final = "mock"

    def connect(self, options: Mapping[str, object], /, *, asynchronous: bool) -> Drivers:
        """Services that nobody else sees. They are blocking, whatever colour the application has.

        Raises:
            ValidationError: an option is unknown or wrong. It names the option.
            PreconditionFailedError: another platform uses the state directory.
        """
        from lcplatform.drivers import Drivers
        from lcplatform_mock.services import Services
        from lcplatform_mock.settings import MockSettings
        from lcplatform_mock.world import World
        from lcplatform_runtime.model import build

        # Where nothing is chosen there is nothing to check, and no check needs to be made ready.
        settings = build(MockSettings, **options) if options else MockSettings.model_construct()
        services = Services(World(settings))
        drivers = Drivers(
            authentication=services.authentication,
            batch=services.batch,
            configuration=services.configuration,
            data_store=services.data_store,
            document_store=services.document_store,
            event_bus=services.event_bus,
            notification=services.notification,
            object_store=services.object_store,
            queue=services.queue,
            secrets=services.secrets,
            web_hosting=services.web_hosting,
            provider=self.name,
            translate=_translate,
            time=settings.clock,
            close=services.close,
            control=services.control,
        )
        try:
            services.open(drivers)
        except BaseException:
            services.close()  # or nobody could use the directory until this process ends
            raise
        return drivers


provider: Final = MockProvider()
"""What the entry point names."""


def _translate(error: Exception, operation: Operation) -> LCPlatformError | None:
    """The mock raises the platform's errors itself: anything else is a defect of it."""
    return None

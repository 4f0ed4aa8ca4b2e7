"""A provider as a third party might write it: a few secrets in a dictionary. The tests of the contract plugin run on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from typing_extensions import override

from lcplatform import unimplemented
from lcplatform.drivers import Drivers
from lcplatform.secrets import SecretsCapability
from lcplatform.secrets.models import (
    CreateSecretRequest,
    CreateSecretResponse,
    GetSecretRequest,
    GetSecretResponse,
    VersionStage,
)
from lcplatform.secrets.stub import UnimplementedSecrets
from lcplatform.testing.models import AdvanceClockRequest, AdvanceClockResponse
from lcplatform.testing.stub import UnimplementedControl
from lcplatform_runtime.errors import AlreadyExistsError, LCPlatformError, ResourceNotFoundError
from lcplatform_runtime.operation import Operation
from lcplatform_runtime.support import Support


class TinySecrets(UnimplementedSecrets):
    """Keeps one version of each secret."""

    def __init__(self) -> None:
        self._values: dict[str, CreateSecretRequest] = {}

    @property
    @override
    def support(self) -> Support:
        return Support(capabilities=frozenset({SecretsCapability.BINARY_VALUES}))

    @override
    def create_secret(self, request: CreateSecretRequest, /) -> CreateSecretResponse:
        if request.name in self._values:
            raise AlreadyExistsError("the secret exists")
        self._values[request.name] = request
        return CreateSecretResponse(version="1", etag="1")

    @override
    def get_secret(self, request: GetSecretRequest, /) -> GetSecretResponse:
        kept = self._values.get(request.name)
        if kept is None:
            raise ResourceNotFoundError("there is no such secret")
        return GetSecretResponse(
            name=kept.name,
            value=kept.value,
            version="1",
            stages=(VersionStage.CURRENT,),
            created_at=datetime.now(UTC),
        )


class TinyControl(UnimplementedControl):
    """Adds up how far the clock was moved."""

    moved = timedelta()

    @override
    def advance_clock(self, request: AdvanceClockRequest, /) -> AdvanceClockResponse:
        TinyControl.moved += request.by
        return AdvanceClockResponse(now=datetime.now(UTC))


def _translate(error: Exception, operation: Operation) -> LCPlatformError | None:
    return None


class TinyProvider:
    """Option `clock`: whether there is one to move."""

    name = "tiny"

    def connect(self, options: Mapping[str, object], /, *, asynchronous: bool) -> Drivers:
        control: Callable[[], TinyControl] | None = TinyControl if options.get("clock") else None
        return Drivers(
            authentication=unimplemented.authentication,
            batch=unimplemented.batch,
            configuration=unimplemented.configuration,
            data_store=unimplemented.data_store,
            document_store=unimplemented.document_store,
            event_bus=unimplemented.event_bus,
            notification=unimplemented.notification,
            object_store=unimplemented.object_store,
            queue=unimplemented.queue,
            web_hosting=unimplemented.web_hosting,
            secrets=TinySecrets,
            provider=self.name,
            translate=_translate,
            control=control,
        )


class TinyHarness:
    """Has a clock whatever the options say, and one known difference."""

    has_clock = True
    differences: Mapping[str, str] = {"secrets.test_fails": "it is tiny"}

    def __init__(self, options: Mapping[str, object]) -> None:
        self._options = options

    def platform_options(self) -> Mapping[str, object]:
        return self._options

    def advance(self, platform: object, by: timedelta, /) -> None:
        TinyControl.moved += by

    def close(self) -> None:
        print("the harness is closed")  # noqa: T201


provider = TinyProvider()

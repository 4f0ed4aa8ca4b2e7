"""Sets up what the contract suite runs against beside the mock: the AWS provider on each emulator."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

from typing_extensions import override

from lcplatform import LCPlatform
from lcplatform_contract import differences
from lcplatform_contract.harness import Harness
from lcplatform_mock import trial_job
from lcplatform_mock.harness import MockHarness
from tests.conformance import accounts
from tests.emulators import Emulator, start_ministack, start_moto, start_secantusdb
from tests.fake_aws.apprunner import AppRunner
from tests.fake_aws.batch import QUEUE, Batch
from tests.fake_aws.ecs_express import EcsExpress
from tests.fake_aws.logs import Logs
from tests.fake_aws.scheduler import Scheduler
from tests.fake_aws.server import FakeAws
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider
from tests.postgresql import HOST, USER, PostgreSQL

DIFFERENCES: Final = Path(__file__).parent / "differences"


class AwsOn(Harness):
    """The AWS provider on an emulator, which runs as long as the harness."""

    def __init__(self, emulator: Emulator, prepare: Callable[[str], None] | None = None) -> None:
        self._emulator = emulator
        if prepare is not None:
            prepare(emulator.url)

    @property
    @override
    def has_clock(self) -> bool:
        return False

    @property
    @override
    def differences(self) -> Mapping[str, str]:
        return differences.read(DIFFERENCES / f"{self._emulator.name}.toml")

    @override
    def platform_options(self) -> Mapping[str, object]:
        return {
            "endpoint_url": self._emulator.url,
            "region": "us-east-1",
            "access_key_id": "testing",
            "secret_access_key": "testing",
            # No emulator knows of End User Messaging.
            "notification": {"sender": "platform@example.com", "sms": "sns"},
        }

    @override
    def advance(self, platform: LCPlatform, by: timedelta, /) -> None:
        raise NotImplementedError("an emulator's clock cannot be moved")

    @override
    def close(self) -> None:
        self._emulator.stop()


class AwsOnFake(AwsOn):
    """The AWS provider on the fake of what nothing emulates, with ministack behind it for the rest."""

    def __init__(
        self, web_hosting: type[EcsExpress | AppRunner], options: Mapping[str, object]
    ) -> None:
        """`web_hosting` is what runs applications, `options` what its driver is told."""
        super().__init__(start_ministack())
        logs = Logs()
        self._applications = web_hosting(logs, self._secret)
        self._options = options
        batch = Batch(logs, self._secret, {trial_job.IMAGE: trial_job.TRIAL_JOB})
        self._scheduler = Scheduler(batch.submit_job)
        services = [self._applications, logs, batch, self._scheduler]
        self._fake = FakeAws(services, behind=self._emulator.url)

    @property
    @override
    def has_clock(self) -> bool:
        return True

    @property
    @override
    def differences(self) -> Mapping[str, str]:
        return {}

    @override
    def platform_options(self) -> Mapping[str, object]:
        return {
            **super().platform_options(),
            "endpoint_url": self._fake.url,
            "web_hosting": self._options,
            "batch": {"job_queue": QUEUE, "execution_role": _ROLE, "scheduler_role": _ROLE},
        }

    @override
    def advance(self, platform: LCPlatform, by: timedelta, /) -> None:
        self._fake.advance(by)

    @override
    def close(self) -> None:
        self._fake.stop()
        self._applications.close()
        super().close()
        # A request or an answer that no model allows is a defect, whatever the scenario made of it.
        assert not self._fake.refused, self._fake.refused
        assert not self._scheduler.failed, self._scheduler.failed

    def _secret(self, arn: str) -> str:
        vault = accounts.client("secretsmanager", self._emulator.url)
        text: str = vault.get_secret_value(SecretId=arn)["SecretString"]
        return text


class AwsOnSecantusdb(AwsOn):
    """The AWS provider with its documents on secantusdb, which stands for DocumentDB."""

    def __init__(self, options: Mapping[str, object], /) -> None:
        super().__init__(start_secantusdb())

    @override
    def platform_options(self) -> Mapping[str, object]:
        address = urlsplit(self._emulator.url)
        return {
            "document_store": {
                "host": address.hostname,
                "port": address.port,
                "authentication": "none",
                "tls": False,
                "replica_set": None,
            }
        }


class Persistent(MockHarness):
    """The mock on a state directory, another one for each platform."""

    def __init__(self, options: Mapping[str, object], /) -> None:
        super().__init__(options)
        self._scratch = TemporaryDirectory(ignore_cleanup_errors=True)
        self._numbers = itertools.count()

    @override
    def platform_options(self) -> Mapping[str, object]:
        state = Path(self._scratch.name, str(next(self._numbers)))
        return {**super().platform_options(), "state": state}

    @override
    def close(self) -> None:
        self._scratch.cleanup()


class OnPostgresql(MockHarness):
    """The mock with its data store on a real PostgreSQL."""

    @override
    def platform_options(self) -> Mapping[str, object]:
        return {**super().platform_options(), "data_store": {"engine": "postgresql"}}


class AwsOnPostgresql(Harness):
    """The AWS provider with its data store on a real PostgreSQL, into which its tokens let it."""

    def __init__(self, options: Mapping[str, object], /) -> None:
        self._server = PostgreSQL()

    @property
    @override
    def has_clock(self) -> bool:
        return False

    @property
    @override
    def differences(self) -> Mapping[str, str]:
        return {}

    @override
    def platform_options(self) -> Mapping[str, object]:
        return {
            "region": "us-east-1",
            "access_key_id": "testing",
            "secret_access_key": "testing",
            "data_store": {
                "host": HOST,
                "port": self._server.port,
                "database": USER,
                "user": USER,
                "tls": "disable",
                "pool_size": 20,
            },
        }

    @override
    def advance(self, platform: LCPlatform, by: timedelta, /) -> None:
        raise NotImplementedError("a server's clock cannot be moved")

    @override
    def close(self) -> None:
        self._server.close()


class AwsOnIssuer(Harness):
    """The AWS provider as a client of an issuer, over HTTP."""

    def __init__(self, issuer: str, stop: Callable[[], None], name: str) -> None:
        self._issuer = issuer
        self._stop = stop
        self._name = name

    @property
    @override
    def has_clock(self) -> bool:
        return False

    @property
    @override
    def differences(self) -> Mapping[str, str]:
        return differences.read(DIFFERENCES / f"{self._name}.toml")

    @override
    def platform_options(self) -> Mapping[str, object]:
        return {
            "region": "us-east-1",
            "authentication": {
                "discovery_url": self._issuer,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "audience": "https://api.app.example",
                "scopes": ("openid", "profile", "email"),
            },
        }

    @override
    def advance(self, platform: LCPlatform, by: timedelta, /) -> None:
        raise NotImplementedError("an issuer's clock cannot be moved")

    @override
    def close(self) -> None:
        self._stop()


def oidc_provider(options: Mapping[str, object]) -> Harness:
    """A harness on oidc-provider."""
    issuer = OidcProvider()
    return AwsOnIssuer(issuer.url, issuer.stop, "oidc-provider")


def mock_issuer(options: Mapping[str, object]) -> Harness:
    """A harness on the mock's own issuer."""
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    mock = LCPlatform("mock", authentication={"client": client})
    login = mock.authentication.get_login_url(redirect_uri="https://app.example/callback")
    return AwsOnIssuer(login.issuer, mock.close, "mock-issuer")


def _on(
    start: Callable[[], Emulator], prepare: Callable[[str], None] | None = None
) -> Callable[[Mapping[str, object]], Harness]:
    return lambda options: AwsOn(start(), prepare)


moto = _on(start_moto)
ministack = _on(start_ministack, accounts.notification)


_ROLE: Final = "arn:aws:iam::000000000000:role/applications"


def fake(options: Mapping[str, object]) -> Harness:
    """A harness on the fake, with applications on ECS."""
    return AwsOnFake(EcsExpress, {"infrastructure_role": _ROLE, "execution_role": _ROLE})


def fake_app_runner(options: Mapping[str, object]) -> Harness:
    """A harness on the fake, with applications on App Runner."""
    registry = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
    return AwsOnFake(
        AppRunner,
        {
            "backend": "app-runner",
            "access_role": _ROLE,
            "instance_role": _ROLE,
            "mirrors": {"docker.io": f"{registry}/hub", "registry.example": f"{registry}/example"},
        },
    )

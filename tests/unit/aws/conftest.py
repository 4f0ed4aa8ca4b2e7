"""Fixtures of the AWS provider's tests: no cloud, no network beyond loopback, no credentials of the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from lcplatform import LCPlatform, PlatformSettings, RetryPolicy
from lcplatform.data_store import DataStore
from lcplatform_aws.session import Session
from tests.postgresql import HOST, USER, PostgreSQL
from tests.unit.aws.stub import Stub

AtStub = Callable[..., LCPlatform]
"""Makes a platform whose AWS is the stub; keywords are options of the provider."""


@pytest.fixture(autouse=True)
def no_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Keeps the machine's own configuration out."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/credentials")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Holds every request against the SDK's model of its operation. Our sessions do not: the requests are ours."""
    refused: list[str] = []

    def judge(params: Mapping[str, Any], model: OperationModel, **_: object) -> None:
        shape: Any = model.input_shape
        # A body of ours is iterated over, and the model knows bytes and files only.
        given = {name: it for name, it in params.items() if name != "Body"}
        found = ParamValidator().validate(given, shape).generate_report().splitlines()
        # The names that tests give to versions are short.
        refused.extend(f"{model.name}: {it}" for it in found if "Invalid length" not in it)

    made = Session._made

    def watched(self: Session, name: str, service: Any, config: Any) -> Any:
        client = made(self, name, service, config)
        client.meta.events.register_last("before-parameter-build", judge, unique_id="judged")
        return client

    monkeypatch.setattr(Session, "_made", watched)
    yield
    assert not refused


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server that answers as the test says."""
    with Stub() as server:
        yield server


@pytest.fixture
def at_stub(stub: Stub) -> Iterator[AtStub]:
    """Makes platforms on the stub. They retry at once, and are closed at the end."""
    made: list[LCPlatform] = []

    def make(*, max_attempts: int = 3, **options: object) -> LCPlatform:
        policy = RetryPolicy(max_attempts=max_attempts, base_delay=timedelta(0))
        given: dict[str, Any] = {  # one dict for keywords of several types
            "endpoint_url": stub.url,
            "region": "eu-west-1",
            "access_key_id": "AKIATEST",
            "secret_access_key": "hush",
            **options,
        }
        platform = LCPlatform("aws", settings=PlatformSettings(retry=policy), **given)
        made.append(platform)
        return platform

    yield make
    for platform in made:
        platform.close()


@pytest.fixture
def platform(at_stub: AtStub) -> LCPlatform:
    """A platform whose AWS is the stub."""
    return at_stub()


@pytest.fixture
def once(at_stub: AtStub) -> LCPlatform:
    """The same without retries."""
    return at_stub(max_attempts=1)


@pytest.fixture(scope="session")
def running_postgresql() -> Iterator[PostgreSQL]:
    """A server that takes a few hundred connections."""
    with PostgreSQL(connections=300) as server:
        yield server


@pytest.fixture
def postgresql(running_postgresql: PostgreSQL) -> PostgreSQL:
    """The same, with nothing in it."""
    running_postgresql.run("DROP SCHEMA public CASCADE")
    running_postgresql.run("CREATE SCHEMA public")
    return running_postgresql


AtPostgresql = Callable[..., LCPlatform]
"""Makes a platform whose database is there; keywords are options of the data store."""


@pytest.fixture
def at_postgresql(postgresql: PostgreSQL, at_stub: AtStub) -> AtPostgresql:
    """Makes platforms on PostgreSQL, whose AWS is the stub."""

    def make(*, max_attempts: int = 1, **options: object) -> LCPlatform:
        given = {"host": HOST, "port": postgresql.port, "database": USER, "user": USER}
        return at_stub(max_attempts=max_attempts, data_store={**given, "tls": "disable", **options})

    return make


@pytest.fixture(scope="session")
def platform_on_postgresql(running_postgresql: PostgreSQL) -> Iterator[LCPlatform]:
    """A platform on PostgreSQL, which does not retry. To make one for each test would take longer than most tests."""
    place = {"host": HOST, "port": running_postgresql.port, "database": USER, "user": USER}
    once = PlatformSettings(retry=RetryPolicy(max_attempts=1))
    with LCPlatform(
        "aws",
        settings=once,
        region="eu-west-1",
        access_key_id="AKIATEST",
        secret_access_key="hush",
        data_store={**place, "tls": "disable"},
    ) as platform:
        yield platform


@pytest.fixture
def data(postgresql: PostgreSQL, platform_on_postgresql: LCPlatform) -> DataStore:
    """Its data store, with nothing in it."""
    return platform_on_postgresql.data_store

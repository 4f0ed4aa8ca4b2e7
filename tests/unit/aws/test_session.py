"""The clients: made once, with everything set that the SDK would otherwise decide by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.loaders import JSONFileLoader

from lcplatform import CallOptions, LCPlatform
from lcplatform.errors import DeadlineExceededError
from lcplatform_aws.options import AwsOptions
from lcplatform_aws.provider import AwsDrivers
from lcplatform_aws.session import LONGEST_POLL, Session, _within_deadline, moment
from lcplatform_runtime.context import CallContext, entered
from tests.unit.aws.stub import Answer, Stub, json_answer


@pytest.fixture
def session() -> Session:
    return Session(AwsOptions(region="eu-west-1", access_key_id="a", secret_access_key="b"))


def test_a_client_is_made_once_for_any_number_of_threads(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    original = boto3.Session.client

    def counted(self: boto3.Session, name: str, **given: object) -> object:
        made.append(name)
        return original(self, name, **given)  # type: ignore[call-overload]

    monkeypatch.setattr(boto3.Session, "client", counted)
    barrier = threading.Barrier(8)
    found: list[object] = []

    def ask() -> None:
        barrier.wait()
        found.append(session.sqs)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["sqs"]
    assert len({id(client) for client in found}) == 1
    session.close()


def test_what_a_service_is_like_is_read_once_in_a_process(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.sqs.close()
    read: list[str] = []
    original = JSONFileLoader.load_file

    def counted(self: JSONFileLoader, path: str) -> object:
        read.append(path)
        return original(self, path)

    monkeypatch.setattr(JSONFileLoader, "load_file", counted)
    places = session._boto3._session.get_component("data_loader").search_paths
    before = list(places)
    other = Session(AwsOptions(region="us-east-1", access_key_id="c", secret_access_key="d"))
    assert other.sqs is not session.sqs
    assert (other.sqs.meta.region_name, session.sqs.meta.region_name) == ("us-east-1", "eu-west-1")
    assert not read
    assert places == before  # and no folder is looked through twice
    other.close()
    session.close()


def test_what_one_session_listens_to_another_does_not_hear(session: Session) -> None:
    other = Session(AwsOptions(region="eu-west-1", access_key_id="a", secret_access_key="b"))
    heard: list[str] = []

    def hear(**_: object) -> None:
        heard.append("call")

    session._boto3.events.register("provide-client-params.sqs", hear)
    other._boto3.events.emit("provide-client-params.sqs.SendMessage")
    assert not heard
    session._boto3.events.emit("provide-client-params.sqs.SendMessage")
    assert heard == ["call"]
    other.close()


_CLIENTS = {
    "appconfig": "appconfig",
    "appconfigdata": "appconfigdata",
    "apprunner": "apprunner",
    "batch": "batch",
    "ecs": "ecs",
    "events": "events",
    "logs": "logs",
    "rds": "rds",
    "s3": "s3",
    "scheduler": "scheduler",
    "secretsmanager": "secretsmanager",
    "sesv2": "sesv2",
    "sms": "pinpoint-sms-voice-v2",
    "sns": "sns",
    "sqs": "sqs",
    "sqs_polls": "sqs",
    "sts": "sts",
}


@pytest.mark.parametrize(("name", "service"), _CLIENTS.items())
def test_each_client_speaks_to_its_service_and_leaves_retries_to_the_pipeline(
    session: Session, name: str, service: str
) -> None:
    client = getattr(session, name)
    assert client is getattr(session, name)
    assert client.meta.service_model.service_name == service
    assert client.meta.config.retries["total_max_attempts"] == 1
    session.close()


def test_every_client_is_looked_at() -> None:
    properties = {name for name, it in vars(Session).items() if isinstance(it, property)}
    assert {it for it in properties if not it.startswith("_")} == set(_CLIENTS)


@pytest.mark.parametrize(
    ("call", "client"),
    [
        (
            lambda platform, options: platform.secrets.get_secret("key", options=options),
            "secretsmanager",
        ),
        (lambda platform, options: platform.queue.get_queue("orders", options=options), "sqs"),
        (
            lambda platform, options: platform.object_store.get_object(
                "bucket", "key", options=options
            ),
            "s3",
        ),
    ],
    ids=["secrets", "queue", "object_store"],
)
def test_a_service_that_does_not_answer_is_awaited_until_the_deadline(
    platform: LCPlatform,
    stub: Stub,
    call: Callable[[LCPlatform, CallOptions], object],
    client: str,
) -> None:
    """The SDK itself would wait for a minute."""
    # A client is made at its first call, which may take longer than this deadline.
    drivers = platform._foundation.drivers("queue")
    assert isinstance(drivers, AwsDrivers)
    getattr(drivers.connection.session, client)
    stub.otherwise = lambda _: Answer(silent=True)
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError) as caught:
        call(platform, CallOptions(deadline=timedelta(seconds=0.3)))
    assert time.monotonic() - began < 10
    assert caught.value.outcome == "unknown"
    assert len(stub.asked) == 1


@pytest.mark.parametrize("name", ["s3", "sqs", "sqs_polls", "secretsmanager"])
def test_every_client_leaves_retries_and_checks_to_the_platform(
    session: Session, name: str
) -> None:
    config = getattr(session, name).meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}
    assert config.request_checksum_calculation == "when_required"
    assert config.response_checksum_validation == "when_required"
    assert config.connect_timeout == 3
    assert config.tcp_keepalive is True
    assert config.max_pool_connections == 64
    session.close()


def test_requests_are_not_checked_twice(platform: LCPlatform, stub: Stub) -> None:
    """The platform has checked them: what the SDK would refuse goes out."""
    drivers = platform._foundation.drivers("queue")
    assert isinstance(drivers, AwsDrivers)
    stub.will(json_answer())
    drivers.connection.session.sqs.delete_queue()  # type: ignore[call-arg]
    assert stub.asked[0].target == "DeleteQueue"


def test_a_long_poll_may_take_its_wait_on_top(session: Session) -> None:
    short: Any = session.sqs.meta.config  # the stubs do not know what it holds
    long: Any = session.sqs_polls.meta.config
    assert long.read_timeout == short.read_timeout + LONGEST_POLL
    assert long.read_timeout > LONGEST_POLL
    session.close()


def test_s3_signs_by_the_present_scheme_on_the_buckets_own_host(session: Session) -> None:
    config: Any = session.s3.meta.config
    assert config.signature_version == "s3v4"
    assert config.s3["addressing_style"] == "virtual"
    session.close()


@pytest.mark.parametrize(
    ("endpoint", "style"),
    [
        ("http://127.0.0.1:5000", "path"),
        ("http://[::1]:5000", "path"),
        ("http://localhost:5000", "path"),
        ("https://objects.example.com", "virtual"),
    ],
)
def test_where_nobody_resolves_a_subdomain_the_bucket_is_in_the_path(
    endpoint: str, style: str
) -> None:
    session = Session(
        AwsOptions(
            region="eu-west-1", access_key_id="a", secret_access_key="b", endpoint_url=endpoint
        )
    )
    config: Any = session.s3.meta.config
    assert config.s3["addressing_style"] == style
    session.close()


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.000Z",
        "Fri, 02 Jan 2026 03:04:05 GMT",
        "2026-01-02T04:04:05+01:00",
        1767323045,
        1767323045.0,
        "1767323045",
    ],
)
def test_a_moment_is_read_in_every_form_and_is_in_utc(text: str | float) -> None:
    found = moment(text)
    assert found == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.tzinfo is UTC


def test_the_platform_says_who_it_is(platform: LCPlatform, stub: Stub) -> None:
    stub.will(json_answer(QueueUrls=[]))
    platform.queue.list_queues()
    assert "lib/lcplatform" in stub.asked[0].headers["user-agent"]
    assert "Botocore/" in stub.asked[0].headers["user-agent"]


def test_closing_closes_the_connections(platform: LCPlatform, stub: Stub) -> None:
    stub.otherwise = lambda asked: Answer(200, {}, b"{}")
    platform.queue.list_queues()
    platform.close()
    platform.close()


@pytest.mark.parametrize(
    ("operation", "seconds"), [("UploadPart", 0.001), ("AbortMultipartUpload", 2.0)]
)
def test_only_what_tidies_up_waits_for_its_answer_after_the_deadline(
    session: Session, operation: str, seconds: float
) -> None:
    """An abort that nobody waits for may leave parts, which cost their owner money."""
    over = CallContext(deadline=time.monotonic() - 1)
    client = session.s3
    context: dict[str, Any] = {"client_config": client.meta.config}
    with entered(over):
        _within_deadline(context, client.meta.service_model.operation_model(operation))
    assert context["read_timeout"] == seconds
    session.close()

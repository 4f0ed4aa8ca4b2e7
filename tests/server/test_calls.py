"""What a caller says of a call reaches the driver: its deadline, its name, its key; and what goes wrong comes back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from lcplatform import CallOptions, LCPlatform, RetryPolicy
from lcplatform.catalogue import SERVICES
from lcplatform.mocks import Mocks
from lcplatform.queue import GetQueueRequest, SendMessageResponse
from lcplatform.queue.operations import CREATE_QUEUE, GET_QUEUE, SEND_MESSAGE
from lcplatform.queue.v1 import queue_pb2
from lcplatform.secrets import CreateSecretRequest, CreateSecretResponse, GetSecretResponse
from lcplatform_contract.colours import COLOURS, opened
from lcplatform_grpc.errors import DETAILS_KEY, read_status
from lcplatform_grpc.serving import Router
from lcplatform_runtime.context import correlation, current_call
from lcplatform_runtime.errors import (
    DeadlineExceededError,
    Outcome,
    PreconditionFailedError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_server.server import Server
from tests.server.raw import raw_call

SECRET = GetSecretResponse(
    name="database", value="x", version="1", created_at=datetime(2026, 1, 1, tzinfo=UTC)
)
SENT = SendMessageResponse(message_id="m-1")
ONCE = CallOptions(retry=RetryPolicy(max_attempts=1))


def test_a_request_arrives_as_it_was_made(mocks: Mocks, client: LCPlatform) -> None:
    mocks.queue.on_send_message.returns(SENT)
    answer = client.queue.send_message(
        "orders", body={"id": 2**60}, attributes={"a": "b"}, delay=timedelta(seconds=1.5)
    )
    assert answer == SENT
    (request,) = mocks.queue.on_send_message.calls
    assert (request.queue, request.attributes) == ("orders", {"a": "b"})
    assert request.body == {"id": 2**60} or getattr(request.body, "value", None) == {"id": 2**60}
    assert request.delay == timedelta(seconds=1.5)


def test_a_deadline_reaches_the_driver(mocks: Mocks, client: LCPlatform) -> None:
    remaining: list[float | None] = []

    def answer(_: object) -> SendMessageResponse:
        call = current_call()
        remaining.append(None if call is None else call.remaining())
        return SENT

    mocks.queue.on_send_message.returns(answer)
    client.queue.send_message(
        "orders", body="a", options=CallOptions(deadline=timedelta(minutes=5))
    )
    client.queue.send_message("orders", body="a")
    assert remaining[0] is not None
    assert 200 < remaining[0] <= 301
    assert remaining[1] is None


def test_a_call_that_takes_too_long_ends_with_its_deadline(
    mocks: Mocks, client: LCPlatform
) -> None:
    release = threading.Event()

    def answer(_: object) -> SendMessageResponse:
        release.wait(30)
        return SENT

    mocks.queue.on_send_message.returns(answer)
    try:
        with pytest.raises(DeadlineExceededError) as caught:
            client.queue.send_message(
                "orders", body="a", options=CallOptions(deadline=timedelta(seconds=0.3))
            )
    finally:
        release.set()
    assert caught.value.outcome is Outcome.UNKNOWN
    assert not caught.value.from_server


def test_the_name_of_a_call_reaches_the_driver(mocks: Mocks, client: LCPlatform) -> None:
    names: list[str] = []

    def answer(_: object) -> SendMessageResponse:
        call = current_call()
        assert call is not None
        names.append(call.correlation_id)
        return SENT

    mocks.queue.on_send_message.returns(answer)
    client.queue.send_message("orders", body="a", options=CallOptions(correlation_id="order-7"))
    with correlation("basket-8"):
        client.queue.send_message("orders", body="a")
    client.queue.send_message("orders", body="a")
    assert names[:2] == ["order-7", "basket-8"]
    assert names[2] not in {"", "order-7", "basket-8"}


def test_an_idempotency_key_reaches_the_driver(mocks: Mocks, client: LCPlatform) -> None:
    mocks.secrets.on_create_secret.returns(CreateSecretResponse(version="1", etag="e"))
    key = "5f0a7c1e-aaaa-bbbb-cccc-1234567890ab"
    client.secrets.create_secret(
        "database", value="hunter2", options=CallOptions(idempotency_key=key)
    )
    assert mocks.secrets.on_create_secret.calls == (
        CreateSecretRequest(name="database", value="hunter2", idempotency_key=key),
    )


def test_a_client_in_another_language_gives_its_options_as_metadata(
    mocks: Mocks, server: Server
) -> None:
    names: list[str] = []

    def answer(_: object) -> SendMessageResponse:
        call = current_call()
        assert call is not None
        names.append(call.correlation_id)
        return SENT

    mocks.queue.on_send_message.returns(answer)
    request = queue_pb2.SendMessageRequest(queue="orders", body=queue_pb2.Body(text="a"))
    raw_call(server, SEND_MESSAGE, request, (("lcplatform-correlation-id", "from-node"),))
    assert names == ["from-node"]
    for wrong in (
        ("lcplatform-correlation-id", "two words"),
        ("lcplatform-correlation-id", "x" * 129),
        ("lcplatform-idempotency-key", ""),
        ("lcplatform-retry", "often"),
        ("lcplatform-retry", "0 1 2"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            raw_call(server, SEND_MESSAGE, request, (wrong,))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert len(mocks.queue.on_send_message.calls) == 1


def test_the_server_retries_as_the_caller_asks(mocks: Mocks, server: Server) -> None:
    mocks.queue.on_get_queue.raises(ServiceUnavailableError("busy"), times=None)
    request = queue_pb2.GetQueueRequest(name="orders")
    for attempts in (1, 2):
        mocks.queue.on_get_queue.raises(ServiceUnavailableError("busy"), times=None)
        before = len(mocks.queue.on_get_queue.calls)
        with pytest.raises(grpc.RpcError):
            raw_call(server, GET_QUEUE, request, (("lcplatform-retry", f"{attempts} 0 0"),))
        assert len(mocks.queue.on_get_queue.calls) - before == attempts


def test_the_server_retries_as_often_as_the_client_asks(mocks: Mocks, client: LCPlatform) -> None:
    mocks.queue.on_get_queue.raises(ServiceUnavailableError("busy"), times=None)
    with pytest.raises(ServiceUnavailableError):
        client.queue.get_queue("orders", options=ONCE)
    assert len(mocks.queue.on_get_queue.calls) == 1


def test_a_read_past_the_cache_goes_past_that_of_the_server_too(
    mocks: Mocks, client: LCPlatform
) -> None:
    mocks.secrets.on_get_secret.returns(SECRET)
    for _ in range(2):
        assert client.secrets.get_secret("database") == SECRET
    assert len(mocks.secrets.on_get_secret.calls) == 1
    client.secrets.get_secret("database", options=CallOptions(bypass_cache=True))
    assert len(mocks.secrets.on_get_secret.calls) == 2


def test_what_the_server_has_retried_is_not_retried_by_the_client(
    mocks: Mocks, client: LCPlatform
) -> None:
    mocks.queue.on_get_queue.raises(ServiceUnavailableError("busy"), times=None)
    with pytest.raises(ServiceUnavailableError):
        client.queue.get_queue("orders")
    assert mocks.queue.on_get_queue.calls == (GetQueueRequest(name="orders"),) * 3


def test_a_request_that_is_too_fine_is_refused_by_the_server(mocks: Mocks, server: Server) -> None:
    request = queue_pb2.CreateQueueRequest(name="orders", visibility_timeout=Duration(nanos=1))
    with pytest.raises(grpc.RpcError) as caught:
        raw_call(server, CREATE_QUEUE, request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    trailers = {it[0]: it[1] for it in caught.value.trailing_metadata()}  # type: ignore[index]
    error = read_status(trailers[DETAILS_KEY])
    assert isinstance(error, ValidationError)
    assert [it.field for it in error.violations] == ["visibility_timeout"]
    assert mocks.queue.on_create_queue.calls == ()


def test_bytes_that_are_no_message_are_refused(server: Server) -> None:
    with grpc.insecure_channel(server.endpoint) as channel:
        call = channel.unary_unary(GET_QUEUE.rpc)  # type: ignore[var-annotated]
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff\xff\xff")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_platform_describes_what_stands_behind_the_server(client: LCPlatform) -> None:
    described = client.describe()
    assert {it.provider for it in described.services} == {"programmed"}
    assert {it.service for it in described.services} == set(SERVICES)


def test_control_is_not_offered_unless_it_is_asked_for(client: LCPlatform) -> None:
    with pytest.raises(UnsupportedError):
        client.control.advance_clock(timedelta(seconds=1))


@pytest.mark.parametrize("colour", COLOURS)
def test_a_server_of_another_contract_version_is_named_as_such(colour: str) -> None:
    server = grpc.server(ThreadPoolExecutor(1), [Router({})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with (
            opened(colour, {"provider": "grpc", "endpoint": f"127.0.0.1:{port}"}) as client,
            pytest.raises(UnsupportedError, match="different versions of the contract"),
        ):
            client.queue.get_queue("orders")
    finally:
        server.stop(None).wait()


@pytest.mark.parametrize("colour", COLOURS)
def test_a_refused_connection_has_executed_nothing(colour: str) -> None:
    with (
        socket.socket() as taken
    ):  # bound and not listening: nobody else gets the port, nobody answers
        taken.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            opened(colour, {"provider": "grpc", "endpoint": endpoint}) as client,
            pytest.raises(ServiceUnavailableError) as caught,
        ):
            client.queue.send_message("orders", body="a", options=ONCE)
    assert caught.value.outcome is Outcome.NOT_EXECUTED
    assert caught.value.retryable
    assert not caught.value.from_server
    assert caught.value.operation == "Queue.SendMessage"


@pytest.fixture
def doomed() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, whose queue never answers, and its endpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.server.stuck"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("colour", COLOURS)
def test_a_server_that_dies_during_a_call_leaves_its_outcome_open(
    doomed: tuple[subprocess.Popen[str], str], colour: str
) -> None:
    process, endpoint = doomed
    assert process.stdout is not None
    with (
        opened(colour, {"provider": "grpc", "endpoint": endpoint}) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        call = pool.submit(client.queue.send_message, "orders", body="a", options=ONCE)
        assert process.stdout.readline() == "called\n"
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(ServiceUnavailableError) as caught:
            call.result(20)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert not caught.value.from_server


def test_a_platform_that_is_closed_calls_nobody(server: Server) -> None:
    with LCPlatform(provider="grpc", endpoint=server.endpoint) as platform:
        platform.describe()
    with pytest.raises(PreconditionFailedError):
        _ = platform.queue

"""A server with a token takes no call without it, of whatever kind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from pydantic import SecretStr

from lcplatform import AsyncLCPlatform, LCPlatform
from lcplatform_grpc.options import GrpcOptions
from lcplatform_runtime.errors import AuthenticationError, ValidationError
from lcplatform_runtime.model import build
from lcplatform_server.__main__ import main
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings

TOKEN = "a-token.of_some~length+/="


@pytest.fixture
def server() -> Iterator[Server]:
    settings = ServerSettings(listen="127.0.0.1:0", grace=0, token=SecretStr(TOKEN))
    with LCPlatform("mock") as platform, Server(platform, settings) as server:
        yield server


def use(platform: LCPlatform) -> bytes:
    """One call of each form."""
    platform.object_store.create_bucket("things")
    platform.object_store.put_object("things", "one", b"body")
    return platform.object_store.get_object("things", "one").read()


def test_with_the_token_every_form_of_call_goes_through(server: Server) -> None:
    with LCPlatform("grpc", endpoint=server.endpoint, token=TOKEN) as platform:
        assert use(platform) == b"body"
        assert platform.describe().services


def test_the_token_is_shown_by_async_platforms_as_well(server: Server) -> None:
    async def call() -> bytes:
        async with AsyncLCPlatform("grpc", endpoint=server.endpoint, token=TOKEN) as platform:
            await platform.object_store.create_bucket("things")
            await platform.object_store.put_object("things", "one", b"body")
            download = await platform.object_store.get_object("things", "one")
            return await download.read()

    assert asyncio.run(call()) == b"body"


@pytest.mark.parametrize("token", [None, "another", TOKEN[:-1], TOKEN + "="])
def test_without_the_token_no_form_of_call_goes_through(server: Server, token: str | None) -> None:
    options: dict[str, Any] = {} if token is None else {"token": token}
    with LCPlatform("grpc", endpoint=server.endpoint, **options) as platform:
        store = platform.object_store
        for call in (
            lambda: store.create_bucket("things"),
            lambda: store.put_object("things", "one", b"body"),
            lambda: store.get_object("things", "one"),
            lambda: list(platform.web_hosting.get_logs("nothing")),
            platform.describe,
        ):
            with pytest.raises(AuthenticationError, match="token") as caught:
                call()
            assert not caught.value.retryable
            assert TOKEN not in str(caught.value)


def test_health_checks_show_the_token_too(server: Server) -> None:
    with grpc.insecure_channel(server.endpoint) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
            check(health_pb2.HealthCheckRequest())
        shown = (("authorization", f"Bearer {TOKEN}"),)
        answer = check(health_pb2.HealthCheckRequest(), metadata=shown)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_two_tokens_are_none(server: Server) -> None:
    with grpc.insecure_channel(server.endpoint) as channel:
        call: Any = channel.unary_unary("/lcplatform.queue.v1.QueueService/ListQueues")
        both = (("authorization", "Bearer another"), ("authorization", f"Bearer {TOKEN}"))
        for shown in (both, both[::-1]):
            with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
                call(b"", metadata=shown)


def test_a_token_is_not_sent_to_another_machine_unencrypted() -> None:
    options = build(GrpcOptions, endpoint="platform.example:50051", insecure=True, token=TOKEN)
    with pytest.raises(ValidationError, match="unencrypted"):
        options.check()
    build(GrpcOptions, endpoint="platform.example:50051", token=TOKEN).check()


@pytest.mark.parametrize("token", ["", "two words", "line\nline", "ünïcode"])
def test_what_cannot_be_shown_is_no_token(token: str) -> None:
    with pytest.raises(ValidationError, match="token"):
        build(GrpcOptions, endpoint="127.0.0.1:1", token=token).check()
    with pytest.raises(ValidationError, match="token"):
        ServerSettings(token=SecretStr(token)).check()


def test_a_token_is_never_printed() -> None:
    assert TOKEN not in repr(build(GrpcOptions, endpoint="127.0.0.1:1", token=TOKEN))
    assert TOKEN not in repr(ServerSettings(token=SecretStr(TOKEN)))


def test_the_command_reads_the_token_from_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["serve", "--provider", "mock", "--listen", "127.0.0.1:0"]
    assert main([*words, "--token-file", str(tmp_path / "missing")]) == 2
    assert "token_file" in capsys.readouterr().err
    (tmp_path / "token").write_text("two words\n")
    assert main([*words, "--token-file", str(tmp_path / "token")]) == 2
    assert "token" in capsys.readouterr().err

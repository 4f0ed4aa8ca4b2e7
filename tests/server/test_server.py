"""A server says what it offers and that it is well, refuses what is unsafe, and stops without dropping a call."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from lcplatform import LCPlatform
from lcplatform.mocks import Mocks
from lcplatform.queue import SendMessageResponse
from lcplatform_grpc.endpoint import is_loopback
from lcplatform_grpc.options import GrpcOptions
from lcplatform_runtime.errors import UnsupportedError, ValidationError
from lcplatform_runtime.model import build
from lcplatform_runtime.registry import missing_package
from lcplatform_server.__main__ import main
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings

BIN = Path(sys.executable).parent
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def health(endpoint: str, service: str) -> int:
    with grpc.insecure_channel(endpoint) as channel:
        call: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
        answer = call(
            health_pb2.HealthCheckRequest(service=service).SerializeToString(), timeout=10
        )
    status: int = health_pb2.HealthCheckResponse.FromString(answer).status
    return status


def buf_curl(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    """buf asks the server itself what its messages look like."""
    path = words[-1]
    return subprocess.run(
        [
            BIN / "buf",
            "curl",
            "--protocol",
            "grpc",
            "--http2-prior-knowledge",
            *words[:-1],
            f"http://{server.endpoint}{path}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "service", ["", "lcplatform.queue.v1.QueueService", "lcplatform.platform.v1.PlatformService"]
)
def test_a_server_says_that_it_is_well(server: Server, service: str) -> None:
    assert health(server.endpoint, service) == SERVING


def test_a_service_that_is_not_offered_is_not_known(server: Server) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        health(server.endpoint, "lcplatform.testing.v1.ControlService")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_whoever_watches_is_told_when_the_server_stops(mocks: Mocks) -> None:
    server = Server(mocks.platform(), ServerSettings(listen="127.0.0.1:0", grace=5)).start()
    seen: list[int] = []
    told = threading.Event()
    with grpc.insecure_channel(server.endpoint) as channel, ThreadPoolExecutor(1) as pool:
        call: Any = channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        answers = call(health_pb2.HealthCheckRequest().SerializeToString(), timeout=30)

        def watch() -> None:
            for answer in answers:
                seen.append(answer.status)
                told.set()
                if answer.status == NOT_SERVING:
                    answers.cancel()
                    return

        watching = pool.submit(watch)
        assert told.wait(20)
        server.stop()
        watching.result(20)
    assert seen == [SERVING, NOT_SERVING]


def test_tools_find_the_services_by_reflection(server: Server) -> None:
    listed = buf_curl(server, "--list-methods", "")
    assert listed.returncode == 0, listed.stderr
    methods = listed.stdout.split()
    assert "lcplatform.queue.v1.QueueService/SendMessage" in methods
    assert "lcplatform.object_store.v1.ObjectStoreService/PutObject" in methods
    assert not any("ControlService" in method for method in methods)


def test_a_tool_that_knows_nothing_can_call(mocks: Mocks, server: Server) -> None:
    mocks.queue.on_send_message.returns(SendMessageResponse(message_id="m-1"))
    data = json.dumps({"queue": "orders", "body": {"text": "hello"}, "delay": "1.5s"})
    called = buf_curl(server, "--data", data, "/lcplatform.queue.v1.QueueService/SendMessage")
    assert called.returncode == 0, called.stderr
    assert json.loads(called.stdout) == {"messageId": "m-1"}
    refused = buf_curl(
        server, "--data", '{"queue": ""}', "/lcplatform.queue.v1.QueueService/SendMessage"
    )
    assert refused.returncode != 0
    assert json.loads(refused.stderr)["code"] == "invalid_argument"


def test_a_call_that_is_under_way_ends_before_the_server_does(mocks: Mocks) -> None:
    arrived, release = threading.Event(), threading.Event()

    def answer(_: object) -> SendMessageResponse:
        arrived.set()
        release.wait(30)
        return SendMessageResponse(message_id="m-1")

    mocks.queue.on_send_message.returns(answer)
    server = Server(mocks.platform(), ServerSettings(listen="127.0.0.1:0", grace=30)).start()
    with (
        LCPlatform(provider="grpc", endpoint=server.endpoint) as client,
        ThreadPoolExecutor(2) as pool,
    ):
        call = pool.submit(client.queue.send_message, "orders", body="a")
        assert arrived.wait(20)
        stopping = pool.submit(server.stop)
        release.set()
        assert call.result(20).message_id == "m-1"
        stopping.result(20)
    server.stop()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"listen": "0.0.0.0:50051"}, "listen"),
        ({"listen": "[::]:50051"}, "listen"),
        ({"listen": "platform.example:50051"}, "listen"),
        ({"listen": "127.0.0.1:65536"}, "listen"),
        ({"listen": "127.0.0.1:123456"}, "listen"),
        ({"listen": "unix:"}, "listen"),
        ({"private_key": "key.pem"}, "private_key"),
        ({"client_certificates": "ca.pem"}, "client_certificates"),
        (
            {
                "listen": "0.0.0.0:0",
                "private_key": "key.pem",
                "certificate_chain": "chain.pem",
                "control": True,
            },
            "control",
        ),
        ({"certificate_chain": "no.pem", "private_key": "no.pem"}, "private_key"),
    ],
)
def test_an_unsafe_server_does_not_start(
    mocks: Mocks, settings: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Server(mocks.platform(), build(ServerSettings, **settings)).start()
    assert [it.field for it in caught.value.violations] == [field]


def test_an_address_that_is_taken_is_named(mocks: Mocks, server: Server) -> None:
    with pytest.raises(ValidationError, match="free on this machine") as caught:
        Server(mocks.platform(), ServerSettings(listen=server.endpoint)).start()
    assert [it.field for it in caught.value.violations] == ["listen"]


@pytest.mark.parametrize(
    ("endpoint", "loopback"),
    [
        ("127.0.0.1:1", True),
        ("127.8.8.8:1", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("ipv4:127.0.0.1:1", True),
        ("dns:///localhost:1", True),
        ("unix:/tmp/x", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("10.0.0.1:1", False),
        ("localhost.example:1", False),
        ("unix-abstract:x", True),
        ("unixbox.example:1", False),
        ("unix.example:443", False),
        ("xds:///localhost:1", False),
        ("platform.example/localhost:1", False),
        ("platform.example:443", False),
    ],
)
def test_only_what_stays_on_this_machine_is_loopback(endpoint: str, loopback: bool) -> None:
    assert is_loopback(endpoint) is loopback


def test_a_connection_to_another_machine_is_encrypted_unless_that_is_waived() -> None:
    assert not GrpcOptions(endpoint="127.0.0.1:1").encrypted
    assert GrpcOptions(endpoint="platform.example:443").encrypted
    assert not GrpcOptions(endpoint="platform.example:80", insecure=True).encrypted
    assert GrpcOptions(endpoint="127.0.0.1:1", root_certificates=Path("ca.pem")).encrypted


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, "endpoint"),
        ({"endpoint": ""}, "endpoint"),
        ({"endpoint": "a:1", "colour": "blue"}, "colour"),
        ({"endpoint": "a:1", "insecure": True, "root_certificates": "ca.pem"}, "insecure"),
        ({"endpoint": "a:1", "private_key": "key.pem"}, "private_key"),
        ({"endpoint": "a:1", "root_certificates": "no.pem"}, "root_certificates"),
        ({"endpoint": "a:1", "max_message_bytes": 1}, "max_message_bytes"),
    ],
)
def test_a_wrong_option_of_the_client_is_named(options: dict[str, Any], field: str) -> None:
    with (
        pytest.raises(ValidationError) as caught,
        LCPlatform(provider="grpc", **options) as platform,
    ):
        _ = platform.queue
    assert [it.field for it in caught.value.violations] == [field]


@pytest.mark.parametrize("module", ["grpc", "google"])
def test_a_missing_package_of_the_client_says_what_to_install(module: str) -> None:
    error = missing_package("grpc", ModuleNotFoundError(f"No module named {module!r}", name=module))
    assert isinstance(error, UnsupportedError)
    assert "pip install 'lcplatform[grpc]'" in error.message


@pytest.mark.parametrize("module", ["grpc", "google.protobuf", "grpc_health.v1", "grpc_reflection"])
def test_a_missing_package_of_the_server_says_what_to_install(module: str) -> None:
    """In an interpreter of its own, in which the package is not to be found."""
    code = f"import sys; sys.modules[{module!r}] = None; from lcplatform_server.__main__ import main; sys.exit(main(['serve', '--provider', 'mock']))"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 2
    assert "pip install 'lcplatform[server]'" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`lcplatform serve` in a process of its own, and where it listens."""
    ready = tmp_path / "ready"
    process = subprocess.Popen(
        [
            BIN / "lcplatform",
            "serve",
            *("--provider", "mock", "--listen", "127.0.0.1:0", "--control"),
            *("--ready-file", str(ready)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:"), process.stderr.read()
        assert ready.read_text() == line.removeprefix("listening on ")
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(
    serving: tuple[subprocess.Popen[str], str], number: signal.Signals
) -> None:
    process, endpoint = serving
    with LCPlatform(provider="grpc", endpoint=endpoint) as client:
        client.object_store.create_bucket("reports")
        client.object_store.put_object("reports", "q1", data=b"hello")
        with client.object_store.get_object("reports", "q1") as download:
            assert download.read() == b"hello"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert out.strip() == "stopping"


def test_a_server_whose_output_nobody_reads_any_more_stops_as_well_as_any(
    serving: tuple[subprocess.Popen[str], str],
) -> None:
    process, _ = serving
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.terminate()
    assert process.stderr.read() == ""
    assert process.wait(30) == 0


def test_who_cannot_await_the_grace_tells_the_server_twice(
    serving: tuple[subprocess.Popen[str], str],
) -> None:
    process, endpoint = serving
    assert process.stdout is not None
    with LCPlatform(provider="grpc", endpoint=endpoint) as client:
        client.object_store.create_bucket("reports")
        client.object_store.put_object("reports", "large", data=bytes(32 * 1024 * 1024))
        with client.object_store.get_object("reports", "large"):  # which nobody reads
            process.terminate()
            assert process.stdout.readline() == "stopping\n"
            process.terminate()
            assert process.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--provider", "mock", "--listen", "0.0.0.0:0"], "loopback"),
        (["--provider", "mock", "--ready-file", "/proc/nowhere/ready"], "ready_file"),
        (["--provider", "mock", "--config", "nowhere.toml"], "nowhere.toml"),
        (["--provider", "nobody"], "there is no provider 'nobody'"),
        (["--provider", "mock", "--threads", "0"], "threads"),
        (["--provider", "mock", "--option", "colour=blue"], "colour"),
        ([], "provider"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert main(["serve", "--listen", "127.0.0.1:0", *arguments]) == 2
    assert words in capsys.readouterr().err

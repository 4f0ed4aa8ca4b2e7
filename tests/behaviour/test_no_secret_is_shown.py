"""No secret in any output: a canary passes through everything that can carry one, on every surface, with errors provoked."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lcplatform import LCPlatform, PlatformSettings
from lcplatform.errors import ERRORS, LCPlatformError, UnsupportedError
from lcplatform.type.models import ErrorCode
from lcplatform_contract.colours import opened
from lcplatform_contract.harness import surface_of
from tests.emulators import Emulator

CANARY = "canary-7d1f0c5e9b"
BYTES = CANARY.encode()
KEY = "0123456789abcdef0123456789abcdef"

Attempt = Callable[[LCPlatform, str], object]

ATTEMPTS: dict[str, Attempt] = {
    "create text": lambda p, n: p.secrets.create_secret(n, CANARY, idempotency_key=KEY),
    "create again": lambda p, n: p.secrets.create_secret(n, CANARY),
    "create with another value": lambda p, n: p.secrets.create_secret(
        n, f"{CANARY}!", idempotency_key=KEY
    ),
    "create JSON": lambda p, n: p.secrets.create_secret(
        f"{n}-json", {"password": CANARY, CANARY: 1}
    ),
    "create bytes": lambda p, n: p.secrets.create_secret(f"{n}-bytes", BYTES),
    "create under a wrong name": lambda p, n: p.secrets.create_secret("wrong name", CANARY),
    "create what is no object": lambda p, n: p.secrets.create_secret(f"{n}-list", [CANARY]),
    "create too much": lambda p, n: p.secrets.create_secret(f"{n}-large", CANARY * 5000),
    "create an oddity": lambda p, n: p.secrets.create_secret(n, {CANARY: object()}),
    "create with wrong tags": lambda p, n: p.secrets.create_secret(
        n, CANARY, description="d" * 5000
    ),
    "put": lambda p, n: p.secrets.put_secret_value(n, f"{CANARY}-2"),
    "put a stale one": lambda p, n: p.secrets.put_secret_value(n, CANARY, if_match="stale"),
    "put to nothing": lambda p, n: p.secrets.put_secret_value(f"{n}-nothing", CANARY),
    "put pending": lambda p, n: p.secrets.put_secret_value(n, f"{CANARY}-3", pending=True),
    "put pending twice": lambda p, n: p.secrets.put_secret_value(n, f"{CANARY}-4", pending=True),
    "get": lambda p, n: p.secrets.get_secret(n),
    "get again": lambda p, n: p.secrets.get_secret(n),
    "get JSON": lambda p, n: p.secrets.get_secret(f"{n}-json"),
    "get bytes": lambda p, n: p.secrets.get_secret(f"{n}-bytes"),
    "get several": lambda p, n: p.secrets.get_secrets([n, f"{n}-json", f"{n}-nothing"]),
    "rotate with a function that fails": lambda p, n: p.secrets.rotate_with(n, _failing),
    "rotate with a function": lambda p, n: p.secrets.rotate_with(n, lambda value: f"{CANARY}-5"),
    "restore a version": lambda p, n: p.secrets.restore_version(n, version="nothing"),
    "describe": lambda p, n: p.secrets.describe_secret(n),
    "delete": lambda p, n: p.secrets.delete_secret(n),
    "put to what is deleted": lambda p, n: p.secrets.put_secret_value(n, CANARY),
}


def _failing(value: object) -> str:
    raise RuntimeError("the rotation function failed")


class Watch:
    """Everything that could show the canary, gathered."""

    def __init__(self, caplog: pytest.LogCaptureFixture, spans: InMemorySpanExporter) -> None:
        self._caplog = caplog
        self._spans = spans
        self._seen: list[str] = []

    def see(self, value: object) -> None:
        self._seen += [repr(value), str(value)]

    def see_error(self, error: BaseException) -> None:
        self._seen += traceback.format_exception(error)
        chain: BaseException | None = error
        while chain is not None:
            self.see(chain)
            self.see(chain.args)
            self.see(vars(chain))
            chain = chain.__cause__ or chain.__context__
        if isinstance(error, LCPlatformError):
            self.see(error.fields())

    def leaks(self) -> list[str]:
        records = [
            f"{record.getMessage()} {sorted(vars(record).items(), key=str)}"
            for record in self._caplog.records
        ]
        spans = [span.to_json() for span in self._spans.get_finished_spans()]
        assert records
        assert spans
        everything = [*self._seen, *records, *spans]
        return [text for text in everything if CANARY in text or "Y2FuYXJ5LTdkMWYwYzVlOWI" in text]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Collects spans for one test. A provider that is set can never be taken back, and would watch all tests after it."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture, spans: InMemorySpanExporter) -> Watch:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, logger="lcplatform")
    spans.clear()
    return Watch(caplog, spans)


@pytest.fixture(params=["mock", "aws"])
def provider(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    if request.param == "mock":
        return "mock", {}
    emulator: Emulator = request.getfixturevalue("moto")
    options: dict[str, object] = {
        "endpoint_url": emulator.url,
        "region": "us-east-1",
        "access_key_id": CANARY,
        "secret_access_key": CANARY,
    }
    return "aws", options


@pytest.fixture(params=["in-process", "grpc"])
def surface(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["blocking", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def platform(
    provider: tuple[str, dict[str, object]], surface: str, colour: str
) -> Iterator[LCPlatform]:
    with ExitStack() as stack:
        arguments = stack.enter_context(surface_of(surface).open(*provider))
        yield stack.enter_context(opened(colour, arguments))


def attempt(platform: LCPlatform, name: str, watch: Watch) -> int:
    """Makes every attempt, and says how many failed."""
    failed = 0
    for make in ATTEMPTS.values():
        try:
            watch.see(make(platform, name))
        except (LCPlatformError, RuntimeError) as error:
            failed += 1
            watch.see_error(error)
    return failed


def test_no_attempt_shows_the_secret(platform: LCPlatform, watch: Watch, colour: str) -> None:
    name = f"canary-test-{id(watch)}"
    assert attempt(platform, name, watch) >= 10
    watch.see(platform)
    assert watch.leaks() == []


def test_no_failure_of_the_service_shows_the_secret(surface: str, watch: Watch) -> None:
    """Each operation fails with each error while it carries the secret."""
    failed = 0
    with (
        surface_of(surface).open("mock", {}) as arguments,
        opened("blocking", arguments) as platform,
    ):
        for operation in ("create_secret", "put_secret_value", "get_secret", "get_secrets"):
            for code in ERRORS:
                platform.control.inject_fault(
                    "secrets",
                    operation,
                    error=ErrorCode(code.lower()),
                    times=100,
                    retry_after=timedelta(),
                )
                failed += attempt(platform, f"{operation}-{code}".lower(), watch)
                platform.control.clear_faults()
    assert failed > 4 * len(ERRORS)
    assert watch.leaks() == []


def test_a_presigned_url_is_a_secret(platform: LCPlatform, watch: Watch) -> None:
    platform.object_store.create_bucket(f"presigned-{id(watch)}")
    answer = platform.object_store.generate_presigned_url(f"presigned-{id(watch)}", "a.txt")
    watch.see(answer)
    signature = answer.url.rsplit("=", 1)[1]
    assert signature
    assert answer.url not in "".join(watch._seen)
    assert signature not in "".join(watch._seen)


def test_what_the_wire_says_of_an_error_does_not_quote_the_secret(watch: Watch) -> None:
    from lcplatform.secrets.v1 import secrets_pb2

    value = secrets_pb2.SecretValue(text=CANARY)
    requests: list[Any] = [
        secrets_pb2.CreateSecretRequest(name="wrong name", value=value),
        secrets_pb2.CreateSecretRequest(name="n", value=value, description="d" * 5000),
        secrets_pb2.CreateSecretRequest(name="twice", value=value),
        secrets_pb2.CreateSecretRequest(name="twice", value=value),
    ]
    with surface_of("grpc").open("mock", {}) as arguments:
        channel = grpc.insecure_channel(str(arguments["endpoint"]))
        create: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/lcplatform.secrets.v1.SecretsService/CreateSecret"
        )
        refused = 0
        for request in requests:
            try:
                create(request.SerializeToString())
            except grpc.RpcError as error:
                refused += 1
                watch.see(error)
                watch.see(error.details())
                watch.see(error.trailing_metadata())
        channel.close()
    assert refused == 3
    assert watch.leaks() == []


@pytest.mark.parametrize(
    ("provider", "options"),
    [
        ("aws", {"secret_access_key": CANARY}),
        ("aws", {"access_key_id": CANARY, "secret_access_key": CANARY, "colour": CANARY}),
        ("aws", {"access_key_id": CANARY, "secret_access_key": [CANARY]}),
        ("grpc", {"endpoint": "127.0.0.1:1", "tls_key": CANARY}),
        ("mock", {"seed": CANARY}),
        (CANARY, {}),
    ],
)
def test_wrong_options_are_named_and_not_quoted(provider: str, options: dict[str, Any]) -> None:
    with pytest.raises(LCPlatformError) as caught:
        LCPlatform(provider, **options).secrets.describe_secret("n")
    if isinstance(caught.value, UnsupportedError) or provider == CANARY:
        return  # the name of a provider is no secret
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.fields())
    assert CANARY not in shown


def test_settings_hide_keys_and_options() -> None:
    settings = PlatformSettings(
        provider="aws", page_token_key=CANARY * 2, providers={"aws": {"k": CANARY}}
    )
    assert CANARY not in repr(settings) + str(settings)
    with pytest.raises(LCPlatformError) as caught:
        PlatformSettings(page_token_key=CANARY[:5], deadline=CANARY)  # type: ignore[arg-type]
    assert CANARY[:12] not in "".join(traceback.format_exception(caught.value))

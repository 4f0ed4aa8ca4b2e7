"""The client of an issuer: its secret from Secrets Manager, what each preset offers, and whose trouble is whose."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any
from urllib.parse import parse_qsl

import pytest

from lcplatform import LCPlatform
from lcplatform.authentication.models import TokenKind
from lcplatform_aws.authentication import OidcAuthentication
from lcplatform_aws.authentication_options import AuthenticationOptions
from lcplatform_aws.options import AwsOptions, inherited
from lcplatform_aws.secrets import SecretsManagerSecrets
from lcplatform_aws.session import Session
from lcplatform_runtime.errors import (
    AuthenticationError,
    LCPlatformError,
    PermissionDeniedError,
    QuotaExceededError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_runtime.model import build
from tests.unit.aws.conftest import AtStub
from tests.unit.aws.stub import Answer, Asked, Stub, json_answer, json_error


class Issuer:
    """An issuer and Secrets Manager at one stub."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.good = "first secret"
        self.kept: Answer | str = "first secret"
        self.reads = 0
        self.forms: list[tuple[str, dict[str, str]]] = []
        stub.otherwise = self

    def __call__(self, asked: Asked) -> Answer:
        if asked.target == "GetSecretValue":
            self.reads += 1
            if isinstance(self.kept, Answer):
                return self.kept
            return json_answer(
                Name="client", SecretString=self.kept, VersionId="v" * 32, CreatedDate=1.0
            )
        if asked.path == "/.well-known/openid-configuration":
            url = self.stub.url
            return json_answer(issuer=url, token_endpoint=f"{url}/token", jwks_uri=f"{url}/jwks")
        assert asked.path == "/token"
        pair = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
        self.forms.append((pair, dict(parse_qsl(asked.body.decode()))))
        if pair != f"app:{self.good.replace(' ', '%20')}":
            return Answer(401, {}, json.dumps({"error": "invalid_client"}).encode())
        return json_answer(access_token="a", token_type="Bearer", expires_in=60)


@pytest.fixture
def issuer(stub: Stub) -> Issuer:
    return Issuer(stub)


@pytest.fixture
def platform(issuer: Issuer, at_stub: AtStub) -> LCPlatform:
    options = {"discovery_url": issuer.stub.url, "client_id": "app", "client_secret_name": "client"}
    return at_stub(authentication=options)


def test_the_secret_of_the_client_is_read_once(platform: LCPlatform, issuer: Issuer) -> None:
    for _ in range(3):
        tokens = platform.authentication.client_credentials_token(scopes=["read"]).tokens
        assert tokens.access_token == "a"
    assert issuer.reads == 1
    assert [form["scope"] for _, form in issuer.forms] == ["read"] * 3


def test_a_secret_that_was_rotated_is_read_again(platform: LCPlatform, issuer: Issuer) -> None:
    platform.authentication.client_credentials_token()
    issuer.good = issuer.kept = "second secret"
    platform.authentication.client_credentials_token()
    assert issuer.reads == 2
    assert len(issuer.forms) == 3


def test_a_secret_that_is_wrong_is_not_read_each_time(platform: LCPlatform, issuer: Issuer) -> None:
    """And it is the platform's trouble: the caller can do nothing about it."""
    issuer.good = "another"
    for _ in range(3):
        with pytest.raises(ServiceUnavailableError) as caught:
            platform.authentication.client_credentials_token()
        assert not caught.value.retryable
        assert "first secret" not in str(caught.value)
    assert issuer.reads == 2
    assert len(issuer.forms) == 3


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        (json_error(400, "ResourceNotFoundException", "no"), False),
        (json_error(400, "AccessDeniedException", "no"), False),
        (json_error(400, "ThrottlingException", "slow"), True),
        (json_error(500, "InternalServiceError", "x"), True),
        ('{"client_secret": "an object"}', False),
    ],
)
def test_a_secret_that_cannot_be_read_is_the_platforms_trouble(
    platform: LCPlatform, issuer: Issuer, answer: Answer | str, retryable: bool
) -> None:
    issuer.kept = answer
    with pytest.raises(ServiceUnavailableError, match="client") as caught:
        platform.authentication.client_credentials_token()
    assert caught.value.retryable is retryable
    assert issuer.forms == []


def test_many_callers_read_the_secret_once(platform: LCPlatform, issuer: Issuer) -> None:
    authentication = platform.authentication
    threads = [threading.Thread(target=authentication.client_credentials_token) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert issuer.reads == 1
    assert len(issuer.forms) == 8


@pytest.mark.parametrize(
    ("issuer_options", "offered"),
    [
        (
            {"preset": "okta", "domain": "example.okta.com"},
            {"revocation", "introspection", "device_flow", "logout"},
        ),
        (
            {"preset": "auth0", "domain": "example.eu.auth0.com"},
            {"revocation", "device_flow", "logout"},
        ),
        ({"preset": "entra", "tenant": "example.com"}, {"device_flow", "logout"}),
        (
            {"discovery_url": "https://id.example", "lacks": ["device_flow", "logout"]},
            {"revocation", "introspection"},
        ),
    ],
)
def test_each_issuer_offers_what_is_known_of_it(
    issuer_options: dict[str, Any], offered: set[str]
) -> None:
    options = build(AuthenticationOptions, client_id="app", **issuer_options)
    driver = OidcAuthentication(options, SecretsManagerSecrets(Session(AwsOptions())))
    assert driver.support.capabilities == offered


def test_what_an_issuer_lacks_is_refused_before_it_is_asked(at_stub: AtStub) -> None:
    options = {"preset": "entra", "tenant": "example.com", "client_id": "app"}
    with pytest.raises(UnsupportedError, match="introspection"):
        at_stub(authentication=options).authentication.introspect_token("t")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"client_id": "app"},
        {"client_id": "app", "preset": "okta"},
        {"client_id": "app", "discovery_url": "http://id.example"},
        {"client_id": "app", "discovery_url": "https://id.example", "algorithms": ["none"]},
        {"client_id": "app", "discovery_url": "https://id.example", "algorithms": ["HS256"]},
        {"client_id": "app", "discovery_url": "https://id.example", "lacks": ["everything"]},
        {"client_id": "app", "preset": "entra", "tenant": "common"},
        {
            "client_id": "app",
            "discovery_url": "https://id.example",
            "client_secret": "hush-hush",
            "client_secret_name": "client",
        },
    ],
)
def test_a_wrong_configuration_is_refused_by_its_name(
    at_stub: AtStub, wrong: dict[str, object]
) -> None:
    with pytest.raises(ValidationError, match="authentication") as caught:
        at_stub(authentication=wrong)
    assert "hush-hush" not in str(caught.value)


def test_without_an_issuer_the_service_is_not_offered(at_stub: AtStub) -> None:
    with pytest.raises(UnsupportedError, match="option authentication"):
        at_stub().authentication.verify_token("t")


def test_the_secret_is_shown_to_nobody_and_handed_on_to_no_application() -> None:
    given = {
        "discovery_url": "https://id.example",
        "client_id": "app",
        "client_secret": "hush-hush",
    }
    options = build(AwsOptions, authentication=given)
    assert "hush-hush" not in repr(options)
    assert inherited(options) == {
        "authentication": {"discovery_url": "https://id.example", "client_id": "app"}
    }


def test_an_issuer_that_is_away_is_unavailable_and_a_token_that_is_none_malformed(
    at_stub: AtStub,
) -> None:
    away = {"discovery_url": "http://127.0.0.1:9", "client_id": "app"}
    authentication = at_stub(max_attempts=1, authentication=away).authentication
    with pytest.raises(LCPlatformError) as caught:
        authentication.get_login_url(redirect_uri="https://app.example/callback")
    assert isinstance(caught.value, ServiceUnavailableError)
    assert caught.value.retryable


def test_no_token_but_one_that_is_signed_is_believed(at_stub: AtStub, issuer: Issuer) -> None:
    """An issuer that lists `none` among its algorithms does not make it one."""
    stub = issuer.stub
    about = {
        "issuer": stub.url,
        "jwks_uri": f"{stub.url}/jwks",
        "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
    }
    stub.otherwise = lambda asked: json_answer(**(about if "known" in asked.path else {"keys": []}))
    options = {"discovery_url": stub.url, "client_id": "app"}
    authentication = at_stub(authentication=options).authentication

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"iss": stub.url, "sub": "kim", "aud": "app", "exp": 9_999_999_999, "iat": 1}
    for algorithm in ("none", "None", "HS256"):
        token = f"{part({'alg': algorithm})}.{part(claims)}."
        with pytest.raises(AuthenticationError) as caught:
            authentication.verify_token(token, kind=TokenKind.ID)
        assert caught.value.details["cause"] == "given_token"


_OURS = ServiceUnavailableError


@pytest.mark.parametrize(
    ("status", "error", "codes", "kind", "retryable"),
    [
        (400, "invalid_request", [], ValidationError, False),
        (401, "invalid_client", [], _OURS, False),
        (400, "invalid_grant", [], AuthenticationError, False),
        (400, "unauthorized_client", [], PermissionDeniedError, False),
        (400, "unsupported_grant_type", [], UnsupportedError, False),
        (400, "invalid_scope", [], PermissionDeniedError, False),
        (400, "invalid_target", [], PermissionDeniedError, False),
        (400, "interaction_required", [], AuthenticationError, False),
        (400, "login_required", [], AuthenticationError, False),
        (403, "mfa_required", [], AuthenticationError, False),
        (401, "insufficient_user_authentication", [], AuthenticationError, False),
        (400, "consent_required", [], PermissionDeniedError, False),
        (400, "expired_token", [], AuthenticationError, False),
        (400, "access_denied", [], PermissionDeniedError, False),
        (400, "unsupported_token_type", [], UnsupportedError, False),
        (503, "temporarily_unavailable", [], ServiceUnavailableError, True),
        (400, "server_error", [], ServiceUnavailableError, True),
        (500, "server_error", [], ServiceUnavailableError, True),
        (429, "too_many_attempts", [], QuotaExceededError, True),
        # Entra's own codes, beside those of the standard.
        (400, "invalid_grant", [70008], AuthenticationError, False),
        (400, "invalid_grant", [700082], AuthenticationError, False),
        (400, "invalid_grant", [50173], AuthenticationError, False),
        (400, "invalid_grant", [54005], AuthenticationError, False),
        (400, "invalid_grant", [50076], AuthenticationError, False),
        (400, "invalid_grant", [50079], AuthenticationError, False),
        (400, "invalid_grant", [53003], PermissionDeniedError, False),
        (400, "invalid_grant", [65001], PermissionDeniedError, False),
        (400, "invalid_grant", [50105], PermissionDeniedError, False),
        (401, "invalid_client", [7000215], _OURS, False),
        (401, "invalid_client", [7000222], _OURS, False),
        (400, "unauthorized_client", [700016], _OURS, False),
        (400, "invalid_request", [90002], _OURS, False),
        (400, "invalid_request", [50011], ValidationError, False),
        (400, "invalid_grant", [50196], QuotaExceededError, True),
        (400, "invalid_request", [90033], ServiceUnavailableError, True),
        (400, "invalid_request", [90006], ServiceUnavailableError, True),
        (400, "invalid_request", [500011], PermissionDeniedError, False),
    ],
)
def test_each_refusal_of_an_issuer_is_said_in_our_words(
    at_stub: AtStub,
    issuer: Issuer,
    status: int,
    error: str,
    codes: list[int],
    kind: type[LCPlatformError],
    retryable: bool,
) -> None:
    # With line breaks, which some clients of OAuth cannot read.
    text = "AADSTS: no.\r\nTrace ID: 1"
    said = {"error": error, "error_codes": codes, "error_description": text}
    known = issuer.stub.otherwise

    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            return Answer(status, {}, json.dumps(said).encode())
        return known(asked)

    issuer.stub.otherwise = answer
    options = {"discovery_url": issuer.stub.url, "client_id": "app", "client_secret": "x"}
    authentication = at_stub(max_attempts=1, authentication=options).authentication
    with pytest.raises(kind) as caught:
        authentication.refresh_token("refresh-me")
    assert caught.value.retryable is retryable
    assert "refresh-me" not in str(caught.value)

"""Relying on issuers that are not the mock's: presets and their quirks, caches, broken answers, lost connections."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import SecretStr
from typing_extensions import override

from lcplatform.errors import (
    AuthenticationError,
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    PermissionDeniedError,
    QuotaExceededError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_runtime.context import CallContext, entered
from lcplatform_runtime.errors import Outcome
from lcplatform_runtime.model import build
from lcplatform_runtime.oidc.issuers import IssuerSettings
from lcplatform_runtime.oidc.relying_party import RelyingParty
from lcplatform_runtime.oidc.transport import HttpTransport, Reply, Transport, is_safe
from lcplatform_runtime.testing.clock import ManualClock

KEY: Final = ECKey.generate_key("P-256", auto_kid=True)
TENANT: Final = "11111111-2222-3333-4444-555555555555"
STRANGER: Final = "99999999-2222-3333-4444-555555555555"


class Wire(Transport):
    """Answers by the ends of URLs, and remembers what was sent."""

    def __init__(self, issuer: str, **about: object) -> None:
        self.key_entry: dict[str, Any] = {}
        self.about = {
            "issuer": issuer,
            "jwks_uri": "https://keys.example/jwks",
            "token_endpoint": "https://issuer.example/token",
            "authorization_endpoint": "https://issuer.example/authorize?fixed=1",
            "userinfo_endpoint": "https://issuer.example/userinfo",
            "introspection_endpoint": "https://issuer.example/introspect",
            "revocation_endpoint": "https://issuer.example/revoke",
            **about,
        }
        self.answers: dict[str, Callable[[], Reply]] = {
            "/.well-known/openid-configuration": lambda: reply(self.about),
            "/jwks": lambda: reply({"keys": [{**self.public, **self.key_entry}]}),
        }
        self.sent: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = []

    @property
    def public(self) -> dict[str, Any]:
        return dict(KEY.as_dict(private=False))

    @override
    def send(
        self, url: str, /, *, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> Reply:
        self.sent.append((url, headers, form or {}))
        return next(answer for end, answer in self.answers.items() if url.endswith(end))()

    def count(self, end: str) -> int:
        return sum(url.endswith(end) for url, _, _ in self.sent)


def reply(content: object, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, json.dumps(content).encode())


def token(clock: ManualClock, typ: str = "JWT", **claims: object) -> str:
    now = int(clock.now().timestamp())
    said = {"sub": "u", "iat": now, "exp": now + 3600, **claims}
    return jwt.encode({"alg": "ES256", "kid": KEY.kid, "typ": typ}, said, KEY)


def settings(**options: object) -> IssuerSettings:
    return build(IssuerSettings, **{"client_id": "app", **options})


def away() -> Reply:
    raise ServiceUnavailableError("away")


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(AuthenticationError) as caught:
        call()
    return caught.value.details["reason"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


# --- configuration


@pytest.mark.parametrize(
    ("options", "url"),
    [
        (
            {"preset": "okta", "domain": "dev-1.okta.com"},
            "https://dev-1.okta.com/oauth2/default/.well-known/openid-configuration",
        ),
        (
            {"preset": "okta", "domain": "dev-1.okta.com", "authorization_server": ""},
            "https://dev-1.okta.com/.well-known/openid-configuration",
        ),
        (
            {"preset": "auth0", "domain": "x.eu.auth0.com"},
            "https://x.eu.auth0.com/.well-known/openid-configuration",
        ),
        (
            {"preset": "entra", "tenant": TENANT},
            f"https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration",
        ),
        (
            {"discovery_url": "https://id.example/realms/a/"},
            "https://id.example/realms/a/.well-known/openid-configuration",
        ),
        (
            {"discovery_url": "https://id.example/.well-known/openid-configuration"},
            "https://id.example/.well-known/openid-configuration",
        ),
    ],
)
def test_a_preset_or_a_url_names_the_discovery_document(
    options: dict[str, object], url: str
) -> None:
    assert settings(**options).discovery == url


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"preset": "okta"},
        {"preset": "okta", "domain": "a.example", "tenant": "b"},
        {"preset": "auth0", "domain": "https://a.example"},
        {"preset": "auth0", "domain": "a.example/x"},
        {"preset": "entra", "domain": "a.example"},
        {"preset": "entra", "tenant": "common"},
        {"preset": "ping", "domain": "a.example"},
        {"discovery_url": "http://id.example"},
        {"discovery_url": "https://"},
        {"discovery_url": "https://id.example", "algorithms": ["HS256"]},
        {"discovery_url": "https://id.example", "algorithms": []},
        {"discovery_url": "https://id.example", "leeway": timedelta(minutes=3)},
        {
            "discovery_url": "https://id.example",
            "client_secret": "a",
            "client_secret_name": "b",
        },
    ],
)
def test_half_a_configuration_is_none(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**options)


def test_a_secret_is_not_shown() -> None:
    found = settings(discovery_url="https://id.example", client_secret=SecretStr("shh"))
    assert "shh" not in repr(found) + str(found)


# --- issuers


def test_auth0_ends_with_a_slash_byte_for_byte(clock: ManualClock) -> None:
    wire = Wire("https://x.auth0.com/")
    party = RelyingParty(
        settings(preset="auth0", domain="x.auth0.com"), transport=wire, clock=clock
    )
    good = token(
        clock, iss="https://x.auth0.com/", aud="app", azp="app", scope="a", permissions=["b"]
    )
    assert party.verifier.verify(good).scopes == ("a", "b")
    bad = token(clock, iss="https://x.auth0.com", aud="app", scope="a")
    assert reason(lambda: party.verifier.verify(bad)) == "issuer"
    assert "audience=https%3A%2F%2Fapi" in party.login("https://a/", audience="https://api").url


def test_the_document_of_another_issuer_is_not_believed(clock: ManualClock) -> None:
    wire = Wire("https://evil.example")
    party = RelyingParty(settings(discovery_url="https://id.example"), transport=wire, clock=clock)
    with pytest.raises(InternalError, match="another issuer"):
        party.login("https://a/")


def test_entra_leaves_the_tenant_open_and_lets_in_those_that_are_named(clock: ManualClock) -> None:
    template = "https://login.microsoftonline.com/{tenantid}/v2.0"
    wire = Wire(template)
    party = RelyingParty(
        settings(preset="entra", tenant="organizations", tenants=[TENANT]),
        transport=wire,
        clock=clock,
    )

    def of(tenant: str, claimed: str, **more: object) -> str:
        said = {"iss": template.replace("{tenantid}", tenant), "aud": "app", "tid": claimed}
        return token(clock, "JWT", **said, scp="Files.Read", **more)

    verify = party.verifier.verify
    assert verify(of(TENANT, TENANT, azp="spa")).client_id == "spa"
    for tenant, claimed in (
        (STRANGER, STRANGER),
        (STRANGER, TENANT),
        (TENANT, STRANGER),
        ("{tenantid}", "{tenantid}"),
    ):
        assert reason(partial(verify, of(tenant, claimed))) == "issuer"
    assert verify(of(TENANT, TENANT, roles=["Admin"])).scopes == ("Files.Read", "Admin")


def test_entras_keys_are_good_for_the_issuer_that_they_name(clock: ManualClock) -> None:
    issuer = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    wire = Wire(issuer)
    party = RelyingParty(settings(preset="entra", tenant="a.example"), transport=wire, clock=clock)
    good = token(clock, iss=issuer, aud="app", tid=TENANT, scp="a")
    wire.key_entry = {"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}
    party.verifier.verify(good)
    party.forget()
    wire.key_entry = {"issuer": issuer.replace(TENANT, STRANGER)}
    assert reason(lambda: party.verifier.verify(good)) == "issuer"


@pytest.mark.parametrize(
    ("typ", "claims", "kind"),
    [
        ("at+jwt", {}, "access"),
        ("application/at+jwt", {"nonce": "n"}, "access"),
        ("JWT", {"scp": ["a"], "cid": "c"}, "access"),
        ("JWT", {"scope": "a", "nonce": "n"}, "id"),
        ("JWT", {"at_hash": "x", "roles": ["a"]}, "id"),
        ("JWT", {}, "id"),
    ],
)
def test_a_token_that_does_not_say_what_it_is_is_known_by_its_claims(
    clock: ManualClock, typ: str, claims: dict[str, Any], kind: str
) -> None:
    party = RelyingParty(
        settings(discovery_url="https://id.example"),
        transport=Wire("https://id.example"),
        clock=clock,
    )
    one = token(clock, typ, iss="https://id.example", aud="app", **claims)
    other = {"access": "id", "id": "access"}[kind]
    assert party.verifier.verify(one, kind=kind).subject == "u"
    assert reason(lambda: party.verifier.verify(one, kind=other)) == "type"


def test_clocks_may_differ_a_little(clock: ManualClock) -> None:
    party = RelyingParty(
        settings(discovery_url="https://id.example", leeway=timedelta(seconds=30)),
        transport=Wire("https://id.example"),
        clock=clock,
    )
    now = int(clock.now().timestamp())
    said = {"iss": "https://id.example", "aud": "app", "scope": "a"}
    party.verifier.verify(token(clock, **said, iat=now + 30))
    party.verifier.verify(token(clock, **said, exp=now - 29))
    early, late = token(clock, **said, iat=now + 31), token(clock, **said, exp=now - 30)
    assert reason(lambda: party.verifier.verify(early)) == "not_yet_valid"
    assert reason(lambda: party.verifier.verify(late)) == "expired"


def test_id_tokens_are_signed_as_the_issuer_announced(clock: ManualClock) -> None:
    wire = Wire("https://id.example", id_token_signing_alg_values_supported=["RS256", "none"])
    party = RelyingParty(settings(discovery_url="https://id.example"), transport=wire, clock=clock)
    one = token(clock, iss="https://id.example", aud="app")
    assert reason(lambda: party.verifier.verify(one, kind="id")) == "algorithm"


# --- what is kept


def test_what_the_issuer_published_is_good_for_a_day_while_it_is_away(clock: ManualClock) -> None:
    wire = Wire("https://id.example")
    party = RelyingParty(settings(discovery_url="https://id.example"), transport=wire, clock=clock)
    lasting = int(clock.now().timestamp()) + 10**6
    one = token(clock, iss="https://id.example", aud="app", scope="a", exp=lasting)
    party.verifier.verify(one)
    wire.answers["/jwks"] = wire.answers["/.well-known/openid-configuration"] = away
    wire.sent.clear()
    clock.advance(timedelta(hours=2))
    for _ in range(5):
        party.verifier.verify(one)
    assert wire.count("/jwks") <= 1  # and it is not asked each time
    clock.advance(timedelta(hours=24))
    with pytest.raises(ServiceUnavailableError):
        party.verifier.verify(one)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("public, max-age=600", 600),
        ("max-age=1", 60),
        ("max-age=99999999", 86_400),
        ("no-store", 3600),
        ("s-max-age=9", 3600),
    ],
)
def test_keys_are_kept_for_as_long_as_the_issuer_says_within_reason(
    clock: ManualClock, said: str, seconds: int
) -> None:
    wire = Wire("https://id.example")
    wire.answers["/jwks"] = lambda: reply({"keys": [wire.public]}, cache_control=said)
    party = RelyingParty(settings(discovery_url="https://id.example"), transport=wire, clock=clock)
    one = token(
        clock,
        iss="https://id.example",
        aud="app",
        scope="a",
        exp=int(clock.now().timestamp()) + 10**6,
    )
    party.verifier.verify(one)
    clock.advance(seconds - 1)
    party.verifier.verify(one)
    assert wire.count("/jwks") == 1
    clock.advance(2)
    party.verifier.verify(one)
    assert wire.count("/jwks") == 2


def test_no_more_tokens_are_remembered_than_there_is_room_for(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = RelyingParty(
        settings(discovery_url="https://id.example"),
        transport=Wire("https://id.example"),
        clock=clock,
    )
    said = {"iss": "https://id.example", "aud": "app", "scope": "a"}
    tokens = [token(clock, **said, jti=str(number)) for number in range(20)]
    monkeypatch.setattr("lcplatform_runtime.oidc.verification._KEPT", 8)
    for one in tokens:
        party.verifier.verify(one)
        party.verifier.revoke(f"{one} of another")
    assert len(party.verifier._verified) == 8
    assert len(party.verifier._revoked) == 8


def test_a_token_that_is_taken_back_while_it_is_verified_is_not_remembered(
    clock: ManualClock,
) -> None:
    wire = Wire("https://id.example")
    party = RelyingParty(settings(discovery_url="https://id.example"), transport=wire, clock=clock)
    one = token(clock, iss="https://id.example", aud="app", scope="a")

    def keys_that_come_late() -> Reply:
        party.verifier.revoke(one)
        return reply({"keys": [wire.public]})

    wire.answers["/jwks"] = keys_that_come_late
    party.verifier.verify(one)
    assert reason(lambda: party.verifier.verify(one)) == "revoked"


def test_a_token_may_be_good_until_the_last_second_that_there_is(clock: ManualClock) -> None:
    wire = Wire("https://id.example")
    party = RelyingParty(settings(discovery_url="https://id.example"), transport=wire, clock=clock)
    one = token(clock, iss="https://id.example", aud="app", scope="a", exp=253_402_300_799)
    assert party.verifier.verify(one).expires_at.year == 9999


# --- the token endpoint


def party_with(clock: ManualClock, answer: Reply, **about: object) -> tuple[RelyingParty, Wire]:
    wire = Wire("https://id.example", **about)
    wire.answers.update(
        dict.fromkeys(("/token", "/userinfo", "/introspect", "/revoke"), lambda: answer)
    )
    found = settings(discovery_url="https://id.example", client_secret="s e:cret%")
    return RelyingParty(found, transport=wire, clock=clock), wire


GOOD: Final = {"access_token": "a", "token_type": "bearer", "expires_in": 60}


def test_a_client_shows_its_secret_as_the_issuer_wants_it(clock: ManualClock) -> None:
    party, wire = party_with(clock, reply(GOOD))
    party.client_credentials(["a"])
    _, headers, form = wire.sent[-1]
    assert headers["Authorization"] == "Basic YXBwOnMlMjBlJTNBY3JldCUyNQ=="
    assert form == {"grant_type": "client_credentials", "scope": "a"}
    party, wire = party_with(
        clock, reply(GOOD), token_endpoint_auth_methods_supported=["client_secret_post"]
    )
    party.client_credentials()
    _, headers, form = wire.sent[-1]
    assert headers == {}
    assert form["client_secret"] == "s e:cret%"
    wire.answers["/token"] = lambda: reply(GOOD)
    public = RelyingParty(settings(discovery_url="https://id.example"), transport=wire, clock=clock)
    public.refresh("r")
    assert wire.sent[-1][2] == {
        "grant_type": "refresh_token",
        "refresh_token": "r",
        "client_id": "app",
    }


def test_a_scope_that_is_left_out_without_a_word_is_not_granted(clock: ManualClock) -> None:
    party, _ = party_with(clock, reply({**GOOD, "scope": "read"}))
    with pytest.raises(PermissionDeniedError, match="everything"):
        party.client_credentials(["read", "everything"])
    # Entra's name for everything is no scope of its own.
    assert party.client_credentials(["https://graph.example/.default"]).scopes == ("read",)


def test_what_was_granted_is_what_was_asked_for_unless_the_issuer_says_so(
    clock: ManualClock,
) -> None:
    party, _ = party_with(clock, reply(GOOD))
    tokens = party.client_credentials(["a", "b"])
    assert tokens.scopes == ("a", "b")
    assert tokens.expires_at == clock.now() + timedelta(seconds=60)
    party, _ = party_with(clock, reply({**GOOD, "scope": "a", "expires_in": "90"}))
    tokens = party.refresh("r", ["a", "b"])
    assert tokens.scopes == ("a",)
    assert tokens.expires_at == clock.now() + timedelta(seconds=90)
    party, _ = party_with(clock, reply({"access_token": "a", "token_type": "Bearer"}))
    assert party.client_credentials().expires_at is None


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (400, {"error": "invalid_grant"}, AuthenticationError),
        (401, {"error": "invalid_client"}, ServiceUnavailableError),
        (401, "nothing", ServiceUnavailableError),
        (400, {"error": "invalid_scope"}, PermissionDeniedError),
        (400, {"error": "invalid_target"}, PermissionDeniedError),
        (400, {"error": "unauthorized_client"}, PermissionDeniedError),
        (403, {"error": "access_denied"}, PermissionDeniedError),
        (400, {"error": "unsupported_grant_type"}, UnsupportedError),
        (400, {"error": "invalid_request"}, ValidationError),
        (400, {"error": ["x"]}, ValidationError),
        (429, {}, QuotaExceededError),
        (500, {}, ServiceUnavailableError),
        (503, {"error": "temporarily_unavailable"}, ServiceUnavailableError),
        (302, {}, ValidationError),
        (200, {}, InternalError),
        (200, [], InternalError),
        (200, {**GOOD, "token_type": "DPoP"}, InternalError),
        (200, {**GOOD, "access_token": 7}, InternalError),
    ],
)
def test_each_refusal_of_an_issuer_has_its_meaning(
    clock: ManualClock, status: int, content: object, error: type[LCPlatformError]
) -> None:
    party, _ = party_with(clock, reply(content, status, retry_after="7"))
    with pytest.raises(LCPlatformError) as caught:
        party.refresh("r")
    assert type(caught.value) is error
    if status == 429:
        assert caught.value.retry_after == timedelta(seconds=7)
    if status == 401:
        assert not caught.value.retryable
        assert caught.value.outcome is Outcome.NOT_EXECUTED


def test_an_issuers_own_words_are_told_if_they_fit_on_a_line(clock: ManualClock) -> None:
    words = {"error": "invalid_grant", "error_description": "AADSTS70000: no.\r\nTrace: 1"}
    party, _ = party_with(clock, reply(words, 400))
    with pytest.raises(AuthenticationError, match=r"AADSTS70000: no\. Trace: 1$"):
        party.refresh("q")
    party, _ = party_with(clock, reply({**words, "error_description": "\x1b[31m"}, 400))
    with pytest.raises(AuthenticationError) as caught:
        party.refresh("r")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client", "invalid_request", "else"])
def test_an_issuer_that_repeats_what_it_was_given_is_not_quoted(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    given = "s3cret-" + "x" * 190  # the words are cut off in its middle

    def echo() -> Reply:
        words = f"Invalid token: {given} {given}"
        return reply({"error": code, "error_description": words}, 400)

    _, wire = party_with(clock, echo())
    known = settings(discovery_url="https://id.example", client_secret=given)
    party = RelyingParty(known, transport=wire, clock=clock)
    for call in (
        lambda: party.refresh(given),
        lambda: party.exchange(
            given, redirect_uri="https://a/", code_verifier=given, nonce="n", issuer=None
        ),
        lambda: party.poll_device_flow(given, timedelta(seconds=5)),
        lambda: party.user(given, None),
        lambda: party.introspect(given, None),
        lambda: party.revoke(given, None),
        lambda: party.client_credentials(),
    ):
        with pytest.raises(LCPlatformError) as caught:
            call()
        assert "s3cret" not in f"{caught.value} {caught.value.fields()}"
        assert code == "invalid_client" or "Invalid token: ***" in str(caught.value)
    assert "s3cret" not in caplog.text


def test_a_code_that_brings_no_id_token_is_no_login(clock: ManualClock) -> None:
    party, _ = party_with(clock, reply(GOOD))
    with pytest.raises(InternalError, match="without an id token"):
        party.exchange(
            "c", redirect_uri="https://a/", code_verifier="v" * 43, nonce="n", issuer=None
        )


def test_what_the_issuer_does_not_have_is_unsupported(clock: ManualClock) -> None:
    party, _ = party_with(clock, reply(GOOD), introspection_endpoint=None)
    with pytest.raises(UnsupportedError, match="introspection endpoint"):
        party.introspect("t", None)
    with pytest.raises(UnsupportedError, match="end session endpoint"):
        party.logout(id_token=None, redirect_uri=None, state=None)


def test_nothing_is_sent_to_an_endpoint_in_clear(clock: ManualClock) -> None:
    party, wire = party_with(clock, reply(GOOD), token_endpoint="http://id.example/token")
    with pytest.raises(InternalError, match="not encrypted"):
        party.client_credentials()
    assert wire.count("/token") == 0


def test_a_user_must_be_the_one_that_is_expected(clock: ManualClock) -> None:
    party, _ = party_with(
        clock, reply({"sub": "u", "email": "u@a.example", "email_verified": "yes"})
    )
    user = party.user("t", "u")
    assert (user.email, user.email_verified) == ("u@a.example", None)
    assert reason(lambda: party.user("t", "v")) == "subject"
    party, _ = party_with(clock, reply({"name": "nobody"}))
    with pytest.raises(InternalError):
        party.user("t", None)
    party, _ = party_with(
        clock, reply({}, 403, www_authenticate='Bearer error="insufficient_scope"')
    )
    with pytest.raises(PermissionDeniedError):
        party.user("t", None)


def test_a_login_url_keeps_what_the_endpoint_has_already(clock: ManualClock) -> None:
    party, _ = party_with(clock, reply(GOOD))
    assert party.login("https://a/").url.startswith(
        "https://issuer.example/authorize?fixed=1&response_type=code&"
    )


# --- the wire


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example/", True),
        ("http://127.0.0.1:80/", True),
        ("http://localhost/", True),
        ("http://[::1]/", True),
        ("http://id.example/", False),
        ("http://127.0.0.1.evil.example/", False),
        ("http://localhost@evil.example/", False),
        ("ftp://localhost/", False),
        ("file:///etc/passwd", False),
        ("localhost", False),
    ],
)
def test_only_what_is_encrypted_or_stays_here_is_safe(url: str, *, safe: bool) -> None:
    assert is_safe(url) is safe


class Site(BaseHTTPRequestHandler):
    """Redirects, answers at length, or waits."""

    def do_GET(self) -> None:
        if self.path == "/slow":
            threading.Event().wait(0.6)
        self.send_response(302 if self.path == "/elsewhere" else 200)
        self.send_header("Location", "/")
        body = b"x" * (2 * 1024**2 if self.path == "/long" else 2)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that go away."""

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    with Quiet(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_no_redirection_is_followed_and_no_endless_answer_read(site: str) -> None:
    transport = HttpTransport()
    assert transport.send(f"{site}/elsewhere", headers={}).status == 302
    with pytest.raises(InternalError, match="longer"):
        transport.send(f"{site}/long", headers={})


def test_no_proxy_sees_what_stays_on_this_machine(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert HttpTransport().send(f"{site}/", headers={}).body == b"xx"


def test_an_issuer_that_nobody_reaches_has_done_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(ServiceUnavailableError) as caught:
        HttpTransport().send(f"http://127.0.0.1:{port}/", headers={})
    assert caught.value.outcome is Outcome.NOT_EXECUTED
    assert caught.value.retryable


def test_an_issuer_that_hangs_up_may_have_done_something() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            wire, _ = server.accept()
            wire.recv(1)
            # Whatever else comes is answered with a reset.
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wire.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(ServiceUnavailableError) as caught:
            HttpTransport().send(
                f"http://127.0.0.1:{server.getsockname()[1]}/",
                headers={},
                form={"token": "x" * 16 * 1024**2},
            )
        thread.join()
    assert caught.value.outcome is Outcome.UNKNOWN


def test_an_issuer_gets_no_more_time_than_the_call_has(site: str) -> None:
    from lcplatform_runtime.clock import SYSTEM

    with entered(CallContext(deadline=SYSTEM.monotonic() + 0.1)):
        with pytest.raises(DeadlineExceededError):
            HttpTransport().send(f"{site}/slow", headers={})
        with pytest.raises(DeadlineExceededError) as caught:
            HttpTransport().send(f"{site}/", headers={})
    assert caught.value.outcome is Outcome.NOT_EXECUTED

"""The mock's issuer: what its users and third parties see, and how it is set up."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from lcplatform import LCPlatform
from lcplatform.authentication.client import Authentication
from lcplatform.authentication.models import DeviceFlowStatus, TokenKind
from lcplatform.errors import (
    AuthenticationError,
    PermissionDeniedError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_runtime.oidc.login import challenge
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.oidc import HERE, ask, begin, finish, log_in, parts_of
from tests.unit.mock.race import race

pytestmark = pytest.mark.usefixtures("ready_keys")

USERS = {
    "ada": {"password": "engine", "claims": {"name": "Ada", "email": "ada@app.example"}},
    "kim": {"password": "letters", "claims": {"name": "Kim"}},
}


@pytest.fixture
def authentication(platform: LCPlatform) -> Authentication:
    return platform.authentication


@pytest.fixture
def asking(clock: ManualClock) -> Iterator[Authentication]:
    """Of an issuer that asks its users who they are."""
    settings = {"users": USERS, "auto_login": False}
    with LCPlatform("mock", clock=clock, authentication=settings) as platform:
        yield platform.authentication


def issuer_of(authentication: Authentication) -> str:
    return authentication.get_login_url(redirect_uri=HERE).issuer


# --- the login form


def test_a_user_logs_in_with_a_form(asking: Authentication) -> None:
    login = asking.get_login_url(redirect_uri=HERE)
    form = ask(login.url)
    assert form.status == 200
    assert form.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    sent = dict(parse_qsl(urlsplit(login.url).query))
    wrong = ask(f"{login.issuer}/authorize", {**sent, "username": "kim", "password": "engine"})
    assert (wrong.status, wrong.location) == (401, {})
    right = ask(f"{login.issuer}/authorize", {**sent, "username": "kim", "password": "letters"})
    assert right.status == 302
    assert right.location["state"] == login.state
    assert right.location["iss"] == login.issuer
    tokens = finish(asking, login, right.location["code"])
    assert tokens.claims is not None
    assert tokens.claims.subject == "kim"


def test_what_a_client_asked_for_is_no_html_in_the_form(asking: Authentication) -> None:
    login = asking.get_login_url(redirect_uri=HERE, parameters={"ui_locales": '"><script>'})
    assert b"<script>" not in ask(login.url).body
    assert b"&quot;&gt;&lt;script&gt;" in ask(login.url).body


def test_a_client_that_wants_no_form_is_told_that_there_must_be_one(asking: Authentication) -> None:
    login = asking.get_login_url(redirect_uri=HERE, parameters={"prompt": "none"})
    answer = ask(login.url)
    assert answer.location == {
        "error": "login_required",
        "state": login.state,
        "iss": login.issuer,
        **{name: it for name, it in answer.location.items() if name == "error_description"},
    }


def test_a_hint_chooses_who_is_logged_in(clock: ManualClock) -> None:
    with LCPlatform("mock", clock=clock, authentication={"users": USERS}) as platform:
        login = platform.authentication.get_login_url(
            redirect_uri=HERE, parameters={"login_hint": "kim"}
        )
        tokens = finish(platform.authentication, login, ask(login.url).location["code"])
        assert tokens.claims is not None
        assert tokens.claims.subject == "kim"
        nobody = platform.authentication.get_login_url(
            redirect_uri=HERE, parameters={"login_hint": "nobody"}
        )
        assert ask(nobody.url).location["error"] == "access_denied"


# --- devices


def test_a_user_connects_a_device_with_a_form(asking: Authentication) -> None:
    flow = asking.start_device_flow(scopes=["openid"])
    assert flow.complete_verification_url is not None
    assert flow.user_code.encode() in ask(flow.complete_verification_url).body
    assert asking.poll_device_flow(flow.device_code).status is DeviceFlowStatus.PENDING
    sent = {"user_code": flow.user_code.lower().replace("-", ""), "decision": "allow"}
    unknown = {"username": "ada", "password": "wrong"}
    assert ask(flow.verification_url, {**sent, **unknown}).status == 401
    known = {"username": "ada", "password": "engine"}
    assert ask(flow.verification_url, {**sent, **known}).status == 200
    tokens = asking.poll_device_flow(flow.device_code).tokens
    assert tokens is not None
    assert tokens.claims is not None
    assert tokens.claims.subject == "ada"


def test_a_user_refuses_a_device(authentication: Authentication) -> None:
    flow = authentication.start_device_flow()
    ask(flow.verification_url, {"user_code": flow.user_code, "decision": "deny"})
    answer = authentication.poll_device_flow(flow.device_code)
    assert (answer.status, answer.tokens) == (DeviceFlowStatus.DENIED, None)


def test_a_device_that_asks_too_often_has_to_wait_longer(
    authentication: Authentication, clock: ManualClock
) -> None:
    flow = authentication.start_device_flow()
    interval = flow.interval
    for passed, seconds in ((0, 5), (0, 10), (9, 15), (16, 15)):
        clock.advance(passed)
        answer = authentication.poll_device_flow(flow.device_code, interval=interval)
        assert answer.interval is not None
        interval = answer.interval
        assert interval == timedelta(seconds=seconds)


# --- logging out


def test_a_logout_ends_the_login_and_goes_only_where_the_client_allows(
    authentication: Authentication,
) -> None:
    tokens = log_in(authentication, "openid", "offline_access")
    url = authentication.logout_url(
        id_token=tokens.id_token, redirect_uri="https://app.example/", state="back"
    ).url
    answer = ask(url)
    assert answer.headers["location"] == "https://app.example/?state=back"
    assert not authentication.introspect_token(tokens.access_token).active
    other = authentication.logout_url(
        id_token=log_in(authentication).id_token, redirect_uri="https://elsewhere.example/"
    ).url
    assert (ask(other).status, ask(other).headers.get("location")) == (200, None)
    assert ask(authentication.logout_url().url).status == 400


# --- third parties


def test_a_third_party_completes_the_flow_from_the_discovery_document_alone(
    clock: ManualClock,
) -> None:
    client = {
        "client_id": "third",
        "client_secret": "its secret",
        "redirect_uris": ["http://localhost:9000/back"],
    }
    with LCPlatform("mock", clock=clock, authentication={"clients": [client]}) as platform:
        issuer = issuer_of(platform.authentication)
        found = ask(f"{issuer}/.well-known/openid-configuration")
        about = found.json
        assert found.headers["cache-control"] == "public, max-age=300"
        assert about["issuer"] == issuer
        verifier = "v" * 50
        query = (
            "response_type=code&client_id=third&redirect_uri=http%3A%2F%2Flocalhost%3A9000%2Fback"
            f"&scope=openid+read&state=s&code_challenge={challenge(verifier)}"
            "&code_challenge_method=S256&nonce=n"
        )
        back = ask(f"{about['authorization_endpoint']}?{query}")
        assert back.headers["location"].startswith("http://localhost:9000/back?")
        assert back.location["iss"] == issuer
        answer = ask(
            about["token_endpoint"],
            {
                "grant_type": "authorization_code",
                "code": back.location["code"],
                "redirect_uri": "http://localhost:9000/back",
                "code_verifier": verifier,
                "client_id": "third",
                "client_secret": "its secret",
            },
        ).json
        keys = KeySet.import_key_set(ask(about["jwks_uri"]).json)
        claims = jwt.decode(answer["id_token"], keys, algorithms=["RS256"]).claims
        assert (claims["iss"], claims["aud"], claims["nonce"]) == (issuer, "third", "n")
        bearer = {"Authorization": f"Bearer {answer['access_token']}"}
        assert ask(about["userinfo_endpoint"], headers=bearer).json == {"sub": "ada"}


def test_authlibs_own_client_can_log_in() -> None:
    pytest.importorskip("requests")
    from authlib.integrations.requests_client import OAuth2Session

    client = {"client_id": "spa", "redirect_uris": ["http://localhost:9000/back"]}
    with LCPlatform("mock", authentication={"clients": [client]}) as other:
        about = ask(f"{issuer_of(other.authentication)}/.well-known/openid-configuration").json
        with OAuth2Session(
            "spa",
            scope="openid email",
            redirect_uri="http://localhost:9000/back",
            code_challenge_method="S256",
            token_endpoint_auth_method="none",
        ) as session:
            url, _ = session.create_authorization_url(
                about["authorization_endpoint"], code_verifier="v" * 48
            )
            back = ask(url).headers["location"]
            tokens = session.fetch_token(
                about["token_endpoint"], authorization_response=back, code_verifier="v" * 48
            )
            assert session.get(about["userinfo_endpoint"]).json()["email"] == "ada@app.example"
            assert tokens["token_type"] == "Bearer"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "Ed25519"])
def test_tokens_are_signed_as_is_asked_for(clock: ManualClock, algorithm: str) -> None:
    settings = {"algorithm": algorithm}
    with LCPlatform("mock", clock=clock, authentication=settings) as platform:
        tokens = log_in(platform.authentication)
        assert tokens.id_token is not None
        assert parts_of(tokens.id_token)[0]["alg"] == algorithm
        found = platform.authentication.verify_token(tokens.access_token).claims
        assert found.subject == "ada"


def test_a_token_is_for_the_audience_that_was_asked_for(clock: ManualClock) -> None:
    settings = {"audiences": ["https://other.example"]}
    with LCPlatform("mock", clock=clock, authentication=settings) as platform:
        authentication = platform.authentication
        token = authentication.client_credentials_token(
            audience="https://other.example"
        ).tokens.access_token
        claims = authentication.verify_token(token, audience="https://other.example").claims
        assert claims.audience == ("https://other.example",)
        with pytest.raises(AuthenticationError):
            authentication.verify_token(token)
        with pytest.raises(PermissionDeniedError):
            authentication.client_credentials_token(audience="https://nobody.example")


def test_requests_under_another_name_are_refused(authentication: Authentication) -> None:
    issuer = issuer_of(authentication)
    url = f"{issuer}/.well-known/openid-configuration"
    assert ask(url, headers={"Host": "evil.example"}).status == 421
    assert ask(url).status == 200
    assert ask(f"{issuer}/nowhere").status == 404


def test_a_form_that_is_too_large_is_not_read(authentication: Authentication) -> None:
    form = {"grant_type": "x" * 300_000}
    assert ask(f"{issuer_of(authentication)}/token", form).status == 413


# --- keys


@contextmanager
def only_expired(clock: ManualClock, token: str) -> Iterator[None]:
    """A token may be refused for having expired on its way, since the clock was moved meanwhile, and for nothing else."""
    try:
        yield
    except AuthenticationError as error:
        over = clock.now().timestamp() >= parts_of(token)[1]["exp"]
        if not over or error.details["reason"] != "expired":
            raise


def test_keys_rotate_and_their_tokens_stay_good(
    authentication: Authentication, clock: ManualClock
) -> None:
    clock.advance(timedelta(days=89, hours=23, minutes=30))
    issuer = issuer_of(authentication)
    before = authentication.client_credentials_token().tokens.access_token
    clock.advance(timedelta(days=90) - timedelta(minutes=1))
    old = authentication.client_credentials_token().tokens.access_token
    assert parts_of(old)[0]["kid"] == parts_of(before)[0]["kid"]
    clock.advance(timedelta(minutes=2))
    new = authentication.client_credentials_token().tokens.access_token
    assert parts_of(new)[0]["kid"] != parts_of(old)[0]["kid"]
    published = {key["kid"] for key in ask(f"{issuer}/jwks").json["keys"]}
    assert {parts_of(old)[0]["kid"], parts_of(new)[0]["kid"]} < published
    assert authentication.verify_token(old).claims.subject == "lcplatform"
    assert authentication.verify_token(new).claims.subject == "lcplatform"
    clock.advance(timedelta(hours=2))
    later = {key["kid"] for key in ask(f"{issuer}/jwks").json["keys"]}
    assert parts_of(old)[0]["kid"] not in later
    assert len(later) == 2


def test_no_private_key_is_published(authentication: Authentication) -> None:
    for key in ask(f"{issuer_of(authentication)}/jwks").json["keys"]:
        assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}


def test_nothing_fails_while_keys_rotate_under_load(clock: ManualClock) -> None:
    settings = {"algorithm": "ES256", "lifetimes": {"keys": timedelta(hours=2)}}
    with LCPlatform("mock", clock=clock, authentication=settings) as platform:
        authentication = platform.authentication
        login = log_in(authentication)  # opens the issuer
        kids = {str(parts_of(login.access_token)[0]["kid"])}

        def work(number: int) -> set[str]:
            seen = set()
            for _ in range(25):
                if not number:
                    clock.advance(timedelta(minutes=17))
                token = authentication.client_credentials_token().tokens.access_token
                seen.add(str(parts_of(token)[0]["kid"]))
                with only_expired(clock, token):
                    authentication.verify_token(token)
            return seen

        for answer in race(work):
            assert isinstance(answer, set), answer
            kids |= answer
        assert len(kids) > 3


# --- settings


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"listen": "0.0.0.0:0"}, "authentication.listen"),
        ({"users": {}}, "authentication.users"),
        ({"algorithm": "HS256"}, "authentication.algorithm"),
        ({"lifetimes": {"code": timedelta()}}, "authentication.lifetimes.code"),
        ({"client": {"client_id": "a b"}}, "authentication.client.client_id"),
        (
            {"client": {"client_id": "a", "redirect_uris": ["http://app.example/"]}},
            "authentication.client.redirect_uris.0",
        ),
        ({"scopes": ["two words"]}, "authentication.scopes.0"),
        ({"passwords": {}}, "authentication.passwords"),
    ],
)
def test_settings_that_are_wrong_are_refused_by_name(
    settings: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        LCPlatform("mock", authentication=settings).describe()
    assert [it.field for it in caught.value.violations] == [field]


def test_the_issuer_listens_where_it_is_told_and_nowhere_once_closed() -> None:
    with LCPlatform("mock") as platform:
        issuer = issuer_of(platform.authentication)
    with pytest.raises(ConnectionRefusedError):
        ask(f"{issuer}/jwks")
    port = issuer.rpartition(":")[2]
    with LCPlatform("mock", authentication={"listen": f"localhost:{port}"}) as platform:
        assert issuer_of(platform.authentication) == f"http://localhost:{port}"
        other = LCPlatform("mock", authentication={"listen": f"localhost:{port}"})
        with other, pytest.raises(ServiceUnavailableError, match=port):
            issuer_of(other.authentication)


def test_an_issuer_opens_once_for_all_who_come_first(platform: LCPlatform) -> None:
    answers = race(lambda _: issuer_of(platform.authentication))
    assert len({str(answer) for answer in answers}) == 1


# --- secrets


def test_no_token_is_shown(
    authentication: Authentication, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    login, code = begin(authentication, "openid", "offline_access", "email")
    tokens = finish(authentication, login, code)
    user = authentication.get_user_info(tokens.access_token)
    told = authentication.introspect_token(tokens.access_token)
    with pytest.raises(AuthenticationError) as caught:
        finish(authentication, login, code)
    with pytest.raises(AuthenticationError) as refused:
        authentication.refresh_token(str(tokens.refresh_token) + "x")
    shown = "\n".join(
        [
            *(repr(it) + str(it) for it in (login, tokens, user, told, tokens.claims)),
            *(repr(it.value) + str(it.value.fields()) for it in (caught, refused)),
            caplog.text,
        ]
    )
    hidden = [tokens.access_token, tokens.refresh_token, tokens.id_token, code, login.state]
    hidden += [login.nonce, login.code_verifier, user.email]
    assert [it for it in hidden if it is None or it in shown] == []


def test_the_claims_of_a_token_are_those_of_its_kind(authentication: Authentication) -> None:
    tokens = log_in(authentication, "openid", "profile")
    access = authentication.verify_token(tokens.access_token).claims
    assert access.client_id == "lcplatform"
    assert access.scopes == ("openid", "profile")
    identity = authentication.verify_token(str(tokens.id_token), kind=TokenKind.ID).claims
    assert identity.audience == ("lcplatform",)
    assert json.loads(identity.all.text)["name"] == "Ada Lovelace"

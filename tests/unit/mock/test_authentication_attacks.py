"""What attackers try: forged tokens, stolen codes and refresh tokens, downgrades, floods. Each must fail, and say why."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from lcplatform import LCPlatform
from lcplatform.authentication.client import Authentication
from lcplatform.authentication.models import TokenKind
from lcplatform.errors import AuthenticationError, LCPlatformError, PermissionDeniedError
from lcplatform_mock.authentication import MockAuthentication
from lcplatform_mock.issuer.tokens import ACCESS_TYPE
from lcplatform_mock.services import Services
from lcplatform_mock.settings import MockSettings
from lcplatform_mock.world import World
from lcplatform_runtime.model import build
from lcplatform_runtime.oidc.transport import HttpTransport, Reply
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.oidc import HERE, ask, begin, encoded, finish, log_in, parts_of
from tests.unit.mock.race import race

pytestmark = pytest.mark.usefixtures("ready_keys")

SPA = {"client_id": "spa", "redirect_uris": [HERE]}
OTHER = {"client_id": "other", "client_secret": "its secret", "redirect_uris": [HERE]}


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were asked for, each time."""
    paths: list[str] = []
    send = HttpTransport.send

    def counting(self: HttpTransport, url: str, /, **words: Any) -> Reply:
        paths.append(urlsplit(url).path)
        return send(self, url, **words)

    monkeypatch.setattr(HttpTransport, "send", counting)
    return paths


@pytest.fixture
def authentication(clock: ManualClock, fetched: list[str]) -> Iterator[Authentication]:
    with LCPlatform("mock", clock=clock, authentication={"clients": [SPA, OTHER]}) as platform:
        yield platform.authentication


def reason(error: BaseException) -> str:
    assert isinstance(error, LCPlatformError)
    assert error.details["cause"] == "given_token"
    return error.details["reason"]


def refused(call: Callable[..., object], *arguments: object, **words: object) -> str:
    """Why the call is refused."""
    with pytest.raises(AuthenticationError) as caught:
        call(*arguments, **words)
    assert not caught.value.retryable
    return reason(caught.value)


def public_key(authentication: Authentication, kid: str) -> dict[str, Any]:
    issuer = authentication.get_login_url(redirect_uri=HERE).issuer
    keys: list[dict[str, Any]] = ask(f"{issuer}/jwks").json["keys"]
    return next(key for key in keys if key["kid"] == kid)


def resigned(authentication: Authentication, token: str, header: Mapping[str, object]) -> str:
    """The token with another header, and no signature."""
    return f"{encoded({**parts_of(token)[0], **header})}.{token.split('.')[1]}."


# --- forged tokens


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", "HS256", "RS1", "RS512"])
def test_no_algorithm_but_those_of_the_list_is_accepted(
    authentication: Authentication, algorithm: str
) -> None:
    token = authentication.client_credentials_token().tokens.access_token
    forged = resigned(authentication, token, {"alg": algorithm})
    assert refused(authentication.verify_token, forged) == "algorithm"
    with_signature = forged + token.split(".")[2]
    assert refused(authentication.verify_token, with_signature) == "algorithm"


def test_the_public_key_is_no_shared_secret(authentication: Authentication) -> None:
    token = authentication.client_credentials_token().tokens.access_token
    header, claims = parts_of(token)
    key = public_key(authentication, header["kid"])
    for secret in (RSAKey.import_key(key).as_pem(private=False), json.dumps(key).encode()):
        signed = f"{encoded({**header, 'alg': 'HS256'})}.{encoded(claims)}"
        mac = hmac.digest(secret, signed.encode(), hashlib.sha256)
        forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        assert refused(authentication.verify_token, forged) == "algorithm"


def test_an_algorithm_of_another_kind_of_key_does_not_fit(authentication: Authentication) -> None:
    token = authentication.client_credentials_token().tokens.access_token
    header, claims = parts_of(token)
    mine = ECKey.generate_key("P-256")
    forged = jwt.encode({**header, "alg": "ES256"}, claims, mine)
    assert refused(authentication.verify_token, forged) == "unknown_key"
    # Access tokens may be signed with any allowed algorithm, id tokens only with those that the issuer announces.
    identity = log_in(authentication).id_token
    header, claims = parts_of(str(identity))
    forged = jwt.encode({**header, "alg": "ES256"}, claims, mine)
    assert refused(authentication.verify_token, forged, kind=TokenKind.ID) == "algorithm"


def test_a_key_that_the_token_brings_itself_is_not_used(authentication: Authentication) -> None:
    token = authentication.client_credentials_token().tokens.access_token
    header, claims = parts_of(token)
    mine = RSAKey.generate_key(2048)
    own: Any = mine.as_dict(private=False)
    forged = jwt.encode({**header, "jwk": own}, claims, mine)
    assert refused(authentication.verify_token, forged) == "signature"
    forged = jwt.encode(
        {"alg": "RS256", "typ": ACCESS_TYPE, "jku": "https://evil.example/jwks"}, claims, mine
    )
    assert refused(authentication.verify_token, forged) in {"unknown_key", "signature"}


def test_a_changed_token_is_noticed_wherever_it_was_changed(authentication: Authentication) -> None:
    token = authentication.client_credentials_token(scopes=["read"]).tokens.access_token
    header, claims = parts_of(token)
    _, payload, signature = token.split(".")
    more = encoded({**claims, "scope": "read write"})
    assert (
        refused(authentication.verify_token, f"{encoded(header)}.{more}.{signature}") == "signature"
    )
    other = log_in(authentication).access_token.split(".")[2]
    assert (
        refused(authentication.verify_token, f"{encoded(header)}.{payload}.{other}") == "signature"
    )
    for changed in (
        token[:-8],
        token + "x",
        token.replace(".", ".."),
        f"{token}.{signature}",
        "x" + token,
    ):
        assert refused(authentication.verify_token, changed) in {
            "signature",
            "malformed",
            "algorithm",
        }
    assert authentication.verify_token(token).claims.scopes == ("read",)


@pytest.mark.parametrize("token", ["a", "a.b", "..", "a.b.c", "é.b.c", "{}", " ", "e30.e30.e30"])
def test_what_is_no_token_is_malformed(authentication: Authentication, token: str) -> None:
    assert refused(authentication.verify_token, token) in {"malformed", "algorithm"}


# --- tokens that the issuer signed all the same


class Insider:
    """Signs whatever it likes with the issuer's own keys: what is wrong then is not the signature."""

    def __init__(self, clock: ManualClock) -> None:
        world = World(build(MockSettings, clock=clock))
        self._services = Services(world)
        self.driver: MockAuthentication = self._services.authentication()
        self.party = self.driver._party()
        self.claims = parts_of(self.party.client_credentials(("read",)).access_token)[1]
        site = self.driver._site
        assert site is not None
        self._tokens = site._server.tokens
        self._clock = clock

    def sign(self, typ: str = ACCESS_TYPE, **changed: object) -> str:
        claims = {name: it for name, it in {**self.claims, **changed}.items() if it is not None}
        return self._tokens.keys.sign(self._clock.now(), claims, typ)

    def refusal(self, token: str, **words: Any) -> str:
        return refused(self.party.verifier.verify, token, **words)

    def close(self) -> None:
        self._services.close()


@pytest.fixture
def insider(clock: ManualClock) -> Iterator[Insider]:
    made = Insider(clock)
    yield made
    made.close()


def test_a_token_of_another_issuer_is_refused(insider: Insider) -> None:
    own = insider.claims["iss"]
    for other in ("https://evil.example", own + "/", own.upper(), own.replace("http", "https")):
        assert insider.refusal(insider.sign(iss=other)) == "issuer"


def test_a_token_for_somebody_else_is_refused(insider: Insider) -> None:
    own = insider.claims["aud"]
    for other in ("https://evil.example", own + "/", [own + "x"]):
        assert insider.refusal(insider.sign(aud=other)) == "audience"
    assert insider.party.verifier.verify(insider.sign(aud=["x", own])).audience == ("x", own)


def test_times_are_kept_to_the_second(insider: Insider, clock: ManualClock) -> None:
    now = int(clock.now().timestamp())
    brief = insider.sign(exp=now + 10)
    assert insider.party.verifier.verify(brief).subject == "lcplatform"
    clock.advance(9.5)
    insider.party.verifier.verify(brief)
    clock.advance(0.5)
    assert insider.refusal(brief) == "expired"  # although it was verified before
    assert insider.refusal(insider.sign(nbf=now + 11)) == "not_yet_valid"
    assert insider.refusal(insider.sign(iat=now + 11)) == "not_yet_valid"
    later = insider.sign(nbf=now + 11)
    clock.advance(1)
    insider.party.verifier.verify(later)


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"aud": None},
        {"sub": ""},
        {"sub": 7},
        {"aud": []},
        {"aud": [1]},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": -1},
        {"exp": 10**30},
        {"nbf": "now"},
    ],
)
def test_a_token_without_what_it_must_say_is_refused(
    insider: Insider, changed: dict[str, Any]
) -> None:
    assert insider.refusal(insider.sign(**changed)) == "claims"


def test_one_kind_of_token_is_never_taken_for_another(insider: Insider) -> None:
    for typ in ("logout+jwt", "secevent+jwt", "dpop+jwt"):
        assert insider.refusal(insider.sign(typ)) == "type"
    assert insider.refusal(insider.sign("JWT")) == "type"
    client = "lcplatform"
    assert insider.refusal(insider.sign(aud=client), kind="id") == "type"
    identity = insider.sign("JWT", aud=client)
    assert insider.party.verifier.verify(identity, kind="id").audience == (client,)
    assert insider.refusal(identity) == "type"


def test_an_id_token_for_several_says_who_asked_for_it(insider: Insider) -> None:
    several = ["lcplatform", "other"]
    assert insider.refusal(insider.sign("JWT", aud=several), kind="id") == "audience"
    assert insider.refusal(insider.sign("JWT", aud=several, azp="other"), kind="id") == "audience"
    assert (
        insider.refusal(insider.sign("JWT", aud="lcplatform", azp="other"), kind="id") == "audience"
    )
    insider.party.verifier.verify(insider.sign("JWT", aud=several, azp="lcplatform"), kind="id")


def test_an_id_token_belongs_to_its_nonce_and_to_its_access_token(insider: Insider) -> None:
    verify = insider.party.verifier.verify
    token = insider.sign("JWT", aud="lcplatform", nonce="n-1", at_hash="wrong")
    verify(token, kind="id", nonce="n-1")
    assert insider.refusal(token, kind="id", nonce="n-2") == "nonce"
    assert insider.refusal(token, kind="id", nonce="n-1", access_token="any") == "access_token"
    without = insider.sign("JWT", aud="lcplatform")
    assert insider.refusal(without, kind="id", nonce="n-1") == "nonce"


def test_extra_parameters_of_a_header_are_ignored_unless_they_are_critical(
    insider: Insider,
) -> None:
    key: Any = insider._tokens.keys
    ((kid, record),) = key._signing()
    sign = RSAKey.import_key(record.jwk)
    header = {"alg": "RS256", "kid": kid, "typ": ACCESS_TYPE}
    verify = insider.party.verifier.verify
    from joserfc.jws import JWSRegistry

    loose = JWSRegistry(strict_check_header=False)
    verify(jwt.encode({**header, "rh": "0.A"}, insider.claims, sign, registry=loose))
    forged = f"{encoded({**header, 'crit': ['rh'], 'rh': 'x'})}.{encoded(insider.claims)}.AA"
    assert insider.refusal(forged) in {"signature", "malformed"}


# --- floods


def test_a_flood_of_unknown_keys_fetches_them_once_in_half_a_minute(
    authentication: Authentication, clock: ManualClock, fetched: list[str]
) -> None:
    token = authentication.client_credentials_token().tokens.access_token
    authentication.verify_token(token)
    fetched.clear()
    forged = [
        resigned(authentication, token, {"kid": f"made-up-{it}"}) + "AAAA" for it in range(64)
    ]
    answers = race(
        lambda number: [refused(authentication.verify_token, it) for it in forged[number::8]]
    )
    assert answers == [["unknown_key"] * 8] * 8
    assert fetched == ["/jwks"]
    clock.advance(29)
    assert refused(authentication.verify_token, forged[0]) == "unknown_key"
    assert fetched == ["/jwks"]
    clock.advance(2)
    assert refused(authentication.verify_token, forged[1]) == "unknown_key"
    assert fetched == ["/jwks"] * 2


def test_verifying_asks_nobody_once_the_keys_are_known(
    authentication: Authentication, fetched: list[str]
) -> None:
    tokens = [authentication.client_credentials_token().tokens.access_token for _ in range(3)]
    authentication.verify_token(tokens[0])
    fetched.clear()
    for token in tokens * 10:
        authentication.verify_token(token)
    assert fetched == []


# --- revocation, rotation and what was verified before


def test_a_token_that_this_platform_took_back_is_not_verified_any_more(
    authentication: Authentication,
) -> None:
    token = authentication.client_credentials_token().tokens.access_token
    other = authentication.client_credentials_token().tokens.access_token
    authentication.verify_token(token)
    authentication.revoke_token(token)
    assert refused(authentication.verify_token, token) == "revoked"
    authentication.verify_token(other)


def test_a_key_that_is_withdrawn_takes_its_tokens_with_it(
    insider: Insider, clock: ManualClock
) -> None:
    token = insider.sign(exp=int(clock.now().timestamp()) + 10**6)
    insider.party.verifier.verify(token)
    store: Any = insider._tokens._store
    for kid in list(store.state.keys):
        store.drop("keys", kid)
    clock.advance(timedelta(minutes=6))  # what the issuer says of how long its keys may be kept
    assert insider.refusal(token) == "unknown_key"


# --- codes


def test_pkce_cannot_be_left_out_or_weakened(authentication: Authentication) -> None:
    login = authentication.get_login_url(redirect_uri=HERE)
    base, _, query = login.url.partition("?")
    asked = dict(parse_qsl(query))
    for change in (
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
        {"code_challenge": ""},
    ):
        sent = {name: it for name, it in {**asked, **change}.items() if it is not None}
        back = ask(f"{base}?{urlencode(sent)}")
        assert back.location["error"] == "invalid_request", change
        assert back.location["state"] == login.state
        assert "code" not in back.location


def test_a_code_needs_its_verifier(authentication: Authentication) -> None:
    login, code = begin(authentication)
    wrong = refused(finish, authentication, login, code, code_verifier="x" * 43)
    assert wrong == "grant"
    back = {"grant_type": "authorization_code", "code": code, "redirect_uri": HERE}
    # A public client cannot bring it without a verifier either, nor can it bring another client's code.
    _, other = begin(authentication)
    for sent in (back, {**back, "code": other, "code_verifier": login.code_verifier}):
        answer = ask(f"{login.issuer}/token", {**sent, "client_id": "spa"})
        assert answer.status == 400
        assert answer.json["error"] in {"invalid_grant", "invalid_request"}
    assert finish(authentication, login, code).id_token  # nobody has used it up


@pytest.mark.parametrize(
    "url",
    [
        HERE + "/",
        HERE + "?x=1",
        HERE.upper(),
        HERE.replace("https", "http"),
        HERE + "#x",
        "https://app.example/callback/../callback",
        "https://app.example@evil.example/callback",
        "javascript:alert(1)",
        'https://app.example/"quote',
    ],
)
def test_a_redirect_uri_is_matched_byte_for_byte(authentication: Authentication, url: str) -> None:
    login = authentication.get_login_url(redirect_uri=url)
    answer = ask(login.url)
    assert answer.status == 400
    assert "location" not in answer.headers


def test_no_redirect_uri_is_none_and_two_are_too_many(authentication: Authentication) -> None:
    url = authentication.get_login_url(redirect_uri=HERE).url
    without = url.replace(urlencode({"redirect_uri": HERE}), "x=y")
    twice = url + "&" + urlencode({"redirect_uri": "https://evil.example/"})
    for one in (without, twice):
        assert ask(one).status == 400
        assert "location" not in ask(one).headers


def test_a_code_is_good_for_a_minute(authentication: Authentication, clock: ManualClock) -> None:
    login, code = begin(authentication)
    clock.advance(59)
    assert finish(authentication, login, code).id_token
    login, code = begin(authentication)
    clock.advance(60)
    assert refused(finish, authentication, login, code) == "grant"


def test_of_all_who_bring_a_code_one_is_served_and_then_nobody_is(
    authentication: Authentication,
) -> None:
    login, code = begin(authentication, "openid", "offline_access")
    answers = race(lambda _: finish(authentication, login, code))
    served = [it for it in answers if not isinstance(it, Exception)]
    assert len(served) == 1
    assert {reason(it) for it in answers if isinstance(it, Exception)} == {"grant"}
    assert not authentication.introspect_token(served[0].access_token).active
    assert refused(authentication.refresh_token, str(served[0].refresh_token)) == "grant"


# --- refresh tokens


def test_of_all_who_bring_a_refresh_token_one_is_served_and_the_login_is_over(
    authentication: Authentication,
) -> None:
    tokens = log_in(authentication, "openid", "offline_access")
    refresh = str(tokens.refresh_token)
    answers = race(lambda _: authentication.refresh_token(refresh))
    served = [it for it in answers if not isinstance(it, Exception)]
    assert len(served) == 1
    assert refused(authentication.refresh_token, str(served[0].tokens.refresh_token)) == "grant"
    assert not authentication.introspect_token(served[0].tokens.access_token).active
    assert refused(authentication.get_user_info, tokens.access_token) == "grant"


def test_a_refresh_token_cannot_be_made_up_from_another(authentication: Authentication) -> None:
    refresh = str(log_in(authentication, "openid", "offline_access").refresh_token)
    name, number, seal = refresh.split(".")
    for forged in (
        f"{name}.{int(number) + 1}.{seal}",
        f"{name}.{number}.{'0' * len(seal)}",
        f"{name}.{number}.",
        f"{name}.٢.{seal}",
        f"other.{number}.{seal}",
        f"{name}.{number}.{seal}é",
        name,
    ):
        assert refused(authentication.refresh_token, forged) == "grant"
    assert authentication.refresh_token(refresh).tokens.access_token  # and that ended nothing


def test_a_refresh_token_is_worth_nothing_to_another_client(authentication: Authentication) -> None:
    tokens = log_in(authentication, "openid", "offline_access")
    refresh = str(tokens.refresh_token)
    issuer = authentication.get_login_url(redirect_uri=HERE).issuer
    stolen = {"grant_type": "refresh_token", "refresh_token": refresh}
    other = {"client_id": "other", "client_secret": "its secret"}
    assert ask(f"{issuer}/token", {**stolen, **other}).json["error"] == "invalid_grant"
    assert ask(f"{issuer}/token", {**stolen, "client_id": "spa"}).json["error"] == "invalid_grant"
    assert authentication.refresh_token(refresh).tokens.refresh_token


def test_a_login_ends_however_often_it_was_refreshed(
    authentication: Authentication, clock: ManualClock
) -> None:
    refresh = str(log_in(authentication, "openid", "offline_access").refresh_token)
    for _ in range(2):
        clock.advance(timedelta(days=14))
        refresh = str(authentication.refresh_token(refresh).tokens.refresh_token)
    clock.advance(timedelta(days=3))
    assert refused(authentication.refresh_token, refresh) == "grant"


# --- other clients


def test_a_client_learns_nothing_of_the_tokens_of_another(authentication: Authentication) -> None:
    issuer = authentication.get_login_url(redirect_uri=HERE).issuer
    own = {"client_id": "other", "client_secret": "its secret"}
    theirs = ask(f"{issuer}/token", {**own, "grant_type": "client_credentials"}).json[
        "access_token"
    ]
    assert not authentication.introspect_token(theirs).active
    assert authentication.verify_token(theirs).claims.client_id == "other"  # anybody can read it
    with pytest.raises((AuthenticationError, PermissionDeniedError)):
        authentication.revoke_token(theirs)
    assert ask(f"{issuer}/introspect", {**own, "token": theirs}).json["active"]


def test_a_client_must_know_its_secret(authentication: Authentication) -> None:
    issuer = authentication.get_login_url(redirect_uri=HERE).issuer
    for who in (
        {"client_id": "other", "client_secret": "a guess"},
        {"client_id": "other"},
        {"client_id": "nobody", "client_secret": "x"},
        {"client_id": "spa", "client_secret": ""},
        {"client_id": "spa"},
        {},
    ):
        answer = ask(f"{issuer}/token", {**who, "grant_type": "client_credentials"})
        assert answer.status in {400, 401}, who
        assert "access_token" not in answer.json
        assert "access_token" not in ask(f"{issuer}/introspect", {**who, "token": "x"}).json


def test_a_user_is_told_of_only_to_who_has_an_access_token(authentication: Authentication) -> None:
    tokens = log_in(authentication, "openid", "offline_access")
    for other in (tokens.id_token, tokens.refresh_token, "a b", "é"):
        with pytest.raises(AuthenticationError):
            authentication.get_user_info(str(other))
    with pytest.raises(PermissionDeniedError):  # nobody's, so of nobody
        authentication.get_user_info(authentication.client_credentials_token().tokens.access_token)


def number(value: int) -> str:
    """A number as a JWK has it."""
    plain = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def test_a_symmetric_key_among_the_published_ones_is_left_out() -> None:
    from lcplatform_runtime.oidc.signatures import keys_of

    secret: Any = OctKey.generate_key(256).as_dict()
    # Made on purpose for this test, from two primes of 256 bits.
    weak = {"kty": "RSA", "n": number((2**255 + 95) * (2**256 - 189)), "e": "AQAB"}
    for_encryption: Any = RSAKey.generate_key(2048).as_dict(private=False, use="enc")
    broken = {"kty": "RSA", "n": "!", "e": "AQAB"}
    good: Any = ECKey.generate_key("P-256").as_dict(private=False)
    found = keys_of({"keys": [secret, weak, for_encryption, broken, 7, {}, good]})
    assert [key.algorithms for key in found] == [{"ES256"}]

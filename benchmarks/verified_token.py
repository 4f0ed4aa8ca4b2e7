"""Tokens: what is made of one that was never seen, and of one that comes again, by joserfc and by us, who remember what we found good.

Both have the issuer's keys at hand, and both check issuer, audience and times in every call that counts. Through the client there
is a request to be checked as well.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from lcplatform import LCPlatform
    from lcplatform_runtime.oidc.verification import Verifier

_OURS: Final = 5_000
_PEERS: Final = 500
_MANY: Final = 4_500
"""So many tokens that the first is forgotten when the last has come."""


@contextmanager
def _issuer() -> Iterator[tuple[LCPlatform, str, Callable[[str], dict[str, Any]]]]:
    """A platform that issues tokens, one of them, and how joserfc verifies one."""
    from joserfc import jwt
    from joserfc.jwk import KeySet

    from lcplatform import LCPlatform

    with LCPlatform("mock") as platform:
        authentication = platform.authentication
        token = authentication.client_credentials_token().tokens.access_token
        claims = authentication.verify_token(token).claims
        with urlopen(f"{claims.issuer}/jwks") as answer:  # on this machine
            keys = KeySet.import_key_set(json.load(answer))
        rules = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": claims.issuer},
            aud={"essential": True, "value": claims.audience[0]},
            exp={"essential": True},
        )

        def verified(token: str) -> dict[str, Any]:
            found = jwt.decode(token, keys, algorithms=["RS256"])
            rules.validate(found.claims)
            return found.claims

        assert verified(token)["sub"] == claims.subject
        yield platform, token, verified


def _verifier(platform: LCPlatform) -> Verifier:
    """That of a driver of any provider, at the same issuer."""
    from lcplatform_runtime.clock import SYSTEM
    from lcplatform_runtime.oidc.issuers import IssuerSettings
    from lcplatform_runtime.oidc.relying_party import RelyingParty

    token = platform.authentication.client_credentials_token().tokens.access_token
    claims = platform.authentication.verify_token(token).claims
    settings = IssuerSettings(
        discovery_url=claims.issuer, client_id="benchmark", audience=claims.audience[0]
    )
    return RelyingParty(settings, clock=SYSTEM).verifier


def _client(effort: Effort) -> Samples:
    with _issuer() as (platform, token, verified):
        authentication = platform.authentication
        ours = cpu_of(lambda: authentication.verify_token(token), _OURS)
        theirs = cpu_of(lambda: verified(token), _PEERS)
        return take_turns(lambda: ours() * 1e6, lambda: theirs() * 1e6, effort.rounds(20))


def _cold(effort: Effort) -> Samples:
    with _issuer() as (platform, _, verified):
        verifier = _verifier(platform)
        issue = platform.authentication.client_credentials_token
        tokens = [issue().tokens.access_token for _ in range(_MANY)]
        ours, theirs = itertools.cycle(tokens), itertools.cycle(tokens)
        our_cpu = cpu_of(lambda: verifier.verify(next(ours)), _PEERS)
        their_cpu = cpu_of(lambda: verified(next(theirs)), _PEERS)
        return take_turns(lambda: our_cpu() * 1e6, lambda: their_cpu() * 1e6, effort.rounds(40))


def _again(effort: Effort) -> Samples:
    """How many a second, so that more is better."""
    with _issuer() as (platform, token, verified):
        verifier = _verifier(platform)
        ours = cpu_of(lambda: verifier.verify(token), _OURS)
        theirs = cpu_of(lambda: verified(token), _PEERS)
        return take_turns(lambda: 1 / ours(), lambda: 1 / theirs(), effort.rounds(20))


BENCHMARKS: Final = (
    Benchmark(
        name="verified_token",
        bar=Bar(0.4),
        compared="a token that was verified before: our client over joserfc",
        unit="CPU µs",
        measure=_client,
    ),
    Benchmark(
        name="token_cold",
        bar=Bar(1.25),
        compared="a token that was never seen: the verifier of every provider over joserfc",
        unit="CPU µs",
        measure=_cold,
    ),
    Benchmark(
        name="token_again",
        bar=Bar(100, at_least=True),
        compared="a token that was verified before: the verifier of every provider over joserfc",
        unit="per s",
        measure=_again,
    ),
)

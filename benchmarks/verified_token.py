"""A token that comes again: our client, which remembers what it found good, over joserfc, which checks its signature each time.

Both have the issuer's keys at hand, and both check issuer, audience and times in every call that counts.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.request import urlopen

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

_OURS: Final = 5_000
_PEERS: Final = 500


def _measure(effort: Effort) -> Samples:
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

        def peer() -> dict[str, Any]:
            found = jwt.decode(token, keys, algorithms=["RS256"])
            rules.validate(found.claims)
            return found.claims

        assert peer()["sub"] == claims.subject
        ours = cpu_of(lambda: authentication.verify_token(token), _OURS)
        theirs = cpu_of(peer, _PEERS)
        return take_turns(lambda: ours() * 1e6, lambda: theirs() * 1e6, effort.rounds(20))


BENCHMARKS: Final = (
    Benchmark(
        name="verified_token",
        bar=Bar(0.4),
        compared="a token that was verified before: our client over joserfc",
        unit="CPU µs",
        measure=_measure,
    ),
)

"""A secret that is kept in memory: our client over the cache of AWS Lambda Powertools.

Both have read it once from the same stub, keep it for longer than the run takes, and give it out of memory in every call that
counts. The peer is `parameters.get_secret`, as its documentation has it, with a client for the stub behind it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from benchmarks.aws_sides import Boto3, options
from benchmarks.aws_stub import stub
from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

_CALLS: Final = 20_000
_HOUR: Final = 3600


def _measure(effort: Effort) -> Samples:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider, get_secret
    from aws_lambda_powertools.utilities.parameters.constants import DEFAULT_PROVIDERS

    from lcplatform import LCPlatform, PlatformSettings
    from lcplatform_runtime.cache import CacheSettings

    settings = PlatformSettings(cache=CacheSettings(ttl=timedelta(seconds=_HOUR)))
    with stub() as aws, LCPlatform("aws", settings=settings, **options(aws.ready)) as platform:
        DEFAULT_PROVIDERS["secrets"] = SecretsProvider(boto3_client=Boto3(aws.ready).secrets)
        secrets = platform.secrets
        assert secrets.get_secret("secret").value == get_secret("secret", max_age=_HOUR)
        ours = cpu_of(lambda: secrets.get_secret("secret"), _CALLS)
        peer = cpu_of(lambda: get_secret("secret", max_age=_HOUR), _CALLS)
        return take_turns(lambda: ours() * 1e6, lambda: peer() * 1e6, effort.rounds(40))


BENCHMARKS: Final = (
    Benchmark(
        name="cached_secret",
        bar=Bar(1.0),
        compared="a cached secret: our client over get_secret of AWS Lambda Powertools",
        unit="CPU µs",
        measure=_measure,
    ),
)

"""What an application decides about all calls of a platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from lcplatform_runtime.cache import CacheSettings
from lcplatform_runtime.retry import DEFAULT_POLICY, RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """The settings of a pipeline.

    Attributes:
        retry: how calls are retried.
        cache: how answers are kept.
        deadline: how long a call may take that says nothing itself. A long poll may take its wait on top; transfers and
            streams take as long as they take.
        page_token_key: seals page tokens. Processes that take each other's tokens share it; where absent, each pipeline
            makes its own.
    """

    retry: RetryPolicy = DEFAULT_POLICY
    cache: CacheSettings = field(default_factory=CacheSettings)
    deadline: timedelta | None = None
    page_token_key: bytes | None = field(default=None, repr=False)


DEFAULTS: Final = PipelineSettings()

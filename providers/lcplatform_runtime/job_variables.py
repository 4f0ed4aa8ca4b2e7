"""What the environment of a job may be, by the rules that the IDL states in words: they are every provider's (FR-006)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lcplatform_runtime.errors import invalid

MAX_ENVIRONMENT: Final = 100
"""The variables of one job, secrets included."""

ARRAY_INDEX: Final = "LCPLATFORM_ARRAY_INDEX"
"""The variable that tells a copy of an array job its number, where the provider can choose its name."""

ARRAY_INDEX_VARIABLE: Final = "LCPLATFORM_ARRAY_INDEX_VARIABLE"
"""The variable that names the one that tells a copy its number."""


def check_variables(
    environment: Mapping[str, str], secrets: Mapping[str, str], place: str = ""
) -> None:
    """Whether plain and secret variables go together.

    Args:
        environment: the values of the plain ones.
        secrets: the names of the secrets.
        place: what stands before the names of the fields in a refusal, such as "job.".

    Raises:
        ValidationError: there are too many, one is both, or one is the platform's own.
    """
    if len(environment) + len(secrets) > MAX_ENVIRONMENT:
        raise invalid(
            f"{place}environment", f"at most {MAX_ENVIRONMENT} variables (max_environment)"
        )
    for field, names in (("environment", environment), ("secrets", secrets)):
        for own in (ARRAY_INDEX, ARRAY_INDEX_VARIABLE):
            if own in names:
                raise invalid(f"{place}{field}", f"no variable {own}, which is the platform's own")
    both = next((name for name in secrets if name in environment), None)
    if both is not None:
        raise invalid(
            f"{place}secrets", f"no variable that environment has as well, such as {both}"
        )

"""What a job may ask for, beyond what the IDL itself checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lcplatform.batch.models import JobTemplate, SubmitJobRequest
from lcplatform.batch.support import BatchCapability, BatchLimits
from lcplatform.secrets.models import DescribeSecretRequest, DescribeSecretResponse
from lcplatform_mock.images import RESERVED
from lcplatform_mock.refusals import invalid, missing
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.model import build
from lcplatform_runtime.sizes import fitting_memory
from lcplatform_runtime.support import ConditionalUpdate, Support

# Those of AWS Batch and EventBridge Scheduler.
LIMITS: Final = BatchLimits(
    max_array_size=10_000,
    max_dependencies=20,
    max_attempts=10,
    max_timeout_seconds=14 * 24 * 3600,
    max_environment=100,
    max_schedules=1_000_000,
)
SUPPORT: Final = Support(
    capabilities=frozenset(BatchCapability),
    limits=LIMITS.by_name(),
    conditional_updates=dict.fromkeys(
        ("delete_schedule", "update_schedule"), ConditionalUpdate.ATOMIC
    ),
)


def template_of(request: SubmitJobRequest) -> JobTemplate:
    """What a request submits.

    Raises:
        ValidationError: its parts do not go together.
    """
    names = JobTemplate.model_fields.keys() - {"memory"}
    memory = fitting_memory(request.cpu, request.memory)
    template = JobTemplate(memory=memory, **{name: getattr(request, name) for name in names})
    _check_variables(template, "")
    return template


def checked(template: JobTemplate) -> JobTemplate:
    """What a schedule submits, with what it leaves open.

    Raises:
        ValidationError: its parts do not go together.
    """
    memory = fitting_memory(template.cpu, template.memory, place="job.")
    _check_variables(template, "job.")
    return template.model_copy(update={"memory": memory})


def check_secrets(
    template: JobTemplate,
    describe: Callable[[DescribeSecretRequest], DescribeSecretResponse],
    place: str = "",
) -> None:
    """Whether every secret that is injected is there.

    Raises:
        ResourceNotFoundError: one is not.
    """
    for name in dict.fromkeys(template.secrets.values()):
        try:
            request = build(DescribeSecretRequest, name=name)
        except ValidationError:
            raise invalid(f"{place}secrets", "the names of secrets") from None
        if describe(request).secret.purge_at is not None:
            raise missing("secret", name)


def _check_variables(template: JobTemplate, place: str) -> None:
    plain, secret = template.environment, template.secrets
    if len(plain) + len(secret) > LIMITS.max_environment:
        raise invalid(
            f"{place}environment", f"at most {LIMITS.max_environment} variables (max_environment)"
        )
    for field, names in (("environment", plain), ("secrets", secret)):
        if RESERVED in names:
            raise invalid(f"{place}{field}", f"no variable {RESERVED}, which is the platform's own")
    both = next((name for name in secret if name in plain), None)
    if both is not None:
        raise invalid(
            f"{place}secrets", f"no variable that environment has as well, such as {both}"
        )

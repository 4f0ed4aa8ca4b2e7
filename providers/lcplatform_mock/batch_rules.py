"""What a job may ask for, beyond what the IDL itself checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lcplatform.batch.models import JobTemplate, SubmitJobRequest
from lcplatform.batch.support import BatchCapability, BatchLimits
from lcplatform.secrets.models import DescribeSecretRequest, DescribeSecretResponse
from lcplatform_mock.refusals import missing
from lcplatform_runtime.errors import ValidationError, invalid
from lcplatform_runtime.job_variables import MAX_ENVIRONMENT, check_variables
from lcplatform_runtime.model import build
from lcplatform_runtime.sizes import fitting_memory
from lcplatform_runtime.support import ConditionalUpdate, Support

# Those of AWS Batch and EventBridge Scheduler.
LIMITS: Final = BatchLimits(
    max_array_size=10_000,
    max_dependencies=20,
    max_attempts=10,
    max_timeout_seconds=14 * 24 * 3600,
    max_environment=MAX_ENVIRONMENT,
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
    check_variables(template.environment, template.secrets)
    return template


def checked(template: JobTemplate) -> JobTemplate:
    """What a schedule submits, with what it leaves open.

    Raises:
        ValidationError: its parts do not go together.
    """
    memory = fitting_memory(template.cpu, template.memory, place="job.")
    check_variables(template.environment, template.secrets, "job.")
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

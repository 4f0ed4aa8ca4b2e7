"""What Batch on AWS has to be told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lcplatform_runtime.model import Request

_ROLE = r"^arn:[\w-]+:iam::\d{12}:role/\S+$"


class BatchOptions(Request):
    """Where jobs run and in which roles, which they do not choose themselves."""

    job_queue: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_:/-]{0,511}$")]
    """The queue, by its name or its ARN. Its compute environments are of Fargate, and it has no scheduling policy. Every job
    in it that was submitted by a platform is one of this platform."""

    execution_role: Annotated[str, Field(pattern=_ROLE)]
    """The role, by its ARN, in which ECS pulls images, reads the secrets of jobs and writes their logs."""

    scheduler_role: Annotated[str, Field(pattern=_ROLE)]
    """The role in which EventBridge Scheduler submits jobs."""

    job_role: Annotated[str | None, Field(pattern=_ROLE)] = None
    """The role of a job that names no identity."""

    schedule_group: Annotated[str, Field(pattern=r"^[0-9a-zA-Z_.-]{1,64}$")] = "default"
    """The group of EventBridge Scheduler in which schedules are. It exists already."""

    log_group: Annotated[str, Field(pattern=r"^[.\-_/#A-Za-z0-9]{1,512}$")] = "/lcplatform/jobs"
    """Where jobs write. It is made when the first job is submitted."""

    public_ip: bool = False
    """Whether jobs get a public address. In a public subnet they need one to reach anything."""

    architecture: Literal["X86_64", "ARM64"] = "X86_64"
    """The processors for which their images are built."""

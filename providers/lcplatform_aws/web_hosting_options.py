"""What WebHosting on AWS has to be told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lcplatform_runtime.model import Request

_ROLE = r"^arn:[\w-]+:iam::\d{12}:role/\S+$"


class WebHostingOptions(Request):
    """What ECS has to be told of applications, and what they do not choose themselves."""

    infrastructure_role: Annotated[str, Field(pattern=_ROLE)]
    """The role, by its ARN, in which ECS makes load balancers, certificates and the like."""

    execution_role: Annotated[str, Field(pattern=_ROLE)]
    """The role in which ECS pulls images, reads the secrets of applications and writes their logs."""

    task_role: Annotated[str | None, Field(pattern=_ROLE)] = None
    """The role of an application that names no identity."""

    cluster: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")] = "default"
    """The cluster in which applications run."""

    subnets: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Where they run; the public subnets of the default network where there are none."""

    security_groups: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """The security groups of their instances; ECS makes one where there are none."""

    log_group: Annotated[str, Field(pattern=r"^[.\-_/#A-Za-z0-9]{1,512}$")] = (
        "/lcplatform/applications"
    )
    """Where they write. It is made when the first application is deployed."""

    architecture: Literal["X86_64", "ARM64"] = "X86_64"
    """The processors for which their images are built."""

"""What WebHosting on AWS has to be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from lcplatform_runtime.model import Request, refusal

_ROLE = r"^arn:[\w-]+:iam::\d{12}:role/\S+$"


class EcsExpressOptions(Request):
    """What ECS has to be told of applications, and what they do not choose themselves."""

    backend: Literal["ecs-express", "app-runner"] = "ecs-express"
    """What runs them."""

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


# What App Runner takes images from: a registry of Amazon ECR, of this account or another, or the public one.
_ECR: Final = r"(\d{12}\.dkr\.ecr\.[a-z-]+-\d\.amazonaws\.com|public\.ecr\.aws)"


class AppRunnerOptions(Request):
    """What App Runner has to be told of applications, and what they do not choose themselves."""

    backend: Literal["app-runner"]
    """What runs them."""

    access_role: Annotated[str, Field(pattern=_ROLE)]
    """The role, by its ARN, in which App Runner pulls images."""

    instance_role: Annotated[str | None, Field(pattern=_ROLE)] = None
    """The role of an application that names no identity. App Runner reads the secrets of applications in their own role."""

    mirrors: dict[
        Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:\d{1,5})?$")],
        Annotated[str, Field(pattern=rf"^{_ECR}(/[a-z0-9]+([._/-][a-z0-9]+)*)?$")],
    ] = Field(default_factory=dict)
    """Where in Amazon ECR the images of other registries are, by the registry: App Runner takes images from nowhere else.
    `docker.io` is the registry of images that name none."""

    max_concurrency: Annotated[int, Field(ge=1, le=200)] = 100
    """The requests at a time that are one instance's share: where there are more, there will be another instance."""

    vpc_connector: Annotated[
        str | None, Field(pattern=r"^arn:[\w-]+:apprunner:[\w-]+:\d{12}:vpcconnector/\S+$")
    ] = None
    """The connector through which applications reach a private network; they reach the public one where there is none."""

    @model_validator(mode="after")
    def _told_apart(self) -> AppRunnerOptions:
        if len(set(self.mirrors.values())) < len(self.mirrors):
            raise ValueError("mirrors: no two registries are in the same place")
        return self


def _chosen(given: object) -> object:
    """The options of the backend that is chosen. Those of the other are refused by their names."""
    if not isinstance(given, Mapping):
        return given
    options: Mapping[str, Any] = given
    runner = options.get("backend") == "app-runner"
    model: type[Request] = AppRunnerOptions if runner else EcsExpressOptions
    try:
        return model.model_validate(options)
    except ValidationError as error:
        problem = refusal(model, error, place="web_hosting")
    # Outside of the handler: what pydantic raises holds the input, so it is no context either.
    raise problem


WebHostingOptions: TypeAlias = Annotated[
    EcsExpressOptions | AppRunnerOptions, BeforeValidator(_chosen)
]
"""The options of either backend; `backend` chooses."""

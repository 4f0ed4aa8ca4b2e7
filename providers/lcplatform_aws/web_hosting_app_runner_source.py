"""What an application was given, in the words of App Runner, and back: its settings stand in its service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lcplatform_aws.units import given
from lcplatform_aws.web_hosting_settings import Settings, environment, settings_of, sizes
from lcplatform_runtime.errors import invalid

if TYPE_CHECKING:
    from lcplatform_aws.web_hosting_options import AppRunnerOptions

MAX_VARIABLES: Final = 50
"""The variables of a service, secrets included. One of them is PORT."""
_PRIVATE: Final = re.compile(r"\d{12}\.dkr\.ecr\.[a-z-]+-\d\.amazonaws\.com/.+")
_PUBLIC: Final = "public.ecr.aws/"
_HUB: Final = "docker.io"
_OWN: Final = "AWSAPPRUNNER"  # how the names start that App Runner keeps for itself


class Images:
    """Where images are: App Runner takes them from Amazon ECR alone."""

    def __init__(self, mirrors: Mapping[str, str]) -> None:
        """`mirrors` are the places in ECR of the images of other registries."""
        self._mirrors = mirrors
        # What is named more exactly is found first.
        self._places = sorted(mirrors.items(), key=lambda it: len(it[1]), reverse=True)

    def located(self, image: str) -> str:
        """Where App Runner finds an image.

        Raises:
            ValidationError: nowhere.
        """
        if _PRIVATE.fullmatch(image) or image.startswith(_PUBLIC):
            return image
        first, slash, rest = image.partition("/")
        named = bool(slash) and ("." in first or ":" in first or first == "localhost")
        registry, path = (first, rest) if named else (_HUB, image)
        place = self._mirrors.get(registry)
        if place is None:
            raise invalid(
                "image",
                f"one in Amazon ECR: the option mirrors has no place for those of {registry}",
            )
        if registry == _HUB and "/" not in path:
            path = f"library/{path}"
        return f"{place}/{path}"

    def named(self, location: str) -> str:
        """How callers name the image at a location."""
        for registry, place in self._places:
            if location.startswith(f"{place}/"):
                path = location.removeprefix(f"{place}/")
                return path.removeprefix("library/") if registry == _HUB else f"{registry}/{path}"
        return location


def check_variables(settings: Settings, platform: Mapping[str, str]) -> None:
    """Refuses what App Runner has no room for, and names that it keeps for itself."""
    for field, names in (("environment", settings.environment), ("secrets", settings.secrets)):
        for name in names:
            if name.startswith(_OWN):
                raise invalid(f"{field}.{name}", f"no name that starts with {_OWN}")
    count = len(environment(settings, platform)) + len(settings.secrets)
    if count > MAX_VARIABLES:
        raise invalid(
            "bindings" if settings.bindings else "environment",
            f"no more than {MAX_VARIABLES} variables with those that the platform sets itself, not {count}",
        )


def source(
    settings: Settings,
    options: AppRunnerOptions,
    *,
    image: str,
    secrets: Mapping[str, str],
    platform: Mapping[str, str],
) -> dict[str, Any]:
    """What a new service and a new revision are told alike.

    Args:
        settings: those of the application.
        options: those of the backend.
        image: where the image is.
        secrets: the ARN of each secret, by its name.
        platform: the variables by which an application with bindings finds the platform.
    """
    public = image.startswith(_PUBLIC)
    cpu, memory = sizes(settings)
    return {
        "SourceConfiguration": {
            "ImageRepository": {
                "ImageIdentifier": image,
                "ImageRepositoryType": "ECR_PUBLIC" if public else "ECR",
                "ImageConfiguration": {
                    "Port": str(settings.port),
                    "RuntimeEnvironmentVariables": environment(settings, platform),
                    "RuntimeEnvironmentSecrets": {
                        name: secrets[secret] for name, secret in settings.secrets.items()
                    },
                },
            },
            # Otherwise each image that is pushed is deployed, and nobody asked for that.
            "AutoDeploymentsEnabled": False,
            **({} if public else _access(options)),
        },
        "InstanceConfiguration": given(
            Cpu=cpu, Memory=memory, InstanceRoleArn=settings.identity or options.instance_role
        ),
        # Without a protocol, a port that is open is healthy, whatever answers there.
        "HealthCheckConfiguration": {"Protocol": "HTTP", "Path": settings.health_check_path},
    }


def _access(options: AppRunnerOptions) -> dict[str, Any]:
    return {"AuthenticationConfiguration": {"AccessRoleArn": options.access_role}}


def settings_of_service(
    service: Mapping[str, Any],
    *,
    images: Images,
    own_role: str | None,
    instances: tuple[int, int],
) -> Settings:
    """The settings of a service. `instances` are the fewest and the most, which stand elsewhere."""
    repository = service["SourceConfiguration"]["ImageRepository"]
    configuration = repository.get("ImageConfiguration", {})
    size = service["InstanceConfiguration"]
    return settings_of(
        image=images.named(repository["ImageIdentifier"]),
        port=int(configuration.get("Port", 8080)),
        environment=configuration.get("RuntimeEnvironmentVariables", {}),
        secrets=configuration.get("RuntimeEnvironmentSecrets", {}),
        cpu=size.get("Cpu", "1024"),
        memory=size.get("Memory", "2048"),
        instances=instances,
        health_check_path=service.get("HealthCheckConfiguration", {}).get("Path", "/"),
        role=size.get("InstanceRoleArn"),
        own_role=own_role,
    )

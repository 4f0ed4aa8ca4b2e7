"""The settings of an application in the words of ECS, and back: they stand in the container that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lcplatform_aws.web_hosting_settings import Settings, environment, settings_of, sizes


def container(
    settings: Settings,
    *,
    secrets: Mapping[str, str],
    platform: Mapping[str, str],
    log_group: str,
    log_prefix: str,
) -> dict[str, Any]:
    """The `primaryContainer` that is given these settings.

    Args:
        settings: those of the application.
        secrets: the ARN of each secret, by its name.
        platform: the variables by which an application with bindings finds the platform.
        log_group: where it writes.
        log_prefix: how the names of its log streams start.
    """
    given = environment(settings, platform)
    return {
        "image": settings.image,
        "containerPort": settings.port,
        "awsLogsConfiguration": {"logGroup": log_group, "logStreamPrefix": log_prefix},
        "environment": [{"name": name, "value": value} for name, value in given.items()],
        "secrets": [
            {"name": name, "valueFrom": secrets[secret]}
            for name, secret in settings.secrets.items()
        ],
    }


def size(settings: Settings) -> dict[str, str]:
    """The processor and the memory, which have no dependable default: the API and its guide differ over it."""
    cpu, memory = sizes(settings)
    return {"cpu": cpu, "memory": memory}


def scaling(settings: Settings) -> dict[str, int]:
    """The `scalingTarget`."""
    return {"minTaskCount": settings.min_instances, "maxTaskCount": settings.max_instances}


def settings_of_service(configuration: Mapping[str, Any], *, own_role: str | None) -> Settings:
    """The settings of an `ExpressGatewayServiceConfiguration`. `own_role` is the role of applications that name none."""
    found = configuration["primaryContainer"]
    target = configuration.get("scalingTarget", {})
    least = target.get("minTaskCount", 1)
    return _settings(
        found,
        port=found.get("containerPort", 80),
        cpu=configuration["cpu"],
        memory=configuration["memory"],
        role=configuration.get("taskRoleArn"),
        own_role=own_role,
        health_check_path=configuration.get("healthCheckPath", "/ping"),
        instances=(least, target.get("maxTaskCount", least)),
    )


def settings_of_task(
    task: Mapping[str, Any], *, own_role: str | None, health_check_path: str, now: Settings
) -> Settings:
    """The settings of a task definition, which says nothing of how many instances there are: that is as it is `now`."""
    found = task["containerDefinitions"][0]
    ports = [it["containerPort"] for it in found.get("portMappings", ()) if "containerPort" in it]
    return _settings(
        found,
        port=ports[0] if ports else 80,
        cpu=task["cpu"],
        memory=task["memory"],
        role=task.get("taskRoleArn"),
        own_role=own_role,
        health_check_path=health_check_path,
        instances=(now.min_instances, now.max_instances),
    )


def _settings(
    found: Mapping[str, Any],
    *,
    port: int,
    cpu: str,
    memory: str,
    role: str | None,
    own_role: str | None,
    health_check_path: str,
    instances: tuple[int, int],
) -> Settings:
    return settings_of(
        image=found["image"],
        port=port,
        environment={it["name"]: it["value"] for it in found.get("environment", ())},
        secrets={it["name"]: it["valueFrom"] for it in found.get("secrets", ())},
        cpu=cpu,
        memory=memory,
        instances=instances,
        health_check_path=health_check_path,
        role=role,
        own_role=own_role,
    )

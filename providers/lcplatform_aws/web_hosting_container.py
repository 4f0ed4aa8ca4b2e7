"""What an application was given, in the words of ECS, and back: its settings stand in the container that runs it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final, TypeAlias

from lcplatform.web_hosting.models import Access, Binding
from lcplatform_runtime.application_settings import Settings as AnySettings
from lcplatform_runtime.application_settings import variables

Settings: TypeAlias = AnySettings[Binding]

_PLATFORM: Final = "LCPLATFORM_"
_BINDING: Final = re.compile(r"LCPLATFORM_BINDINGS__(.+)__(SERVICE|ACCESS|RESOURCE)")
# Secrets Manager ends the name in an ARN with a hyphen and six characters of its own.
_SECRET: Final = re.compile(r":secret:(.+)-[^-:]{6}$")
_UNITS: Final = 1024  # of CPU, in one virtual CPU


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
    environment = {**settings.environment, "PORT": str(settings.port)}
    if settings.bindings:
        environment |= {**platform, **variables(settings.bindings)}
    return {
        "image": settings.image,
        "containerPort": settings.port,
        "awsLogsConfiguration": {"logGroup": log_group, "logStreamPrefix": log_prefix},
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
        "secrets": [
            {"name": name, "valueFrom": secrets[secret]}
            for name, secret in settings.secrets.items()
        ],
    }


def sizes(settings: Settings) -> dict[str, str]:
    """The processor and the memory, which have no dependable default: the API and its guide differ over it."""
    return {"cpu": str(int(settings.cpu * _UNITS)), "memory": str(settings.memory)}


def scaling(settings: Settings) -> dict[str, int]:
    """The `scalingTarget`."""
    return {"minTaskCount": settings.min_instances, "maxTaskCount": settings.max_instances}


def settings_of(configuration: Mapping[str, Any], *, own_role: str | None) -> Settings:
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
    given = {it["name"]: it["value"] for it in found.get("environment", ())}
    bindings = _bindings(given)
    return AnySettings(
        image=found["image"],
        port=port,
        environment={
            name: value
            for name, value in given.items()
            if name != "PORT" and not (bindings and name.startswith(_PLATFORM))
        },
        secrets={it["name"]: _secret(it["valueFrom"]) for it in found.get("secrets", ())},
        cpu=int(cpu) / _UNITS,
        memory=int(memory),
        min_instances=instances[0],
        max_instances=instances[1],
        health_check_path=health_check_path,
        identity=None if role == own_role else role,
        bindings=bindings,
    )


def _secret(reference: str) -> str:
    found = _SECRET.search(reference)
    return found.group(1) if found else reference


def _bindings(environment: Mapping[str, str]) -> tuple[Binding, ...]:
    told: dict[str, dict[str, str]] = {}
    for name, value in environment.items():
        if found := _BINDING.fullmatch(name):
            told.setdefault(found.group(1).lower(), {})[found.group(2)] = value
    return tuple(
        Binding(
            service=it["SERVICE"],
            resource=it.get("RESOURCE"),
            access=Access(it["ACCESS"]),
            name=None if name == it["SERVICE"] else name,
        )
        for name, it in told.items()
    )


def etag_of(settings: Settings) -> str:
    """The mark of the settings: the same settings have the same."""
    told = {**asdict(settings), "bindings": [it.model_dump() for it in settings.bindings]}
    text = json.dumps(told, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def platform_variables(options: Mapping[str, object]) -> dict[str, str]:
    """The variables that point an application to AWS as this platform is, without its keys: it has a role of its own."""
    flat = dict(_flat("LCPLATFORM_PROVIDERS__AWS", options))
    return {"LCPLATFORM_PROVIDER": "aws", **flat}


def _flat(start: str, options: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for name, value in options.items():
        path = f"{start}__{name.upper()}"
        if isinstance(value, Mapping):
            yield from _flat(path, value)
        else:
            yield path, value if isinstance(value, str) else json.dumps(value, default=str)

"""What an application was given, in the words that both backends of AWS share, and back: its settings stand in what runs it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final, TypeAlias

from lcplatform.web_hosting.models import Access, Binding
from lcplatform_aws.secret_references import secret_name
from lcplatform_runtime.application_settings import Settings as AnySettings
from lcplatform_runtime.application_settings import variables

Settings: TypeAlias = AnySettings[Binding]

_PLATFORM: Final = "LCPLATFORM_"
_BINDING: Final = re.compile(r"LCPLATFORM_BINDINGS__(.+)__(SERVICE|ACCESS|RESOURCE)")
_UNITS: Final = 1024  # of CPU, in one virtual CPU


def environment(settings: Settings, platform: Mapping[str, str]) -> dict[str, str]:
    """The plain variables of an instance.

    Args:
        settings: those of the application.
        platform: the variables by which an application with bindings finds the platform.
    """
    told = {**settings.environment, "PORT": str(settings.port)}
    if settings.bindings:
        told |= {**platform, **variables(settings.bindings)}
    return told


def sizes(settings: Settings) -> tuple[str, str]:
    """The processor, in units, and the memory, as AWS wants them."""
    return str(int(settings.cpu * _UNITS)), str(settings.memory)


def settings_of(
    *,
    image: str,
    port: int,
    environment: Mapping[str, str],
    secrets: Mapping[str, str],
    cpu: str,
    memory: str,
    instances: tuple[int, int],
    health_check_path: str,
    role: str | None,
    own_role: str | None,
) -> Settings:
    """The settings that were told so. `secrets` are references; `own_role` is the role of applications that name none."""
    bindings = _bindings(environment)
    return AnySettings(
        image=image,
        port=port,
        environment={
            name: value
            for name, value in environment.items()
            if name != "PORT" and not (bindings and name.startswith(_PLATFORM))
        },
        secrets={name: secret_name(reference) for name, reference in secrets.items()},
        cpu=int(cpu) / _UNITS,
        memory=int(memory),
        min_instances=instances[0],
        max_instances=instances[1],
        health_check_path=health_check_path,
        identity=None if role == own_role else role,
        bindings=bindings,
    )


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


def kept(settings: Settings) -> dict[str, Any]:
    """The settings as JSON has them."""
    return {
        **asdict(settings),
        "bindings": [it.model_dump(mode="json") for it in settings.bindings],
    }


def restored(told: Mapping[str, Any]) -> Settings:
    """The settings that were `kept`."""
    bindings = tuple(Binding.model_validate(it) for it in told["bindings"])
    return AnySettings(**{**told, "bindings": bindings})


def etag_of(settings: Settings) -> str:
    """The mark of the settings: the same settings have the same."""
    text = json.dumps(kept(settings), sort_keys=True)
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

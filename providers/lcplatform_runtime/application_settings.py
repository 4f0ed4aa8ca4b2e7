"""What can be chosen of an application of WebHosting, by the rules that the IDL states in words: they are every provider's.

The requests and bindings are the generated models, which stand above this package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Protocol, TypeVar

from lcplatform_runtime.errors import invalid
from lcplatform_runtime.sizes import MEMORY, fitting_memory

MAX_ENVIRONMENT: Final = 200
"""The variables of one application, secrets included."""


class Bound(Protocol):
    """A binding to a resource of another service."""

    @property
    def service(self) -> str: ...

    @property
    def resource(self) -> str | None: ...

    @property
    def access(self) -> Any: ...  # an enumeration of the contract

    @property
    def name(self) -> str | None: ...


B = TypeVar("B", bound=Bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Generic[B]):
    """Everything that can be chosen of an application: `cpu` in virtual CPUs, `memory` in megabytes."""

    image: str
    port: int
    environment: dict[str, str]
    secrets: dict[str, str]
    cpu: float
    memory: int
    min_instances: int
    max_instances: int
    health_check_path: str
    identity: str | None
    bindings: tuple[B, ...]

    def scaled(self, least: int | None, most: int | None) -> Settings[B]:
        """The same with other numbers of instances; those that are not given stay."""
        return replace(
            self,
            min_instances=self.min_instances if least is None else least,
            max_instances=self.max_instances if most is None else most,
        )


def deployed(request: Any) -> Settings[Any]:
    """The settings that a DeployApplicationRequest asks for.

    Raises:
        ValidationError: they do not go together. It names the field.
    """
    least, most = request.min_instances, request.max_instances
    return checked(
        Settings(
            image=request.image,
            port=request.port,
            environment=dict(request.environment),
            secrets=dict(request.secrets),
            cpu=request.cpu,
            memory=fitting_memory(request.cpu, request.memory),
            min_instances=least,
            max_instances=max(least, 1) if most is None else most,
            health_check_path=request.health_check_path,
            identity=request.identity,
            bindings=tuple(request.bindings),
        )
    )


def updated(settings: Settings[B], request: Any) -> Settings[B]:
    """The settings after an UpdateApplicationRequest.

    Raises:
        ValidationError: they do not go together. It names the field.
    """
    cpu = settings.cpu if request.cpu is None else request.cpu
    kept = settings.memory if settings.memory in MEMORY.get(cpu, ()) else None
    memory = fitting_memory(cpu, kept if request.memory is None else request.memory)
    changed: dict[str, Any] = {
        **{name: it for name in _SINGLE if (it := getattr(request, name)) is not None},
        **({"environment": dict(request.environment)} if request.environment else {}),
        **({"secrets": dict(request.secrets)} if request.secrets else {}),
        **({"bindings": tuple(request.bindings)} if request.bindings else {}),
        **{name: _CLEARED[name] for name in request.clear},
    }
    return checked(replace(settings, cpu=cpu, memory=memory, **changed))


_SINGLE: Final = (
    "image",
    "port",
    "min_instances",
    "max_instances",
    "health_check_path",
    "identity",
)
_CLEARED: Final[Mapping[str, object]] = {
    "environment": {},
    "secrets": {},
    "identity": None,
    "bindings": (),
}


def checked(settings: Settings[B]) -> Settings[B]:
    """The settings, if they go together.

    Raises:
        ValidationError: they do not. It names the field.
    """
    if settings.min_instances > settings.max_instances:
        raise invalid("max_instances", "at least min_instances")
    _check_variables(settings)
    names = [name_of(binding) for binding in settings.bindings]
    if len(set(names)) < len(names):
        raise invalid("bindings", "names of which each is given once")
    return settings


def name_of(binding: Bound) -> str:
    """The name by which an application finds a binding."""
    return binding.name or binding.service


def variables(bindings: Sequence[Bound]) -> dict[str, str]:
    """The environment variables that tell an application its bindings (`PlatformSettings.bindings`)."""
    told: dict[str, str] = {}
    for binding in bindings:
        start = f"LCPLATFORM_BINDINGS__{name_of(binding).upper()}__"
        told[f"{start}SERVICE"] = binding.service
        told[f"{start}ACCESS"] = binding.access.value
        if binding.resource is not None:
            told[f"{start}RESOURCE"] = binding.resource
    return told


def _check_variables(settings: Settings[B]) -> None:
    for name in settings.secrets:
        if name in settings.environment:
            raise invalid(f"secrets.{name}", "no variable that environment has as well")
    if len(settings.environment) + len(settings.secrets) > MAX_ENVIRONMENT:
        raise invalid("environment", f"no more than {MAX_ENVIRONMENT} variables with secrets")
    for field_name, names in (("environment", settings.environment), ("secrets", settings.secrets)):
        for name in names:
            if name == "PORT" or (settings.bindings and name.startswith("LCPLATFORM_")):
                raise invalid(f"{field_name}.{name}", "no variable that the platform sets itself")
    for name, value in settings.environment.items():
        if "\0" in value:
            raise invalid(f"environment.{name}", "a value without a NUL")

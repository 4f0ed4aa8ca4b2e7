"""What `lcplatform deploy` reads: one file that says what an application is and what it needs (SC-001).

[platform]                                  # where: as lcplatform.toml says it. --provider, --config and the
provider = "mock"                           # environment win

[application]
name = "shop"
command = ["python", "shop.py"]             # what the image stands for on the mock, run in the folder of this file
image = "registry.example/shop:1"           # elsewhere; on the mock the name of the application will do
environment = {COLOUR = "blue"}
secrets = {SESSION_KEY = "shop-session-key"}
health_check_path = "/health"
min_instances = 2

[bindings.uploads]                          # what the application uses, by its own name for it
service = "object_store"
resource = "shop-uploads"

[bindings.database]
service = "data_store"

[resources]                                 # what is created if it is not there
buckets = ["shop-uploads"]
queues = ["shop-orders"]
migrations = "migrations"                   # 001_orders.up.sql, 001_orders.down.sql, … beside this file

[resources.secrets]
shop-session-key = {}                       # a random value
shop-password = {environment = "PASSWORD"}  # the value of a variable
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

import pydantic
from pydantic import Field, model_validator

from lcplatform.data_store.models import Migration
from lcplatform.web_hosting.models import Access, Binding, DeployApplicationRequest
from lcplatform_runtime.config import PlatformSettings
from lcplatform_runtime.errors import FieldViolation, LCPlatformError, ValidationError
from lcplatform_runtime.model import Model, build

_SCRIPT: Final = re.compile(r"([A-Za-z0-9.-]+)_(\w+?)(?:\.(up|down))?\.sql")


class ApplicationTable(Model):
    """The application: the arguments of `deploy_application`, and what runs on the mock."""

    name: str
    image: str | None = None
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    port: int | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    cpu: float | None = None
    memory: int | None = None
    min_instances: int | None = None
    max_instances: int | None = None
    health_check_path: str | None = None
    identity: str | None = None


class BindingTable(Model):
    """A binding, under the name by which the application finds it."""

    service: str
    resource: str | None = None
    access: Access = Access.READ_WRITE


class SecretTable(Model):
    """Where the value of a secret comes from when it is created: a variable of this environment, or chance."""

    environment: str | None = None


class ResourcesTable(Model):
    """What is created if it is not there."""

    buckets: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    secrets: dict[str, SecretTable] = Field(default_factory=dict)
    migrations: Path | None = None


class Manifest(Model):
    """The whole file."""

    platform: PlatformSettings | None = None
    application: ApplicationTable
    bindings: dict[str, BindingTable] = Field(default_factory=dict)
    resources: ResourcesTable = Field(default_factory=ResourcesTable)

    @model_validator(mode="before")
    @classmethod
    def _settings(cls, value: Any) -> Any:  # whatever the file holds
        """The settings say themselves what is wrong with them, and never quote a value."""
        table = value.get("platform")
        return (
            {**value, "platform": PlatformSettings(**table)} if isinstance(table, dict) else value
        )

    def request(self) -> DeployApplicationRequest:
        """The application as it is asked for."""
        given = self.application.model_dump(exclude_none=True, exclude={"command"})
        given.setdefault("image", self.application.name)
        given["bindings"] = tuple(
            build(Binding, name=name, **dict(one)) for name, one in self.bindings.items()
        )
        return build(DeployApplicationRequest, **given)


def read(path: Path) -> tuple[Manifest, tuple[Migration, ...]]:
    """The file, checked, and its migrations.

    Raises:
        ValidationError: it cannot be read, or is wrong. It names the key.
    """
    try:
        manifest = Manifest(**tomllib.loads(path.read_text(encoding="utf-8")))
        manifest.request()
    except OSError as error:
        problem = _refused(str(path), f"cannot be read: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = _refused(str(path), f"is no TOML: {error}")
    except pydantic.ValidationError as error:
        problem = _named(path, error)
    except LCPlatformError as error:
        problem = ValidationError(f"{path}: {error.message}", violations=error.violations)
    else:
        folder = manifest.resources.migrations
        return manifest, () if folder is None else migrations(path.parent / folder)
    raise problem  # outside of the handler: what pydantic raises holds the values


def migrations(folder: Path) -> tuple[Migration, ...]:
    """The migrations in a folder, in the order of their names: `001_orders.up.sql` or `001_orders.sql`, with
    `001_orders.down.sql` if it can be undone.

    Raises:
        ValidationError: there is no such folder, or a file in it is none of these.
    """
    key = "resources.migrations"
    if not folder.is_dir():
        raise _refused(key, f"{folder} is no folder")
    scripts: dict[tuple[str, str], dict[str, str]] = {}
    for file in sorted(folder.glob("*.sql")):
        found = _SCRIPT.fullmatch(file.name)
        if found is None:
            raise _refused(key, f"{file.name} is not VERSION_NAME.up.sql or VERSION_NAME.down.sql")
        scripts.setdefault((found[1], found[2]), {})[found[3] or "up"] = file.read_text("utf-8")
    for (version, name), both in scripts.items():
        if "up" not in both:
            raise _refused(key, f"{version}_{name} has no .up.sql")
    return tuple(
        build(Migration, version=version, name=name, **both)
        for (version, name), both in scripts.items()
    )


def _named(path: Path, error: pydantic.ValidationError) -> ValidationError:
    """What pydantic found, by the keys of the file, and without any value."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    violations = [
        FieldViolation(".".join(map(str, one["loc"])), _reason(one["type"], one["msg"]))
        for one in found
    ]
    listed = ". ".join(f"{one.field}: {one.description}" for one in violations)
    return ValidationError(f"{path}: {listed}", violations=violations)


def _reason(kind: str, message: str) -> str:
    return {"extra_forbidden": "there is no such key", "missing": "is needed"}.get(kind, message)


def _refused(key: str, reason: str) -> ValidationError:
    return ValidationError(f"{key}: {reason}", violations=[FieldViolation(key, reason)])

"""`lcplatform deploy`: an application with all that it needs, from one file, in one command (SC-001)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from lcplatform import LCPlatform, PlatformSettings
from lcplatform.web_hosting.models import ApplicationStatus, DeploymentStatus
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    FieldViolation,
    PreconditionFailedError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_server.manifest import Manifest, read

if TYPE_CHECKING:
    from lcplatform.data_store.models import Migration
    from lcplatform.web_hosting.models import Application, DeployApplicationRequest

_MOCK: Final = "mock"
_SETTINGS: Final = (
    "image",
    "port",
    "cpu",
    "memory",
    "min_instances",
    "max_instances",
    "health_check_path",
)
_Clearable: TypeAlias = Literal["environment", "secrets", "identity", "bindings"]
_CLEARABLE: Final[tuple[_Clearable, ...]] = (
    "environment",
    "secrets",
    "identity",
    "bindings",
)
_BUSY: Final = frozenset(
    {ApplicationStatus.CREATING, ApplicationStatus.UPDATING, ApplicationStatus.DELETING}
)

Say = Callable[[str], None]
"""Tells the user something."""


def deploy(
    path: Path,
    *,
    provider: str | None,
    config: Path | None,
    options: Mapping[str, str],
    detach: bool,
    say: Say,
    wait: Callable[[], object],
) -> None:
    """Deploys what a file says, and returns when it runs. On the mock, which lives in this process, it runs until `wait`
    returns or raises.

    Raises:
        ValidationError: the file is wrong. Nothing has happened.
        UnsupportedError: the mock cannot be left running.
        LCPlatformError: something could not be created, or the application did not start.
    """
    manifest, migrations = read(path)
    settings = _settings(manifest, provider, config)
    chosen, shared = settings.chosen("web_hosting")
    _check(manifest, chosen, detach=detach)
    given: dict[str, Any] = {**options}
    if chosen == _MOCK and manifest.application.command is not None:
        image = manifest.application.image or manifest.application.name
        command = {"argv": manifest.application.command, "folder": path.resolve().parent}
        given["web_hosting"] = _registered(shared, image, command)
    values = _values(manifest)
    with LCPlatform(provider, settings=settings, **given) as platform:
        _provide(platform, manifest, migrations, values, say)
        _put(platform, manifest.request(), say)
        if chosen == _MOCK:
            say("it runs until this command is stopped")
            wait()


def _settings(manifest: Manifest, provider: str | None, config: Path | None) -> PlatformSettings:
    """Where it is deployed: what the command line says wins, then the environment, then the file."""
    named = {} if provider is None else {"provider": provider}
    if config is not None:
        return PlatformSettings.from_file(config, **named)
    told = manifest.platform
    if told is None or provider is not None or "LCPLATFORM_PROVIDER" in os.environ:
        return PlatformSettings.from_env(**named)
    return told


def _check(manifest: Manifest, provider: str | None, *, detach: bool) -> None:
    application = manifest.application
    if provider != _MOCK:
        if application.image is None:
            raise _refused("application.image", f"is needed where the provider is {provider}")
        return
    if detach:
        raise UnsupportedError(
            "--detach: the mock lives in this process and ends with it; let `lcplatform serve` own a mock, and deploy to it"
            " with the provider grpc"
        )
    if application.command is None:
        raise _refused("application.command", "is needed where the provider is mock")


def _registered(shared: Mapping[str, object], image: str, command: object) -> object:
    """The options of web hosting with one more image."""
    own = shared.get("web_hosting")
    options: dict[str, Any] = {**own} if isinstance(own, Mapping) else {}
    return {**options, "images": {**options.get("images", {}), image: command}}


def _values(manifest: Manifest) -> dict[str, str]:
    """The values of the secrets, should they be created."""
    values: dict[str, str] = {}
    for name, source in manifest.resources.secrets.items():
        variable = source.environment
        if variable is not None and variable not in os.environ:
            raise _refused(f"resources.secrets.{name}", f"the variable {variable} is not set")
        values[name] = secrets.token_urlsafe(32) if variable is None else os.environ[variable]
    return values


def _provide(
    platform: LCPlatform,
    manifest: Manifest,
    migrations: tuple[Migration, ...],
    values: Mapping[str, str],
    say: Say,
) -> None:
    """Creates what is not there."""
    for name in manifest.resources.buckets:
        _once(f"bucket {name}", partial(platform.object_store.create_bucket, name), say)
    for name in manifest.resources.queues:
        _once(f"queue {name}", partial(platform.queue.create_queue, name), say)
    for name, value in values.items():
        _once(f"secret {name}", partial(platform.secrets.create_secret, name, value), say)
    if migrations:
        applied = platform.data_store.migrate(migrations).applied
        say(f"migrations: {len(applied)} of {len(migrations)} applied now")


def _once(what: str, create: Callable[[], object], say: Say) -> None:
    try:
        create()
    except AlreadyExistsError:
        say(f"{what}: there already")
    else:
        say(f"{what}: created")


def _put(platform: LCPlatform, request: DeployApplicationRequest, say: Say) -> None:
    """Deploys the application, or another revision of it, and returns when it runs."""
    hosting = platform.web_hosting
    before = next((one for one in hosting.iter_applications() if one.name == request.name), None)
    if before is None:
        say(f"application {request.name}: deploying")
        made = hosting.deploy_application(**_arguments(request)).application
    else:
        say(f"application {request.name}: updating")
        made = _update(platform, before, request)
    running = hosting.wait_until_running(made.application_id)
    last = hosting.list_deployments(made.application_id, page_size=1).deployments[0]
    if last.status is not DeploymentStatus.SUCCEEDED:
        raise PreconditionFailedError(
            f"revision {last.revision} failed, {running.revision} goes on: {last.status_reason}",
            resource=request.name,
        )
    say(
        f"application {request.name}: running at {hosting.get_application_url(made.application_id)}"
    )


def _update(
    platform: LCPlatform, before: Application, request: DeployApplicationRequest
) -> Application:
    """Changes an application to what is asked for."""
    hosting = platform.web_hosting
    if before.status is ApplicationStatus.STOPPED:
        hosting.resume_application(before.application_id)
    if before.status in _BUSY or before.status is ApplicationStatus.STOPPED:
        hosting.wait_until_running(before.application_id)
    given = _arguments(request)
    if request.max_instances is None:  # as many as a new application would have
        given["max_instances"] = max(request.min_instances, 1)
    changed = {
        name: given[name] for name in (*_SETTINGS, *_CLEARABLE) if given.get(name) is not None
    }
    empty: list[_Clearable] = [name for name in _CLEARABLE if not changed.get(name)]
    for name in empty:
        changed.pop(name, None)
    return hosting.update_application(before.application_id, clear=empty, **changed).application


def _arguments(request: DeployApplicationRequest) -> dict[str, Any]:  # of deploy_application
    return {name: getattr(request, name) for name in type(request).model_fields}


def _refused(key: str, reason: str) -> ValidationError:
    return ValidationError(f"{key} {reason}", violations=[FieldViolation(key, reason)])

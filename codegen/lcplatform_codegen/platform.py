"""What holds the services together: `Drivers`, `Provider`, `LCPlatform`, `AsyncLCPlatform` and the package itself."""

from __future__ import annotations

from lcplatform_codegen.colours import ASYNC, BLOCKING
from lcplatform_codegen.layout import render
from lcplatform_codegen.model import Schema, Service

_STANDARD = """\
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from typing_extensions import override
"""


def render_all(schema: Schema) -> dict[str, str]:
    """The files of `lcplatform` that belong to no service."""
    everyday = {"schema": schema, "services": schema.services, "version": "1.0"}
    typed = "\n".join(_of(service) for service in schema.all_services)
    imports = f"{_STANDARD}\n{typed}"
    files = {
        f"lcplatform/{name}.py": render(f"{name}.py.j2", imports=imports, **everyday)
        for name in (
            "catalogue",
            "provider",
            "describe",
            "errors",
            "mocks",
            "pytest_plugin",
            "unimplemented",
        )
    }
    files["lcplatform/drivers.py"] = render(
        "drivers.py.j2", imports=_STANDARD, typed=typed, **everyday
    )
    for module, colour in (("lc_platform", BLOCKING), ("async_lc_platform", ASYNC)):
        files[f"lcplatform/{module}.py"] = render(
            "lc_platform.py.j2", imports=_STANDARD, colour=colour, **everyday
        )
    files["lcplatform/__init__.py"] = render("lcplatform.py.j2", **everyday)
    files |= {f"{package}/py.typed": "" for package in ("lcplatform",)}
    return files


def _of(service: Service) -> str:
    name, module = service.name, service.module
    return "\n".join(
        [
            f"from {module}.async_client import Async{name}",
            f"from {module}.bridge import Async{name}Bridge, {name}Bridge",
            f"from {module}.calls import Async{name}Calls, {name}Calls",
            f"from {module}.client import {name}",
            f"from {module}.driver import Async{name}Driver, {name}Driver",
        ]
    )

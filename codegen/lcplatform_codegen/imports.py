"""What generated modules may import. Every module gets the whole list; ruff takes away what it does not use."""

from __future__ import annotations

from lcplatform_codegen.colours import EXTENSIONS
from lcplatform_codegen.model import Package, Service

_STANDARD = """\
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, Protocol, overload
from uuid import UUID

from typing_extensions import deprecated, override
"""
_RUNTIME = """\
from lcplatform_runtime.bridge import BackgroundLoop, Lanes
from lcplatform_runtime.errors import ResourceNotFoundError
from lcplatform_runtime.json_value import Json, JsonInput
from lcplatform_runtime.lazy import lazy
from lcplatform_runtime.model import build
from lcplatform_runtime.operation import CacheRule, FieldLimit, FieldNeed, Idempotency, Kind, Operation, ResumeRule
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.paging import afirst, aiterate, first, iterate
from lcplatform_runtime.pointer import NO_DEFAULT, D, T, value_at
from lcplatform_runtime.streams import AsyncByteSource, AsyncByteStream, AsyncData, AsyncDownload, ByteSource, ByteStream, Data, Download
from lcplatform_runtime.support import NOTHING, Limits, Support, unimplemented
from lcplatform_runtime.testing.recorder import Program
from lcplatform_runtime.waiting import present, wait_until, wait_until_async
"""
RUNTIME = {
    "models": [
        "from datetime import date, datetime, time, timedelta",
        "from decimal import Decimal",
        "from uuid import UUID",
        "from enum import StrEnum",
        "from typing import Annotated, ClassVar, Literal, Self, TypeAlias",
        "from pydantic import AwareDatetime, Field, model_validator",
        "from lcplatform_runtime.choices import BY_TYPE, DECIMAL, JSON_OBJECT, KNOWN, not_together, one_of, parts_of",
        "from lcplatform_runtime.json_value import Json",
        "from lcplatform_runtime.model import Model, Request, Response",
    ],
}


def models_of(package: Package) -> str:
    """The import of every model, enum and union that a package has or borrows."""
    named = {package.module: package.public, **package.borrowed}
    lines = (
        f"from {module}.models import {', '.join(names)}"
        for module, names in named.items()
        if names
    )
    return "\n".join(lines)


def borrowed_by(package: Package) -> str:
    """The import of what a package borrows from others."""
    return "\n".join(
        f"from {module}.models import {', '.join(names)}"
        for module, names in package.borrowed.items()
    )


def runtime(service: Service, here: str) -> str:
    """Everything that the module `here` of a service may use."""
    name, module = service.name, service.module
    constants = ", ".join(method.constant for method in service.methods)
    own = [
        f"from {module}.calls import Async{name}Calls, {name}Calls",
        f"from {module}.driver import Async{name}Driver, {name}Driver",
        f"from {module}.operations import {constants}",
        f"from {module}.support import {name}Capability",
    ]
    extension = EXTENSIONS.get(service.accessor)
    if extension is not None:
        own.append(
            f"from lcplatform_runtime.extensions.{service.accessor} import Async{extension}, {extension}"
        )
    models = models_of(service.schema.packages[service.package])
    others = [line for line in own if not line.startswith(f"from {module}.{here} import")]
    return "\n".join([_STANDARD, models, *others, _RUNTIME])

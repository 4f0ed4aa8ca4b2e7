"""What the entry point names: takes the options and hands out a driver for every service."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from typing_extensions import override

from lcplatform import Drivers, Provider, unimplemented
from lcplatform.errors import (
    FieldViolation,
    LCPlatformError,
    PermissionDeniedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform_runtime.operation import Operation

from .object_store import FilesystemObjectStore

_ERRORS: Final[Mapping[int, type[LCPlatformError]]] = {
    errno.EACCES: PermissionDeniedError,
    errno.EPERM: PermissionDeniedError,
    errno.EROFS: PermissionDeniedError,
    errno.EDQUOT: QuotaExceededError,
    errno.ENOSPC: QuotaExceededError,
    errno.ENOENT: ResourceNotFoundError,
}
"""What the errors of the operating system mean. Any other becomes an `InternalError`."""


class FilesystemProvider(Provider):
    """Objects in the directory that the option `root` names. The other services are left out."""

    @property
    @override
    def name(self) -> str:
        return "filesystem"

    @override
    def connect(self, options: Mapping[str, object], /, *, asynchronous: bool) -> Drivers:
        root = _root(**options)
        return Drivers(
            provider=self.name,
            translate=translate,
            object_store=lambda: FilesystemObjectStore(root),
            authentication=unimplemented.authentication,
            batch=unimplemented.batch,
            configuration=unimplemented.configuration,
            data_store=unimplemented.data_store,
            document_store=unimplemented.document_store,
            event_bus=unimplemented.event_bus,
            notification=unimplemented.notification,
            queue=unimplemented.queue,
            secrets=unimplemented.secrets,
            web_hosting=unimplemented.web_hosting,
        )


def translate(error: Exception, operation: Operation, /) -> LCPlatformError | None:
    """The platform's error for one of the operating system. `None`: it is none of those."""
    kind = _ERRORS.get(error.errno or 0) if isinstance(error, OSError) else None
    return None if kind is None else kind(str(error), retryable=False)


def _root(root: object = None, **unknown: object) -> Path:
    for name in unknown:
        raise _refused(name, "there is no such option; known: root")
    if not isinstance(root, str | Path):
        raise _refused("root", "the directory of the objects is needed")
    return Path(root)


def _refused(option: str, reason: str) -> ValidationError:
    return ValidationError(f"{option}: {reason}", violations=[FieldViolation(option, reason)])

"""Names that are imported when they are first used (PEP 562), so that importing a package costs next to nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module


def lazy(package: str, homes: Mapping[str, str], name: str, /) -> object:
    """The value of `name`, from the module that `homes` names for it. From then on it is an ordinary attribute."""
    home = homes.get(name)
    if home is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    setattr(sys.modules[package], name, value)
    return value

"""LCPlatform over gRPC: the provider `grpc`, which calls a server, and the handlers of which a server consists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lcplatform_runtime.lazy import lazy

if TYPE_CHECKING:
    from lcplatform_grpc.provider import provider

__all__ = ["provider"]

_HOMES = {"provider": "lcplatform_grpc.provider"}


def __getattr__(name: str) -> object:
    return lazy(__name__, _HOMES, name)

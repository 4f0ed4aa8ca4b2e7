"""The surface `grpc` of the contract tests: a real server on a real socket, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from lcplatform import LCPlatform, Provider
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings

if TYPE_CHECKING:
    from lcplatform.drivers import Drivers


class GrpcSurface:
    """Brings a provider up behind a server (`lcplatform_contract.harness.Surface`), or drivers that are there already."""

    @contextmanager
    def open(
        self, provider: str | Provider, options: Mapping[str, object], /
    ) -> Iterator[Mapping[str, object]]:
        """The arguments of the platform that calls the server. Control is offered where the provider has it."""
        settings = ServerSettings(listen="127.0.0.1:0", control=True, grace=0)
        given: dict[str, Any] = {**options}  # whatever the provider takes
        with LCPlatform(provider, **given) as platform, Server(platform, settings) as server:
            yield {"provider": "grpc", "endpoint": server.endpoint}

    @contextmanager
    def loopback(self, drivers: Drivers, token: str, /) -> Iterator[Mapping[str, object]]:
        """The arguments of a platform that calls a server over these drivers, but for the token, which every call must show."""
        settings = ServerSettings(listen="127.0.0.1:0", grace=0, token=SecretStr(token))
        with LCPlatform.from_drivers(drivers) as platform, Server(platform, settings) as server:
            yield {"provider": "grpc", "endpoint": server.endpoint}


surface: Final = GrpcSurface()
"""The entry point."""

"""Programmable drivers behind a real server on a real socket, called in both colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from lcplatform.mocks import Mocks
from lcplatform_contract.colours import COLOURS, opened
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings

if TYPE_CHECKING:
    from lcplatform import LCPlatform


@pytest.fixture
def mocks() -> Mocks:
    return Mocks()


@pytest.fixture
def server(mocks: Mocks) -> Iterator[Server]:
    settings = ServerSettings(listen="127.0.0.1:0", grace=0)
    with mocks.platform() as platform, Server(platform, settings) as started:
        yield started


@pytest.fixture(params=COLOURS)
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[LCPlatform]:
    """A platform over gRPC; the async one looks like a blocking one."""
    with opened(request.param, {"provider": "grpc", "endpoint": server.endpoint}) as platform:
        yield platform

"""Snapshots of a mock's state as objects, for tests (FR-061)."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self


class Taken(Protocol):
    """What taking a snapshot answers."""

    @property
    def snapshot_id(self) -> str:
        """The name of the state."""
        ...


class SnapshotsClient(Protocol):
    """What snapshots need of a blocking client."""

    def take_snapshot(self) -> Taken: ...

    def restore_snapshot(self, snapshot_id: str, /) -> object: ...


class AsyncSnapshotsClient(Protocol):
    """What snapshots need of an async client."""

    async def take_snapshot(self) -> Taken: ...

    async def restore_snapshot(self, snapshot_id: str, /) -> object: ...


class Snapshot:
    """The state of all services at one moment. As a context manager it brings that state back at the end."""

    def __init__(self, client: SnapshotsClient, snapshot_id: str) -> None:
        self._client = client
        self.snapshot_id = snapshot_id
        """The name of the state, for `restore_snapshot`."""

    def restore(self) -> None:
        """Goes back to the state, as often as you like. The clock stays where it is."""
        self._client.restore_snapshot(self.snapshot_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        self.restore()


class AsyncSnapshot:
    """The same for async applications."""

    def __init__(self, client: AsyncSnapshotsClient, snapshot_id: str) -> None:
        self._client = client
        self.snapshot_id = snapshot_id
        """The name of the state, for `restore_snapshot`."""

    async def restore(self) -> None:
        """Goes back to the state, as often as you like. The clock stays where it is."""
        await self._client.restore_snapshot(self.snapshot_id)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        await self.restore()


class Snapshots:
    """Snapshots on top of a blocking client."""

    def snapshot(self: SnapshotsClient) -> Snapshot:
        """The state of all services as it is now. Use it in a `with` statement, or call its `restore`."""
        return Snapshot(self, self.take_snapshot().snapshot_id)


class AsyncSnapshots:
    """Snapshots on top of an async client."""

    async def snapshot(self: AsyncSnapshotsClient) -> AsyncSnapshot:
        """The state of all services as it is now: `async with await control.snapshot():`, or call its `restore`."""
        return AsyncSnapshot(self, (await self.take_snapshot()).snapshot_id)

"""Buckets and the objects in them, with their versions, as they are kept in memory."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Self

from lcplatform.object_store.models import (
    Bucket as BucketInfo,
)
from lcplatform.object_store.models import (
    ByteRange,
    GetObjectHeader,
    HeadObjectResponse,
    LifecycleRule,
    ObjectInfo,
    ObjectVersion,
)
from lcplatform_mock.bodies import BodyFile
from lcplatform_mock.listing import SortedKeys
from lcplatform_mock.ready import FrozenDict
from lcplatform_mock.refusals import missing
from lcplatform_runtime.errors import invalid
from lcplatform_runtime.streams import CHUNK
from lcplatform_runtime.trusted import trusted

UNVERSIONED: Final = "null"
"""The version of every object in a bucket that keeps none: it can be named, and is not shown."""

_header = trusted(GetObjectHeader)
_head = trusted(HeadObjectResponse)


@dataclass(slots=True, eq=False, kw_only=True)
class Stored:
    """An object as it was stored, or the mark that it was deleted. What has changed is another one.

    All chunks but the last have the usual size, and none is ever copied. They are in memory, or in a file.
    """

    key: str
    etag: str
    version: str | None
    modified_at: datetime
    chunks: Sequence[bytes] | BodyFile = field(default=(), repr=False)
    size: int = 0
    content_type: str = ""
    cache_control: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    metadata: FrozenDict
    tags: FrozenDict
    deleted: bool = False
    _header: GetObjectHeader | None = field(default=None, repr=False, init=False)
    _head: HeadObjectResponse | None = field(default=None, repr=False, init=False)
    _info: ObjectInfo | None = field(default=None, repr=False, init=False)

    def opened(self) -> Sequence[bytes]:
        """The chunks, for a reader who may take its time."""
        return self.chunks.opened() if isinstance(self.chunks, BodyFile) else self.chunks

    def header(self, offset: int, length: int, *, not_modified: bool = False) -> GetObjectHeader:
        """What a reader of this stretch is told."""
        return _header(
            size=self.size,
            etag=self.etag,
            version=self.version,
            modified_at=self.modified_at,
            content_type=self.content_type,
            cache_control=self.cache_control,
            content_disposition=self.content_disposition,
            content_encoding=self.content_encoding,
            metadata=self.metadata,
            range_offset=offset,
            range_length=length,
            not_modified=not_modified,
        )

    @property
    def whole(self) -> GetObjectHeader:
        """What a reader of the whole object is told. Made once."""
        if self._header is None:
            self._header = self.header(0, self.size)
        return self._header

    @property
    def head(self) -> HeadObjectResponse:
        """What is known of it. Made once."""
        if self._head is None:
            self._head = _head(
                size=self.size,
                etag=self.etag,
                version=self.version,
                modified_at=self.modified_at,
                content_type=self.content_type,
                cache_control=self.cache_control,
                content_disposition=self.content_disposition,
                content_encoding=self.content_encoding,
                metadata=self.metadata,
            )
        return self._head

    @property
    def info(self) -> ObjectInfo:
        """How it is listed. Made once."""
        if self._info is None:
            self._info = ObjectInfo(
                key=self.key,
                size=self.size,
                etag=self.etag,
                modified_at=self.modified_at,
                version=self.version,
            )
        return self._info

    def as_version(self, *, latest: bool) -> ObjectVersion:
        """How it is listed among the versions."""
        return ObjectVersion(
            key=self.key,
            version=self.version or UNVERSIONED,
            latest=latest,
            deleted=self.deleted,
            size=self.size,
            etag="" if self.deleted else self.etag,
            modified_at=self.modified_at,
        )

    def tagged(self, tags: FrozenDict) -> Stored:
        """The same version with other tags."""
        return replace(self, tags=tags)

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self


def check_range(wanted: ByteRange) -> None:
    """Refuses what asks for no stretch of any object."""
    if wanted.offset is None and wanted.last is None:
        raise invalid("range", "offset, perhaps with length, or last")


def span(wanted: ByteRange, size: int) -> tuple[int, int]:
    """Offset and length of the stretch that is asked for, in a body of `size` bytes."""
    offset = max(0, size - (wanted.last or 0)) if wanted.offset is None else wanted.offset
    if offset >= size:
        raise invalid("range", f"a start within the {size} bytes of the object")
    return offset, min(size - offset, wanted.length or size)


def cut(chunks: Sequence[bytes], offset: int, length: int) -> Iterator[bytes]:
    """The bytes of a stretch. Only the first and the last chunk of it are copied, and only if they do not fit."""
    index, start = divmod(offset, CHUNK)
    while length > 0:
        piece = chunks[index][start : start + length]
        yield piece
        length -= len(piece)
        index, start = index + 1, 0


class Keeper:
    """Keeps the objects of one bucket across restarts. This one keeps nothing."""

    def keep(self, stored: Stored) -> None:
        """The object is new, has other tags, or has taken the place of one without a version."""

    def forget(self, stored: Stored) -> None:
        """The object is gone for good."""

    def drop_body(self, stored: Stored) -> None:
        """Another object has taken its place."""


class Bucket:
    """Objects by key. Whoever changes it holds the store's lock; reading one object needs none."""

    def __init__(
        self, info: BucketInfo, *, versioning: bool, rules: Sequence[LifecycleRule]
    ) -> None:
        self.info = info
        self.versioning = versioning
        self.rules = tuple(rules)
        self.current: dict[str, Stored] = {}
        """What a reader finds."""
        self.keys = SortedKeys()
        """The keys of `current`."""
        self._history: dict[str, list[Stored]] = {}
        """Where versions are kept: all of a key, the marks of deletions among them, the newest last."""
        self._expiries: list[tuple[datetime, str, str]] = []
        self.keeper = Keeper()

    @property
    def empty(self) -> bool:
        """Whether nothing is left in it, no version either."""
        return not self.current and not self._history

    def find(self, key: str, version: str | None = None) -> Stored | None:
        """The object as readers see it, or one version of it."""
        if version is None or not self.versioning:
            return self.current.get(key) if version in (None, UNVERSIONED) else None
        return next((it for it in self._history.get(key, ()) if it.version == version), None)

    def put(self, stored: Stored) -> None:
        """Makes this the newest version, or the only one where none are kept."""
        before = self.current.get(stored.key)
        self.keeper.keep(stored)
        if self.versioning:
            self._history.setdefault(stored.key, []).append(stored)
        elif before is not None:
            self.keeper.drop_body(before)
        self._show(stored.key, stored)
        self._age(stored, stored.modified_at)

    def delete(self, key: str, mark: Callable[[], Stored]) -> Stored | None:
        """Takes the object from readers. Where versions are kept, `mark` makes the one that says so, even of a key that
        never was."""
        if not self.versioning:
            self._remove(key)
            return None
        marker = mark()
        self.put(marker)
        return marker

    def delete_version(self, key: str, version: str, now: datetime) -> None:
        """Deletes one version for good. The one before it comes to light if it was the newest: whatever its age, it can
        expire then."""
        if not self.versioning:
            if version == UNVERSIONED:
                self._remove(key)
            return
        before, left = self._history.get(key, []), []
        for it in before:
            if it.version == version:
                self.keeper.forget(it)
            else:
                left.append(it)
        if left:
            self._history[key] = left
            if left[-1] is not before[-1]:
                self._age(left[-1], now)
        else:
            self._history.pop(key, None)
        self._show(key, left[-1] if left else None)

    def retag(self, stored: Stored, tags: FrozenDict) -> None:
        """Gives an object other tags. It stays the same version."""
        changed = stored.tagged(tags)
        self.current[stored.key] = changed
        if self.versioning:
            self._history[stored.key][-1] = changed
        self.keeper.keep(changed)

    def stored(self) -> Iterator[Stored]:
        """Every object and every version, of each key the oldest first."""
        if not self.versioning:
            yield from self.current.values()
        for versions in self._history.values():
            yield from versions

    def versions(self) -> list[ObjectVersion]:
        """All versions in the order of a listing: by key, and of each key the newest first."""
        if not self.versioning:
            ordered = self.keys.ordered()
            return [self.current[key].as_version(latest=True) for key in ordered]
        return [
            stored.as_version(latest=age == 0)
            for key in sorted(self._history)
            for age, stored in enumerate(reversed(self._history[key]))
        ]

    def due(self, now: datetime) -> bool:
        """Whether an object has reached the age at which it expires."""
        return bool(self._expiries) and self._expiries[0][0] <= now

    def expire(self, now: datetime, mark: Callable[[str, datetime], Stored]) -> None:
        """Deletes what has reached its age, as of the moment when it did."""
        while self.due(now):
            due, key, etag = heapq.heappop(self._expiries)
            stored = self.current.get(key)
            if stored is not None and stored.etag == etag:
                self.delete(key, lambda: mark(key, due))  # noqa: B023  called at once

    def _age(self, stored: Stored, now: datetime) -> None:
        """Has what readers see from now on expire when it reaches its age, or at once if it is older."""
        ages = [it.expire_after for it in self.rules if stored.key.startswith(it.prefix)]
        if ages and not stored.deleted:
            due = max(stored.modified_at + min(ages), now)
            heapq.heappush(self._expiries, (due, stored.key, stored.etag))

    def _remove(self, key: str) -> None:
        """Deletes an object of which no versions are kept."""
        stored = self.current.get(key)
        if stored is not None:
            self.keeper.forget(stored)
            self._show(key, None)

    def _show(self, key: str, newest: Stored | None) -> None:
        """Lets readers see the newest version, which may be the mark of a deletion, or none."""
        there = key in self.current
        if newest is None or newest.deleted:
            if there:
                del self.current[key]
                self.keys.discard(key)
            return
        self.current[key] = newest
        if not there:
            self.keys.add(key)


def required(bucket: Bucket, key: str, version: str | None = None) -> Stored:
    """The object that a reader asks for, which a deleted one is not."""
    stored = bucket.find(key, version)
    if stored is None or stored.deleted:
        what = "object" if version is None else f"version {version!r} of object"
        raise missing(f"in bucket {bucket.info.name!r}, {what}", key)
    return stored


def place(version: ObjectVersion) -> tuple[str, str]:
    """Where a version stands in a listing of versions, whichever others there are."""
    return _place(version.key, version.version)


def place_of(token: str) -> tuple[str, str]:
    """Where the version stands that a page token names, even if it has gone meanwhile."""
    key, _, version = token.rpartition("\n")
    return _place(key, version)


_REVERSED: Final = str.maketrans("0123456789abcdef", "fedcba9876543210")


def _place(key: str, version: str) -> tuple[str, str]:
    # The names of versions grow.
    return key, version.translate(_REVERSED)

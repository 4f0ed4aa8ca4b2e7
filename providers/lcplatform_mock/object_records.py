"""Buckets and objects as they are written to the journal, and how they are taken up again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from typing_extensions import override

from lcplatform.object_store.models import Bucket as BucketInfo
from lcplatform.object_store.models import LifecycleRule
from lcplatform_mock.bodies import BodyFile, BodyFiles
from lcplatform_mock.listener import Listening
from lcplatform_mock.objects import Bucket, Keeper, Stored
from lcplatform_mock.ready import frozen

if TYPE_CHECKING:
    from lcplatform_mock.journal import Journal


@dataclass(slots=True, kw_only=True)
class BucketRecord:
    """A bucket without its objects."""

    created_at: datetime
    versioning: bool
    rules: list[LifecycleRule]


@dataclass(slots=True, kw_only=True)
class ObjectRecord:
    """An object, or one version of it. Its body is the file with the name of its etag."""

    bucket: str
    key: str
    etag: str
    version: str | None
    modified_at: datetime
    size: int
    content_type: str
    cache_control: str | None
    content_disposition: str | None
    content_encoding: str | None
    metadata: dict[str, str]
    tags: dict[str, str]
    deleted: bool

    @classmethod
    def of(cls, bucket: str, stored: Stored) -> Self:
        """The record of an object."""
        names = cls.__dataclass_fields__.keys() - {"bucket", "metadata", "tags"}
        return cls(
            bucket=bucket,
            metadata=dict(stored.metadata),
            tags=dict(stored.tags),
            **{name: getattr(stored, name) for name in names},
        )

    def stored(self, chunks: Sequence[bytes] | BodyFile) -> Stored:
        """The object of a record."""
        names = self.__dataclass_fields__.keys() - {"bucket", "metadata", "tags"}
        return Stored(
            chunks=chunks,
            metadata=frozen(self.metadata),
            tags=frozen(self.tags),
            **{name: getattr(self, name) for name in names},
        )


class ObjectTables:
    """The tables of all buckets, and the files beside them."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.bodies = BodyFiles(journal.folder / "objects")
        self.buckets = journal.table("object_store.bucket", BucketRecord)
        self.objects = journal.table("object_store.object", ObjectRecord)
        self._listening = journal.table("object_store.listener", Listening, sealed=True)
        self.files_stay = False
        """A snapshot names files that no object names any more."""

    @property
    def listening(self) -> Listening | None:
        """The listener for presigned URLs that was open before, if one was."""
        return dict(self._listening.load()).get("")

    def listens(self, listening: Listening) -> None:
        """A listener is open."""
        self._listening.put("", listening)

    def load(self) -> dict[str, Bucket]:
        """The buckets that were kept, with their objects."""
        buckets: dict[str, Bucket] = {}
        for name, record in self.buckets.load():
            info = BucketInfo(name=name, created_at=record.created_at)
            buckets[name] = Bucket(info, versioning=record.versioning, rules=record.rules)
        files: set[str] = set()
        for _, it in self.objects.load():
            body: Sequence[bytes] | BodyFile = ()
            if it.size:
                body = self.bodies.find(it.etag, it.size)
                files.add(it.etag)
            buckets[it.bucket].put(it.stored(body))
        self.bodies.keep_only(files)
        for name, bucket in buckets.items():
            bucket.keeper = ObjectKeeper(self, name)
        return buckets

    def keep_all(self, buckets: Iterable[Bucket]) -> None:
        """Keeps these buckets and no others."""
        self.buckets.clear()
        self.objects.clear()
        for bucket in buckets:
            self.keep_bucket(bucket)
            for stored in bucket.stored():
                bucket.keeper.keep(stored)

    def keep_bucket(self, bucket: Bucket) -> None:
        """Keeps a new bucket, and from now on its objects."""
        name = bucket.info.name
        bucket.keeper = ObjectKeeper(self, name)
        record = BucketRecord(
            created_at=bucket.info.created_at,
            versioning=bucket.versioning,
            rules=list(bucket.rules),
        )
        self.buckets.put(name, record)


class ObjectKeeper(Keeper):
    """Keeps the objects of one bucket. It belongs to the bucket's place, not to its state."""

    def __init__(self, tables: ObjectTables, bucket: str) -> None:
        self._tables = tables
        self._bucket = bucket

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    @override
    def keep(self, stored: Stored) -> None:
        self._tables.objects.put(self._place(stored), ObjectRecord.of(self._bucket, stored))

    @override
    def forget(self, stored: Stored) -> None:
        self._tables.objects.remove(self._place(stored))
        self.drop_body(stored)

    @override
    def drop_body(self, stored: Stored) -> None:
        tables = self._tables
        if not tables.files_stay:
            tables.journal.afterwards(lambda: tables.bodies.delete(stored.etag))

    def _place(self, stored: Stored) -> str:
        return f"{self._bucket}\n{stored.version or ''}\n{stored.key}"

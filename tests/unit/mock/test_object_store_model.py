"""Buckets against a model: every version of every key, what readers see of them, and what time takes away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from typing_extensions import override

from lcplatform.drivers import Drivers
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    PreconditionFailedError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.object_store.models import (
    ByteRange,
    CopyObjectRequest,
    CreateBucketRequest,
    DeleteBucketRequest,
    DeleteObjectRequest,
    DeleteObjectsEntry,
    DeleteObjectsRequest,
    GetObjectRequest,
    GetObjectTagsRequest,
    HeadObjectRequest,
    LifecycleRule,
    ListObjectsRequest,
    ListObjectVersionsRequest,
    PutObjectHeader,
    PutObjectTagsRequest,
)
from lcplatform_mock.object_store import MockObjectStore
from lcplatform_runtime.streams import CHUNK, ByteSource
from tests.unit.mock.lives import Lives, attempt, bounded

NAMES = ("a", "b/1", "b/2", "b/c/3", "é")
KEYS = st.sampled_from(NAMES)
SIZES = st.sampled_from([0, 1, 5, 5, 5, CHUNK, CHUNK + 1])
# Absent most of the time, so that most calls go through.
CONDITIONS = st.sampled_from(["", "", "", "match", "stale", "absent"])
LABELS = st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["1", "two"]), max_size=2)
AGE = timedelta(days=2)
AGEING = "b/"


@dataclass
class Kept:
    """A version; without a body it marks a deletion. The name of a mark that time makes is not known before it is listed."""

    version: str | None
    etag: str
    body: bytes | None
    stored: float = 0.0
    metadata: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Objects:
    """What the model knows: of each key the versions, the newest last."""

    versioning: bool
    history: dict[str, list[Kept]] = field(default_factory=dict)

    def seen(self, key: str) -> Kept | None:
        history = self.history.get(key)
        return history[-1] if history and history[-1].body is not None else None

    def visible(self) -> list[str]:
        return sorted(key for key in self.history if self.seen(key))

    def add(self, key: str, kept: Kept) -> None:
        if self.versioning:
            self.history.setdefault(key, []).append(kept)
        elif kept.body is None:
            self.history.pop(key, None)
        else:
            self.history[key] = [kept]

    def drop(self, key: str, version: str | None) -> None:
        left = [it for it in self.history.get(key, []) if it.version != version]
        if left:
            self.history[key] = left
        else:
            self.history.pop(key, None)

    def settle(self, now: float) -> None:
        for key in self.visible():
            kept = self.seen(key)
            if key.startswith(AGEING) and kept and kept.stored + AGE.total_seconds() <= now:
                self.add(key, Kept(None, "", None))


class Versions(Lives[Objects]):
    """A bucket that keeps versions."""

    versioning = True

    def __init__(self) -> None:
        super().__init__(Objects(self.versioning))
        self.bodies = 0
        rules = (LifecycleRule(prefix=AGEING, expire_after=AGE),)
        self.store.create_bucket(
            CreateBucketRequest(name="bucket", versioning=self.versioning, lifecycle=rules)
        )

    @override
    def taken(self, drivers: Drivers) -> MockObjectStore:
        driver = drivers.object_store()
        assert isinstance(driver, MockObjectStore)
        self.store = driver
        return driver

    @override
    def settle(self) -> None:
        self.model.settle(self.now)

    def condition(self, key: str, kind: str) -> tuple[str | None, bool, type | None]:
        """The fields of a condition, and the error that it leads to."""
        there = self.model.seen(key)
        if kind == "absent":
            return None, True, None if there is None else AlreadyExistsError
        if not kind:
            return None, False, None
        etag = there.etag if there is not None and kind == "match" else "stale"
        if there is None:
            return etag, False, ResourceNotFoundError
        return etag, False, None if etag == there.etag else ConflictError

    def chosen(self, key: str, data: st.DataObject) -> Kept | None:
        """The version that somebody asks for, perhaps by its name."""
        named = [it for it in self.model.history.get(key, []) if it.version]
        return data.draw(st.none() | st.sampled_from(named)) if named else None

    # --- changing

    @rule(key=KEYS, kind=CONDITIONS, size=SIZES, metadata=LABELS, tags=LABELS)
    def put(
        self, key: str, kind: str, size: int, metadata: dict[str, str], tags: dict[str, str]
    ) -> None:
        if_match, if_absent, expected = self.condition(key, kind)
        self.bodies += 1
        body = (f"{self.bodies} " * (size // 2 + 1)).encode()[:size]
        header = PutObjectHeader(
            bucket="bucket",
            key=key,
            if_match=if_match,
            if_absent=if_absent,
            metadata=metadata,
            tags=tags,
        )
        stored, refused = attempt(lambda: self.store.put_object(header, ByteSource.of(body)))
        assert refused is expected
        if stored is not None:
            kept = Kept(stored.version, stored.etag, body, self.now, metadata, tags)
            self.model.add(key, kept)

    @rule(key=KEYS, size=st.integers(0, 9))
    def put_what_breaks_off(self, key: str, size: int) -> None:
        header = PutObjectHeader(bucket="bucket", key=key, size=size + 1)
        source = ByteSource.of(b"x" * size)
        assert attempt(lambda: self.store.put_object(header, source)) == (None, ValidationError)

    @rule(key=KEYS, source=KEYS, kind=CONDITIONS, fresh=st.booleans(), data=st.data())
    def copy(self, key: str, source: str, kind: str, fresh: bool, data: st.DataObject) -> None:
        chosen = self.chosen(source, data)
        kept = chosen or self.model.seen(source)
        if_match, if_absent, expected = self.condition(key, kind)
        if kept is None or kept.body is None:
            expected = ResourceNotFoundError
        elif not fresh:
            expected = ConflictError
        elif kept is self.model.seen(key):
            expected = ValidationError
        request = CopyObjectRequest(
            bucket="bucket",
            key=key,
            source_key=source,
            source_version=chosen.version if chosen is not None else None,
            source_if_match=None if fresh else "stale",
            if_match=if_match,
            if_absent=if_absent,
        )
        copied, refused = attempt(lambda: self.store.copy_object(request))
        assert refused is expected
        if copied is not None:
            assert kept is not None
            made = Kept(copied.version, copied.etag, kept.body, self.now, kept.metadata, kept.tags)
            self.model.add(key, made)

    @rule(key=KEYS, kind=CONDITIONS)
    def delete(self, key: str, kind: str) -> None:
        if_match, _, expected = self.condition(key, "" if kind == "absent" else kind)
        request = DeleteObjectRequest(bucket="bucket", key=key, if_match=if_match)
        gone, refused = attempt(lambda: self.store.delete_object(request))
        assert refused is expected
        if gone is not None:
            assert (gone.version is not None) is self.versioning
            self.model.add(key, Kept(gone.version, "", None))

    @rule(keys=st.lists(KEYS, min_size=1, max_size=4, unique=True), data=st.data())
    def delete_several(self, keys: list[str], data: st.DataObject) -> None:
        chosen = [self.chosen(key, data) if self.versioning else None for key in keys]
        entries = tuple(
            DeleteObjectsEntry(key=key, version=None if it is None else it.version)
            for key, it in zip(keys, chosen, strict=True)
        )
        answer = self.store.delete_objects(DeleteObjectsRequest(bucket="bucket", entries=entries))
        assert [it.key for it in answer.successful] == keys
        for entry in entries:
            if entry.version is None:
                self.model.add(entry.key, Kept(None, "", None))
            else:
                self.model.drop(entry.key, entry.version)

    @precondition(lambda self: self.versioning and self.model.history)
    @rule(data=st.data())
    def delete_version(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.history)))
        version = data.draw(st.sampled_from([it.version for it in self.model.history[key]]))
        self.store.delete_object(DeleteObjectRequest(bucket="bucket", key=key, version=version))
        self.model.drop(key, version)

    @rule(key=KEYS, tags=LABELS)
    def tag(self, key: str, tags: dict[str, str]) -> None:
        request = PutObjectTagsRequest(bucket="bucket", key=key, tags=tags)
        kept = self.model.seen(key)
        _, refused = attempt(lambda: self.store.put_object_tags(request))
        assert refused is (ResourceNotFoundError if kept is None else None)
        if kept is not None:
            kept.tags = tags

    @rule(hours=st.integers(1, 15))
    def wait(self, hours: int) -> None:
        self.pass_time(timedelta(hours=hours))

    # --- reading

    @rule(key=KEYS, offset=st.integers(0, 8), length=st.none() | st.integers(1, 8), data=st.data())
    def read_a_stretch(
        self, key: str, offset: int, length: int | None, data: st.DataObject
    ) -> None:
        kept = self.chosen(key, data) or self.model.seen(key)
        last = data.draw(st.booleans()) and length is not None
        stretch = ByteRange(last=length) if last else ByteRange(offset=offset, length=length)
        request = GetObjectRequest(
            bucket="bucket",
            key=key,
            version=None if kept is None else kept.version,
            range=stretch,
        )
        stream, refused = attempt(lambda: self.store.get_object(request))
        if kept is None or kept.body is None:
            assert refused is ResourceNotFoundError
            return
        start = max(0, len(kept.body) - (length or 0)) if last else offset
        if start >= len(kept.body):
            assert refused is ValidationError
            return
        end = len(kept.body) if last or length is None else start + length
        assert stream is not None
        assert b"".join(stream) == kept.body[start:end]
        assert stream.header.range_offset == start
        assert stream.header.size == len(kept.body)

    @rule(key=KEYS, kind=st.sampled_from(["match", "stale", "known", "new"]))
    def read_on_a_condition(self, key: str, kind: str) -> None:
        kept = self.model.seen(key)
        etag = kept.etag if kept is not None and kind in {"match", "known"} else "other"
        same = kind in {"match", "stale"}
        request = GetObjectRequest(
            bucket="bucket",
            key=key,
            if_match=etag if same else None,
            if_none_match=None if same else etag,
        )
        stream, refused = attempt(lambda: self.store.get_object(request))
        if kept is None:
            assert refused is ResourceNotFoundError
        elif kind == "stale":
            assert refused is ConflictError
        else:
            assert stream is not None
            assert stream.header.not_modified is (kind == "known")
            assert b"".join(stream) == (b"" if kind == "known" else kept.body)

    @rule(
        prefix=st.sampled_from(["", "", "b", "b/", "z"]),
        delimiter=st.sampled_from(["", "/", "/"]),
        start_after=st.sampled_from(["", "", "b/1"]),
        size=st.sampled_from([1, 2, 5]),
    )
    def list_in_pages(self, prefix: str, delimiter: str, start_after: str, size: int) -> None:
        expected: list[str] = []
        for key in self.model.visible():
            if key.startswith(prefix) and key > start_after:
                head, cut, _ = key[len(prefix) :].partition(delimiter or "\n")
                entry = prefix + head + cut
                if entry not in expected:
                    expected.append(entry)
        found: list[str] = []
        for keys, prefixes in self.pages(prefix, delimiter, start_after, size):
            assert len(keys) + len(prefixes) <= size
            assert not delimiter or all(it.endswith(delimiter) for it in prefixes)
            found += sorted([*keys, *prefixes])
        assert found == expected

    def pages(
        self, prefix: str, delimiter: str, start_after: str, size: int
    ) -> Iterator[tuple[list[str], tuple[str, ...]]]:
        token = ""
        while True:
            page = self.store.list_objects(
                ListObjectsRequest(
                    bucket="bucket",
                    prefix=prefix,
                    delimiter=delimiter,
                    start_after=start_after,
                    page_size=size,
                    page_token=token,
                )
            )
            yield [it.key for it in page.objects], page.common_prefixes
            token = page.next_page_token
            if not token:
                return

    # --- always

    @invariant()
    def readers_see_the_newest(self) -> None:
        for key in NAMES:
            kept = self.model.seen(key)
            head, _ = attempt(
                lambda key=key: self.store.head_object(HeadObjectRequest(bucket="bucket", key=key))  # type: ignore[misc]
            )
            assert (head is None) is (kept is None)
            if head is not None and kept is not None:
                assert (head.etag, head.version) == (kept.etag, kept.version)
                assert dict(head.metadata) == kept.metadata
                tagged = GetObjectTagsRequest(bucket="bucket", key=key)
                assert dict(self.store.get_object_tags(tagged).tags) == kept.tags
                whole = self.store.get_object(GetObjectRequest(bucket="bucket", key=key))
                assert b"".join(whole) == kept.body

    @invariant()
    def a_bucket_that_holds_anything_stays(self) -> None:
        if self.model.history:
            request = DeleteBucketRequest(name="bucket")
            assert attempt(lambda: self.store.delete_bucket(request))[1] is PreconditionFailedError

    @invariant()
    def every_version_is_listed(self) -> None:
        found: list[tuple[str, str, bool, bool, int]] = []
        token = ""
        while True:
            page = self.store.list_object_versions(
                ListObjectVersionsRequest(bucket="bucket", page_size=3, page_token=token)
            )
            found += [(it.key, it.version, it.latest, it.deleted, it.size) for it in page.versions]
            token = page.next_page_token
            if not token:
                break
        expected = [
            (key, kept, index == 0)
            for key in sorted(self.model.history)
            for index, kept in enumerate(reversed(self.model.history[key]))
        ]
        assert len(found) == len(expected)
        for (key, version, latest, deleted, size), (name, kept, newest) in zip(
            found, expected, strict=True
        ):
            if kept.body is None and kept.version is None:
                kept.version = version  # time has made it, or a call that names none
            assert (key, version, latest, deleted, size) == (
                name,
                kept.version or "null",
                newest,
                kept.body is None,
                len(kept.body or b""),
            )


class Unversioned(Versions):
    """A bucket that keeps none."""

    versioning = False


TestVersions = Versions.TestCase
TestVersions.settings = bounded(12)
TestUnversioned = Unversioned.TestCase
TestUnversioned.settings = bounded(12)

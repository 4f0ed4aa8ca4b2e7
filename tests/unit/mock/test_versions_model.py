"""Buckets with versions against a model: every version of every key, and what readers see of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.object_store.models import (
    CopyObjectRequest,
    CreateBucketRequest,
    DeleteObjectRequest,
    GetObjectRequest,
    ListObjectsRequest,
    ListObjectVersionsRequest,
    PutObjectHeader,
)
from lcplatform_mock.object_store import MockObjectStore
from lcplatform_mock.provider import provider
from lcplatform_runtime.streams import ByteSource

T = TypeVar("T")

KEYS = st.sampled_from(["a", "b/1", "b/2", "é"])


@dataclass
class Kept:
    """A version; without a body it marks a deletion."""

    version: str | None
    etag: str
    body: bytes | None


def attempt(call: Callable[[], T]) -> tuple[T, None] | tuple[None, type]:
    """What came of a call that a condition may refuse."""
    try:
        return call(), None
    except (AlreadyExistsError, ConflictError, ResourceNotFoundError) as error:
        return None, type(error)


class Versions(RuleBasedStateMachine):
    versioning = True

    def __init__(self) -> None:
        super().__init__()
        driver = provider.connect({}, asynchronous=False).object_store()
        assert isinstance(driver, MockObjectStore)
        self.store = driver
        self.model: dict[str, list[Kept]] = {}
        self.etags: list[str] = ["never"]
        self.bodies = 0
        driver.create_bucket(CreateBucketRequest(name="bucket", versioning=self.versioning))

    def seen(self, key: str) -> Kept | None:
        history = self.model.get(key)
        return history[-1] if history and history[-1].body is not None else None

    def add(self, key: str, kept: Kept) -> None:
        if self.versioning:
            self.model.setdefault(key, []).append(kept)
        elif kept.body is None:
            self.model.pop(key, None)
        else:
            self.model[key] = [kept]

    def expected(self, key: str, if_match: str | None, if_absent: bool) -> type | None:
        there = self.seen(key)
        if if_match is not None and there is None:
            return ResourceNotFoundError
        if if_match is not None and there is not None and there.etag != if_match:
            return ConflictError
        return AlreadyExistsError if if_absent and there is not None else None

    @rule(key=KEYS, data=st.data())
    def put(self, key: str, data: st.DataObject) -> None:
        if_match = data.draw(st.none() | st.sampled_from(self.etags))
        if_absent = if_match is None and data.draw(st.booleans())
        self.bodies += 1
        body = f"{self.bodies}".encode()
        header = PutObjectHeader(bucket="bucket", key=key, if_match=if_match, if_absent=if_absent)
        expected = self.expected(key, if_match, if_absent)
        stored, refused = attempt(lambda: self.store.put_object(header, ByteSource.of(body)))
        assert refused is expected
        if stored is not None:
            self.etags.append(stored.etag)
            self.add(key, Kept(stored.version, stored.etag, body))

    @rule(key=KEYS, source=KEYS, data=st.data())
    def copy(self, key: str, source: str, data: st.DataObject) -> None:
        kept = self.seen(source)
        version = None
        if self.versioning and self.model.get(source):
            chosen = data.draw(st.none() | st.sampled_from(self.model[source]))
            kept, version = (kept, None) if chosen is None else (chosen, chosen.version)
        request = CopyObjectRequest(
            bucket="bucket", key=key, source_key=source, source_version=version
        )
        try:
            copied = self.store.copy_object(request)
        except (ResourceNotFoundError, ValidationError):
            assert kept is None or kept.body is None or kept is self.seen(key)
            return
        assert kept is not None
        self.etags.append(copied.etag)
        self.add(key, Kept(copied.version, copied.etag, kept.body))

    @rule(key=KEYS, data=st.data())
    def delete(self, key: str, data: st.DataObject) -> None:
        if_match = data.draw(st.none() | st.sampled_from(self.etags))
        expected = self.expected(key, if_match, if_absent=False)
        request = DeleteObjectRequest(bucket="bucket", key=key, if_match=if_match)
        gone, refused = attempt(lambda: self.store.delete_object(request))
        assert refused is expected
        if gone is not None:
            assert (gone.version is not None) is self.versioning
            self.add(key, Kept(gone.version, "", None))

    @precondition(lambda self: self.versioning and any(self.model.values()))
    @rule(data=st.data())
    def delete_version(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from([key for key, kept in self.model.items() if kept]))
        kept = data.draw(st.sampled_from(self.model[key]))
        self.store.delete_object(
            DeleteObjectRequest(bucket="bucket", key=key, version=kept.version)
        )
        self.model[key] = [it for it in self.model[key] if it is not kept]

    @invariant()
    def readers_see_the_newest(self) -> None:
        for key in ("a", "b/1", "b/2", "é"):
            kept = self.seen(key)
            try:
                stream = self.store.get_object(GetObjectRequest(bucket="bucket", key=key))
            except ResourceNotFoundError:
                assert kept is None
            else:
                assert kept is not None
                assert b"".join(stream) == kept.body
                assert (stream.header.etag, stream.header.version) == (kept.etag, kept.version)

    @invariant()
    def listings_show_what_readers_see(self) -> None:
        answer = self.store.list_objects(ListObjectsRequest(bucket="bucket"))
        assert [it.key for it in answer.objects] == sorted(
            key for key in self.model if self.seen(key)
        )

    @invariant()
    def every_version_is_listed_and_can_be_read(self) -> None:
        found: list[tuple[str, str, bool, bool]] = []
        token = ""
        while True:
            page = self.store.list_object_versions(
                ListObjectVersionsRequest(bucket="bucket", page_size=2, page_token=token)
            )
            found += [(it.key, it.version, it.latest, it.deleted) for it in page.versions]
            token = page.next_page_token
            if not token:
                break
        expected = [
            (key, kept.version or "null", index == 0, kept.body is None)
            for key in sorted(self.model)
            for index, kept in enumerate(reversed(self.model[key]))
        ]
        assert found == expected
        for key, version, _, deleted in found:
            if not deleted:
                self.store.get_object(GetObjectRequest(bucket="bucket", key=key, version=version))


class Unversioned(Versions):
    versioning = False


TestVersions = Versions.TestCase
TestUnversioned = Unversioned.TestCase

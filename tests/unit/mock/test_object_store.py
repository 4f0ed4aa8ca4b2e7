"""What scenarios cannot tell of the object store: races, uploads that break off, and what is shared."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from datetime import timedelta

import pytest

from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    PreconditionFailedError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.object_store.client import ObjectStore
from lcplatform.object_store.models import (
    ByteRange,
    CreateBucketRequest,
    DeleteObjectsEntry,
    GetObjectRequest,
    LifecycleRule,
    PutObjectHeader,
    PutObjectResponse,
)
from lcplatform_mock.object_store import MockObjectStore
from lcplatform_mock.provider import provider
from lcplatform_runtime.streams import CHUNK, ByteSource
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.race import RUNNERS, race


@pytest.fixture
def bucket(objects: ObjectStore) -> str:
    objects.create_bucket("reports")
    return "reports"


@pytest.fixture
def archive(objects: ObjectStore) -> str:
    objects.create_bucket("archive", versioning=True)
    return "archive"


# --- conditions


def written_at_once(
    objects: ObjectStore, key: str, *, if_match: str | None = None, if_absent: bool = False
) -> list[PutObjectResponse | Exception]:
    """What came of many writers with the same condition."""

    def write(number: int) -> PutObjectResponse:
        return objects.put_object(
            "reports", key, f"{number}".encode(), if_match=if_match, if_absent=if_absent
        )

    return race(write)


def test_of_many_writers_with_the_same_etag_one_wins(objects: ObjectStore, bucket: str) -> None:
    for _ in range(20):
        etag = objects.put_object(bucket, "balance", b"0").etag
        results = written_at_once(objects, "balance", if_match=etag)
        [winner] = [it for it in results if not isinstance(it, Exception)]
        assert all(isinstance(it, ConflictError) for it in results if isinstance(it, Exception))
        assert objects.head_object(bucket, "balance").etag == winner.etag


def test_of_many_writers_who_expect_nothing_one_wins(objects: ObjectStore, bucket: str) -> None:
    for turn in range(20):
        results = written_at_once(objects, f"leader-{turn}", if_absent=True)
        losers = [it for it in results if isinstance(it, Exception)]
        assert len(losers) == RUNNERS - 1
        assert all(isinstance(it, AlreadyExistsError) for it in losers)


def test_a_condition_is_checked_when_the_body_has_come(objects: ObjectStore, bucket: str) -> None:
    etag = objects.put_object(bucket, "balance", b"100").etag

    def body() -> Iterator[bytes]:
        yield b"90"
        objects.put_object(bucket, "balance", b"110")

    with pytest.raises(ConflictError):
        objects.put_object(bucket, "balance", body(), if_match=etag)
    assert objects.get_object(bucket, "balance").read() == b"110"


def test_the_same_content_stored_again_has_another_etag(objects: ObjectStore, bucket: str) -> None:
    first = objects.put_object(bucket, "balance", b"100").etag
    assert objects.put_object(bucket, "balance", b"100").etag != first


# --- bodies


def test_an_upload_that_breaks_off_leaves_what_was_there(objects: ObjectStore, bucket: str) -> None:
    objects.put_object(bucket, "film", b"whole")

    def broken() -> Iterator[bytes]:
        yield b"x" * (CHUNK + 1)
        raise OSError("the disk is gone")

    with pytest.raises(ValidationError) as caught:
        objects.put_object(bucket, "film", broken())
    assert isinstance(caught.value.__cause__, OSError)
    assert objects.get_object(bucket, "film").read() == b"whole"
    with pytest.raises(ValidationError):
        objects.put_object(bucket, "new", broken())
    assert not objects.exists(bucket, "new")


def test_the_driver_itself_refuses_a_body_that_is_not_as_announced() -> None:
    store = _store()
    header = PutObjectHeader(bucket="reports", key="q1", size=4)
    with pytest.raises(ValidationError):
        store.put_object(header, ByteSource.of([b"abc"]))
    header = PutObjectHeader(bucket="reports", key="q1", crc32c=1)
    with pytest.raises(ValidationError):
        store.put_object(header, ByteSource.of([b"abc"]))
    with pytest.raises(ResourceNotFoundError):
        store.get_object(GetObjectRequest(bucket="reports", key="q1"))


def test_a_body_for_a_bucket_that_is_not_there_is_not_read() -> None:
    source = ByteSource.of(iter([b"never asked for"]))
    with pytest.raises(ResourceNotFoundError):
        _store().put_object(PutObjectHeader(bucket="nowhere", key="q1"), source)
    assert not source.started


def test_reading_copies_no_byte() -> None:
    store = _store()
    store.put_object(PutObjectHeader(bucket="reports", key="q1"), ByteSource.of(b"x" * 3 * CHUNK))
    request = GetObjectRequest(bucket="reports", key="q1")
    first, second = list(store.get_object(request)), list(store.get_object(request))
    assert [len(it) for it in first] == [CHUNK, CHUNK, CHUNK]
    assert all(one is other for one, other in zip(first, second, strict=True))
    middle = GetObjectRequest(
        bucket="reports", key="q1", range=ByteRange(offset=CHUNK, length=CHUNK)
    )
    assert next(iter(store.get_object(middle))) is first[1]


def test_a_reader_keeps_the_object_that_it_began_to_read(objects: ObjectStore, bucket: str) -> None:
    objects.put_object(bucket, "film", b"a" * CHUNK + b"old")
    with objects.get_object(bucket, "film") as download:
        objects.put_object(bucket, "film", b"new")
        objects.delete_object(bucket, "film")
        assert download.read() == b"a" * CHUNK + b"old"


@pytest.mark.parametrize(
    ("offset", "length"),
    [
        (0, 1),
        (CHUNK - 1, 2),
        (CHUNK, CHUNK),
        (1, 2 * CHUNK),
        (2 * CHUNK - 1, 6),
        (0, 2 * CHUNK + 5),
    ],
)
def test_a_range_is_cut_across_chunks(
    objects: ObjectStore, bucket: str, offset: int, length: int
) -> None:
    body = bytes(range(256)) * (2 * CHUNK // 256) + b"12345"
    objects.put_object(bucket, "film", body)
    download = objects.get_object(bucket, "film", range=ByteRange(offset=offset, length=length))
    assert download.read() == body[offset : offset + length]
    assert (download.header.range_offset, download.header.range_length) == (offset, length)


@pytest.mark.parametrize(
    "wanted",
    [
        ByteRange(),
        ByteRange(length=1),
        ByteRange(offset=5),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(
    objects: ObjectStore, bucket: str, wanted: ByteRange
) -> None:
    objects.put_object(bucket, "q1", b"12345")
    with pytest.raises(ValidationError):
        objects.get_object(bucket, "q1", range=wanted)


def test_an_empty_object_has_no_last_bytes(objects: ObjectStore, bucket: str) -> None:
    objects.put_object(bucket, "empty", b"")
    with pytest.raises(ValidationError):
        objects.get_object(bucket, "empty", range=ByteRange(last=1))


# --- what is shared


def test_what_was_handed_out_cannot_be_changed(objects: ObjectStore, bucket: str) -> None:
    objects.put_object(bucket, "q1", b"", metadata={"author": "kim"}, tags={"team": "sales"})
    header = objects.get_object(bucket, "q1").header
    head = objects.head_object(bucket, "q1")
    for mapping in (header.metadata, head.metadata, objects.get_object_tags(bucket, "q1").tags):
        with pytest.raises(TypeError):
            mapping["author"] = "lee"
        with pytest.raises(TypeError):
            mapping.clear()
    assert header.metadata == {"author": "kim"}
    assert {**header.metadata, "more": "1"} == {"author": "kim", "more": "1"}
    assert type(copy.deepcopy(head).metadata | {}) is dict
    assert pickle.loads(pickle.dumps(head)) == head


def test_a_header_is_made_once(objects: ObjectStore, bucket: str) -> None:
    objects.put_object(bucket, "q1", b"hello")
    first = objects.get_object(bucket, "q1").header
    assert objects.get_object(bucket, "q1").header is first
    objects.put_object(bucket, "q1", b"hello!")
    assert objects.get_object(bucket, "q1").header is not first


# --- versions


def test_deleting_what_never_was_leaves_a_mark_in_a_bucket_with_versions(
    objects: ObjectStore, archive: str
) -> None:
    mark = objects.delete_object(archive, "never").version
    assert mark is not None
    [only] = objects.list_object_versions(archive).versions
    assert (only.version, only.deleted, only.latest, only.etag) == (mark, True, True, "")
    with pytest.raises(PreconditionFailedError):
        objects.delete_bucket(archive)
    objects.delete_object(archive, "never", version=mark)
    objects.delete_bucket(archive)


def test_a_mark_of_deletion_has_no_body(objects: ObjectStore, archive: str) -> None:
    objects.put_object(archive, "deal", b"draft")
    mark = objects.delete_object(archive, "deal").version
    with pytest.raises(ResourceNotFoundError):
        objects.get_object(archive, "deal", version=mark)
    with pytest.raises(ResourceNotFoundError):
        objects.copy_object(archive, "copy", source_key="deal", source_version=mark)


def test_deleting_the_mark_brings_the_object_back(objects: ObjectStore, archive: str) -> None:
    etag = objects.put_object(archive, "deal", b"draft").etag
    mark = objects.delete_object(archive, "deal").version
    assert objects.list_objects(archive).objects == ()
    objects.put_object(archive, "other", b"", if_absent=True)
    objects.delete_object(archive, "deal", version=mark)
    assert [it.key for it in objects.list_objects(archive).objects] == ["deal", "other"]
    objects.put_object(archive, "deal", b"final", if_match=etag)


def test_a_version_is_deleted_in_a_batch_as_well(objects: ObjectStore, archive: str) -> None:
    first = objects.put_object(archive, "deal", b"draft").version
    objects.put_object(archive, "deal", b"final")
    answer = objects.delete_objects(
        archive,
        [DeleteObjectsEntry(key="deal", version=first), DeleteObjectsEntry(key="é" * 1000)],
    )
    assert [it.index for it in answer.successful] == [0]
    assert [(it.index, it.code, it.retryable) for it in answer.failed] == [(1, "validation", False)]
    assert len(objects.list_object_versions(archive).versions) == 1


def test_pages_of_versions_go_on_where_they_were_though_versions_go(
    objects: ObjectStore, archive: str
) -> None:
    names = [objects.put_object(archive, "deal", b"x").version for _ in range(20)]
    objects.put_object(archive, "end", b"x")
    page = objects.list_object_versions(archive, page_size=5)
    seen = [it.version for it in page.versions]
    objects.delete_object(archive, "deal", version=seen[-1])
    while page.next_page_token:
        page = objects.list_object_versions(archive, page_size=5, page_token=page.next_page_token)
        seen += [it.version for it in page.versions]
    assert seen[:-1] == names[::-1]


def test_tags_belong_to_the_version(objects: ObjectStore, archive: str) -> None:
    objects.put_object(archive, "deal", b"draft", tags={"state": "draft"})
    version = objects.head_object(archive, "deal").version
    objects.put_object_tags(archive, "deal", tags={"state": "final"})
    assert objects.head_object(archive, "deal").version == version
    objects.put_object(archive, "deal", b"next")
    assert objects.get_object_tags(archive, "deal").tags == {}
    objects.delete_object(archive, "deal", version=objects.head_object(archive, "deal").version)
    assert objects.get_object_tags(archive, "deal").tags == {"state": "final"}


def test_without_versions_the_only_one_can_be_listed_and_named(
    objects: ObjectStore, bucket: str
) -> None:
    objects.put_object(bucket, "q1", b"hello")
    [only] = objects.list_object_versions(bucket).versions
    assert objects.get_object(bucket, "q1", version=only.version).read() == b"hello"
    with pytest.raises(ResourceNotFoundError):
        objects.head_object(bucket, "q1", version="another")
    objects.delete_object(bucket, "q1", version="another")
    assert objects.exists(bucket, "q1")
    objects.delete_object(bucket, "q1", version=only.version)
    assert not objects.exists(bucket, "q1")


# --- copies


def test_a_copy_takes_the_tags_and_shares_the_bytes(objects: ObjectStore, bucket: str) -> None:
    objects.put_object(bucket, "q1", b"x" * CHUNK, tags={"team": "sales"})
    objects.copy_object(bucket, "q2", source_key="q1")
    assert objects.get_object_tags(bucket, "q2").tags == {"team": "sales"}
    one, other = (next(iter(objects.get_object(bucket, key))) for key in ("q1", "q2"))
    assert one is other


def test_a_copy_onto_itself_is_refused_unless_it_brings_back_an_earlier_version(
    objects: ObjectStore, archive: str
) -> None:
    draft = objects.put_object(archive, "deal", b"draft").version
    with pytest.raises(ValidationError):
        objects.copy_object(archive, "deal", source_key="deal")
    with pytest.raises(ValidationError):
        objects.copy_object(archive, "deal", source_key="deal", source_version=draft)
    objects.put_object(archive, "deal", b"final")
    objects.copy_object(archive, "deal", source_key="deal", source_version=draft)
    assert objects.get_object(archive, "deal").read() == b"draft"


# --- lifecycle


def test_an_object_that_was_replaced_expires_by_its_own_age(
    objects: ObjectStore, clock: ManualClock
) -> None:
    day = timedelta(days=1)
    objects.create_bucket("uploads", lifecycle=[LifecycleRule(prefix="tmp/", expire_after=day)])
    objects.put_object("uploads", "tmp/part", b"first")
    clock.advance(timedelta(hours=20))
    objects.put_object("uploads", "tmp/part", b"second")
    clock.advance(timedelta(hours=20))
    assert objects.get_object("uploads", "tmp/part").read() == b"second"
    clock.advance(timedelta(hours=4))
    assert not objects.exists("uploads", "tmp/part")
    assert objects.list_objects("uploads").objects == ()
    objects.put_object("uploads", "tmp/part", b"third", if_absent=True)
    clock.advance(day)
    objects.delete_bucket("uploads")


def test_the_shortest_age_that_applies_decides(objects: ObjectStore, clock: ManualClock) -> None:
    rules = [
        LifecycleRule(expire_after=timedelta(days=3)),
        LifecycleRule(prefix="tmp/", expire_after=timedelta(days=1)),
    ]
    objects.create_bucket("uploads", lifecycle=rules)
    objects.put_object("uploads", "tmp/part", b"")
    objects.put_object("uploads", "whole", b"")
    clock.advance(timedelta(days=1))
    assert [it.key for it in objects.list_objects("uploads").objects] == ["whole"]
    clock.advance(timedelta(days=2))
    assert objects.list_objects("uploads").objects == ()


def test_a_version_that_comes_to_light_again_expires_if_it_is_old_enough(
    objects: ObjectStore, clock: ManualClock
) -> None:
    rule = LifecycleRule(expire_after=timedelta(days=2))
    objects.create_bucket("uploads", versioning=True, lifecycle=[rule])
    objects.put_object("uploads", "a", data=b"old")
    clock.advance(timedelta(days=1))
    newer = objects.put_object("uploads", "a", data=b"new").version
    assert newer is not None
    clock.advance(timedelta(days=1, hours=1))
    assert objects.head_object("uploads", "a").version == newer
    objects.delete_object("uploads", "a", version=newer)
    assert not objects.exists("uploads", "a")
    versions = objects.list_object_versions("uploads").versions
    assert [(it.latest, it.deleted, it.modified_at) for it in versions] == [
        (True, True, clock.now()),
        (False, False, clock.now() - timedelta(days=2, hours=1)),
    ]


def test_with_versions_what_expires_can_be_read_by_its_version(
    objects: ObjectStore, clock: ManualClock
) -> None:
    rule = LifecycleRule(expire_after=timedelta(days=1))
    objects.create_bucket("uploads", versioning=True, lifecycle=[rule])
    stored = objects.put_object("uploads", "part", b"kept")
    expired = clock.now() + timedelta(days=1)
    clock.advance(timedelta(days=10))
    mark, kept = objects.list_object_versions("uploads").versions
    assert (mark.deleted, mark.latest, mark.modified_at) == (True, True, expired)
    assert objects.get_object("uploads", "part", version=kept.version).read() == b"kept"
    assert kept.version == stored.version


def test_an_age_is_a_number_of_whole_days(objects: ObjectStore) -> None:
    with pytest.raises(ValidationError) as caught:
        objects.create_bucket(
            "uploads", lifecycle=[LifecycleRule(expire_after=timedelta(days=1, hours=1))]
        )
    assert caught.value.violations[0].field == "lifecycle.0.expire_after"


def _store() -> MockObjectStore:
    drivers = provider.connect({}, asynchronous=False)
    store = drivers.object_store()
    assert isinstance(store, MockObjectStore)
    store.create_bucket(CreateBucketRequest(name="reports"))
    return store

"""The AWS provider against emulators: what neither a law nor a scenario reaches."""

from __future__ import annotations

import hashlib
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import AlreadyExistsError, ConflictError, LCPlatformError, ValidationError
from lcplatform_aws import native
from lcplatform_aws.uploads import MIB, PART
from tests.emulators import Emulator


@pytest.fixture(params=["moto", "ministack"])
def platform(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LCPlatform]:
    """A platform on each emulator in turn."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    emulator: Emulator = request.getfixturevalue(request.param)
    with LCPlatform(
        "aws",
        endpoint_url=emulator.url,
        region="us-east-1",
        access_key_id="testing",
        secret_access_key="testing",
    ) as made:
        yield made


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"aws-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def bucket(platform: LCPlatform, name: str) -> str:
    platform.object_store.create_bucket(name)
    return name


def pieces(size: int, step: int = MIB) -> Iterator[bytes]:
    for start in range(0, size, step):
        yield hashlib.sha256(start.to_bytes(8, "big")).digest() * (min(step, size - start) // 32)


def unfinished(platform: LCPlatform, bucket: str) -> list[Any]:
    return list(native(platform).s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ()))


def outcomes(attempt: Callable[[int], object], count: int) -> list[object]:
    """What each of so many attempts at once came to."""

    def tried(number: int) -> object:
        try:
            return attempt(number)
        except LCPlatformError as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(tried, range(count)))


def test_of_many_who_expect_no_object_one_stores_it(platform: LCPlatform, bucket: str) -> None:
    """FR-066"""
    store = platform.object_store
    results = outcomes(
        lambda number: store.put_object(
            bucket, "leader", data=f"{number}".encode(), if_absent=True
        ),
        8,
    )
    failed = [it for it in results if isinstance(it, LCPlatformError)]
    assert len(failed) == 7
    assert all(isinstance(it, AlreadyExistsError | ConflictError) for it in failed)


def test_of_many_who_replace_one_version_one_succeeds(platform: LCPlatform, bucket: str) -> None:
    """FR-066"""
    store = platform.object_store
    first = store.put_object(bucket, "ledger", data=b"100")
    results = outcomes(
        lambda number: store.put_object(
            bucket, "ledger", data=f"2{number:02}".encode(), if_match=first.etag
        ),
        8,
    )
    assert sum(isinstance(it, ConflictError) for it in results) == 7


def test_a_stream_of_unknown_size_arrives_whole(platform: LCPlatform, bucket: str) -> None:
    """FR-031, SC-007"""
    size = 2 * PART + 96 * 1024
    sent = hashlib.sha256(b"".join(pieces(size))).hexdigest()
    stored = platform.object_store.put_object(bucket, "film", data=pieces(size))
    arrived = hashlib.sha256()
    with platform.object_store.get_object(bucket, "film") as download:
        for chunk in download:
            arrived.update(chunk)
    assert (stored.size, arrived.hexdigest()) == (size, sent)
    assert not unfinished(platform, bucket)


@pytest.mark.parametrize("failure", [OSError("the source broke off"), KeyboardInterrupt()])
def test_an_upload_that_breaks_off_leaves_nothing(
    platform: LCPlatform, bucket: str, failure: BaseException
) -> None:
    """An upload that breaks off leaves no half object and no orphaned parts."""

    def broken() -> Iterator[bytes]:
        yield from pieces(PART + MIB)
        raise failure

    store = platform.object_store
    store.put_object(bucket, "film", data=b"before")
    with pytest.raises((ValidationError, KeyboardInterrupt)):
        store.put_object(bucket, "film", data=broken())
    with pytest.raises((ValidationError, KeyboardInterrupt)):
        store.put_object(bucket, "film", data=broken(), size=PART * 3)
    assert store.get_object(bucket, "film").read() == b"before"
    assert not unfinished(platform, bucket)


def test_memory_does_not_grow_with_the_object(platform: LCPlatform, bucket: str) -> None:
    """SC-007"""
    store = platform.object_store
    store.put_object(bucket, "small", data=b"x")  # what is made once is made
    tracemalloc.start()
    try:
        store.put_object(bucket, "film", data=pieces(6 * PART), size=6 * PART)
        whole = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        store.put_object(bucket, "film", data=pieces(6 * PART))
        parts = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        for _ in store.get_object(bucket, "film"):
            pass
        down = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (whole < 6 * MIB, parts < PART + 6 * MIB, down < 6 * MIB) == (True, True, True)


def test_what_others_send_is_read_as_text(platform: LCPlatform, name: str) -> None:
    platform.queue.create_queue(name)
    sqs = native(platform).sqs
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    sqs.send_message(
        QueueUrl=url,
        MessageBody='{"order": 1}',
        MessageAttributes={"n": {"DataType": "Number", "StringValue": "7"}},
    )
    (message,) = platform.queue.receive_messages(name, wait=timedelta(seconds=5)).messages
    assert (message.body, message.attributes) == ('{"order": 1}', {"n": "7"})


def test_others_read_what_we_send_as_it_is(platform: LCPlatform, name: str) -> None:
    platform.queue.create_queue(name)
    platform.queue.send_message(name, {"order": 1})
    sqs = native(platform).sqs
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    (received,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert received.get("Body") == '{"order":1}'


def test_text_that_sqs_would_refuse_arrives(platform: LCPlatform, name: str) -> None:
    platform.queue.create_queue(name)
    platform.queue.send_message(name, "a\x00b\x1b[0m", attributes={"kind": "odd"})
    (message,) = platform.queue.receive_messages(name, wait=timedelta(seconds=5)).messages
    assert (message.body, message.attributes) == ("a\x00b\x1b[0m", {"kind": "odd"})


def test_a_secret_that_others_wrote_is_read(platform: LCPlatform, name: str) -> None:
    secrets = native(platform).secretsmanager
    secrets.create_secret(Name=name, SecretString='{"user": "app"}')
    value = platform.secrets.get_secret(name).value
    assert getattr(value, "value", None) == {"user": "app"}

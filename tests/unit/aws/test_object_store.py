"""S3 on the wire: what it does rarely, and what is peculiar to it."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest

from lcplatform import CallOptions, LCPlatform
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    DeadlineExceededError,
    InternalError,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform.object_store.models import (
    ByteRange,
    DeleteObjectsEntry,
    GeneratePresignedUrlRequest,
    LifecycleRule,
    PresignedMethod,
)
from lcplatform_aws.object_store_copies import stretches
from lcplatform_aws.options import AwsOptions
from lcplatform_aws.session import Session
from lcplatform_aws.uploads import MAX_OBJECT, MAX_PARTS, MIB, PART, Outgoing, part_size
from tests.unit.aws.conftest import AtStub
from tests.unit.aws.stub import Answer, Asked, Stub, s3_error

pytestmark = pytest.mark.usefixtures("judged")

STORED = Answer(200, {"ETag": '"e1"'})
MODIFIED = "Tue, 14 Nov 2023 22:13:20 GMT"


def found(body: bytes, status: int = 200, cut: int | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"ETag": '"e1"', "Last-Modified": MODIFIED, **named}, body, cut)


def xml(text: str) -> Answer:
    return Answer(200, {"Content-Type": "application/xml"}, text.encode())


class Multipart:
    """S3 as far as multipart uploads go."""

    def __init__(self, stub: Stub, checksum_type: str | None = "FULL_OBJECT") -> None:
        self.stub = stub
        self.faults: dict[str, list[Answer]] = {}
        self.parts: dict[int, bytes] = {}
        self.steps: list[str] = []
        self.completion: Asked | None = None
        self._type = checksum_type
        stub.otherwise = self._answer

    def _answer(self, asked: Asked) -> Answer:
        query = parse_qs(urlsplit(asked.path).query, keep_blank_values=True)
        if "uploads" in query:
            step, answer = "create", self._created()
        elif asked.method == "DELETE":
            step, answer = "abort", Answer(204)
        elif asked.method == "PUT":
            step, answer = "part", Answer(200, {"ETag": f'"p{query["partNumber"][0]}"'})
        else:
            step = "complete"
            answer = xml(
                "<CompleteMultipartUploadResult><ETag>&quot;whole&quot;</ETag></CompleteMultipartUploadResult>"
            )
        self.steps.append(step)
        if self.faults.get(step):
            return self.faults[step].pop(0)
        if step == "part":
            self.parts[int(query["partNumber"][0])] = asked.body
        if step == "complete":
            self.completion = asked
        return answer

    def _created(self) -> Answer:
        headers = {} if self._type is None else {"x-amz-checksum-type": self._type}
        text = (
            "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"
        )
        return Answer(200, headers, text.encode())

    @property
    def body(self) -> bytes:
        return b"".join(self.parts[number] for number in sorted(self.parts))


@pytest.fixture
def multipart(stub: Stub) -> Multipart:
    return Multipart(stub)


def pieces(size: int, step: int = MIB) -> Iterator[bytes]:
    for start in range(0, size, step):
        yield bytes([start // step % 251]) * min(step, size - start)


# --- uploads


def test_a_small_body_goes_in_one_request_with_its_checksum(
    platform: LCPlatform, stub: Stub
) -> None:
    stub.will(STORED)
    platform.object_store.put_object("bucket", "key", data=b"123456789")
    (asked,) = stub.asked
    assert asked.body == b"123456789"
    assert asked.headers["x-amz-checksum-crc32c"] == b64encode(bytes.fromhex("e3069283")).decode()
    assert "expect" not in asked.headers


def test_a_body_of_known_size_goes_in_one_request_as_it_is_read(
    platform: LCPlatform, stub: Stub, tmp_path: object
) -> None:
    stub.will(STORED)
    body = b"".join(pieces(3 * MIB))
    answer = platform.object_store.put_object("bucket", "key", data=pieces(3 * MIB), size=3 * MIB)
    (asked,) = stub.asked
    assert asked.body == body
    assert asked.headers["content-length"] == str(3 * MIB)
    assert asked.headers["expect"] == "100-continue"
    assert answer.size == 3 * MIB


def test_a_checksum_that_is_known_goes_ahead_of_the_body(platform: LCPlatform, stub: Stub) -> None:
    from google_crc32c import value

    body = b"x" * (2 * MIB)
    stub.will(STORED)
    platform.object_store.put_object("bucket", "key", data=body, crc32c=value(body))
    (asked,) = stub.asked
    expected = b64encode(value(body).to_bytes(4, "big")).decode()
    assert asked.headers["x-amz-checksum-crc32c"] == expected


def test_a_large_body_that_is_refused_stays_here(once: LCPlatform, stub: Stub) -> None:
    stub.will(s3_error(412, "PreconditionFailed"))
    with pytest.raises(AlreadyExistsError):
        once.object_store.put_object("bucket", "key", data=b"x" * 2 * MIB, if_absent=True)
    assert stub.asked[0].body == b""


def test_a_body_that_breaks_off_never_becomes_an_object(once: LCPlatform, stub: Stub) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * MIB
        raise OSError("the disk is gone")

    with pytest.raises(ValidationError, match="OSError"):
        once.object_store.put_object("bucket", "key", data=broken(), size=2 * MIB)
    assert not stub.asked, "a request that lacks its end was taken for whole"


def test_a_body_that_is_not_as_announced_never_becomes_an_object(
    once: LCPlatform, stub: Stub
) -> None:
    with pytest.raises(ValidationError, match="crc32c"):
        once.object_store.put_object("bucket", "key", data=b"x" * 2 * MIB, crc32c=1)
    with pytest.raises(ValidationError, match="size"):
        once.object_store.put_object("bucket", "key", data=pieces(MIB), size=2 * MIB)
    assert not stub.asked


def test_a_write_that_was_throttled_is_sent_again(platform: LCPlatform, stub: Stub) -> None:
    stub.will(s3_error(503, "SlowDown", retry_after="0"), STORED)
    platform.object_store.put_object("bucket", "key", data=b"x" * 2 * MIB)
    assert [len(asked.body) for asked in stub.asked][-1] == 2 * MIB


def test_a_body_that_comes_once_is_not_sent_again(platform: LCPlatform, stub: Stub) -> None:
    stub.will(lambda asked: s3_error(503, "SlowDown"))
    with pytest.raises(QuotaExceededError):
        platform.object_store.put_object("bucket", "key", data=pieces(2 * MIB), size=2 * MIB)
    assert len(stub.asked) == 1


def test_retry_after_travels_with_the_error(once: LCPlatform, stub: Stub) -> None:
    stub.will(s3_error(503, "SlowDown", retry_after="7"))
    with pytest.raises(QuotaExceededError) as refused:
        once.object_store.put_object("bucket", "key", data=b"x")
    assert refused.value.retry_after == timedelta(seconds=7)


def test_the_sdk_itself_retries_nothing(once: LCPlatform, stub: Stub) -> None:
    stub.otherwise = lambda asked: Answer(500)
    with pytest.raises(InternalError):
        once.object_store.get_object("bucket", "key")
    assert len(stub.asked) == 1


# --- conditions


def test_two_conditional_writers_at_once_are_a_conflict_that_is_retried(
    platform: LCPlatform, stub: Stub
) -> None:
    stub.will(s3_error(409, "ConditionalRequestConflict"), STORED)
    platform.object_store.put_object("bucket", "key", data=b"x", if_absent=True)
    assert [asked.headers["if-none-match"] for asked in stub.asked] == ["*", "*"]


def test_the_condition_that_did_not_hold_decides_what_it_is(once: LCPlatform, stub: Stub) -> None:
    refusal = s3_error(412, "PreconditionFailed")
    stub.will(refusal, refusal, s3_error(404, "NoSuchKey"))
    with pytest.raises(AlreadyExistsError):
        once.object_store.put_object("bucket", "key", data=b"x", if_absent=True)
    with pytest.raises(ConflictError):
        once.object_store.put_object("bucket", "key", data=b"x", if_match='"e0"')
    with pytest.raises(ResourceNotFoundError):
        once.object_store.put_object("bucket", "key", data=b"x", if_match='"e0"')
    assert stub.asked[1].headers["if-match"] == '"e0"'


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ("x-amz-copy-source-If-Match", ConflictError),
        ("If-None-Match", AlreadyExistsError),
        ("", AlreadyExistsError),
    ],
)
def test_a_copy_tells_the_condition_of_its_source_from_that_of_its_target(
    once: LCPlatform, stub: Stub, condition: str, kind: type[Exception]
) -> None:
    text = f"<Error><Code>PreconditionFailed</Code><Condition>{condition}</Condition></Error>"
    stub.will(Answer(412, {}, text.encode()))
    with pytest.raises(kind):
        once.object_store.copy_object(
            "bucket", "key", source_key="source", source_if_match='"e0"', if_absent=True
        )


def test_a_delete_that_finds_no_object_is_told_from_one_that_finds_another(
    once: LCPlatform, stub: Stub
) -> None:
    stub.will(s3_error(412, "PreconditionFailed"), Answer(404))
    with pytest.raises(ResourceNotFoundError):
        once.object_store.delete_object("bucket", "key", if_match='"e0"')
    stub.will(s3_error(412, "PreconditionFailed"), found(b"x"))
    with pytest.raises(ConflictError):
        once.object_store.delete_object("bucket", "key", if_match='"e0"')


# --- several parts


def test_a_body_of_unknown_size_goes_in_parts(platform: LCPlatform, multipart: Multipart) -> None:
    size = 2 * PART + 5
    answer = platform.object_store.put_object("bucket", "key", data=pieces(size), if_absent=True)
    assert multipart.steps == ["create", "part", "part", "part", "complete"]
    assert multipart.body == b"".join(pieces(size))
    assert (answer.size, answer.etag) == (size, '"whole"')


def test_the_condition_and_the_checksum_are_asked_of_the_whole(
    platform: LCPlatform, multipart: Multipart
) -> None:
    from google_crc32c import value

    platform.object_store.put_object("bucket", "key", data=pieces(PART + 1), if_match='"e0"')
    assert multipart.completion is not None
    headers = multipart.completion.headers
    whole = b64encode(value(multipart.body).to_bytes(4, "big")).decode()
    assert headers["if-match"] == '"e0"'
    assert headers["x-amz-checksum-crc32c"] == whole
    assert headers["x-amz-mp-object-size"] == str(PART + 1)
    assert "if-match" not in multipart.stub.asked[0].headers


def test_a_store_that_knows_checksums_of_parts_alone_is_asked_for_no_other(
    platform: LCPlatform, stub: Stub
) -> None:
    multipart = Multipart(stub, checksum_type="COMPOSITE")
    platform.object_store.put_object("bucket", "key", data=pieces(PART + 1))
    assert multipart.completion is not None
    assert "x-amz-checksum-crc32c" not in multipart.completion.headers
    assert b"ChecksumCRC32C" in multipart.completion.body


def test_a_body_that_turns_out_small_needs_no_parts(platform: LCPlatform, stub: Stub) -> None:
    stub.will(STORED)
    platform.object_store.put_object("bucket", "key", data=iter([b"one", b"two"]))
    assert [(asked.method, asked.body) for asked in stub.asked] == [("PUT", b"onetwo")]


def test_a_part_that_fails_is_sent_again(platform: LCPlatform, multipart: Multipart) -> None:
    multipart.faults = {"part": [s3_error(503, "SlowDown", retry_after="0"), Answer(500)]}
    platform.object_store.put_object("bucket", "key", data=pieces(PART + 5))
    assert multipart.steps == ["create", "part", "part", "part", "part", "complete"]
    assert multipart.body == b"".join(pieces(PART + 5))


def test_a_part_that_fails_for_good_leaves_nothing(
    platform: LCPlatform, multipart: Multipart
) -> None:
    multipart.faults = {"part": [s3_error(503, "SlowDown", retry_after="0")] * 3}
    with pytest.raises(QuotaExceededError):
        platform.object_store.put_object("bucket", "key", data=pieces(PART + 5))
    assert multipart.steps == ["create", "part", "part", "part", "abort"]


def test_a_condition_that_does_not_hold_at_the_end_leaves_nothing(
    platform: LCPlatform, multipart: Multipart
) -> None:
    multipart.faults = {"complete": [s3_error(412, "PreconditionFailed")]}
    with pytest.raises(AlreadyExistsError):
        platform.object_store.put_object("bucket", "key", data=pieces(PART + 5), if_absent=True)
    assert multipart.steps[-2:] == ["complete", "abort"]


def test_an_error_inside_an_answer_that_says_ok_is_an_error(
    platform: LCPlatform, multipart: Multipart
) -> None:
    fault = xml("<Error><Code>InternalError</Code><Message>We failed</Message></Error>")
    multipart.faults = {"complete": [fault]}
    platform.object_store.put_object("bucket", "key", data=pieces(PART + 5))
    assert multipart.steps[-2:] == ["complete", "complete"]


def test_a_completion_that_may_have_succeeded_is_not_called_missing(
    platform: LCPlatform, multipart: Multipart
) -> None:
    multipart.faults = {"complete": [Answer(500), s3_error(404, "NoSuchUpload")]}
    with pytest.raises(InternalError) as unsure:
        platform.object_store.put_object("bucket", "key", data=pieces(PART + 5))
    assert unsure.value.outcome == "unknown"


def test_a_completion_that_may_have_succeeded_is_not_called_a_conflict_with_itself(
    platform: LCPlatform, multipart: Multipart
) -> None:
    """The object that is there already may be the one that this very call has made."""
    multipart.faults = {"complete": [Answer(500), s3_error(412, "PreconditionFailed")]}
    with pytest.raises(InternalError) as unsure:
        platform.object_store.put_object("bucket", "key", data=pieces(PART + 5), if_absent=True)
    assert unsure.value.outcome == "unknown"


def test_a_completion_that_was_refused_before_tells_what_refuses_it_now(
    platform: LCPlatform, multipart: Multipart
) -> None:
    refusal = s3_error(503, "SlowDown", retry_after="0")
    multipart.faults = {"complete": [refusal, s3_error(412, "PreconditionFailed")]}
    with pytest.raises(AlreadyExistsError):
        platform.object_store.put_object("bucket", "key", data=pieces(PART + 5), if_absent=True)


@pytest.mark.parametrize("failure", [OSError("gone"), KeyboardInterrupt()])
def test_whatever_ends_an_upload_leaves_no_parts(
    platform: LCPlatform, multipart: Multipart, failure: BaseException
) -> None:
    def broken() -> Iterator[bytes]:
        yield from pieces(PART + 5)
        raise failure

    with pytest.raises((ValidationError, KeyboardInterrupt)):
        platform.object_store.put_object("bucket", "key", data=broken())
    assert multipart.steps[0] == "create"
    assert multipart.steps[-1] == "abort"
    assert "complete" not in multipart.steps


def test_a_body_that_is_not_as_announced_is_given_up_before_its_end(
    platform: LCPlatform, multipart: Multipart
) -> None:
    with pytest.raises(ValidationError, match="crc32c"):
        platform.object_store.put_object("bucket", "key", data=pieces(PART + 5), crc32c=1)
    assert multipart.steps[-1] == "abort"
    assert "complete" not in multipart.steps


def test_the_deadline_ends_an_upload_between_its_parts(
    platform: LCPlatform, multipart: Multipart
) -> None:
    limit = timedelta(seconds=2)

    def slow() -> Iterator[bytes]:
        yield b"x" * (PART + 5)
        threading.Event().wait(limit.total_seconds() + 0.1)
        yield b"x" * PART

    # The client is made at its first call, which on a busy machine takes much of such a deadline.
    platform.object_store.put_object("bucket", "key", data=pieces(PART + 5))
    with pytest.raises(DeadlineExceededError):
        platform.object_store.put_object(
            "bucket", "key", data=slow(), options=CallOptions(deadline=limit)
        )
    assert multipart.steps[-1] == "abort"
    assert multipart.steps.count("complete") == 1, "the upload before"


def test_a_call_in_a_hurry_does_not_ask_before_it_sends_a_body(
    platform: LCPlatform, stub: Stub
) -> None:
    stub.otherwise = lambda _: found(b"")
    platform.object_store.put_object("bucket", "key", data=b"x" * 2 * MIB)
    assert stub.asked[-1].headers["expect"] == "100-continue"
    hurry = CallOptions(deadline=timedelta(seconds=1.9))
    platform.object_store.put_object("bucket", "key", data=b"x" * 2 * MIB, options=hurry)
    assert "expect" not in stub.asked[-1].headers


def test_parts_grow_so_that_the_largest_object_fits() -> None:
    offset = parts = 0
    while offset < MAX_OBJECT:
        size = part_size(offset, None)
        assert PART <= size <= 5 * 1024 * MIB
        offset, parts = offset + size, parts + 1
    assert parts <= MAX_PARTS
    assert part_size(1024 * MIB, None) == PART, "memory must not grow with ordinary objects"
    assert part_size(0, MAX_OBJECT) * MAX_PARTS >= MAX_OBJECT


GIB = 1024 * MIB


@pytest.mark.parametrize(
    "size",
    [
        5 * GIB + 1,
        PART * MAX_PARTS - 1,
        PART * MAX_PARTS,
        PART * MAX_PARTS + 1,
        1024 * GIB,
        MAX_OBJECT,
    ],
)
def test_a_body_of_known_size_has_as_many_parts_as_s3_takes(size: int) -> None:
    """All but the last are of 5 MiB to 5 GiB, and there are 10,000 at most."""
    offset, parts = 0, []
    while offset < size:
        parts.append(min(part_size(offset, size), size - offset))
        offset += parts[-1]
    assert len(parts) <= MAX_PARTS
    assert all(5 * MIB <= it <= 5 * GIB for it in parts[:-1])


@pytest.mark.parametrize("size", [1, 512 * MIB, 5 * GIB + 1, MAX_OBJECT, MAX_PARTS * 5 * GIB])
def test_the_parts_of_a_copy_are_the_whole_object_once(size: int) -> None:
    """Others may have stored objects of up to ten thousand parts of 5 GiB."""
    parts = list(stretches(size))
    assert len(parts) <= MAX_PARTS
    assert parts[0][0] == 0
    assert parts[-1][1] == size - 1
    assert all(last + 1 == first for (_, last), (first, _) in pairwise(parts))
    assert all(last - first < 5 * GIB for first, last in parts)


def test_a_body_of_known_size_that_is_too_large_for_one_request_goes_in_parts(
    platform: LCPlatform, multipart: Multipart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 takes 5 GiB at once; here it is a little less, so that nobody has to move them."""
    monkeypatch.setattr("lcplatform_aws.object_store.MAX_REQUEST", 20 * MIB)
    size = 20 * MIB + 1
    body = b"".join(pieces(size))
    answer = platform.object_store.put_object("bucket", "key", data=pieces(size), size=size)
    assert (answer.etag, answer.size) == ('"whole"', size)
    assert multipart.steps == ["create", "part", "part", "part", "complete"]
    assert [len(multipart.parts[it]) for it in (1, 2, 3)] == [PART, PART, size - 2 * PART]
    assert multipart.body == body


def test_an_outgoing_body_has_its_length_and_can_be_read_again() -> None:
    body = Outgoing(lambda: iter([b"a", b"bc"]), 3)
    assert (len(body), list(body), list(body)) == (3, [b"a", b"bc"], [b"a", b"bc"])


# --- downloads


def test_a_transfer_that_breaks_goes_on_where_it_stopped(platform: LCPlatform, stub: Stub) -> None:
    body = b"".join(pieces(600_000, 1000))

    def rest(asked: Asked) -> Answer:
        start = int(asked.headers["range"].removeprefix("bytes=").partition("-")[0])
        stretch = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return found(body[start:], 206, content_range=stretch)

    stub.will(found(body, cut=400_000), rest)
    with platform.object_store.get_object("bucket", "key") as download:
        assert download.read() == body
    assert stub.asked[1].headers["if-match"] == '"e1"'
    assert 0 < int(stub.asked[1].headers["range"].partition("=")[2].partition("-")[0]) <= 400_000


def test_a_transfer_whose_object_was_replaced_is_a_conflict(
    platform: LCPlatform, stub: Stub
) -> None:
    stub.will(found(b"x" * 600_000, cut=300_000), s3_error(412, "PreconditionFailed"))
    with (
        pytest.raises(ConflictError),
        platform.object_store.get_object("bucket", "key") as download,
    ):
        download.read()


def test_a_transfer_that_breaks_for_good_says_so_in_the_platforms_words(
    once: LCPlatform, stub: Stub
) -> None:
    stub.will(found(b"x" * 600_000, cut=300_000))
    with (
        pytest.raises(ServiceUnavailableError),
        once.object_store.get_object("bucket", "key") as download,
    ):
        download.read()


def test_a_small_body_that_is_cut_is_noticed(platform: LCPlatform, stub: Stub) -> None:
    stub.will(found(b"0123456789", cut=4), found(b"0123456789"))

    def rest(asked: Asked) -> Answer:
        start = int(asked.headers["range"].partition("=")[2].partition("-")[0])
        return found(b"0123456789"[start:], 206, content_range=f"bytes {start}-9/10")

    stub.answers.pop()
    stub.will(rest)
    assert platform.object_store.get_object("bucket", "key").read() == b"0123456789"


def test_a_connection_is_used_again_after_a_body_was_read(platform: LCPlatform, stub: Stub) -> None:
    stub.otherwise = lambda asked: found(b"x" * 300_000)
    for _ in range(3):
        platform.object_store.get_object("bucket", "key").read()
    assert len(stub._connections) == 1


def test_a_download_that_is_given_up_closes_its_connection(
    platform: LCPlatform, stub: Stub
) -> None:
    stub.otherwise = lambda asked: found(b"x" * 3_000_000)
    with platform.object_store.get_object("bucket", "key") as download:
        next(iter(download))
    platform.object_store.get_object("bucket", "key").read()
    assert len(stub._connections) == 2


def test_what_has_not_changed_is_an_answer(platform: LCPlatform, stub: Stub) -> None:
    stub.will(Answer(304, {"ETag": '"e1"'}))
    with platform.object_store.get_object("bucket", "key", if_none_match='"e1"') as download:
        assert download.header.not_modified
        assert (download.header.etag, download.read()) == ('"e1"', b"")


def test_what_the_service_says_of_an_object_comes_in_the_platforms_words(
    platform: LCPlatform, stub: Stub
) -> None:
    stub.will(
        found(
            b"234",
            206,
            content_range="bytes 2-4/10",
            x_amz_version_id="v1",
            content_type="text/plain",
            x_amz_meta_author="kim",
        )
    )
    with platform.object_store.get_object("bucket", "key") as download:
        header = download.header
    assert (header.size, header.range_offset, header.range_length) == (10, 2, 3)
    assert (header.version, header.content_type, header.metadata) == (
        "v1",
        "text/plain",
        {"author": "kim"},
    )
    assert header.modified_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, ResourceNotFoundError), (403, Exception), (503, ServiceUnavailableError)],
)
def test_a_head_has_nothing_but_its_status(
    once: LCPlatform, stub: Stub, status: int, kind: type[Exception]
) -> None:
    stub.will(Answer(status))
    with pytest.raises(kind):
        once.object_store.head_object("bucket", "key")


def test_a_head_of_a_version_that_cannot_be_asks_for_the_reason(
    once: LCPlatform, stub: Stub
) -> None:
    reason = b"<Error><Code>InvalidArgument</Code><Message>Invalid version id specified</Message></Error>"
    # After a HEAD that says 400 the SDK asks where the bucket is.
    stub.will(Answer(400), Answer(200), Answer(400, {}, reason))
    with pytest.raises(ResourceNotFoundError) as error:
        once.object_store.head_object("bucket", "key", version="nope")
    assert [it.method for it in stub.asked] == ["HEAD", "HEAD", "GET"]
    assert error.value.resource == "key"


def test_a_range_without_a_start_is_refused_before_it_is_asked_for(
    once: LCPlatform, stub: Stub
) -> None:
    with pytest.raises(ValidationError, match="range"):
        once.object_store.get_object("bucket", "key", range=ByteRange(length=3))
    assert not stub.asked


def test_a_copy_onto_itself_names_what_is_wrong(once: LCPlatform, stub: Stub) -> None:
    text = "This copy request is illegal because it is trying to copy an object to itself."
    problem = f"<Error><Code>InvalidRequest</Code><Message>{text}</Message></Error>"
    stub.will(Answer(400, {}, problem.encode()))
    with pytest.raises(ValidationError) as error:
        once.object_store.copy_object("bucket", "key", source_key="key")
    assert [it.field for it in error.value.violations] == ["source_key"]


def test_a_copy_whose_source_has_changed_names_the_source(once: LCPlatform, stub: Stub) -> None:
    problem = b"<Error><Code>PreconditionFailed</Code><Condition>x-amz-copy-source-If-Match</Condition></Error>"
    stub.will(Answer(412, {}, problem))
    with pytest.raises(ConflictError) as error:
        once.object_store.copy_object("bucket", "key", source_key="from", source_if_match="old")
    assert error.value.resource == "from"


# --- copies and deletions


def test_what_is_too_large_to_copy_at_once_is_copied_in_parts(
    platform: LCPlatform, stub: Stub
) -> None:
    size = 6 * 1024 * MIB
    tags = "<Tagging><TagSet><Tag><Key>a b</Key><Value>c&amp;d</Value></Tag></TagSet></Tagging>"
    head = Answer(
        200,
        {"Content-Length": str(size), "ETag": '"e1"', "Last-Modified": MODIFIED,
         "x-amz-meta-author": "kim", "Content-Type": "video/mp4"},
    )  # fmt: skip
    multipart = Multipart(stub)
    answers = multipart.stub.otherwise

    def answer(asked: Asked) -> Answer:
        if "uploadId" in asked.path and asked.method == "PUT":
            multipart.steps.append(asked.headers["x-amz-copy-source-range"])
            assert asked.headers["x-amz-copy-source-if-match"] == '"e1"'
            return xml("<CopyPartResult><ETag>&quot;p&quot;</ETag></CopyPartResult>")
        return answers(asked)

    stub.otherwise = answer
    text = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
    stub.will(s3_error(400, "InvalidRequest", text), head, xml(tags))
    copied = platform.object_store.copy_object("bucket", "key", source_key="big", if_absent=True)
    assert copied.etag == '"whole"'
    ranges = [step for step in multipart.steps if step.startswith("bytes")]
    assert ranges[0] == f"bytes=0-{512 * MIB - 1}"
    assert ranges[-1].endswith(f"-{size - 1}")
    assert multipart.completion is not None
    assert multipart.completion.headers["if-none-match"] == "*"
    created = next(asked for asked in stub.asked if asked.path.endswith("?uploads"))
    assert created.headers["x-amz-meta-author"] == "kim"
    assert created.headers["content-type"] == "video/mp4"
    assert created.headers["x-amz-tagging"] == "a+b=c%26d"


def test_a_source_that_changed_before_its_parts_are_copied_is_no_target_that_exists(
    once: LCPlatform, stub: Stub
) -> None:
    """The answer to a HEAD does not say which condition it was, but it can be that of the source only."""
    too_large = s3_error(
        400, "InvalidRequest", "The specified copy source is larger than the maximum allowable size"
    )
    stub.will(too_large, Answer(412))
    with pytest.raises(ConflictError, match="source"):
        once.object_store.copy_object(
            "bucket", "key", source_key="other", source_if_match='"e0"', if_absent=True
        )


def test_a_copy_that_fails_inside_an_answer_that_says_ok_is_retried(
    platform: LCPlatform, stub: Stub
) -> None:
    ok = xml("<CopyObjectResult><ETag>&quot;e2&quot;</ETag></CopyObjectResult>")
    stub.will(xml("<Error><Code>SlowDown</Code></Error>"), ok)
    assert platform.object_store.copy_object("bucket", "key", source_key="a b/ü").etag == '"e2"'
    assert stub.asked[1].headers["x-amz-copy-source"] == "bucket/a%20b/%C3%BC"


def test_each_entry_that_is_not_deleted_is_reported(platform: LCPlatform, stub: Stub) -> None:
    stub.will(
        xml(
            "<DeleteResult><Error><Key>b</Key><VersionId></VersionId><Code>AccessDenied</Code><Message>no</Message></Error>"
            "<Error><Key>c</Key><VersionId>v1</VersionId><Code>InternalError</Code></Error></DeleteResult>"
        )
    )
    answer = platform.object_store.delete_objects(
        "bucket",
        [
            DeleteObjectsEntry(key="a"),
            DeleteObjectsEntry(key="b"),
            DeleteObjectsEntry(key="c", version="v1"),
            DeleteObjectsEntry(key="c", version="v2"),
        ],
    )
    assert [(it.index, it.key) for it in answer.successful] == [(0, "a"), (3, "c")]
    assert [(it.index, it.code, it.retryable) for it in answer.failed] == [
        (1, "permission_denied", False),
        (2, "internal", True),
    ]


# --- buckets


def test_a_bucket_is_made_where_the_client_is(platform: LCPlatform, stub: Stub) -> None:
    stub.will(Answer(200, {"Date": MODIFIED}))
    bucket = platform.object_store.create_bucket("bucket").bucket
    assert b"<LocationConstraint>eu-west-1</LocationConstraint>" in stub.asked[0].body
    assert bucket.created_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_in_the_oldest_region_a_bucket_of_ones_own_is_taken_too(
    at_stub: AtStub, stub: Stub
) -> None:
    home = at_stub(region="us-east-1")
    stub.will(Answer(200))
    with pytest.raises(AlreadyExistsError):
        home.object_store.create_bucket("bucket")
    stub.will(Answer(403))
    with pytest.raises(AlreadyExistsError):
        home.object_store.create_bucket("bucket")
    stub.will(Answer(404), Answer(200, {"Date": MODIFIED}))
    home.object_store.create_bucket("bucket")
    assert stub.asked[-1].body == b"", "us-east-1 must not be named as a constraint"


def test_a_bucket_that_cannot_be_configured_does_not_stay(once: LCPlatform, stub: Stub) -> None:
    stub.will(Answer(200, {"Date": MODIFIED}), s3_error(403, "AccessDenied"), Answer(204))
    with pytest.raises(Exception, match="AccessDenied"):
        once.object_store.create_bucket("bucket", versioning=True)
    assert [asked.method for asked in stub.asked] == ["PUT", "PUT", "DELETE"]


def test_why_a_bucket_cannot_be_configured_is_told_even_if_it_stays(
    once: LCPlatform, stub: Stub
) -> None:
    stub.will(Answer(200, {"Date": MODIFIED}), s3_error(403, "AccessDenied"), Answer(500))
    with pytest.raises(PermissionDeniedError):
        once.object_store.create_bucket("bucket", versioning=True)


def test_rules_by_which_objects_expire_also_end_forgotten_uploads(
    platform: LCPlatform, stub: Stub
) -> None:
    stub.will(Answer(200, {"Date": MODIFIED}), Answer(200))
    rule = LifecycleRule(prefix="tmp/", expire_after=timedelta(days=3))
    platform.object_store.create_bucket("bucket", lifecycle=[rule])
    body = stub.asked[1].body
    assert b"<Days>3</Days>" in body
    assert b"<DaysAfterInitiation>7</DaysAfterInitiation>" in body


def test_half_a_day_is_no_age(platform: LCPlatform, stub: Stub) -> None:
    rule = LifecycleRule(expire_after=timedelta(days=1.5))
    with pytest.raises(ValidationError, match="expire_after"):
        platform.object_store.create_bucket("bucket", lifecycle=[rule])
    assert not stub.asked


def test_a_bucket_that_is_not_empty_stays(once: LCPlatform, stub: Stub) -> None:
    stub.will(s3_error(409, "BucketNotEmpty"))
    with pytest.raises(PreconditionFailedError):
        once.object_store.delete_bucket("bucket")


# --- presigned URLs


@pytest.fixture
def on_aws() -> Iterator[LCPlatform]:
    with LCPlatform(
        "aws",
        region="eu-west-1",
        access_key_id="AKIA",
        secret_access_key="s",
        session_token="session",
    ) as platform:
        yield platform


def test_a_presigned_url_is_on_the_buckets_own_host_and_signed_by_the_present_scheme(
    on_aws: LCPlatform,
) -> None:
    answer = on_aws.object_store.generate_presigned_url(
        "bucket", "a b/ü", expires=timedelta(minutes=5)
    )
    url = urlsplit(answer.url)
    query = parse_qs(url.query)
    assert url.hostname == "bucket.s3.eu-west-1.amazonaws.com"
    assert url.path == "/a%20b/%C3%BC"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["300"]
    assert query["X-Amz-Security-Token"] == ["session"]
    assert answer.headers == {}
    assert answer.url not in repr(answer)
    left = answer.expires_at - datetime.now(UTC)
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)


def test_a_presigned_upload_signs_its_media_type_and_says_so(on_aws: LCPlatform) -> None:
    answer = on_aws.object_store.generate_presigned_url(
        "bucket", "key", method=PresignedMethod.PUT, content_type="text/plain"
    )
    signed = parse_qs(urlsplit(answer.url).query)["X-Amz-SignedHeaders"][0].split(";")
    assert "content-type" in signed
    assert not any(name.startswith("x-amz-checksum") for name in signed)
    assert answer.headers == {"Content-Type": "text/plain"}


def test_a_presigned_url_of_more_than_a_week_is_refused() -> None:
    """S3 would refuse it when it is used, and the SDK signs it."""
    from lcplatform_aws.object_store import S3ObjectStore

    session = Session(AwsOptions(region="eu-west-1", access_key_id="a", secret_access_key="b"))
    longer = GeneratePresignedUrlRequest.model_construct(
        bucket="bucket",
        key="key",
        method=PresignedMethod.GET,
        expires=timedelta(days=8),
        content_type=None,
    )
    with pytest.raises(ValidationError, match="7 days"):
        S3ObjectStore(session).generate_presigned_url(longer)
    session.close()


def test_what_is_asked_for_is_one_or_the_other(platform: LCPlatform, stub: Stub) -> None:
    with pytest.raises(ValidationError, match="together"):
        platform.object_store.put_object("bucket", "key", data=b"x", if_match="e", if_absent=True)
    with pytest.raises(ValidationError, match="together"):
        platform.object_store.delete_object("bucket", "key", version="v", if_match="e")
    assert not stub.asked

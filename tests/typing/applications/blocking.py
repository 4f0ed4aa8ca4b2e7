"""A blocking application: what it gets is typed to the last field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import assert_type

from lcplatform import CallOptions, Json, LCPlatform
from lcplatform.batch import Job
from lcplatform.document_store import Document
from lcplatform.object_store import GetObjectHeader, ObjectInfo, PutObjectResponse
from lcplatform.queue import Message, SendMessagesEntry
from lcplatform.secrets import VersionStage
from lcplatform.type.models import BatchFailure, ErrorCode
from lcplatform_runtime.streams import Download


def application(platform: LCPlatform) -> None:
    stored = platform.object_store.put_object("reports", "a.txt", b"hello", if_absent=True)
    assert_type(stored, PutObjectResponse)
    assert_type(stored.version, str | None)
    got = platform.object_store.get_object("reports", "a.txt")
    assert_type(got, Download[GetObjectHeader])
    assert_type(got.header.modified_at, datetime | None)
    assert_type(got.read(), bytes)
    assert_type(platform.object_store.iter_objects("reports", prefix="a"), Iterator[ObjectInfo])
    assert_type(platform.object_store.exists("reports", "a.txt"), bool)

    queue = platform.queue
    queue.send_message("orders", {"id": 1}, delay=timedelta(seconds=1))
    failed = queue.send_messages("orders", [SendMessagesEntry(body="first")]).failed
    assert_type(failed, tuple[BatchFailure, ...])
    assert_type(failed[0].code, ErrorCode)
    messages = queue.receive_messages("orders", wait=timedelta(seconds=5)).messages
    assert_type(messages, tuple[Message, ...])
    assert_type(messages[0].body, str | bytes | Json)
    queue.update_queue("orders", clear=["dead_letter_queue"])

    secret = platform.secrets.get_secret("database", stage=VersionStage.CURRENT)
    assert_type(secret.value, str | Json | bytes)
    platform.secrets.get_secret("database", options=CallOptions(bypass_cache=True))

    assert_type(platform.batch.wait_for_job("1", timeout=timedelta(minutes=5)), Job)
    assert_type(platform.web_hosting.get_application_url("1"), str)
    assert_type(platform.document_store.find_one("people", filter={"name": "Kim"}), Document | None)
    value = platform.configuration.get_configuration_value
    assert_type(value("shop", "test", path="/limits/rate"), Json)
    assert_type(value("shop", "test", path="/limits/rate", as_type=int), int)
    assert_type(value("shop", "test", path="/limits/rate", as_type=int, default=None), int | None)
    assert_type(value("shop", "test", path="/hosts", as_type=list[str]), list[str])
    assert_type(value("shop", "test", path="/hosts", default=None), Json | None)

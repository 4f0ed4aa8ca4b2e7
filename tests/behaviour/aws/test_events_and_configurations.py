"""EventBridge and AppConfig on an emulator that delivers for real: webhooks, and many writers at once."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import ConflictError
from lcplatform.event_bus.models import HttpTarget
from tests.emulators import Emulator
from tests.unit.aws.stub import Answer, Asked, Stub


@pytest.fixture
def platform(ministack: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[LCPlatform]:
    """A platform on ministack."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with LCPlatform(
        "aws",
        endpoint_url=ministack.url,
        region="us-east-1",
        access_key_id="testing",
        secret_access_key="testing",
        event_bus={"role": "arn:aws:iam::000000000000:role/poster"},
    ) as made:
        yield made


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"aws-{uuid.uuid4().hex[:12]}"


def test_a_webhook_gets_the_event_with_its_secret(platform: LCPlatform, name: str) -> None:
    came = threading.Event()
    posted: list[Asked] = []

    def take(asked: Asked) -> Answer:
        posted.append(asked)
        came.set()
        return Answer()

    with Stub() as receiver:
        receiver.otherwise = take
        platform.secrets.create_secret(name, value="Bearer hush")
        platform.event_bus.create_event_bus(name)
        platform.event_bus.create_rule(name, "all", pattern={"source": ["/orders"]})
        platform.event_bus.add_target(
            name,
            "all",
            target_id="hook",
            target=HttpTarget(
                url=f"{receiver.url}/hook?a=b",
                headers={"X-Kind": "event"},
                secret_headers={"Authorization": name},
            ),
        )
        platform.event_bus.publish_event(
            name, source="/orders", type="placed", id="17", data={"order": 9007199254740993}
        )
        assert came.wait(20)
    [request] = posted
    assert (request.method, request.path) == ("POST", "/hook?a=b")
    assert request.headers["authorization"] == "Bearer hush"
    assert request.headers["x-kind"] == "event"
    assert request.headers["x-lcplatform-rule"] == "all"
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    event = json.loads(request.body)
    assert (event["specversion"], event["id"], event["source"]) == ("1.0", "17", "/orders")
    assert event["data"] == {"order": 9007199254740993}


def test_of_many_conditional_changes_at_once_one_is_made(platform: LCPlatform, name: str) -> None:
    etag = platform.configuration.create_configuration(name, "test", data={"by": None}).etag

    def change(number: int) -> int | None:
        try:
            platform.configuration.update_configuration(
                name, "test", data={"by": number}, if_match=etag
            )
        except ConflictError:
            return None
        return number

    with ThreadPoolExecutor(8) as threads:
        made = [it for it in threads.map(change, range(8)) if it is not None]
    assert len(made) == 1
    found = platform.configuration.get_configuration(name, "test")
    assert found.data is not None
    assert found.data.value == {"by": made[0]}
    assert len(platform.configuration.list_versions(name, "test").versions) == 2


def test_of_many_changes_at_once_each_is_made(platform: LCPlatform, name: str) -> None:
    platform.configuration.create_configuration(name, "test", data={"by": None})

    def change(number: int) -> None:
        platform.configuration.update_configuration(name, "test", data={"by": number})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(change, range(4)))
    assert len(platform.configuration.list_versions(name, "test").versions) == 5

"""What arrives for a receiver that gave up is given back to the queue at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import OperationCancelledError
from lcplatform_runtime.cancellation import CANCELLATION, Cancellation
from tests.emulators import Emulator


@pytest.fixture
def platform(moto: Emulator) -> Iterator[LCPlatform]:
    with LCPlatform(
        "aws",
        endpoint_url=moto.url,
        region="us-east-1",
        access_key_id="testing",
        secret_access_key="testing",
    ) as made:
        yield made


def test_messages_that_come_for_nobody_are_given_back(platform: LCPlatform) -> None:
    platform.queue.create_queue("given-back")
    platform.queue.send_message("given-back", "first")
    gone = Cancellation()
    gone.cancel()
    token = CANCELLATION.set(gone)
    try:
        with pytest.raises(OperationCancelledError):
            platform.queue.receive_messages("given-back")
    finally:
        CANCELLATION.reset(token)
    received = platform.queue.receive_messages("given-back").messages
    assert [(message.body, message.receive_count) for message in received] == [("first", 2)]

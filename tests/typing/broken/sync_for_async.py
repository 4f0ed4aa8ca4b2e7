"""An async driver with a blocking method."""

from __future__ import annotations

from typing_extensions import override

from lcplatform.queue.driver import AsyncQueueDriver
from lcplatform.queue.models import SendMessageRequest, SendMessageResponse


class BlockingAtHeart(AsyncQueueDriver):
    """Forgot a word."""

    @override
    def send_message(self, request: SendMessageRequest, /) -> SendMessageResponse:  # E: Return type "SendMessageResponse" of "send_message" incompatible
        return SendMessageResponse(message_id=request.queue)

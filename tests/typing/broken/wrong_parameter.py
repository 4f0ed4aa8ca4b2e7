"""A driver whose method takes another request than the contract says."""

from __future__ import annotations

from typing_extensions import override

from lcplatform.queue.models import GetQueueRequest, SendMessageResponse
from lcplatform.queue.stub import UnimplementedQueue


class WrongQueue(UnimplementedQueue):
    """Sends queues."""

    @override
    def send_message(self, request: GetQueueRequest, /) -> SendMessageResponse:  # E: Argument 1 of "send_message" is incompatible
        return SendMessageResponse(message_id=request.name)

"""A driver whose method answers something else than the contract says."""

from __future__ import annotations

from typing_extensions import override

from lcplatform.queue.models import SendMessageRequest
from lcplatform.queue.stub import UnimplementedQueue


class WrongQueue(UnimplementedQueue):
    """Answers with the name of the queue."""

    @override
    def send_message(self, request: SendMessageRequest, /) -> str:  # E: Return type "str" of "send_message" incompatible
        return request.queue

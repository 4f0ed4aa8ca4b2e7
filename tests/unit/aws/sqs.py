"""SQS as far as a test needs it, on the stub."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.unit.aws.stub import Answer, Asked, Stub, json_answer, json_error

URL: Final = "http://sqs/123/orders"
FIFO: Final = "http://sqs/123/ledger.fifo"
ARN: Final = "arn:aws:sqs:eu-west-1:123:"

MISSING: Final = json_error(
    400,
    "com.amazonaws.sqs#QueueDoesNotExist",
    "The specified queue does not exist.",
    x_amzn_query_error="AWS.SimpleQueueService.NonExistentQueue;Sender",
)

Handler = Callable[[dict[str, Any]], Answer]


class Sqs:
    """Names are known, and the rest is as the test says."""

    def __init__(self, stub: Stub) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.urls = {"orders": URL, "ledger.fifo": FIFO, "dead": "http://sqs/123/dead"}
        self.does: dict[str, Handler | list[Answer]] = {}
        stub.otherwise = self._answer

    def _answer(self, asked: Asked) -> Answer:
        parameters: dict[str, Any] = dict(asked.json)
        self.asked.append((asked.target, parameters))
        if asked.target == "GetQueueUrl" and "GetQueueUrl" not in self.does:
            url = self.urls.get(parameters["QueueName"])
            return MISSING if url is None else json_answer(QueueUrl=url)
        what = self.does[asked.target]
        return what.pop(0) if isinstance(what, list) else what(parameters)

    def calls(self, target: str) -> list[dict[str, Any]]:
        """What was asked of an operation."""
        return [parameters for name, parameters in self.asked if name == target]

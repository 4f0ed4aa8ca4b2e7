"""CloudWatch Logs, as far as what runs on AWS writes there by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.fake_aws.api import AwsError
from tests.fake_aws.server import Service

_OF_A_STREAM: Final = ("timestamp", "ingestionTime", "message")


@dataclass(frozen=True, slots=True)
class Event:
    """A line in a stream; its moment is in milliseconds."""

    number: int
    stream: str
    timestamp: int
    message: str

    def told(self) -> dict[str, object]:
        """As FilterLogEvents has it."""
        return {
            "eventId": f"{self.number:056}",
            "logStreamName": self.stream,
            "timestamp": self.timestamp,
            "ingestionTime": self.timestamp,
            "message": self.message,
        }


class Logs(Service):
    """Log groups and what is in them."""

    service = "logs"

    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[str, list[Event]] = {}
        self.page = 10_000
        """The most events in one answer."""

    def write(self, group: str, stream: str, message: str) -> None:
        """Adds a line, now. What goes to a group that does not exist is lost, as on AWS."""
        events = self.groups.get(group)
        if events is not None:
            moment = round(self.time.now().timestamp() * 1000)
            events.append(Event(len(events), stream, moment, message))

    def create_log_group(self, given: dict[str, Any]) -> None:
        if given["logGroupName"] in self.groups:
            raise AwsError(
                "ResourceAlreadyExistsException", "The specified log group already exists"
            )
        self.groups[given["logGroupName"]] = []

    def get_log_events(self, given: dict[str, Any]) -> Mapping[str, Any]:
        stream = given["logStreamName"]
        found = [it for it in self.groups.get(given["logGroupName"], ()) if it.stream == stream]
        if not found:  # a stream begins with its first line
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        first = int(given.get("nextToken", "f/0").removeprefix("f/"))
        page = found[first : first + given.get("limit", self.page)]
        told = [{name: it.told()[name] for name in _OF_A_STREAM} for it in page]
        # At the end the token stays the same.
        forward = f"f/{first + len(page)}"
        return {"events": told, "nextForwardToken": forward, "nextBackwardToken": f"b/{first}"}

    def filter_log_events(self, given: dict[str, Any]) -> Mapping[str, Any]:
        events = self.groups.get(given["logGroupName"])
        if events is None:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        start, end = given.get("startTime", 0), given.get("endTime")
        found = [
            it
            for it in events
            if it.stream.startswith(given.get("logStreamNamePrefix", ""))
            and it.timestamp >= start
            and (end is None or it.timestamp < end)
        ]
        first = int(given.get("nextToken", "0"))
        last = first + given.get("limit", self.page)
        more = {"nextToken": str(last)} if last < len(found) else {}
        return {"events": [it.told() for it in found[first:last]], "searchedLogStreams": [], **more}

    def describe_log_streams(self, given: dict[str, Any]) -> Mapping[str, Any]:
        events = self.groups.get(given["logGroupName"], [])
        began: dict[str, int] = {}
        for it in events:
            if it.stream.startswith(given.get("logStreamNamePrefix", "")):
                began.setdefault(it.stream, it.timestamp)
        found = [{"logStreamName": name, "creationTime": it} for name, it in sorted(began.items())]
        return {"logStreams": found[: given.get("limit", 50)]}

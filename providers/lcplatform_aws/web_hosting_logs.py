"""What applications wrote, from CloudWatch Logs, in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lcplatform.web_hosting.models import GetLogsRequest, GetLogsResponse, LogEntry
from lcplatform_aws.errors import problem_of
from lcplatform_aws.pause import Pause
from lcplatform_aws.units import given

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

_LAST_HOUR: Final = timedelta(hours=1)
_PAGE: Final = 1000


def logged(
    logs: CloudWatchLogsClient,
    group: str,
    prefix: str,
    request: GetLogsRequest,
    alive: Callable[[], bool],
    wanted: Callable[[str], bool] = lambda stream: True,
    /,
) -> Iterator[GetLogsResponse]:
    """The entries of the streams whose names start with `prefix`, as far as they are `wanted`. One that follows ends with
    its caller, or when the application is `alive` no more."""
    start = _milliseconds(request.since or datetime.now(UTC) - _LAST_HOUR)
    end = None if request.until is None else _milliseconds(request.until)
    told: dict[str, int] = {}
    with Pause() as pause:
        while True:
            going_on = request.follow and alive()
            for events in _pages(logs, group, prefix, start, end):
                fresh = [it for it in events if it["eventId"] not in told]
                told |= {it["eventId"]: it["timestamp"] for it in fresh}
                if told_now := [it for it in fresh if wanted(it["logStreamName"])]:
                    yield GetLogsResponse(entries=tuple(map(_entry, told_now)))
            if not going_on or pause():
                return
            # What bears the newest moment may get company, so that moment is asked for again.
            start = max([start, *told.values()])
            told = {name: moment for name, moment in told.items() if moment == start}


def _pages(
    logs: CloudWatchLogsClient, group: str, prefix: str, start: int, end: int | None
) -> Iterator[list[Any]]:
    token: str | None = None
    while True:
        try:
            answer = logs.filter_log_events(
                logGroupName=group,
                startTime=start,
                limit=_PAGE,
                **given(logStreamNamePrefix=prefix or None, endTime=end, nextToken=token),
            )
        except ClientError as error:
            if problem_of(error).get("Code") != "ResourceNotFoundException":
                raise
            return  # AWS makes the group when the first line is written
        yield answer["events"]
        token = answer.get("nextToken")
        if not token:
            return


def _entry(event: Any) -> LogEntry:
    return LogEntry(
        time=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
        message=event["message"].rstrip("\n"),
        instance=event["logStreamName"].rpartition("/")[2] or None,
    )


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

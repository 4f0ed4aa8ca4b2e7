"""What jobs wrote, from CloudWatch Logs: each attempt has a stream of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lcplatform.batch.models import GetJobLogsRequest, GetJobLogsResponse, JobLogEntry
from lcplatform_aws.batch_jobs import FINAL, streams_of
from lcplatform_aws.errors import problem_of
from lcplatform_aws.pause import Pause
from lcplatform_aws.units import given

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient


class _Streams:
    """The streams of one job, each read on from where it was left."""

    def __init__(self, logs: CloudWatchLogsClient, group: str) -> None:
        self._logs = logs
        self._group = group
        self._left: dict[str, str] = {}

    def news(self, stream: str, attempt: int) -> Iterator[GetJobLogsResponse]:
        """What has come since the last time."""
        while True:
            before = self._left.get(stream)
            try:
                answer = self._logs.get_log_events(
                    logGroupName=self._group,
                    logStreamName=stream,
                    startFromHead=True,
                    **given(nextToken=before),
                )
            except ClientError as error:
                # A stream begins with its first line.
                if problem_of(error).get("Code") != "ResourceNotFoundException":
                    raise
                return
            if answer["events"]:
                yield GetJobLogsResponse(
                    entries=tuple(_entry(it, attempt) for it in answer["events"])
                )
            # At the end the token stays the same. A page before it may be empty.
            self._left[stream] = answer["nextForwardToken"]
            if self._left[stream] == before:
                return


def logged(
    logs: CloudWatchLogsClient,
    group: str,
    request: GetJobLogsRequest,
    look: Callable[[], Mapping[str, Any]],
    /,
) -> Iterator[GetJobLogsResponse]:
    """The entries of the job at which one can `look`. One that follows ends with its caller, or after the job."""
    streams = _Streams(logs, group)
    over = not request.follow
    with Pause() as pause:
        while True:
            job = look()
            for attempt, stream in enumerate(streams_of(job), 1):
                if stream is not None and request.attempt in {None, attempt}:
                    yield from streams.news(stream, attempt)
            # What was written last arrives a moment after the end.
            if over or pause():
                return
            over = job["status"] in FINAL


def _entry(event: Any, attempt: int) -> JobLogEntry:
    return JobLogEntry(
        time=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
        message=event["message"].rstrip("\n"),
        attempt=attempt,
    )

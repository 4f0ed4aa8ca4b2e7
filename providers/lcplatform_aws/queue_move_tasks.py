"""Dead letters that SQS moves home by itself: one task for all of them, which is waited for.

A task moves everything that is in the dead-letter queue and counts it approximately. So it is used only where that is what was asked
for: the dead-letter queue serves one queue, and holds no more letters than may be moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lcplatform.queue.operations import REDRIVE_DEAD_LETTERS
from lcplatform_aws.errors import begun, entry_error
from lcplatform_runtime.clock import SYSTEM
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import DeadlineExceededError, Outcome

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

    from lcplatform_runtime.errors import LCPlatformError

_FIRST_LOOK: Final = 0.25
"""Seconds until a task is looked at for the first time. Each pause is longer than the one before."""
_LONGEST_PAUSE: Final = 5.0
_UNDER_WAY: Final = frozenset({"RUNNING", "CANCELLING"})


def fits(sqs: SQSClient, origin: str, most: int, /) -> bool:
    """Whether one task moves what was asked for, and no more: from the dead-letter queue at this URL, so many letters at most."""
    sources = sqs.list_dead_letter_source_queues(QueueUrl=origin, MaxResults=2)
    if len(sources.get("queueUrls", ())) != 1:
        return False
    counted: Any = sqs.get_queue_attributes(
        QueueUrl=origin, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(counted["Attributes"]["ApproximateNumberOfMessages"]) <= most


def moved(sqs: SQSClient, origin: str, home: str, /) -> int:
    """Has SQS move everything from one queue to the other, which are named by their ARNs. Says how many letters that were.

    Raises:
        DeadlineExceededError: the caller's deadline passed. The task was ended; what it had moved by then is home.
        LCPlatformError: the task failed.
    """
    handle = sqs.start_message_move_task(SourceArn=origin, DestinationArn=home)["TaskHandle"]
    pause = _FIRST_LOOK
    with begun(REDRIVE_DEAD_LETTERS, already=lambda: True):
        while (task := _task(sqs, origin)).get("Status") in _UNDER_WAY:
            if not _slept(pause):
                ended = sqs.cancel_message_move_task(TaskHandle=handle)
                raise _late(ended["ApproximateNumberOfMessagesMoved"])
            pause = min(pause * 1.5, _LONGEST_PAUSE)
    count = int(task.get("ApproximateNumberOfMessagesMoved", 0))
    if task.get("Status") == "FAILED":
        raise _failed(task, count)
    return count  # fewer than there were, if somebody else has ended it


def _task(sqs: SQSClient, origin: str) -> Mapping[str, Any]:
    """The latest task of a dead-letter queue. There is one at a time."""
    found = sqs.list_message_move_tasks(SourceArn=origin, MaxResults=1).get("Results", ())
    return found[0] if found else {"Status": "RUNNING"}


def _slept(pause: float) -> bool:
    """Sleeps, unless the call's time would be up: then it returns False at once."""
    call = current_call()
    remaining = None if call is None else call.remaining()
    if remaining is not None and remaining <= pause:
        return False
    (SYSTEM if call is None else call.clock).sleep(pause)
    return True


def _late(count: int) -> DeadlineExceededError:
    return DeadlineExceededError(
        f"the deadline passed after about {count} dead letters were sent back",
        outcome=Outcome.UNKNOWN,
        details={"moved": str(count)},
    )


def _failed(task: Mapping[str, Any], count: int) -> LCPlatformError:
    """What it means that a task ended otherwise than by being done."""
    error = entry_error(
        {
            "Code": task.get("FailureReason", "Unknown"),
            "Message": f"the task failed after about {count} dead letters",
        },
        REDRIVE_DEAD_LETTERS,
    )
    error.outcome = Outcome.UNKNOWN
    return error

"""Dead letters on Amazon SQS: looked at, and moved back to the queue that they came from, message by message.

Several queues may share a dead-letter queue: each gets back its own. A letter that names no queue was sent there by hand, and
goes to whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lcplatform.queue.operations import REDRIVE_DEAD_LETTERS
from lcplatform_aws import queue_batches
from lcplatform_aws.errors import begun
from lcplatform_aws.queue_batches import BATCH, failures, index_of
from lcplatform_aws.queue_names import FIFO
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import DeadlineExceededError, Outcome, ServiceUnavailableError

if TYPE_CHECKING:
    from lcplatform_aws.session import Session

STANDARD: Final = ["SentTimestamp", "ApproximateReceiveCount"]
"""What is asked of a message on a standard queue."""
ORDERED: Final = [*STANDARD, "MessageGroupId", "SequenceNumber", "MessageDeduplicationId"]
"""What is asked of a message on a FIFO queue."""
_SOURCE: Final = "DeadLetterQueueSourceArn"
_LEASE: Final = 60
"""For how many seconds a dead letter that is being sent back stays hidden."""
_LOOK: Final = 1
"""How many seconds a look for dead letters takes. One that does not wait asks a part of the servers only."""


def looked_at(session: Session, url: str, count: int, /) -> Sequence[Mapping[str, Any]]:
    """Some of the letters in a dead-letter queue. They stay there."""
    return _taken(session, url, count, hidden_for=0)


def _taken(
    session: Session, url: str, count: int, *, hidden_for: int
) -> Sequence[Mapping[str, Any]]:
    """Dead letters as SQS gives them out."""
    asked = ORDERED if url.endswith(FIFO) else STANDARD
    answer: Any = session.sqs_polls.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=count,
        VisibilityTimeout=hidden_for,
        WaitTimeSeconds=_LOOK,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=[*asked, _SOURCE],  # type: ignore[list-item]  # the stubs know literals
    )
    found: Sequence[Mapping[str, Any]] = answer.get("Messages", ())
    return found


def give_back(session: Session, url: str, handles: Sequence[str], /) -> None:
    """Makes messages visible again that were taken."""
    for start in range(0, len(handles), BATCH):
        session.sqs.change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for index, handle in enumerate(handles[start : start + BATCH])
            ],
        )


class Redrive:
    """One redrive: letters are sent home before they are deleted, so none is ever lost."""

    def __init__(self, session: Session, origin: str, home: str, home_arn: str, /) -> None:
        """`origin` and `home` are the URLs of the dead-letter queue and of the queue that the letters came from."""
        self._session = session
        self._origin = origin
        self._home = home
        self._sources = (None, home_arn)
        self._moved = 0
        self._arrived = False
        self._seen: set[str] = set()
        self._held: list[str] = []  # receipt handles

    def run(self, most: int, /) -> int:
        """Moves at most so many letters, and says how many it moved."""
        try:
            with begun(REDRIVE_DEAD_LETTERS, already=lambda: self._arrived):
                while self._moved < most:
                    _check_deadline(self._moved)
                    if not self._some(min(most - self._moved, BATCH)):
                        break
        finally:
            # Hidden until now, so that each look finds others. If this fails, they come back by themselves.
            with suppress(ClientError, BotoCoreError):
                give_back(self._session, self._origin, self._held)
        return self._moved

    def _some(self, count: int) -> bool:
        """Moves up to `count` letters. False if there are none that were not seen before."""
        taken = _taken(self._session, self._origin, count, hidden_for=_LEASE)
        # What was sent back and has died again while we were at it is not moved in circles.
        unseen = [it for it in taken if it["MessageId"] not in self._seen]
        mine = [it for it in unseen if it["Attributes"].get(_SOURCE) in self._sources]
        self._seen.update(it["MessageId"] for it in unseen)
        self._held += [it["ReceiptHandle"] for it in taken if it not in mine]
        if mine:
            self._send(mine)
        return bool(unseen)

    def _send(self, letters: Sequence[Mapping[str, Any]]) -> None:
        """Sends letters home, then deletes what has arrived."""
        sqs, fifo = self._session.sqs, self._home.endswith(FIFO)
        entries: list[Any] = [
            _returned(index, letter, fifo=fifo) for index, letter in enumerate(letters)
        ]
        answer = queue_batches.send(sqs, self._home, entries)
        arrived = [letters[index_of(it)] for it in answer.get("Successful", ())]
        self._seen.update(it["MessageId"] for it in answer.get("Successful", ()))
        if arrived:
            self._arrived = True
            sqs.delete_message_batch(
                QueueUrl=self._origin,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": letter["ReceiptHandle"]}
                    for index, letter in enumerate(arrived)
                ],
            )
        failed = failures(answer, "redrive_dead_letters")
        if failed:
            self._held += [letters[failure.index]["ReceiptHandle"] for failure in failed]
            raise ServiceUnavailableError(
                f"{len(failed)} dead letters could not be sent back: {failed[0].message}",
                retryable=any(failure.retryable for failure in failed),
                outcome=Outcome.UNKNOWN,
            )
        self._moved += len(arrived)


def _returned(index: int, letter: Mapping[str, Any], *, fifo: bool) -> dict[str, Any]:
    """A dead letter as it goes home: as it is, whoever sent it.

    Its own deduplication id may still be remembered there, and would lose it; its message id is as good, and new with
    each journey.
    """
    entry = {"Id": str(index), "MessageBody": letter["Body"]}
    if "MessageAttributes" in letter:
        entry["MessageAttributes"] = letter["MessageAttributes"]
    if fifo:
        entry["MessageGroupId"] = letter["Attributes"]["MessageGroupId"]
        entry["MessageDeduplicationId"] = letter["MessageId"]
    return entry


def _check_deadline(moved: int) -> None:
    call = current_call()
    if call is not None and call.remaining() == 0:
        raise DeadlineExceededError(
            f"the deadline passed after {moved} dead letters were sent back",
            details={"moved": str(moved)},
        )

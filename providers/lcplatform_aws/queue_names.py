"""Queues by their names: where each is at SQS, and what other services know it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import ClientError

from lcplatform_aws.errors import code_of, problem_of
from lcplatform_aws.resource_policies import allowing
from lcplatform_runtime.errors import ResourceNotFoundError

if TYPE_CHECKING:
    from lcplatform_aws.session import Session

FIFO: Final = ".fifo"
"""How the names of FIFO queues end at SQS. Callers do not see it."""
_MISSING: Final = frozenset({"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"})

T = TypeVar("T")


class Queues:
    """The queues of one connection. Where a queue is, is asked for once."""

    def __init__(self, session: Session, prefix: str = "", /) -> None:
        """`prefix` is put before every name, and callers do not see it."""
        self._session = session
        self._prefix = prefix
        self._urls: dict[str, str] = {}

    def arn(self, name: str, /) -> str:
        """What other services of AWS know a queue by. Raises ResourceNotFoundError where there is none."""
        answer: Any = self.at(
            name, partial(self._session.sqs.get_queue_attributes, AttributeNames=["QueueArn"])
        )
        arn: str = answer["Attributes"]["QueueArn"]
        return arn

    def permit(self, name: str, statement: Mapping[str, Any], /) -> None:
        """Adds a statement to the policy of a queue, if it is not there: with it another service may send to it."""
        answer: Any = self.at(
            name, partial(self._session.sqs.get_queue_attributes, AttributeNames=["Policy"])
        )
        policy = allowing(answer.get("Attributes", {}).get("Policy"), statement)
        if policy is not None:
            self.at(
                name, partial(self._session.sqs.set_queue_attributes, Attributes={"Policy": policy})
            )

    def name(self, known: str, /) -> str:
        """The name of a queue as callers know it, from its name at SQS or its ARN."""
        return known.rpartition(":")[2].removeprefix(self._prefix).removesuffix(FIFO)

    def known(self, name: str, /) -> str:
        """How a name, or a part of one, begins at SQS."""
        return f"{self._prefix}{name}"

    def keep(self, name: str, url: str, /) -> None:
        """Remembers where a queue is."""
        self._urls[name] = url

    def forget(self, name: str, /) -> None:
        """Has a queue be looked for anew."""
        self._urls.pop(name, None)

    def url(self, name: str, /) -> str:
        """The URL of a queue. Raises ResourceNotFoundError where there is none."""
        url = self._urls.get(name)
        if url is None:
            url = self.found(name)
            if url is None:
                raise ResourceNotFoundError(f"there is no queue {name!r}", resource=name)
            self._urls[name] = url
        return url

    def found(self, name: str, /) -> str | None:
        """The URL of a queue of either kind."""
        for suffix in ("", FIFO):
            try:
                return self._session.sqs.get_queue_url(QueueName=f"{self.known(name)}{suffix}")[
                    "QueueUrl"
                ]
            except ClientError as error:
                if not _missing(error):
                    raise
        return None

    def at(self, name: str, call: Callable[..., T], /) -> T:
        """What `call` answers for the queue of that name."""
        return self.sent(name, lambda url: call(QueueUrl=url))

    def sent(self, name: str, call: Callable[[str], T], /) -> T:
        """What `call` answers for the URL of a queue. A queue that is gone may have come back as one of the other kind."""
        known = self._urls.get(name)
        try:
            return call(known or self.url(name))
        except ClientError as error:
            if not _missing(error):
                raise
            self._urls.pop(name, None)
            if known is None or self.url(name) == known:
                raise
        return call(self.url(name))


def _missing(error: ClientError) -> bool:
    return code_of(problem_of(error)) in _MISSING

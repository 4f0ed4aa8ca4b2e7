"""Topics by their names: SNS knows them by the region and the account as well, and FIFO topics by a suffix."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import ClientError

from lcplatform_aws.errors import code_of, problem_of
from lcplatform_aws.pages import join_token, split_token
from lcplatform_aws.units import given
from lcplatform_runtime.errors import ResourceNotFoundError, ValidationError

if TYPE_CHECKING:
    from lcplatform_aws.session import Session

FIFO: Final = ".fifo"

T = TypeVar("T")


class Topics:
    """The topics of the account in its region."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._home = ""
        self._known: dict[str, str] = {}

    @property
    def home(self) -> str:
        """How the ARN of every topic begins. Whose credentials they are is asked once."""
        with self._lock:
            if not self._home:
                identity = self._session.sts.get_caller_identity()
                partition = identity["Arn"].split(":")[1]
                region = self._session.sns.meta.region_name
                self._home = f"arn:{partition}:sns:{region}:{identity['Account']}:"
            return self._home

    def of(self, name: str, *, fifo: bool) -> str:
        """The ARN that a topic of that kind has, if there is one."""
        return f"{self.home}{name}{FIFO if fifo else ''}"

    def name(self, arn: str) -> str:
        """The name of a topic as callers know it."""
        return arn.rpartition(":")[2].removesuffix(FIFO)

    def ours(self, arn: str) -> bool:
        """Whether a topic is one of this account and region."""
        return arn.startswith(self.home)

    def found(self, name: str) -> str | None:
        """The ARN of a topic of either kind; none where there is no such topic."""
        for fifo in (False, True):
            arn = self.of(name, fifo=fifo)
            try:
                self._session.sns.get_topic_attributes(TopicArn=arn)
            except ClientError as error:
                if not missing(error):
                    raise
            else:
                self._known[name] = arn
                return arn
        self._known.pop(name, None)
        return None

    def arn(self, name: str) -> str:
        """The ARN of a topic that is there now. Raises ResourceNotFoundError where there is none."""
        arn = self.found(name)
        if arn is None:
            raise ResourceNotFoundError(f"there is no topic {name!r}", resource=name)
        return arn

    def sent(self, name: str, call: Callable[[str], T], *, fifo: bool) -> T:
        """What `call` answers for the ARN of a topic.

        Who may publish need not be allowed to look around. So a topic that is not known yet is taken to be of the kind
        that the message is for, and looked up only where that fails. What the call refuses has had no effect.
        """
        arn = self._known.get(name) or self.of(name, fifo=fifo)
        try:
            answer = call(arn)
        except (ClientError, ValidationError) as error:
            if isinstance(error, ClientError) and not missing(error):
                raise
            there = self.arn(name)
            if there == arn:
                raise
            return call(there)
        self._known[name] = arn
        return answer

    def forget(self, name: str) -> None:
        """The topic is gone."""
        self._known.pop(name, None)


def missing(error: ClientError) -> bool:
    """Whether SNS answered that something does not exist."""
    return code_of(problem_of(error)) in {"NotFound", "NotFoundException"}


def page(
    fetch: Callable[..., Mapping[str, Any]], items: str, token: str, size: int
) -> tuple[list[Any], str]:
    """Some of what SNS lists, in whose pages there are always a hundred, and where the next page starts."""
    theirs, offset = split_token(token)
    answer = fetch(**given(NextToken=theirs or None))
    found = list(answer.get(items, ()))
    start = int(offset or 0)
    end = start + size
    if end < len(found):
        return found[start:end], join_token(theirs, str(end))
    return found[start:end], join_token(answer.get("NextToken") or "", "")

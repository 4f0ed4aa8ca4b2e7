"""Where EventBridge brings events: what has to be there and allowed for each kind of place, and how it is written down."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lcplatform.event_bus.models import (
    AddTargetRequest,
    Destination,
    FunctionTarget,
    HttpTarget,
    LogTarget,
    QueueTarget,
    TargetRetry,
    TopicTarget,
)
from lcplatform_aws.errors import code_of, problem_of
from lcplatform_aws.event_bus_webhooks import Webhooks, named
from lcplatform_aws.resource_policies import allowing
from lcplatform_aws.units import seconds
from lcplatform_runtime.errors import ResourceNotFoundError, invalid

if TYPE_CHECKING:
    from lcplatform_aws.queue_names import Queues
    from lcplatform_aws.session import Session

_GROUP: Final = "lcplatform.events"
"""The message group of events on a FIFO queue, where the target names none."""
_LONGEST_GROUP: Final = 100
_FIFO: Final = ".fifo"
_SID: Final = "LCPlatformEvents"
_SERVICE: Final = "events.amazonaws.com"
_LOGS: Final = "/aws/events/"
_LOG_NAME: Final = re.compile(r"[.\-_/#A-Za-z0-9]+")
_LOG_POLICY: Final = "lcplatform-events"
_EVENT: Final = "$.detail"
"""Where the event is in EventBridge's envelope: a target gets that and nothing else."""


class Places:
    """Queues, topics, webhooks and logs as targets."""

    def __init__(self, session: Session, queues: Queues, role: str | None) -> None:
        self._session = session
        self._queues = queues
        self._webhooks = Webhooks(session, role)

    def prepare(self, bus_arn: str, request: AddTargetRequest) -> dict[str, Any]:
        """The target as EventBridge takes it, with everything there and allowed that it needs.

        Raises:
            ResourceNotFoundError: what it names does not exist.
            ValidationError: it names the field.
        """
        letters = request.dead_letter_queue
        target: dict[str, Any] = {"Id": request.target_id, "RetryPolicy": _policy(request.retry)}
        if letters is not None:
            arn = self._queues.arn(letters)
            if arn.endswith(_FIFO):
                raise invalid("dead_letter_queue", "a queue that is no FIFO queue")
            target["DeadLetterConfig"] = {"Arn": arn}
        target |= self._place(bus_arn, request)
        if letters is not None:
            self._permit_queue(bus_arn, letters, target["DeadLetterConfig"]["Arn"])
        return target

    def _place(self, bus_arn: str, request: AddTargetRequest) -> dict[str, Any]:
        match request.target:
            case QueueTarget() as place:
                return self._queue(bus_arn, place)
            case TopicTarget() as place:
                return self._topic(bus_arn, place.topic)
            case HttpTarget() as place:
                secrets = self._webhooks.check(place)
                return {
                    "InputPath": _EVENT,
                    **self._webhooks.create(request.rule, place, secrets),
                }
            case LogTarget() as place:
                return self._log(bus_arn, place.log or request.rule)
            case FunctionTarget():  # the capability is not declared
                raise AssertionError(request.target)

    def _queue(self, bus_arn: str, place: QueueTarget) -> dict[str, Any]:
        arn = self._queues.arn(place.queue)
        made: dict[str, Any] = {"Arn": arn, "InputPath": _EVENT}
        if arn.endswith(_FIFO):
            if len(place.group_id or "") > _LONGEST_GROUP:
                raise invalid("target.queue.group_id", f"at most {_LONGEST_GROUP} characters")
            made["SqsParameters"] = {"MessageGroupId": place.group_id or _GROUP}
        elif place.group_id is not None:
            raise invalid("target.queue.group_id", "none, since the queue is no FIFO queue")
        self._permit_queue(bus_arn, place.queue, arn)
        return made

    def _permit_queue(self, bus_arn: str, queue: str, arn: str) -> None:
        self._queues.permit(queue, _statement(bus_arn, "sqs:SendMessage", arn))

    def _topic(self, bus_arn: str, topic: str) -> dict[str, Any]:
        partition, region, account = _home(bus_arn)
        arn = f"arn:{partition}:sns:{region}:{account}:{topic}"
        sns = self._session.sns
        try:
            attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        except ClientError as error:
            if code_of(problem_of(error)) not in {"NotFound", "NotFoundException"}:
                raise
            self._check_fifo(f"{arn}{_FIFO}")
            raise ResourceNotFoundError(f"there is no topic {topic!r}", resource=topic) from error
        policy = allowing(attributes.get("Policy"), _statement(bus_arn, "sns:Publish", arn))
        if policy is not None:
            sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
        return {"Arn": arn, "InputPath": _EVENT}

    def _check_fifo(self, arn: str) -> None:
        """Refuses a topic that keeps an order, which EventBridge does not publish to."""
        try:
            self._session.sns.get_topic_attributes(TopicArn=arn)
        except ClientError as error:
            if code_of(problem_of(error)) not in {"NotFound", "NotFoundException"}:
                raise
            return
        raise invalid("target.topic.topic", "a topic that is no FIFO topic")

    def _log(self, bus_arn: str, log: str) -> dict[str, Any]:
        """A log group takes EventBridge's envelope alone: the event is in its `detail`."""
        if _LOG_NAME.fullmatch(log) is None:
            raise invalid("target.log.log", "letters, digits and the characters . - _ / #")
        partition, region, account = _home(bus_arn)
        logs = self._session.logs
        try:
            logs.create_log_group(logGroupName=f"{_LOGS}{log}")
        except ClientError as error:
            if code_of(problem_of(error)) != "ResourceAlreadyExistsException":
                raise
        home = f"arn:{partition}:logs:{region}:{account}:log-group:{_LOGS}"
        statement = {
            "Sid": _SID,
            "Effect": "Allow",
            "Principal": {"Service": [_SERVICE, "delivery.logs.amazonaws.com"]},
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{home}*",
        }
        logs.put_resource_policy(
            policyName=_LOG_POLICY, policyDocument=allowing(None, statement) or ""
        )
        return {"Arn": f"{home}{log}"}

    # --- what is there

    def read(self, rule: str, target: dict[str, Any]) -> Destination:
        """Where a target brings events. What this platform would not make is a function, by what AWS calls it."""
        arn: str = target["Arn"]
        service, resource = arn.split(":", 5)[2::3]
        if service == "sqs":
            group = target.get("SqsParameters", {}).get("MessageGroupId")
            return QueueTarget(
                queue=self._queues.name(resource), group_id=None if group == _GROUP else group
            )
        if service == "sns":
            return TopicTarget(topic=resource)
        if service == "events" and resource.startswith("api-destination/"):
            return self._webhooks.read(target)
        if service == "logs":
            log = resource.removeprefix("log-group:").removeprefix(_LOGS)
            return LogTarget(log=None if log == rule else log)
        return FunctionTarget(function=arn)

    def letters(self, target: dict[str, Any]) -> str | None:
        """The dead-letter queue of a target."""
        arn: str | None = target.get("DeadLetterConfig", {}).get("Arn")
        return None if arn is None else self._queues.name(arn.rpartition(":")[2])

    def clear(self, target: dict[str, Any]) -> None:
        """Deletes what was made for a target that is gone. Permissions stay: other targets may need them."""
        if ":api-destination/" in target["Arn"]:
            self._webhooks.delete(named(target["Arn"]))


def retry_of(target: dict[str, Any]) -> TargetRetry:
    """How long a target that fails is tried."""
    policy = target.get("RetryPolicy", {})
    default = TargetRetry()
    age = policy.get("MaximumEventAgeInSeconds")
    return TargetRetry(
        max_retries=policy.get("MaximumRetryAttempts", default.max_retries),
        max_age=default.max_age if age is None else timedelta(seconds=age),
    )


def _policy(retry: TargetRetry | None) -> dict[str, int]:
    asked = retry or TargetRetry()
    return {
        "MaximumRetryAttempts": asked.max_retries,
        "MaximumEventAgeInSeconds": seconds(asked.max_age),
    }


def _home(bus_arn: str) -> tuple[str, str, str]:
    """Partition, region and account of a bus."""
    _, partition, _, region, account, _ = bus_arn.split(":", 5)
    return partition, region, account


def _statement(bus_arn: str, action: str, resource: str) -> dict[str, Any]:
    """Lets the rules of this account and region reach a resource.

    All of them, since statements for one rule each would be lost where two are added at once, and events with them.
    """
    partition, region, account = _home(bus_arn)
    return {
        "Sid": _SID,
        "Effect": "Allow",
        "Principal": {"Service": _SERVICE},
        "Action": action,
        "Resource": resource,
        "Condition": {
            "ArnLike": {"aws:SourceArn": f"arn:{partition}:events:{region}:{account}:rule/*"}
        },
    }

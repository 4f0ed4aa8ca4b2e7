"""A call of each further AWS service over what an application would write with boto3, in CPU time of the client's process.

Both sides ask the same stub over warm connections, make the same calls and use the answer. The stub lets a configuration be
asked for again at once, so that every read is a call here; at AWS nearly all of ours are answered from memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.aws_answers import APPLICATION, CREATED, DATA, DEFINITION
from benchmarks.aws_sides import boto3_client, options, uncached
from benchmarks.aws_stub import stub
from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from lcplatform import LCPlatform

_CALLS: Final = 40
_ROUNDS: Final = 60
_TEXT: Final = "x" * 200
_TOPIC: Final = "arn:aws:sns:us-east-1:000000000000:orders"
_FROM, _TO = "shop@example.com", "somebody@example.com"
_ORDER: Final = {"order": 17, "amount": 99.5, "items": ["a", "b", "c"], "customer": "x" * 100}
_ROLE: Final = "arn:aws:iam::000000000000:role/shop"
_OPTIONS: Final[Mapping[str, Any]] = {
    "notification": {"sender": _FROM},
    "web_hosting": {"infrastructure_role": _ROLE, "execution_role": _ROLE},
    "batch": {"job_queue": "jobs", "execution_role": _ROLE, "scheduler_role": _ROLE},
}


@dataclass(frozen=True, slots=True)
class _Call:
    """One call, by both sides. Each side is made with what it needs, and called again and again."""

    name: str
    ours: Callable[[LCPlatform], Callable[[], object]]
    theirs: Callable[[str], Callable[[], object]]


def _publish(platform: LCPlatform) -> Callable[[], object]:
    bus = platform.event_bus
    return lambda: bus.publish_event("orders", source="shop", type="order.placed", data=_ORDER)


def _their_publish(endpoint: str) -> Callable[[], object]:
    events = boto3_client("events", endpoint)

    def publish() -> None:
        entry = {
            "EventBusName": "orders",
            "Source": "shop",
            "DetailType": "order.placed",
            "Detail": json.dumps(_ORDER),
        }
        assert "EventId" in events.put_events(Entries=[entry])["Entries"][0]

    return publish


def _notify(platform: LCPlatform) -> Callable[[], object]:
    notification = platform.notification
    return lambda: notification.publish_message("orders", _TEXT)


def _their_notify(endpoint: str) -> Callable[[], object]:
    sns = boto3_client("sns", endpoint)
    return lambda: sns.publish(TopicArn=_TOPIC, Message=_TEXT)["MessageId"]


def _mail(platform: LCPlatform) -> Callable[[], object]:
    notification = platform.notification
    return lambda: notification.send_email(to=[_TO], subject="Your order", text=_TEXT)


def _their_mail(endpoint: str) -> Callable[[], object]:
    ses = boto3_client("sesv2", endpoint)
    return lambda: ses.send_email(
        FromEmailAddress=_FROM,
        Destination={"ToAddresses": [_TO]},
        Content={"Simple": {"Subject": {"Data": "Your order"}, "Body": {"Text": {"Data": _TEXT}}}},
    )["MessageId"]


def _read(platform: LCPlatform) -> Callable[[], object]:
    configuration = platform.configuration

    def read() -> None:
        data = configuration.get_configuration("shop", "live").data
        assert data is not None
        assert data.plain == DATA

    return read


def _their_read(endpoint: str) -> Callable[[], object]:
    data = boto3_client("appconfigdata", endpoint)
    token = data.start_configuration_session(
        ApplicationIdentifier="shop",
        EnvironmentIdentifier="live",
        ConfigurationProfileIdentifier="live",
    )["InitialConfigurationToken"]

    def read() -> None:
        nonlocal token
        answer = data.get_latest_configuration(ConfigurationToken=token)
        token = answer["NextPollConfigurationToken"]
        assert json.loads(answer["Configuration"].read()) == DATA

    return read


def _submit(platform: LCPlatform) -> Callable[[], object]:
    batch = platform.batch
    return lambda: (
        batch.submit_job(
            "report", image="registry.example/report:1", command=["make", "report"]
        ).job.job_id
    )


def _their_submit(endpoint: str) -> Callable[[], object]:
    batch = boto3_client("batch", endpoint)
    return lambda: batch.submit_job(
        jobName="report",
        jobQueue="jobs",
        jobDefinition=DEFINITION,
        containerOverrides={
            "command": ["make", "report"],
            "resourceRequirements": [
                {"type": "VCPU", "value": "1"},
                {"type": "MEMORY", "value": "2048"},
            ],
        },
        retryStrategy={"attempts": 3},
        timeout={"attemptDurationSeconds": 3600},
    )["jobId"]


def _describe(platform: LCPlatform) -> Callable[[], object]:
    hosting, identity = platform.web_hosting, f"{APPLICATION}@{round(CREATED * 1000)}"

    def describe() -> None:
        assert hosting.get_application(identity).application.status == "running"

    return describe


def _their_describe(endpoint: str) -> Callable[[], object]:
    ecs = boto3_client("ecs", endpoint)

    def describe() -> None:
        service = ecs.describe_express_gateway_service(serviceArn=APPLICATION, include=["TAGS"])
        told = ecs.list_service_deployments(
            service=APPLICATION, cluster=service["service"]["cluster"]
        )
        assert told["serviceDeployments"][0]["status"] == "SUCCESSFUL"

    return describe


def _measured(call: _Call) -> Callable[[Effort], Samples]:
    def measure(effort: Effort) -> Samples:
        from lcplatform import LCPlatform

        with (
            stub() as aws,
            LCPlatform("aws", settings=uncached(), **options(aws.ready), **_OPTIONS) as platform,
        ):
            ours = cpu_of(call.ours(platform), _CALLS)
            theirs = cpu_of(call.theirs(aws.ready), _CALLS)
            return take_turns(lambda: ours() * 1e6, lambda: theirs() * 1e6, effort.rounds(_ROUNDS))

    return measure


_COMPARED: Final = {
    "publish_event of a small event": _Call("event_publish", _publish, _their_publish),
    "publish_message to a topic": _Call("sns_publish", _notify, _their_notify),
    "send_email of a short text": _Call("email_send", _mail, _their_mail),
    "a configuration read anew": _Call("configuration_read", _read, _their_read),
    "submit_job of a definition that is registered": _Call("job_submit", _submit, _their_submit),
    "get_application, which are two calls of ECS": _Call(
        "application_read", _describe, _their_describe
    ),
}

BENCHMARKS: Final = tuple(
    Benchmark(
        name=call.name,
        bar=Bar(1.0),
        compared=f"{said}: our blocking client over boto3, CPU a call, server answers at once",
        unit="CPU µs",
        measure=_measured(call),
    )
    for said, call in _COMPARED.items()
)

"""Publishing an event through the client, over moto in the same process: ten rules, of which one brings it to a queue.

The rules and events are those of `event_patterns`. Moto is patched into botocore, so neither side opens a socket, and its time
includes boto3's as ours includes the client's. Both have delivered the event when the call is answered.
"""

from __future__ import annotations

import json
from itertools import cycle
from typing import TYPE_CHECKING, Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.event_patterns import events, patterns
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_RULES: Final = 10
_OURS: Final = 1_000
_PEERS: Final = 20


def _publishing(effort: Effort) -> Samples:
    import boto3
    from moto import mock_aws

    from lcplatform import LCPlatform
    from lcplatform.event_bus.models import QueueTarget

    given = patterns(_RULES)
    sent = [it for it in events(_RULES) if it["type"].endswith("placed")]
    with LCPlatform("mock") as platform, mock_aws():
        bus, queues = platform.event_bus, platform.queue
        bus.create_event_bus("bus")
        queues.create_queue("queue")
        for number, pattern in enumerate(given):
            bus.create_rule("bus", f"{number}", pattern=pattern)
        bus.add_target("bus", "0", target_id="queue", target=QueueTarget(queue="queue"))

        session = boto3.Session("testing", "testing", region_name="us-east-1")
        peer_bus, peer_queues = session.client("events"), session.client("sqs")
        peer_bus.create_event_bus(Name="bus")
        url = peer_queues.create_queue(QueueName="queue")["QueueUrl"]
        arn = peer_queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        for number, pattern in enumerate(given):
            named = {_NAMES.get(name, name): asked for name, asked in pattern.items()}
            peer_bus.put_rule(Name=f"{number}", EventBusName="bus", EventPattern=json.dumps(named))
        peer_bus.put_targets(
            Rule="0",
            EventBusName="bus",
            Targets=[{"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}],
        )

        ours_next, peers_next = cycle(sent), cycle(sent)

        def ours() -> None:
            event = next(ours_next)
            bus.publish_event("bus", source=event["source"], type=event["type"], data=event["data"])

        def peer() -> None:
            event = next(peers_next)
            entry: PutEventsRequestEntryTypeDef = {
                "EventBusName": "bus",
                "Source": event["source"],
                "DetailType": event["type"],
                "Detail": json.dumps(event["data"]),
            }
            assert not peer_bus.put_events(Entries=[entry])["FailedEntryCount"]

        ours()
        peer()
        assert len(queues.receive_messages("queue").messages) == 1
        assert len(peer_queues.receive_message(QueueUrl=url)["Messages"]) == 1
        our_cpu, peer_cpu = cpu_of(ours, _OURS), cpu_of(peer, _PEERS)

        def our_turn() -> float:
            queues.purge_queue("queue")
            return our_cpu() * 1e6

        def peer_turn() -> float:
            # Moto's queues grow slower with their depth, and it purges once a minute only.
            peer_queues.delete_queue(QueueUrl=url)
            peer_queues.create_queue(QueueName="queue")
            return peer_cpu() * 1e6

        # Rates, so that more is better: how many of our events moto has time for one of.
        return take_turns(peer_turn, our_turn, effort.rounds(20))


_NAMES: Final = {"type": "detail-type", "data": "detail"}

BENCHMARKS: Final = (
    Benchmark(
        name="event_publishing",
        bar=Bar(200, at_least=True),
        compared="an event published past ten rules, to a queue: boto3 on moto in process over the mock's client",
        unit="CPU µs",
        measure=_publishing,
    ),
)

"""EventBridge as its drivers meet it: what is kept, what is refused, and what is lost. Nothing is delivered.

Where the emulators are kinder than EventBridge, this is not: an event for a bus that does not exist is taken and lost, a rule
is replaced as a whole, archives are known by their names in the whole account, and their rules are listed beside the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.fake_aws.api import AwsError
from tests.fake_aws.server import Service

_MOST_TARGETS: Final = 5


class Events(Service):
    """The state of it, for tests to look at."""

    service = "events"

    def __init__(self) -> None:
        super().__init__()
        self.buses: dict[str, dict[str, Any]] = {}
        self.rules: dict[tuple[str, str], dict[str, Any]] = {}
        self.targets: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.archives: dict[str, dict[str, Any]] = {}
        self.replays: dict[str, dict[str, Any]] = {}
        self.connections: dict[str, dict[str, Any]] = {}
        self.destinations: dict[str, dict[str, Any]] = {}
        self.published: list[dict[str, Any]] = []
        self.tried: list[dict[str, Any]] = []
        self.matches = True
        self.failing: list[Mapping[str, str] | None] = []
        """What becomes of the next entries of publications, or of targets: an error, or nothing unusual."""

    # --- buses

    def create_event_bus(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name = given["Name"]
        if name in self.buses:
            raise AwsError("ResourceAlreadyExistsException", f"Event bus {name} already exists.")
        arn = self.arn(f"event-bus/{name}")
        self.buses[name] = {"Name": name, "Arn": arn, "CreationTime": self.time.now()}
        return {"EventBusArn": arn}

    def describe_event_bus(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return _found(self.buses, given["Name"])

    def list_event_buses(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return {"EventBuses": list(self.buses.values())[: given["Limit"]]}

    def delete_event_bus(self, given: dict[str, Any]) -> None:
        self.buses.pop(given["Name"], None)

    def put_events(self, given: dict[str, Any]) -> Mapping[str, Any]:
        results: list[Mapping[str, str]] = []
        for entry in given["Entries"]:
            failure = self.failing.pop(0) if self.failing else None
            if failure is None and any(
                it["Arn"] == entry["EventBusName"] for it in self.buses.values()
            ):
                self.published.append(entry)
            results.append(failure or {"EventId": "00000000-0000-4000-8000-000000000000"})
        return {
            "FailedEntryCount": sum("ErrorCode" in it for it in results),
            "Entries": results,
        }

    # --- rules

    def put_rule(self, given: dict[str, Any]) -> Mapping[str, Any]:
        bus, name = given["EventBusName"], given["Name"]
        _found(self.buses, bus)
        arn = self.arn(f"rule/{bus}/{name}")
        if (bus, name) not in self.rules:
            self.tags[arn] = {it["Key"]: it["Value"] for it in given.get("Tags", ())}
        kept = ("Name", "EventPattern", "State", "Description", "RoleArn", "ScheduleExpression")
        self.rules[bus, name] = {
            **{it: given[it] for it in kept if it in given}, "Arn": arn, "EventBusName": bus,
        }  # fmt: skip
        return {"RuleArn": arn}

    def describe_rule(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return _found(self.rules, (given["EventBusName"], given["Name"]))

    def list_rules(self, given: dict[str, Any]) -> Mapping[str, Any]:
        _found(self.buses, given["EventBusName"])
        prefix = given.get("NamePrefix", "")
        found = [
            it
            for (bus, name), it in self.rules.items()
            if bus == given["EventBusName"] and name.startswith(prefix)
        ]
        return {"Rules": found[: given["Limit"]]}

    def delete_rule(self, given: dict[str, Any]) -> None:
        key = given["EventBusName"], given["Name"]
        if self.targets.get(key):
            raise AwsError("ManagedRuleException", "Rule can't be deleted since it has targets.")
        self.rules.pop(key, None)

    def test_event_pattern(self, given: dict[str, Any]) -> Mapping[str, Any]:
        self.tried.append(given)
        return {"Result": self.matches}

    def list_tags_for_resource(self, given: dict[str, Any]) -> Mapping[str, Any]:
        tags = self.tags.get(given["ResourceARN"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, given: dict[str, Any]) -> None:
        tags = {it["Key"]: it["Value"] for it in given["Tags"]}
        self.tags.setdefault(given["ResourceARN"], {}).update(tags)

    def untag_resource(self, given: dict[str, Any]) -> None:
        for key in given["TagKeys"]:
            self.tags[given["ResourceARN"]].pop(key, None)

    # --- targets

    def put_targets(self, given: dict[str, Any]) -> Mapping[str, Any]:
        key = given["EventBusName"], given["Rule"]
        _found(self.rules, key)
        targets = self.targets.setdefault(key, {})
        failed = []
        for it in given["Targets"]:
            failure = self.failing.pop(0) if self.failing else None
            if failure is None and it["Id"] not in targets and len(targets) >= _MOST_TARGETS:
                raise AwsError(
                    "LimitExceededException", "The requested resource exceeds the maximum."
                )
            if failure is None:
                targets[it["Id"]] = it
            else:
                failed.append({"TargetId": it["Id"], **failure})
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    def list_targets_by_rule(self, given: dict[str, Any]) -> Mapping[str, Any]:
        key = given["EventBusName"], given["Rule"]
        _found(self.rules, key)
        targets = list(self.targets.get(key, {}).values())
        return {"Targets": targets} if targets else {}

    def remove_targets(self, given: dict[str, Any]) -> Mapping[str, Any]:
        for identity in given["Ids"]:
            self.targets[given["EventBusName"], given["Rule"]].pop(identity, None)
        return {"FailedEntryCount": 0, "FailedEntries": []}

    # --- webhooks

    def create_connection(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name = given["Name"]
        if name in self.connections:
            raise AwsError("ResourceAlreadyExistsException", f"Connection {name} already exists.")
        arn = self.arn(f"connection/{name}/11111111-1111-4111-8111-111111111111")
        self.connections[name] = {**given, "ConnectionArn": arn}
        return {"ConnectionArn": arn, "ConnectionState": "AUTHORIZED"}

    def describe_connection(self, given: dict[str, Any]) -> Mapping[str, Any]:
        known = _found(self.connections, given["Name"])
        return {it: known[it] for it in ("Name", "ConnectionArn", "Description")}

    def delete_connection(self, given: dict[str, Any]) -> None:
        _found(self.connections, given["Name"])
        del self.connections[given["Name"]]

    def create_api_destination(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name = given["Name"]
        arn = self.arn(f"api-destination/{name}/22222222-2222-4222-8222-222222222222")
        self.destinations[name] = {**given, "ApiDestinationArn": arn}
        return {"ApiDestinationArn": arn, "ApiDestinationState": "ACTIVE"}

    def describe_api_destination(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return _found(self.destinations, given["Name"])

    def delete_api_destination(self, given: dict[str, Any]) -> None:
        _found(self.destinations, given["Name"])
        del self.destinations[given["Name"]]

    # --- archives

    def create_archive(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name = given["ArchiveName"]
        if name in self.archives:
            raise AwsError("ResourceAlreadyExistsException", f"Archive {name} already exists.")
        made = {**given, "State": "ENABLED", "CreationTime": self.time.now(), "EventCount": 0}
        self.archives[name] = {**made, "ArchiveArn": self.arn(f"archive/{name}")}
        bus = given["EventSourceArn"].rpartition("/")[2]
        rule = f"Events-Archive-{name}"[:64]
        self.rules[bus, rule] = {
            "Name": rule,
            "Arn": self.arn(f"rule/{bus}/{rule}"),
            "EventBusName": bus,
            "State": "ENABLED",
            "EventPattern": '{"replay-name":[{"exists":false}]}',
            "ManagedBy": "prod.vhs.events.aws.internal",
        }
        return {it: self.archives[name][it] for it in ("ArchiveArn", "State", "CreationTime")}

    def describe_archive(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return _found(self.archives, given["ArchiveName"])

    def list_archives(self, given: dict[str, Any]) -> Mapping[str, Any]:
        shown = ("ArchiveName", "EventSourceArn", "State", "RetentionDays", "CreationTime")
        return {
            "Archives": [
                {name: it[name] for name in shown if name in it}
                for it in self.archives.values()
                if it["EventSourceArn"] == given["EventSourceArn"]
            ]
        }

    def delete_archive(self, given: dict[str, Any]) -> None:
        _found(self.archives, given["ArchiveName"])
        del self.archives[given["ArchiveName"]]

    def start_replay(self, given: dict[str, Any]) -> Mapping[str, Any]:
        if given["EventEndTime"] <= given["EventStartTime"]:
            raise AwsError("InvalidStateException", "The start is not before the end.")
        now = self.time.now()
        self.replays[given["ReplayName"]] = {**given, "State": "STARTING", "ReplayStartTime": now}
        return {"State": "STARTING", "ReplayStartTime": now}

    def describe_replay(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return _found(self.replays, given["ReplayName"])

    def cancel_replay(self, given: dict[str, Any]) -> Mapping[str, Any]:
        replay = _found(self.replays, given["ReplayName"])
        if replay["State"] not in {"STARTING", "RUNNING"}:
            raise AwsError("IllegalStatusException", "The replay has ended.")
        replay["State"] = "CANCELLING"
        return {"State": "CANCELLING"}


def _found(known: Mapping[Any, dict[str, Any]], key: Any) -> dict[str, Any]:
    if key not in known:
        raise AwsError("ResourceNotFoundException", f"{key} does not exist.")
    return known[key]

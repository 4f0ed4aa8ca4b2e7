"""EventBridge Scheduler: schedules whose times come, each of which calls another service of the fake."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.fake_aws.api import Api, AwsError
from tests.fake_aws.server import Service
from tests.fake_aws.shapes import read

SUBMIT_JOB: Final = "arn:aws:scheduler:::aws-sdk:batch:submitJob"
_MONTHS: Final = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FREE_FORM: Final = frozenset({"Parameters", "Tags"})
_YEARS: Final = 40  # so far ahead times are looked for: some days come once in many years


@dataclass
class Plan:
    """A schedule."""

    arn: str
    given: dict[str, Any]
    created_at: datetime
    changed_at: datetime
    version: int = 0


class Scheduler(Service):
    """The schedules of an account, in the default group."""

    service = "scheduler"

    def __init__(self, submit: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
        """`submit` is Batch's SubmitJob."""
        super().__init__()
        self.plans: dict[str, Plan] = {}
        self.failed: list[str] = []
        """Why calls failed, which nobody is told on AWS either."""
        self._submit = submit
        self._tokens: dict[str, str] = {}

    # --- operations

    def create_schedule(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name, token = given["Name"], given.pop("ClientToken", "")
        self._check(given)
        if name in self.plans and self._tokens.get(name) != token:
            raise AwsError("ConflictException", f"Schedule {name} already exists.")
        if name not in self.plans:
            self._tokens[name] = token
            now = self.time.now()
            arn = self.arn(f"schedule/default/{name}")
            self.plans[name] = plan = Plan(arn, given, now, now)
            self._plan(plan)
        return {"ScheduleArn": self.plans[name].arn}

    def update_schedule(self, given: dict[str, Any]) -> Mapping[str, Any]:
        given.pop("ClientToken", None)
        plan = self._found(given["Name"])
        self._check(given)
        plan.given, plan.changed_at = (
            given,
            self.time.now(),
        )  # all of it: what is not said is as by default
        self._plan(plan)
        return {"ScheduleArn": plan.arn}

    def get_schedule(self, given: dict[str, Any]) -> Mapping[str, Any]:
        plan = self._found(given["Name"])
        told = {
            "GroupName": "default",
            "State": "ENABLED",
            "ScheduleExpressionTimezone": "UTC",
            "ActionAfterCompletion": "NONE",
        }
        dates = {"CreationDate": plan.created_at, "LastModificationDate": plan.changed_at}
        return {**told, **plan.given, "Arn": plan.arn, **dates}

    def delete_schedule(self, given: dict[str, Any]) -> None:
        self._found(given["Name"]).version += 1
        del self.plans[given["Name"]]

    def list_schedules(self, given: dict[str, Any]) -> Mapping[str, Any]:
        found = sorted(self.plans)
        start = int(given.get("NextToken", "0"))
        end = start + given.get("MaxResults", 100)
        page = [
            {
                "Name": it,
                "Arn": self.plans[it].arn,
                "GroupName": "default",
                "State": self.plans[it].given.get("State", "ENABLED"),
                "Target": {"Arn": self.plans[it].given["Target"]["Arn"]},
                "CreationDate": self.plans[it].created_at,
                "LastModificationDate": self.plans[it].changed_at,
            }
            for it in found[start:end]
        ]
        return {"Schedules": page, **({"NextToken": str(end)} if end < len(found) else {})}

    # --- inside

    def _found(self, name: str) -> Plan:
        if name not in self.plans:
            raise AwsError("ResourceNotFoundException", f"Schedule {name} does not exist.")
        return self.plans[name]

    def _check(self, given: Mapping[str, Any]) -> None:
        if given.get("GroupName", "default") != "default":
            raise AwsError("ResourceNotFoundException", "Schedule group does not exist.")
        try:
            next(times(given["ScheduleExpression"], UTC_ZONE, self.time.now()), None)
            ZoneInfo(given.get("ScheduleExpressionTimezone", "UTC"))
            json.loads(given["Target"].get("Input", "{}"))
        except (ValueError, KeyError, OSError) as error:
            raise AwsError("ValidationException", f"Invalid: {error}") from error

    def _plan(self, plan: Plan) -> None:
        """Waits for the next time."""
        plan.version += 1
        if plan.given.get("State", "ENABLED") != "ENABLED":
            return
        zone = ZoneInfo(plan.given.get("ScheduleExpressionTimezone", "UTC"))
        now = self.time.now()
        due = next(times(plan.given["ScheduleExpression"], zone, now), None)

        def fire(version: int = plan.version) -> None:
            if plan.version == version:
                self._call(plan)
                self._plan(plan)

        if due is not None:
            self.time.after(due - now, fire)

    def _call(self, plan: Plan) -> None:
        target = plan.given["Target"]
        try:
            if target["Arn"] != SUBMIT_JOB:
                raise ValueError(f"the fake has no target {target['Arn']}")
            shape = Api("batch").model.operation_model("SubmitJob").input_shape
            if shape is None:
                raise TypeError
            self._submit(read(shape, _lowered(json.loads(target["Input"]))))
        except (ValueError, AwsError) as error:
            self.failed.append(f"{plan.given['Name']}: {error}")


def _lowered(value: Any) -> Any:
    """Parameters as the SDK for Java names them, which a target's input wants with capital letters."""
    match value:
        case dict():
            for name in value:
                if not name[0].isupper():
                    raise ValueError(f"{name} has no capital letter")
            return {
                name[0].lower() + name[1:]: it if name in _FREE_FORM else _lowered(it)
                for name, it in value.items()
            }
        case list():
            return [_lowered(it) for it in value]
        case _:
            return value


# --- times

UTC_ZONE: Final = ZoneInfo("UTC")


def times(expression: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The times of an expression after a moment. Raises ValueError if it is none."""
    kind, _, rest = expression.partition("(")
    told = rest.removesuffix(")")
    match kind:
        case "rate":
            yield from _rate(told, after)
        case "at":
            moment = datetime.fromisoformat(told).replace(tzinfo=zone)
            yield from [moment] if moment > after else []
        case "cron":
            yield from _cron(told, zone, after)
        case _:
            raise ValueError(f"{expression} is no schedule expression")


def _rate(told: str, after: datetime) -> Iterator[datetime]:
    number, _, unit = told.partition(" ")
    length = timedelta(**{f"{unit.removesuffix('s')}s": int(number)})
    while True:
        after += length
        yield after


def _cron(told: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    fields = told.split()
    if len(fields) != 6:
        raise ValueError(f"{told} has not six fields")
    minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise ValueError("one of day-of-month and day-of-week is ?, and only one")
    minutes, hours = _numbers(minute, 0, 59), _numbers(hour, 0, 23)
    days, months = _numbers(day, 1, 31), _numbers(month, 1, 12, _MONTHS)
    weekdays, years = _numbers(weekday, 1, 7, _DAYS), _numbers(year, 1970, 2199)
    start = after.astimezone(zone).date()
    for ahead in range(366 * _YEARS):
        date = start + timedelta(days=ahead)
        fits = date.day in days and date.month in months and date.year in years
        if not fits or date.isoweekday() % 7 + 1 not in weekdays:
            continue
        for wall in (
            datetime(date.year, date.month, date.day, at, past)  # noqa: DTZ001
            for at in sorted(hours)
            for past in sorted(minutes)
        ):
            moment = wall.replace(tzinfo=zone).astimezone(UTC)
            there = moment.astimezone(zone).replace(tzinfo=None) == wall
            if there and moment > after:
                yield moment


def _numbers(field: str, first: int, last: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """What a field names. `1/2` is every second from the first on."""
    if field == "?":
        field = "*"
    found: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", part)
        if match is None:
            raise ValueError(f"{part} is no part of a field")
        low, high, step = match.groups()
        start = first if low == "*" else _number(low, first, names)
        end = last if low == "*" or (step and not high) else _number(high or low, first, names)
        if not first <= start <= end <= last:
            raise ValueError(f"{part} is not within {first} and {last}")
        found |= set(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, first: int, names: tuple[str, ...]) -> int:
    return names.index(text.upper()) + first if text.upper() in names else int(text)

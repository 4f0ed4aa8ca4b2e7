"""Cron expressions of five fields on the clock of a time zone (FR-008)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from lcplatform_runtime.errors import invalid

# What the library knows beyond the contract, such as L for the last day, is a word that is no month and no day.
_WORDS: Final = re.compile(r"[A-Z]+")
_NAMES: Final = frozenset(
    [
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
        "SUN",
        "MON",
        "TUE",
        "WED",
        "THU",
        "FRI",
        "SAT",
    ]
)

_SKIPPED: Final = 10_000
"""So many times in a row may fall into gaps of the clock. There are two or so a year."""


class Cron:
    """When a schedule submits."""

    def __init__(self, expression: str, zone: str | None) -> None:
        """An expression and the zone whose clock it follows; UTC where that is absent.

        Raises:
            ValidationError: one of them is none, or the time never comes. It names `cron` or `time_zone`.
        """
        if any(word not in _NAMES for word in _WORDS.findall(expression.upper())):
            raise invalid("cron", "numbers, and months and days by their first three letters")
        try:
            CronSim(expression, datetime(2000, 1, 1))  # noqa: DTZ001  the time of no zone in particular
        except CronSimError as error:
            raise invalid("cron", f"five fields that name a time: {error}") from error
        self._expression = expression
        self._zone = UTC if zone is None else _zone(zone)

    def after(self, moment: datetime) -> datetime | None:
        """The first time after a moment, in UTC; None if there is none in fifty years.

        The hands of the clock decide: a time that they skip does not come, one that they show twice comes the first time.
        """
        start = moment.astimezone(self._zone).replace(tzinfo=None)
        for wall in islice(CronSim(self._expression, start), _SKIPPED):
            found = wall.replace(tzinfo=self._zone).astimezone(UTC)
            there = found.astimezone(self._zone).replace(tzinfo=None) == wall
            if there and found > moment:
                return found
        return None


def names_both_days(expression: str) -> bool:
    """Whether it names days of the month and days of the week together."""
    _, _, day, _, weekday = expression.split(" ")
    return day != "*" and weekday != "*"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # it looks for a file of that name
        raise invalid("time_zone", "the IANA name of a time zone, such as Europe/Berlin") from error

"""Dates, times and intervals on what is stored: days, and microseconds, since the beginning of 1970; intervals as three numbers."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

from lcplatform_mock.sql.sqlite.numbers import quotient, stored
from lcplatform_runtime.sql.refusals import refused
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

DAY: Final = 86_400_000_000
_SECOND: Final = 1_000_000
_HOUR: Final = 3_600 * _SECOND
_MINUTE: Final = 60 * _SECOND
_EPOCH: Final = date(1970, 1, 1).toordinal()
_LEAST: Final = -_EPOCH + 1
_MOST: Final = date.max.toordinal() - _EPOCH

Interval: TypeAlias = tuple[int, int, int]
"""Months, days, microseconds."""


# --- as Python has them


def to_days(value: date) -> int:
    """A date as it is stored."""
    return value.toordinal() - _EPOCH


def from_days(days: int) -> date:
    """The date that is stored so."""
    return date.fromordinal(days + _EPOCH)


def to_micros(value: datetime) -> int:
    """A moment as it is stored: in UTC, or where it has no zone, as if it were."""
    since = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    distance = since - datetime(1970, 1, 1, tzinfo=UTC)
    return (distance.days * 86_400 + distance.seconds) * _SECOND + distance.microseconds


def from_micros(micros: int) -> datetime:
    """The moment, without a zone, that is stored so."""
    return datetime(1970, 1, 1) + timedelta(microseconds=micros)  # noqa: DTZ001  the caller knows the zone


def to_clock(value: time) -> int:
    """A time of day as it is stored."""
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return seconds * _SECOND + value.microsecond


def from_clock(micros: int) -> time:
    """The time of day that is stored so."""
    return from_micros(micros).time()


def pack(interval: Interval) -> str:
    """An interval as it is stored."""
    months, days, micros = interval
    if not -(2**31) <= months < 2**31 or not -(2**31) <= days < 2**31:
        raise failure("22008", "an interval is out of range")
    if not -(2**63) <= micros < 2**63:
        raise failure("22008", "an interval is out of range")
    return f"{months}:{days}:{micros}"


def unpack(text: str) -> Interval:
    """The interval that is stored so."""
    months, days, micros = text.split(":")
    return int(months), int(days), int(micros)


# --- reckoning


def in_years(days: int) -> int:
    """A date of the years 1 to 9999, which are those that are known here."""
    if not _LEAST <= days <= _MOST:
        raise unsupported("a date before the year 1 or after 9999")
    return days


def _moment(micros: int) -> int:
    in_years(micros // DAY)
    return micros


def add_days(days: int, more: int) -> int:
    """A date so many days later."""
    return in_years(days + more)


def add(micros: int, interval: str) -> int:
    """A moment later by an interval: first its months, then its days, then the rest."""
    months, days, rest = unpack(interval)
    whole, clock = divmod(micros, DAY)
    if months:
        there = from_days(in_years(whole))
        count = there.year * 12 + there.month - 1 + months
        year, month = divmod(count, 12)
        if not 1 <= year <= 9999:
            raise unsupported("a date before the year 1 or after 9999")
        day = min(there.day, calendar.monthrange(year, month + 1)[1])
        whole = to_days(date(year, month + 1, day))
    return _moment((whole + days) * DAY + clock + rest)


def subtract(micros: int, interval: str) -> int:
    """A moment earlier by an interval."""
    return add(micros, negate(interval))


def between(later: int, earlier: int) -> str:
    """The interval between two moments, in days and what is less."""
    distance = later - earlier
    days = abs(distance) // DAY
    return pack(
        (0, days if distance >= 0 else -days, distance - (days if distance >= 0 else -days) * DAY)
    )


def negate(interval: str) -> str:
    """The interval backwards."""
    months, days, micros = unpack(interval)
    return pack((-months, -days, -micros))


def sum_of(left: str, right: str) -> str:
    """Two intervals after each other."""
    one, other = unpack(left), unpack(right)
    return pack((one[0] + other[0], one[1] + other[1], one[2] + other[2]))


def difference(left: str, right: str) -> str:
    """One interval without another."""
    return sum_of(left, negate(right))


def multiply(interval: str, factor: float) -> str:
    """An interval so many times."""
    months, days, micros = unpack(interval)
    return _spread(months * factor, days * factor, micros * factor)


def divide(interval: str, divisor: float) -> str:
    """An interval in so many parts."""
    if not divisor:
        raise refused("22012")
    months, days, micros = unpack(interval)
    return _spread(months / divisor, days / divisor, micros / divisor)


def _spread(months: float, days: float, micros: float) -> str:
    """What is left of months becomes days, and what is left of days becomes less (`interval_mul` of timestamp.c)."""
    whole_days = int(days)
    left = round((months - int(months)) * 30, 6)
    seconds = round((days - whole_days + left - int(left)) * 86_400, 6)
    if abs(seconds) >= 86_400:
        whole_days += int(seconds / 86_400)
        seconds -= int(seconds / 86_400) * 86_400
    return pack((int(months), whole_days + int(left), round(micros + seconds * _SECOND)))


def span(interval: str) -> int:
    """How long an interval is for comparisons, in microseconds: a month has 30 days, and a day 24 hours."""
    months, days, micros = unpack(interval)
    return (months * 30 + days) * DAY + micros


def compare(left: str, right: str) -> int:
    """The order of intervals."""
    one, other = span(left), span(right)
    return (one > other) - (one < other)


def clock_add(micros: int, interval: str) -> int:
    """A time of day later by an interval, past midnight if need be."""
    return (micros + unpack(interval)[2]) % DAY


def clock_subtract(micros: int, interval: str) -> int:
    """A time of day earlier by an interval."""
    return (micros - unpack(interval)[2]) % DAY


def age(later: int, earlier: int) -> str:
    """The interval between two moments in years, months, days and the rest, as people count."""
    if later < earlier:
        return negate(age(earlier, later))
    one, other = from_micros(later), from_micros(earlier)
    months = (one.year - other.year) * 12 + one.month - other.month
    micros = to_clock(one.time()) - to_clock(other.time())
    days = one.day - other.day
    if micros < 0:
        micros += DAY
        days -= 1
    if days < 0:
        days += calendar.monthrange(other.year, other.month)[1]
        months -= 1
    return pack((months, days, micros))


# --- parts

_UNITS: Final[Mapping[str, str]] = {
    **{f"{it}s": it for it in ("microsecond", "millisecond", "second", "minute", "hour", "day")},
    **{
        f"{it}s": it
        for it in ("week", "month", "quarter", "year", "decade", "century", "millennium")
    },
    "centuries": "century",
    "millennia": "millennium",
}


def truncate(unit: str, micros: int) -> int:
    """The beginning of the hour, day, month … of a moment."""
    name = _UNITS.get(unit.lower(), unit.lower())
    size = _SIZES.get(name)
    if size is not None:
        return micros - micros % size
    day = from_micros(micros).date()
    if name == "week":
        return to_days(day - timedelta(days=day.weekday())) * DAY
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1}.get(name, 1)
    if name not in {"month", "quarter", "year"}:
        raise unsupported(f"date_trunc to {name}")
    return to_days(date(day.year, month, 1)) * DAY


_SIZES: Final[Mapping[str, int]] = {
    "microsecond": 1,
    "millisecond": 1000,
    "second": _SECOND,
    "minute": _MINUTE,
    "hour": _HOUR,
    "day": DAY,
}


def _seconds(micros: int) -> Decimal:
    return Decimal(micros).scaleb(-6)


def _of_day(micros: int) -> dict[str, Callable[[], Decimal | int]]:
    """The parts of a time of day."""
    return {
        "hour": lambda: micros // _HOUR,
        "minute": lambda: micros % _HOUR // _MINUTE,
        "second": lambda: _seconds(micros % _MINUTE),
        "millisecond": lambda: Decimal(micros % _MINUTE).scaleb(-3),
        "microsecond": lambda: micros % _MINUTE,
    }


def _of_date(day: date) -> dict[str, Callable[[], Decimal | int]]:
    return {
        "year": lambda: day.year,
        "month": lambda: day.month,
        "day": lambda: day.day,
        "quarter": lambda: (day.month + 2) // 3,
        "week": lambda: day.isocalendar().week,
        "isoyear": lambda: day.isocalendar().year,
        "dow": lambda: day.isoweekday() % 7,
        "isodow": lambda: day.isoweekday(),
        "doy": lambda: day.timetuple().tm_yday,
        "decade": lambda: day.year // 10,
        "century": lambda: (day.year + 99) // 100,
        "millennium": lambda: (day.year + 999) // 1000,
    }


def part_of_moment(unit: str, micros: int) -> str:
    """A part of a moment, as an exact number."""
    days, clock = divmod(micros, DAY)
    parts = {**_of_date(from_days(days)), **_of_day(clock), "epoch": lambda: _seconds(micros)}
    return _part(unit, parts)


def part_of_date(unit: str, days: int) -> str:
    """A part of a date."""
    return _part(unit, {**_of_date(from_days(days)), "epoch": lambda: days * 86_400})


def part_of_clock(unit: str, micros: int) -> str:
    """A part of a time of day."""
    return _part(unit, {**_of_day(micros), "epoch": lambda: _seconds(micros)})


def part_of_interval(unit: str, interval: str) -> str:
    """A part of an interval."""
    months, days, micros = unpack(interval)
    years = int(months / 12)
    rest = months - years * 12
    sign = -1 if micros < 0 else 1
    inside = {name: (lambda of=of: sign * of()) for name, of in _of_day(abs(micros)).items()}
    whole = years * Decimal("365.25") * 86_400 + rest * 30 * 86_400 + days * 86_400
    parts: dict[str, Callable[[], Decimal | int]] = {
        **inside,
        "year": lambda: years,
        "month": lambda: rest,
        "day": lambda: days,
        "epoch": lambda: (whole + _seconds(micros)).quantize(Decimal("0.000001")),
    }
    return _part(unit, parts)


def _part(unit: str, parts: Mapping[str, Callable[[], Decimal | int]]) -> str:
    name = _UNITS.get(unit.lower(), unit.lower())
    tell = parts.get(name)
    if tell is None:
        raise unsupported(f"the field {name} of this type")
    return stored(Decimal(tell()))


def seconds_of(number: Decimal) -> int:
    """Microseconds of a number of seconds."""
    return int(quotient(number * _SECOND, Decimal(1)).to_integral_value())


# --- text

_DATE: Final = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*")
_CLOCK: Final = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?"
_TIME: Final = re.compile(rf"\s*{_CLOCK}\s*")
_STAMP: Final = re.compile(
    rf"\s*(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})(?:[T ]\s*{_CLOCK}\s*(Z|z|UTC|utc|[+-]\d{{1,2}}(?::?\d{{2}})?)?)?\s*"
)
# Forms that PostgreSQL reads and that are not read here: other orders, names of months, `now`, `infinity`.
_OTHER: Final = re.compile(
    r"\s*(?:now|today|tomorrow|yesterday|epoch|allballs|-?infinity)\s*|.*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|"
    r"bc|ad|am|pm|\d[/.]\d).*|\s*\d{5,}.*|.*[a-z]{2,}/[a-z].*",
    re.IGNORECASE | re.DOTALL,
)


def _unread(text: str, kind: str) -> Exception:
    if _OTHER.fullmatch(text):
        return unsupported(f"this form of a {kind}", "write it as 2026-01-31 12:30:00")
    return refused("22007")


def read_date(text: str) -> int:
    """The date that a text says."""
    found = _DATE.fullmatch(text)
    if found is None:
        stamp = _STAMP.fullmatch(text)
        if stamp is None:
            raise _unread(text, "date")
        found = stamp
    return days_of(*found.groups()[:3])


def days_of(year: str, month: str, day: str) -> int:
    """The date of a year, a month and a day."""
    try:
        return to_days(date(int(year), int(month), int(day)))
    except ValueError:
        raise failure("22008", "a date is out of range") from None


def read_time(text: str) -> int:
    """The time of day that a text says."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise _unread(text, "time")
    return _clock(*found.groups())


def _clock(hour: str, minute: str, second: str | None, fraction: str | None) -> int:
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        if (hours, minutes, seconds) == (24, 0, 0) or seconds == 60:
            raise unsupported("the time 24:00:00, or a leap second")
        raise failure("22008", "a time is out of range")
    whole = (hours * 60 + minutes) * 60 + seconds
    return whole * _SECOND + int((fraction or "").ljust(6, "0"))


def read_moment(text: str, *, zoned: bool) -> int:
    """The moment that a text says. A zone counts only for a type that has one."""
    found = _STAMP.fullmatch(text)
    if found is None:
        raise _unread(text, "timestamp")
    micros = days_of(found[1], found[2], found[3]) * DAY
    if found[4] is None:
        return micros
    micros += _clock(found[4], found[5], found[6], found[7])
    zone = found[8]
    if zoned and zone and zone[0] in "+-":
        hours, minutes = (
            int(zone[1:3].rstrip(":")),
            int(zone.replace(":", "")[-2:] if len(zone) > 3 else 0),
        )
        offset = (hours * 60 + minutes) * _MINUTE
        micros -= offset if zone[0] == "+" else -offset
    return _moment(micros)


_INTERVAL_UNITS: Final[Mapping[str, Interval]] = {
    **dict.fromkeys(("microsecond", "microseconds", "us", "usec", "usecs"), (0, 0, 1)),
    **dict.fromkeys(("millisecond", "milliseconds", "ms", "msec", "msecs"), (0, 0, 1000)),
    **dict.fromkeys(("second", "seconds", "s", "sec", "secs"), (0, 0, _SECOND)),
    **dict.fromkeys(("minute", "minutes", "m", "min", "mins"), (0, 0, _MINUTE)),
    **dict.fromkeys(("hour", "hours", "h", "hr", "hrs"), (0, 0, _HOUR)),
    **dict.fromkeys(("day", "days", "d"), (0, 1, 0)),
    **dict.fromkeys(("week", "weeks", "w"), (0, 7, 0)),
    **dict.fromkeys(("month", "months", "mon", "mons"), (1, 0, 0)),
    **dict.fromkeys(("year", "years", "y", "yr", "yrs"), (12, 0, 0)),
}
_PIECE: Final = re.compile(
    r"\s*(?:(?P<sign>[+-]?)(?P<hours>\d+):(?P<minutes>\d{2})(?::(?P<seconds>\d{2})(?:\.(?P<fraction>\d{1,6}))?)?"
    r"|(?P<number>[+-]?\d+)\s*(?P<unit>[a-zA-Z]+|$))\s*"
)


def read_interval(text: str) -> str:
    """The interval that a text says: whole numbers with their units, hours:minutes:seconds, and `ago` at the end."""
    body = text.strip()
    ago = body.lower().endswith(" ago")
    if ago:
        body = body[:-4]
    total = [0, 0, 0]
    position = 0
    while position < len(body):
        found = _PIECE.match(body, position)
        if found is None:
            raise _no_interval(body)
        for index, amount in enumerate(_piece(found)):
            total[index] += amount
        position = found.end()
    if not body.strip():
        raise refused("22007")
    packed = pack((total[0], total[1], total[2]))
    return negate(packed) if ago else packed


def _piece(found: re.Match[str]) -> Interval:
    if found["unit"] is not None:
        unit = _INTERVAL_UNITS.get(found["unit"].lower() or "s")
        if unit is None:
            raise _no_interval(found[0])
        number = int(found["number"])
        return unit[0] * number, unit[1] * number, unit[2] * number
    minutes, seconds = int(found["minutes"]), int(found["seconds"] or 0)
    if minutes > 59 or seconds > 59:
        raise failure("22008", "an interval is out of range")
    micros = int(found["hours"]) * _HOUR + minutes * _MINUTE + seconds * _SECOND
    micros += int((found["fraction"] or "").ljust(6, "0"))
    return 0, 0, -micros if found["sign"] == "-" else micros


def _no_interval(text: str) -> Exception:
    """PostgreSQL reads more than this does: fractions, ISO 8601, decades."""
    if re.search(r"\d", text):
        return unsupported(
            "this form of an interval", "write it as 1 year 2 months 3 days 04:05:06"
        )
    return refused("22007")


def write_date(days: int) -> str:
    """A date as text."""
    return from_days(days).isoformat()


def write_moment(micros: int) -> str:
    """A moment as text."""
    days, clock = divmod(micros, DAY)
    return f"{write_date(days)} {write_time(clock)}"


def write_zoned(micros: int) -> str:
    """A moment as text, with its zone."""
    return f"{write_moment(micros)}+00"


def write_time(micros: int) -> str:
    """A time of day as text."""
    seconds, fraction = divmod(micros, _SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    tail = f".{fraction:06d}".rstrip("0") if fraction else ""
    return f"{hour:02d}:{minute:02d}:{second:02d}{tail}"


def write_interval(interval: str) -> str:
    """An interval as text."""
    months, days, micros = unpack(interval)
    years = int(months / 12)
    months -= years * 12
    parts: list[str] = []
    negative = False
    for number, unit in ((years, "year"), (months, "mon"), (days, "day")):
        if number:
            plus = "+" if negative and number > 0 else ""
            parts.append(f"{plus}{number} {unit}{'' if number == 1 else 's'}")
            negative = number < 0
    if micros or not parts:
        sign = "-" if micros < 0 else ("+" if negative else "")
        parts.append(f"{sign}{write_time(abs(micros))}")
    return " ".join(parts)

"""The formats of JSON Schema 2020-12 (section 7.3) that are checked, each by the grammar that it names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jsonschema import FormatChecker

# RFC 3339, section 5.6. The numbers are checked by `datetime`, which knows the days of months.
_TIME: Final = r"(?P<hour>[01]\d|2[0-3]):[0-5]\d:(?P<second>[0-5]\d|60)(\.\d+)?(?P<zone>[Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)"
# RFC 3339, appendix A: the durations of ISO 8601, in which no smaller unit stands alone between two larger ones.
_DURATION_TIME: Final = r"T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S)"
_DURATION_DATE: Final = r"(\d+Y(\d+M(\d+D)?)?|\d+M(\d+D)?|\d+D)"
# RFC 3986, section 2. Which of its characters may stand where is left to whoever uses the address.
_URI_CHARACTERS: Final = r"([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

_PATTERNS: Final = {
    "time": _TIME,
    "duration": rf"P({_DURATION_DATE}({_DURATION_TIME})?|{_DURATION_TIME}|\d+W)",
    "hostname": rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*",
    "uri": rf"[A-Za-z][A-Za-z0-9+.-]*:{_URI_CHARACTERS}",
    "uri-reference": _URI_CHARACTERS,
    "json-pointer": r"(/([^~/]|~[01])*)*",
    "relative-json-pointer": r"(0|[1-9]\d*)(#|(/([^~/]|~[01])*)*)",
}


@cache
def formats() -> FormatChecker:
    """Everything that jsonschema checks without further packages, and the formats above. None goes back and forth in a
    text: a format may be asked of any."""
    from jsonschema import Draft202012Validator, FormatChecker

    from lcplatform_runtime.schemas.patterns import is_pattern

    checker = FormatChecker(formats=())
    checker.checkers = dict(Draft202012Validator.FORMAT_CHECKER.checkers)
    for name, pattern in _PATTERNS.items():
        checker.checkers[name] = (_matching(re.compile(pattern, re.ASCII)), ())
    checker.checkers["regex"] = (_texts(is_pattern), ())
    checker.checkers["date-time"] = (_texts(_is_date_time), ValueError)
    checker.checkers["date"] = (_texts(_is_date), ValueError)
    return checker


def _texts(check: Callable[[str], bool]) -> Callable[[object], bool]:
    """A format is of texts: anything else keeps to it."""
    return lambda value: not isinstance(value, str) or check(value)


def _matching(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return _texts(lambda text: pattern.fullmatch(text) is not None)


def _is_date(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None and bool(
        date.fromisoformat(text)
    )


def _is_date_time(text: str) -> bool:
    found = re.fullmatch(rf"(?P<date>\d{{4}}-\d\d-\d\d)[Tt ]{_TIME}", text, re.ASCII)
    return found is not None and bool(datetime.fromisoformat(found["date"]))

"""Reads what AppConfig brings to its readers, through AppConfigData.

A session has one token at a time, good for one poll: whatever comes of it, it is used up, and one whose answer was lost is burned.
A poll that brings nothing says that what the reader has is still right. AppConfig decides by sessions who gets a version of a
gradual deployment, so a reader has one session of its own.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from lcplatform_aws.configuration_places import Place, missing
from lcplatform_aws.errors import code_of, problem_of

if TYPE_CHECKING:
    from lcplatform_aws.session import Session

_LONGEST: Final = 23 * 3600.0
"""Seconds for which a token is used. It is good for a day."""
_MOST: Final = 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader gets: data, and the label of its version."""

    label: str | None
    content: bytes


@dataclass(slots=True)
class _Reading:
    """One session."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str | None = None
    polled: float = 0.0
    due: float = 0.0
    seen: Seen | None = None


class Readings:
    """The sessions of a platform, those that are used."""

    def __init__(self, session: Session, interval: int) -> None:
        self._session = session
        self._interval = interval
        self._lock = threading.Lock()
        self._readings: OrderedDict[tuple[str, str, str], _Reading] = OrderedDict()

    def read(self, place: Place, reader: str | None) -> Seen:
        """What a reader gets now, or got within the poll interval.

        Raises:
            ResourceNotFoundError: nothing was ever deployed there.
        """
        reading = self._reading((*place.key, reader or ""))
        with reading.lock:
            now = time.monotonic()
            if reading.seen is None or now >= reading.due:
                self._poll(place, reading, now)
            if reading.seen is None:
                raise missing(*place.key)
            return reading.seen

    def drop(self, place: Place) -> None:
        """Begins new sessions for a configuration: it was changed here, and they would not ask again for a while."""
        with self._lock:
            for key in [it for it in self._readings if it[:2] == place.key]:
                del self._readings[key]

    def _reading(self, key: tuple[str, str, str]) -> _Reading:
        with self._lock:
            reading = self._readings.setdefault(key, _Reading())
            self._readings.move_to_end(key)
            if len(self._readings) > _MOST:
                self._readings.popitem(last=False)
            return reading

    def _poll(self, place: Place, reading: _Reading, now: float) -> None:
        token, reading.token = reading.token, None
        if token is not None and now - reading.polled < _LONGEST:
            try:
                self._take(reading, token)
            except ClientError as error:
                # Burned, expired, or asked too early: the session is over, and what was seen may not be right any more.
                if code_of(problem_of(error)) != "BadRequestException":
                    raise
            else:
                return
        reading.seen = None
        answer = self._session.appconfigdata.start_configuration_session(
            ApplicationIdentifier=place.application_id,
            EnvironmentIdentifier=place.environment_id,
            ConfigurationProfileIdentifier=place.profile_id,
            RequiredMinimumPollIntervalInSeconds=self._interval,
        )
        self._take(reading, answer["InitialConfigurationToken"])

    def _take(self, reading: _Reading, token: str) -> None:
        answer = self._session.appconfigdata.get_latest_configuration(ConfigurationToken=token)
        content = answer["Configuration"].read()
        if content:
            reading.seen = Seen(answer.get("VersionLabel") or None, content)
        reading.token = answer["NextPollConfigurationToken"]
        reading.polled = time.monotonic()
        reading.due = reading.polled + answer["NextPollIntervalInSeconds"]

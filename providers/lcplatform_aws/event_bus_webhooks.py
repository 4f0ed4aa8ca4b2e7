"""Webhooks of EventBridge: a connection with the headers that are secret, and an API destination with the URL.

A target has one of each, both of one name that is used once: what is deleted there is gone only later. Secrets are read when the target is added: EventBridge keeps
a copy, in a secret of its own.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from botocore.exceptions import ClientError

from lcplatform.event_bus.models import HttpMode, HttpTarget
from lcplatform_aws.errors import code_of, problem_of
from lcplatform_aws.quiet import quietly
from lcplatform_runtime.errors import ResourceNotFoundError, invalid

if TYPE_CHECKING:
    from lcplatform_aws.session import Session

_CONTENT_TYPE: Final = "Content-Type"
_STRUCTURED: Final = "application/cloudevents+json; charset=utf-8"
_ADDED: Final = "X-LCPlatform-Rule"
"""A connection has to have a key. This one is no secret: it tells the receiver which rule is at work."""
_LONGEST_VALUE: Final = 512
_LONGEST_DESCRIPTION: Final = 512
_OURS: Final = frozenset(
    {"host", "content-length", "content-type", "connection", "transfer-encoding", "te", "upgrade"}
)


class Webhooks:
    """The connections and API destinations of targets."""

    def __init__(self, session: Session, role: str | None) -> None:
        self._session = session
        self._role = role

    def check(self, place: HttpTarget) -> dict[str, str]:
        """Refuses what nothing could be posted to. The secret headers with their values.

        Raises:
            ResourceNotFoundError: there is no such secret.
            ValidationError: it names the field.
        """
        _check_url(place.url)
        if place.mode is HttpMode.BINARY:
            raise invalid("target.http.mode", "structured: EventBridge lays out no other")
        _check_headers(place)
        if len(_noted(place.secret_headers)) > _LONGEST_DESCRIPTION:
            raise invalid(
                "target.http.secret_headers", f"names of {_LONGEST_DESCRIPTION} bytes together"
            )
        values = {header: self._secret(name) for header, name in place.secret_headers.items()}
        if self._role is None:
            raise invalid("target.http", "the option event_bus.role, as which EventBridge may post")
        return values

    def _secret(self, name: str) -> str:
        try:
            with quietly():
                answer = self._session.secretsmanager.get_secret_value(
                    SecretId=name, VersionStage="AWSCURRENT"
                )
        except ClientError as error:
            if code_of(problem_of(error)) != "ResourceNotFoundException":
                raise
            raise ResourceNotFoundError(f"there is no secret {name!r}", resource=name) from error
        value = answer.get("SecretString", "")
        if not 0 < len(value) <= _LONGEST_VALUE or not value.isascii() or not value.isprintable():
            raise invalid(
                "target.http.secret_headers",
                f"secrets that are texts of 1 to {_LONGEST_VALUE} printable ASCII characters",
            )
        return value

    def create(self, rule: str, place: HttpTarget, secrets: dict[str, str]) -> dict[str, Any]:
        """The parameters of a target that posts for a rule."""
        events = self._session.events
        name = f"lcplatform-{uuid4().hex}"
        parameters: Any = {
            "ApiKeyAuthParameters": {"ApiKeyName": _ADDED, "ApiKeyValue": rule},
            "InvocationHttpParameters": {
                "HeaderParameters": [
                    {"Key": header, "Value": value, "IsValueSecret": True}
                    for header, value in secrets.items()
                ]
            },
        }
        with quietly():
            connection = events.create_connection(
                Name=name,
                Description=_noted(place.secret_headers),
                AuthorizationType="API_KEY",
                AuthParameters=parameters,
            )
        try:
            destination = events.create_api_destination(
                Name=name,
                ConnectionArn=connection["ConnectionArn"],
                InvocationEndpoint=place.url,
                HttpMethod="POST",
            )
        except ClientError:
            self.delete(name)
            raise
        return {
            "Arn": destination["ApiDestinationArn"],
            "RoleArn": self._role,
            "HttpParameters": {"HeaderParameters": {**place.headers, _CONTENT_TYPE: _STRUCTURED}},
        }

    def read(self, target: dict[str, Any]) -> HttpTarget:
        """What a target posts to."""
        events = self._session.events
        destination = events.describe_api_destination(Name=named(target["Arn"]))
        connection = events.describe_connection(Name=named(destination["ConnectionArn"]))
        headers = dict(target.get("HttpParameters", {}).get("HeaderParameters", {}))
        headers.pop(_CONTENT_TYPE, None)
        return HttpTarget(
            url=destination["InvocationEndpoint"],
            headers=headers,
            secret_headers=_secret_names(connection.get("Description", "")),
        )

    def delete(self, name: str) -> None:
        """Deletes an API destination and its connection, as far as they are there."""
        events = self._session.events
        for call in (events.delete_api_destination, events.delete_connection):
            with suppress(events.exceptions.ResourceNotFoundException):
                call(Name=name)


def named(arn: str) -> str:
    """The name of an API destination or of a connection: after its name, its identity may follow."""
    return arn.partition("/")[2].partition("/")[0]


def _noted(secrets: dict[str, str]) -> str:
    """The names of secrets as the description of a connection."""
    return json.dumps(secrets, separators=(",", ":"))


def _secret_names(description: str) -> dict[str, str]:
    """The names that were noted; none where somebody else wrote the description."""
    try:
        noted = json.loads(description)
    except ValueError:
        return {}
    return noted if isinstance(noted, dict) else {}


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    else:
        if parts.username is not None or parts.password is not None:
            raise invalid(
                "target.http.url", "a URL without user and password: give them as a header"
            )
    if not good:
        raise invalid("target.http.url", "an absolute http or https URL")


def _check_headers(place: HttpTarget) -> None:
    plain = [it.lower() for it in place.headers]
    secret = [it.lower() for it in place.secret_headers]
    if len({*plain, *secret}) < len(plain) + len(secret):
        raise invalid("target.http.headers", "each header once, in secret_headers or here")
    for field, names in (("headers", plain), ("secret_headers", secret)):
        if any(it in _OURS or it.startswith("ce-") for it in names):
            raise invalid(f"target.http.{field}", "no headers that tell what is sent, or how")
    for value in place.headers.values():
        if not 0 < len(value) <= _LONGEST_VALUE or value.startswith("$"):
            raise invalid(
                "target.http.headers",
                f"values of 1 to {_LONGEST_VALUE} characters, of which the first is no dollar sign",
            )

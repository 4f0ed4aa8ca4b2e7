"""Requests and answers of an issuer, without the connection that carries them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload
from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Question:
    """A request: its target with path and query, its headers by their names in lower case, and the form in its body."""

    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    form: str = field(default="", repr=False)

    @property
    def path(self) -> str:
        """The path of the target."""
        return urlsplit(self.target).path

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """What is asked: in the form of a POST, in the query otherwise. What has no value is not asked."""
        text = self.form if self.method == "POST" else urlsplit(self.target).query
        return parse_qsl(text, max_num_fields=200)


@dataclass(slots=True)
class Answer:
    """An answer."""

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def location(self) -> str | None:
        """Where it leads."""
        return self.headers.get("Location")

    @location.setter
    def location(self, url: str) -> None:
        self.headers["Location"] = url


def json_answer(
    status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer of JSON that nobody keeps, unless the headers say otherwise."""
    given = {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})}
    return Answer(status, given, json.dumps(content).encode())


class _Payload(OAuth2Payload):
    def __init__(self, parameters: list[tuple[str, str]]) -> None:
        self._data = dict(parameters)
        if len(self._data) < len(parameters):
            # Two who read the request could each take another one (RFC 6749, sections 3.1 and 3.2).
            raise InvalidRequestError("a parameter comes more than once")

    @property
    @override
    def data(self) -> dict[str, str]:
        return self._data

    @property
    @override
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, {name: [value] for name, value in self._data.items()})


class OAuthRequest(OAuth2Request):
    """A request as Authlib sees it.

    Attributes:
        parameters: what it asks.
    """

    def __init__(self, question: Question, base: str) -> None:
        # Authlib looks up `Authorization` by its usual spelling.
        named = {name.title(): value for name, value in question.headers.items()}
        super().__init__(question.method, base + question.target, headers=named)
        self.payload = _Payload(question.parameters)
        self.parameters = self.payload.data

    @property
    @override
    def args(self) -> dict[str, str | None]:
        return dict(self.parameters)

    @property
    @override
    def form(self) -> dict[str, str]:
        return self.parameters if self.method == "POST" else {}

"""The API of one AWS service as its model describes it: which operation a request is for, and what goes in and comes out.

The protocols are those of the services that are faked: "json", which names the operation in a header, and "rest-json", which has
it in method and path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import botocore.session
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from tests.fake_aws.shapes import Refused, check, read, written


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. Names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def signing_name(self) -> str:
        """The service for which it is signed (Signature Version 4: the scope of the credential)."""
        scope = re.search(
            r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", self.headers.get("authorization", "")
        )
        return scope.group(1) if scope else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Call:
    """An operation, and its parameters by the names of the model."""

    operation: OperationModel
    given: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The operation's name in the model, such as CreateService."""
        return self.operation.name


class AwsError(Exception):
    """What an operation answers instead of a result: one of the errors that the model declares for it."""

    def __init__(self, code: str, message: str = "", **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members = members


class UndeclaredError(AwsError):
    """An error that AWS was recorded to answer, although its model does not declare it."""


@cache
def _model(service: str) -> ServiceModel:
    """The model of a service. It takes a while to read."""
    return botocore.session.get_session().get_service_model(service)


class Api:
    """One service by its name in the SDK, such as `apprunner`."""

    def __init__(self, service: str) -> None:
        self.model = _model(service)
        self.service = service

    @property
    def signing_name(self) -> str:
        """The service for which its requests are signed; several may share one."""
        return self.model.signing_name

    @property
    def _rest(self) -> bool:
        return bool(self.model.metadata["protocol"] == "rest-json")

    def operation(self, request: Request) -> OperationModel | None:
        """The operation that a request is for, or None if it is for none of this service."""
        if self._rest:
            path = urlsplit(request.target).path
            for method, pattern, name in self._routes:
                if method == request.method and pattern.fullmatch(path):
                    return self.model.operation_model(name)
            return None
        prefix, _, name = request.headers.get("x-amz-target", "").rpartition(".")
        if prefix != self.model.metadata["targetPrefix"] or name not in self.model.operation_names:
            return None
        return self.model.operation_model(name)

    @cached_property
    def _routes(self) -> list[tuple[str, re.Pattern[str], str]]:
        routes = []
        for name in self.model.operation_names:
            http = self.model.operation_model(name).http
            routes.append((http["method"], _route(http["requestUri"].partition("?")[0]), name))
        # A route with fewer names in it says more.
        return sorted(routes, key=lambda it: it[1].groups)

    def call(self, operation: OperationModel, request: Request) -> Call:
        """What is asked.

        Raises:
            Refused: the model does not allow it.
        """
        shape = operation.input_shape
        if not isinstance(shape, StructureShape):
            return Call(operation, {})
        if not self._rest:
            return Call(operation, read(shape, json.loads(request.body or b"{}")))
        return Call(operation, self._rest_call(operation, shape, request))

    def _rest_call(
        self, operation: OperationModel, shape: StructureShape, request: Request
    ) -> dict[str, Any]:
        split = urlsplit(request.target)
        route = _route(operation.http["requestUri"].partition("?")[0]).fullmatch(split.path)
        labels = {} if route is None else route.groupdict()
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(split.query, keep_blank_values=True):
            query.setdefault(name, []).append(value)
        given: dict[str, Any] = {}
        in_body = {}
        payload = shape.serialization.get("payload")
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            match member.serialization.get("location"):
                case "uri":
                    found: Any = labels.get(_label(wire))
                    found = None if found is None else unquote(found)
                case "querystring":
                    found = _queried(member, query.pop(wire, None))
                case "header":
                    found = request.headers.get(wire.lower())
                case _:
                    if name != payload:
                        in_body[wire] = member
                    continue
            if found is not None:
                given[name] = _scalar(member, found)
        if query:
            raise Refused(f"{operation.name} has no parameter {', '.join(query)}")
        given |= _body(shape, payload, in_body, request.body)
        for name, value in given.items():
            check(shape.members[name], value, name)
        check(shape, given)
        return given

    def answer(self, operation: OperationModel, result: Mapping[str, Any]) -> Answer:
        """The answer that says this.

        Raises:
            Refused: the model does not allow it.
        """
        shape = operation.output_shape
        if not isinstance(shape, StructureShape):
            if result:
                raise Refused(f"{operation.name} answers nothing")
            return Answer(
                operation.http.get("responseCode", 200), self._headers, b"" if self._rest else b"{}"
            )
        check(shape, result)
        if not self._rest:
            return Answer(200, self._headers, json.dumps(written(shape, result)).encode())
        return self._rest_answer(operation, shape, result)

    def _rest_answer(
        self, operation: OperationModel, shape: StructureShape, result: Mapping[str, Any]
    ) -> Answer:
        status = operation.http.get("responseCode", 200)
        headers = dict(self._headers)
        payload = shape.serialization.get("payload")
        body: dict[str, Any] = {}
        data: bytes | None = None
        for name, value in result.items():
            if value is None:
                continue
            if name not in shape.members:
                raise Refused(f"{shape.name} has no member {name}")
            member = shape.members[name]
            wire = member.serialization.get("name", name)
            json_value = (
                value
                if name == payload and member.type_name == "blob"
                else written(member, value, name)
            )
            match member.serialization.get("location"):
                case "statusCode":
                    status = value
                case "header":
                    headers[wire] = str(json_value)
                case _ if name == payload and member.type_name == "blob":
                    data = value
                case _ if name == payload:
                    body = json_value
                case _:
                    body[wire] = json_value
        if payload and shape.members[payload].type_name == "blob":
            return Answer(status, headers, data or b"")
        return Answer(status, headers, json.dumps(body).encode())

    def error(self, operation: OperationModel, error: AwsError) -> Answer:
        """The answer that says that it failed.

        Raises:
            Refused: the model declares no such error for the operation.
        """
        if isinstance(error, UndeclaredError):
            return self.failure(400, error.code, {"message": error.message})
        declared = {it.name: it for it in operation.error_shapes}
        for shape in list(declared.values()):
            declared.setdefault(shape.metadata.get("error", {}).get("code", shape.name), shape)
        found = declared.get(error.code)
        if not isinstance(found, StructureShape):
            raise Refused(f"{operation.name} declares no error {error.code}")
        members = {
            name: (error.message if name.lower() == "message" else error.members.get(name))
            for name in found.members
        }
        body = written(found, {name: it for name, it in members.items() if it is not None})
        status = found.metadata.get("error", {}).get(
            "httpStatusCode", 500 if found.metadata.get("fault") else 400
        )
        return self.failure(status, error.code, body)

    def failure(self, status: int, code: str, body: Mapping[str, Any]) -> Answer:
        """The answer with a code that no model needs to declare, such as that of throttling."""
        headers = {**self._headers, "x-amzn-errortype": code}
        return Answer(status, headers, json.dumps({"__type": code, **body}).encode())

    @property
    def _headers(self) -> Mapping[str, str]:
        if self._rest:
            return {"Content-Type": "application/json"}
        return {"Content-Type": f"application/x-amz-json-{self.model.metadata['jsonVersion']}"}


_GREEDY: Final = "+"


def _label(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _route(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{([^}]+)\}", template)
    pattern = "".join(
        re.escape(part)
        if number % 2 == 0
        else f"(?P<{_label(part.removesuffix(_GREEDY))}>{'.+' if part.endswith(_GREEDY) else '[^/]+'})"
        for number, part in enumerate(parts)
    )
    return re.compile(f"{pattern}/?" if not pattern.endswith("/") else pattern)


def _queried(member: Shape, values: list[str] | None) -> Any:
    if values is None:
        return None
    return values if member.type_name == "list" else values[-1]


def _scalar(member: Shape, value: Any) -> Any:
    """What a text in a path, a query or a header stands for."""
    if isinstance(member, ListShape):
        return [_scalar(member.member, it) for it in value]
    try:
        match member.type_name:
            case "integer" | "long":
                return int(value)
            case "float" | "double":
                return float(value)
            case "boolean":
                return {"true": True, "false": False}[value]
            case "timestamp":
                return datetime.fromisoformat(value).astimezone(UTC)
            case _:
                return value
    except (ValueError, KeyError) as error:
        raise Refused(f"{member.name}: {value!r} is no {member.type_name}") from error


def _body(
    shape: StructureShape, payload: str | None, members: Mapping[str, Shape], body: bytes
) -> dict[str, Any]:
    if payload is not None:
        member = shape.members[payload]
        if member.type_name == "blob":
            return {payload: body} if body else {}
        return {payload: read(member, json.loads(body), payload)} if body else {}
    if not body:
        return {}
    names = {it.serialization.get("name", name): name for name, it in shape.members.items()}
    given = {}
    for wire, value in json.loads(body).items():
        if wire not in members:
            raise Refused(f"{shape.name} has no member {wire}")
        if value is not None:
            given[names[wire]] = read(members[wire], value, wire)
    return given

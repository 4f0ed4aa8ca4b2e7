"""SNS and STS as far as tests need them: requests of the query protocol are judged by the SDK's own model, and answered as told."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape

from tests.fake_aws.shapes import check
from tests.unit.aws.stub import Answer, Asked

_ACCOUNT = "123456789012"
HOME = f"arn:aws:sns:eu-west-1:{_ACCOUNT}:"


class Refusal(Exception):
    """An error as the service answers it."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status


class Query:
    """Answers requests. What an operation answers is queued in `answers`, and the last of them is kept."""

    def __init__(self) -> None:
        session = botocore.session.get_session()
        self._models = [session.get_service_model(it) for it in ("sns", "sts")]
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, deque[Mapping[str, Any] | Refusal]] = defaultdict(deque)
        self.will(
            "GetCallerIdentity",
            {"Arn": f"arn:aws:sts::{_ACCOUNT}:assumed-role/app/it", "Account": _ACCOUNT},
        )

    def will(self, operation: str, *answers: Mapping[str, Any] | Refusal) -> None:
        """Says what an operation answers from now on."""
        self.answers[operation] = deque(answers)

    def given(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of each call of an operation."""
        return [given for name, given in self.asked if name == operation]

    def __call__(self, asked: Asked) -> Answer:
        fields = dict(parse_qsl(asked.body.decode(), keep_blank_values=True))
        name = fields.pop("Action")
        fields.pop("Version")
        model = next(it for it in self._models if name in it.operation_names)
        operation = model.operation_model(name)
        shape = operation.input_shape
        given = {} if shape is None else _read(shape, fields, "")
        assert not fields, f"{name} has no parameter {fields}"
        if shape is not None:
            check(shape, given)
        self.asked.append((name, given))
        answers = self.answers[name]
        answer = {} if not answers else answers[0] if len(answers) == 1 else answers.popleft()
        if isinstance(answer, Refusal):
            said = f"<Code>{answer.code}</Code><Message>{escape(answer.message)}</Message>"
            text = f"<ErrorResponse><Error><Type>Sender</Type>{said}</Error></ErrorResponse>"
            return Answer(answer.status, {}, text.encode())
        output = operation.output_shape
        inner = "" if output is None else _written(output, answer)
        return Answer(
            200,
            {},
            f"<{name}Response><{name}Result>{inner}</{name}Result></{name}Response>".encode(),
        )


def _read(shape: Shape, fields: dict[str, str], at: str) -> Any:
    """What stands in a form, taken out of it."""
    if isinstance(shape, StructureShape):
        return {
            name: _read(member, fields, f"{at}.{name}" if at else name)
            for name, member in shape.members.items()
            if _any_of(fields, f"{at}.{name}" if at else name)
        }
    if isinstance(shape, MapShape):
        key = shape.key.serialization.get("name", "key")
        value = shape.value.serialization.get("name", "value")
        entries: dict[str, Any] = {}
        number = 1
        while (named := fields.pop(f"{at}.entry.{number}.{key}", None)) is not None:
            entries[named] = _read(shape.value, fields, f"{at}.entry.{number}.{value}")
            number += 1
        return entries
    if isinstance(shape, ListShape):
        items: list[Any] = []
        while _any_of(fields, f"{at}.member.{len(items) + 1}"):
            items.append(_read(shape.member, fields, f"{at}.member.{len(items) + 1}"))
        return items
    text = fields.pop(at)
    return text == "true" if shape.type_name == "boolean" else text


def _any_of(fields: Mapping[str, str], at: str) -> bool:
    return any(it == at or it.startswith(f"{at}.") for it in fields)


def _written(shape: Shape, value: Any) -> str:
    if isinstance(shape, StructureShape):
        return "".join(
            f"<{name}>{_written(shape.members[name], it)}</{name}>" for name, it in value.items()
        )
    if isinstance(shape, MapShape):
        return "".join(
            f"<entry><key>{escape(name)}</key><value>{escape(it)}</value></entry>"
            for name, it in value.items()
        )
    if isinstance(shape, ListShape):
        return "".join(f"<member>{_written(shape.member, it)}</member>" for it in value)
    return escape("true" if value is True else "false" if value is False else str(value))

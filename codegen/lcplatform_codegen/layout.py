"""Puts the model's answers into text: the templates' filters and the one place that renders."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lcplatform_codegen import naming, text
from lcplatform_codegen.colours import Colour
from lcplatform_codegen.composed import Composition, First, Pointer, Project, Wait
from lcplatform_codegen.model import Field, Kind, Method

_TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        autoescape=False,  # noqa: S701 - the output is Python, not HTML
    )
    environment.filters |= {
        "arguments": arguments,
        "client_doc": client_doc,
        "composition": Composition,
        "docstring": text.docstring,
        "paragraph": lambda comment, indent: text.paragraph(comment, indent, first=indent + 3),
        "first_doc": first_doc,
        "pass_on": pass_on,
        "pointer_doc": pointer_doc,
        "project_doc": project_doc,
        "signature": signature,
        "wait_doc": wait_doc,
        "words": naming.words,
    }
    environment.globals["pointer_forms"] = POINTER_FORMS
    return environment


POINTER_FORMS: Final[Sequence[tuple[list[str], list[str], str]]] = (
    ([], [], "Json"),
    ([], ["default: D,"], "Json | D"),
    (["as_type: type[T],"], [], "T"),
    (["as_type: type[T],"], ["default: D,"], "T | D"),
)
"""How a value inside a JSON value may be asked for: the parameters that are given, and the type of the answer."""


def render(template: str, **values: object) -> str:
    """The template with its values; a value that it needs and does not get is an error."""
    return _environment().get_template(template).render(**values)


def signature(method: Method, colour: Colour, *without: str, added: Sequence[str] = ()) -> str:
    """The parameters of a client method after `self`, one a line; `added` are some that no field stands behind."""
    lines = [_parameter(item) for item in method.positional]
    lines += [f"data: {colour.data},"] if method.kind is Kind.UPLOAD else []
    lines.append("*,")
    lines += added
    lines += [_parameter(item) for item in method.keywords if item.proto_name not in without]
    lines.append("options: CallOptions | None = None,")
    return "\n        ".join(lines)


def _parameter(item: Field) -> str:
    annotation = item.parameter_type + (" | None" if item.optional else "")
    if item.default is None:
        return f"{item.argument}: {annotation},"
    if item.is_map:
        return f"{item.argument}: {annotation} | None = None,"
    return f"{item.argument}: {annotation} = {item.default},"


def arguments(method: Method, *without: str) -> str:
    """The keyword arguments of `build`."""
    return ", ".join(
        f"{item.name}={_value(item)}"
        for item in method.parameters
        if item.proto_name not in without
    )


def _value(item: Field) -> str:
    # A mapping that is not given is an empty one: None as a default keeps signatures free of mutable values.
    return f"{item.argument} or {{}}" if item.is_map and item.default == "{}" else item.argument


def pass_on(method: Method, *without: str) -> str:
    """The arguments that hand a call on to the method beside it."""
    given = [item.argument for item in method.positional] + [
        f"{item.argument}={item.argument}"
        for item in method.keywords
        if item.proto_name not in without
    ]
    return "".join(f"{argument}, " for argument in given)


def client_doc(method: Method) -> str:
    """The docstring of a client method: what it does, its parameters, what it may raise."""
    return _doc(method, method.comment)


def wait_doc(wait: Wait) -> str:
    """The docstring of a method that waits for a status."""
    vain = _either(wait.rules.fails_on)
    return _doc(
        wait.method,
        f"Waits until the {wait.noun} is {_either(wait.rules.until)}, and answers with it as it is then. Calls"
        f" `{wait.method.name}` with growing pauses.",
        {"timeout": "How long to wait at most.", "options": "Those of each call."},
        {
            "DEADLINE_EXCEEDED": "that took longer than `timeout`.",
            **({"PRECONDITION_FAILED": f"it is {vain}. The message says why."} if vain else {}),
        },
    )


def project_doc(project: Project) -> str:
    """The docstring of a method that answers with one field."""
    return _doc(
        project.method,
        f"{project.field.comment} Calls `{project.method.name}`.",
        raises={"PRECONDITION_FAILED": "there is none. The message says why."},
    )


def first_doc(first: First) -> str:
    """The docstring of a method that answers with the first item of a list."""
    method = first.method
    return _doc(
        method,
        f"The first of what `{method.name}` answers with, or None if there is nothing.",
        without=("page_size", "page_token"),
    )


def pointer_doc(pointer: Pointer) -> str:
    """The docstring of a method that answers with a value inside a JSON value."""
    return _doc(
        pointer.method,
        f"One value of the {pointer.rules.field.rpartition('.')[2]} with which `{pointer.method.name}` answers.",
        {
            "path": "Where the value stands, as a JSON Pointer (RFC 6901) such as /limits/rate. Empty: all of it.",
            "as_type": "What the value must be: int, str, list[str], a dataclass, a pydantic model. As Json where"
            " absent. Nothing is converted but what JSON has no form for, such as a date in a string.",
            "default": "The answer if the path leads nowhere.",
        },
        {
            "NOT_FOUND": "something that the call names does not exist, or the path leads nowhere.",
            "VALIDATION": "the value is of another type, or the path is no JSON Pointer.",
        },
        pointer.omitted,
    )


def _doc(
    method: Method,
    comment: str,
    added: Mapping[str, str] = MappingProxyType({}),
    raises: Mapping[str, str] = MappingProxyType({}),
    without: Collection[str] = (),
) -> str:
    arguments = {item.argument: item.comment for item in method.positional}
    if method.kind is Kind.UPLOAD:
        arguments["data"] = "The body: bytes, a path, a binary file or an iterable of bytes."
    arguments |= {name: told for name, told in added.items() if name != "options"}
    arguments |= {
        item.argument: item.comment for item in method.keywords if item.proto_name not in without
    }
    arguments["options"] = added.get(
        "options", "Deadline, retries and the like, for this call alone."
    )
    errors = {**{code: ERROR_REASONS[code] for code in method.errors}, **raises}
    lines = [text.docstring(comment, 8).rstrip(), "", "Args:"]
    lines += [_argument(name, told) for name, told in arguments.items()]
    if method.kind is Kind.STREAM:
        lines += ["", "Yields:", *(f"    {line}" for line in _STREAM)]
    if errors:
        lines += ["", "Raises:"]
        lines += [f"    {ERROR_CLASSES[code]}: {why}" for code, why in errors.items()]
    return "\n".join([lines[0], *(f"        {line}".rstrip() for line in lines[1:])])


_STREAM = (
    "The answers, as they come. Nothing happens before the first is asked for, so what fails, fails",
    "there. Who has heard enough closes the iterator.",
)


def _either(names: Iterable[str]) -> str:
    *ahead, last = [name.replace("_", " ") for name in names] or [""]
    return f"{', '.join(ahead)} or {last}" if ahead else last


def _argument(name: str, comment: str) -> str:
    return f"    {name}: {text.paragraph(comment, 16, first=12 + len(name) + 2)}"


ERROR_CLASSES = {
    "NOT_FOUND": "ResourceNotFoundError",
    "ALREADY_EXISTS": "AlreadyExistsError",
    "VALIDATION": "ValidationError",
    "CONFLICT": "ConflictError",
    "PRECONDITION_FAILED": "PreconditionFailedError",
    "AUTHENTICATION": "AuthenticationError",
    "PERMISSION_DENIED": "PermissionDeniedError",
    "QUOTA_EXCEEDED": "QuotaExceededError",
    "SERVICE_UNAVAILABLE": "ServiceUnavailableError",
    "DEADLINE_EXCEEDED": "DeadlineExceededError",
    "UNSUPPORTED": "UnsupportedError",
    "INTERNAL": "InternalError",
    "CANCELLED": "OperationCancelledError",
}
ERROR_REASONS = {
    "NOT_FOUND": "something that the call names does not exist.",
    "ALREADY_EXISTS": "it exists already.",
    "CONFLICT": "an etag is stale, or another caller was at it.",
    "PRECONDITION_FAILED": "it is not in the state that the call needs.",
    "VALIDATION": "the request is wrong.",
    "AUTHENTICATION": "a token or credential is not accepted.",
    "PERMISSION_DENIED": "the caller may not do this.",
    "QUOTA_EXCEEDED": "a rate or a quota is used up.",
    "SERVICE_UNAVAILABLE": "the service cannot be reached.",
    "DEADLINE_EXCEEDED": "no answer came in time.",
    "UNSUPPORTED": "the provider lacks the capability.",
    "INTERNAL": "the service failed.",
    "CANCELLED": "the caller gave up.",
}

"""Puts the model's answers into text: the templates' filters and the one place that renders."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lcplatform_codegen import naming, text
from lcplatform_codegen.colours import Colour
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
        autoescape=False,  # noqa: S701 - the output is Python, not HTML
    )
    environment.filters |= {
        "arguments": arguments,
        "client_doc": client_doc,
        "docstring": text.docstring,
        "paragraph": lambda comment, indent: text.paragraph(comment, indent, first=indent + 3),
        "pass_on": pass_on,
        "signature": signature,
        "words": naming.words,
    }
    return environment


def render(template: str, **values: object) -> str:
    """The template with its values; a value that it needs and does not get is an error."""
    return _environment().get_template(template).render(**values)


def signature(method: Method, colour: Colour, without: str = "") -> str:
    """The parameters of a client method after `self`, one a line."""
    lines = [_parameter(item) for item in method.positional]
    lines += [f"data: {colour.data},"] if method.kind is Kind.UPLOAD else []
    lines.append("*,")
    lines += [_parameter(item) for item in method.keywords if item.proto_name != without]
    lines.append("options: CallOptions | None = None,")
    return "\n        ".join(lines)


def _parameter(item: Field) -> str:
    annotation = item.parameter_type + (" | None" if item.optional else "")
    if item.default is None:
        return f"{item.name}: {annotation},"
    if item.is_map:
        return f"{item.name}: {annotation} | None = None,"
    return f"{item.name}: {annotation} = {item.default},"


def arguments(method: Method, without: str = "") -> str:
    """The keyword arguments of `build`."""
    return ", ".join(
        f"{item.name}={_value(item)}" for item in method.parameters if item.proto_name != without
    )


def _value(item: Field) -> str:
    # A mapping that is not given is an empty one: None as a default keeps signatures free of mutable values.
    return f"{item.name} or {{}}" if item.is_map and item.default == "{}" else item.name


def pass_on(method: Method) -> str:
    """The arguments that hand a call on to the method beside it."""
    given = [item.name for item in method.positional] + [
        f"{item.name}={item.name}" for item in method.keywords
    ]
    return "".join(f"{argument}, " for argument in given)


def client_doc(method: Method) -> str:
    """The docstring of a client method: what it does, its parameters, what it may raise."""
    lines = [text.docstring(method.comment, 8).rstrip(), "", "Args:"]
    lines += [_argument(item.name, item.comment) for item in method.positional]
    if method.kind is Kind.UPLOAD:
        lines.append(
            _argument("data", "The body: bytes, a path, a binary file or an iterable of bytes.")
        )
    lines += [_argument(item.name, item.comment) for item in method.keywords]
    lines.append(_argument("options", "Deadline, retries and the like, for this call alone."))
    if method.kind is Kind.STREAM:
        lines += ["", "Yields:", *(f"    {line}" for line in _STREAM)]
    if method.errors:
        lines += ["", "Raises:"]
        lines += [f"    {ERROR_CLASSES[code]}: {ERROR_REASONS[code]}" for code in method.errors]
    return "\n".join([lines[0], *(f"        {line}".rstrip() for line in lines[1:])])


_STREAM = (
    "The answers, as they come. Nothing happens before the first is asked for, so what fails, fails",
    "there. Who has heard enough closes the iterator.",
)


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

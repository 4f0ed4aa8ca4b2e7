"""What a client has beyond its operations: methods that are composed of one, as the options of that operation say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from lcplatform_codegen.model import Field, Kind, Message, Method


@dataclass(frozen=True, slots=True)
class Composed:
    """A method of the client that stands on an operation. `rules` is the option that asks for it."""

    method: Method
    rules: Any  # a message of options.proto, whose type is only known at run time

    @property
    def name(self) -> str:
        """Its name in Python."""
        return str(self.rules.name)

    @property
    def resource(self) -> str:
        """The Python expression of what the call is about."""
        field = self.method.resource
        return "None" if field is None else field.argument

    @property
    def operation(self) -> str:
        """The operation as errors name it."""
        return f"{self.method.service.name}.{self.method.rpc}"

    def problems(self) -> Iterator[str]:
        """What is wrong with its rules."""
        taken = {other.name for other in self.method.service.methods}
        if not self.name or self.name in taken:
            yield f"a composed method needs a name of its own, and {self.name!r} is none"

    def _misnamed(self, *paths: tuple[str, str]) -> Iterator[str]:
        """Paths in the answer that lead to no field, or to one of another kind than goes with them."""
        for path, kind in paths:
            try:
                steps = self._at(path) if path else ()
            except LookupError as problem:
                yield f"{self.name}: {path}: {problem.args[0]}"
                continue
            if steps and kind and (steps[-1].kind != kind or steps[-1].repeated):
                yield f"{self.name}: {path} is no {kind}"

    def _at(self, path: str) -> tuple[Field, ...]:
        return tuple(steps_of(self.method.response, path))

    def _expression(self, root: str, path: str) -> str:
        return ".".join([root, *(step.name for step in self._at(path))]) if path else "None"


class Wait(Composed):
    """A method that waits for a status."""

    @property
    def status(self) -> Field:
        """The field with the status."""
        return self._at(self.rules.status)[-1]

    @property
    def answer(self) -> str:
        """The type of what it answers with: the message that holds the status."""
        above = self._at(self.rules.status)[:-1]
        return above[-1].message.name if above else self.method.response.name

    @property
    def noun(self) -> str:
        """What it waits for, in a word."""
        *above, status = self._at(self.rules.status)
        return (above[-1] if above else status).proto_name.replace("_", " ")

    @property
    def holder(self) -> str:
        """The Python expression of that message, of an `answer`."""
        above, _, _ = self.rules.status.rpartition(".")
        return self._expression("answer", above) if above else "answer"

    @property
    def reason(self) -> str:
        """The Python expression of the reason, of the message `it`."""
        return f"it.{self._at(self.rules.reason)[-1].name}" if self.rules.reason else "None"

    def members(self, names: Iterable[str]) -> str:
        """Statuses as a Python tuple."""
        return f"({''.join(f'{self.status.enum.name}.{name.upper()}, ' for name in names)})"

    @property
    def until(self) -> str:
        """The statuses that end the wait."""
        return self.members(self.rules.until)

    @property
    def fails_on(self) -> str:
        """The statuses that end it in vain."""
        return self.members(self.rules.fails_on)

    @override
    def problems(self) -> Iterator[str]:
        yield from Composed.problems(self)
        rules = self.rules
        wrong = list(self._misnamed((rules.status, "enum"), (rules.reason, "string")))
        yield from wrong
        known = set() if wrong else {value.value for value in self.status.enum.members}
        strangers = [it for it in (*rules.until, *rules.fails_on) if it not in known and not wrong]
        checks = (
            (strangers, f"there is no status {strangers}"),
            (not rules.until, "it never ends: `until` names no status"),
            (rules.timeout_seconds < 1, "it has no timeout"),
            (
                rules.reason and rules.reason.rpartition(".")[0] != rules.status.rpartition(".")[0],
                "the reason stands beside the status",
            ),
            (self.method.rules.cache.key, "answers that are kept say nothing new"),
            (self.method.request.find("timeout"), "the request has a `timeout` of its own"),
        )
        yield from (f"{self.name}: {why}" for is_wrong, why in checks if is_wrong)


class Project(Composed):
    """A method that answers with one field."""

    @property
    def field(self) -> Field:
        """The field."""
        return self._at(self.rules.field)[-1]

    @property
    def value(self) -> str:
        """The Python expression of the field, of an `answer`."""
        return self._expression("answer", self.rules.field)

    @property
    def status(self) -> str:
        """The Python expression of the status, of an `answer`."""
        return self._expression("answer", self.rules.status)

    @property
    def reason(self) -> str:
        """The Python expression of the reason, of an `answer`."""
        return self._expression("answer", self.rules.reason)

    @override
    def problems(self) -> Iterator[str]:
        yield from Composed.problems(self)
        rules = self.rules
        yield from self._misnamed(
            (rules.field, ""), (rules.status, "enum"), (rules.reason, "string")
        )


class First(Composed):
    """A method that answers with the first item of a list."""

    @override
    def problems(self) -> Iterator[str]:
        yield from Composed.problems(self)
        if self.method.items is None:
            yield f"{self.name}: the first item is one of a paged list"


class Pointer(Composed):
    """A method that answers with a value inside a JSON value."""

    @property
    def value(self) -> str:
        """The Python expression of the JSON value, of an `answer`."""
        return self._expression("answer", self.rules.field)

    @property
    def omitted(self) -> tuple[str, ...]:
        """The request fields that it does not take."""
        return tuple(self.rules.omit)

    @override
    def problems(self) -> Iterator[str]:
        yield from Composed.problems(self)
        yield from self._misnamed((self.rules.field, "json"))
        for name in self.omitted:
            field = self.method.request.find(name)
            if field is None or field.default is None:
                yield f"{self.name}: {name!r} is no request field that can be left out"


@dataclass(frozen=True, slots=True)
class Composition:
    """The methods that are composed of one operation."""

    method: Method

    @property
    def waits(self) -> tuple[Wait, ...]:
        """Those that wait for a status."""
        return tuple(Wait(self.method, rules) for rules in self.method.rules.wait)

    @property
    def projections(self) -> tuple[Project, ...]:
        """Those that answer with one field."""
        return tuple(Project(self.method, rules) for rules in self.method.rules.project)

    @property
    def firsts(self) -> tuple[First, ...]:
        """Those that answer with the first item of a list."""
        return tuple(First(self.method, rules) for rules in self.method.rules.first)

    @property
    def pointers(self) -> tuple[Pointer, ...]:
        """Those that answer with a value inside a JSON value."""
        return tuple(Pointer(self.method, rules) for rules in self.method.rules.pointer)

    @property
    def methods(self) -> tuple[Composed, ...]:
        """All of them."""
        return (*self.waits, *self.projections, *self.firsts, *self.pointers)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all of them, `exists` among them."""
        exists = self.method.rules.exists
        return (*([exists] if exists else []), *(it.name for it in self.methods))

    def problems(self) -> Iterator[str]:
        """What is wrong with the options of the operation that compose methods."""
        if self.names and self.method.kind is not Kind.UNARY:
            yield "only an operation with one answer composes methods"
        else:
            for composed in self.methods:
                yield from composed.problems()


def steps_of(message: Message, path: str) -> Iterator[Field]:
    """The fields on a path such as `job.status`.

    Raises:
        LookupError: there is no such field, or one on the way may be absent. It says which.
    """
    *ahead, last = path.split(".")
    for name in ahead:
        field = message.find(name)
        if field is None or field.kind != "message" or field.repeated or field.optional:
            raise LookupError(f"{name!r} is no message that is always there")
        yield field
        message = field.message
    found = message.find(last)
    if found is None:
        raise LookupError(f"there is no {last!r}")
    yield found

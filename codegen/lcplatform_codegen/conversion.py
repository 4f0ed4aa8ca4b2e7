"""How each field crosses between protobuf and Python: the expressions of the generated converters."""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from functools import cached_property

from lcplatform_codegen import naming
from lcplatform_codegen.model import FORMATS, Field, Message, Role

# What a value becomes on its way, by its kind; other kinds stay as they are.
_READERS = {
    "timestamp": "read_timestamp",
    "duration": "read_duration",
    "json": "read_json",
    **{kind: f"read_{kind}" for kind in FORMATS if kind not in {"", "null"}},
}
_WRITERS = {
    "timestamp": "write_timestamp",
    "duration": "write_duration",
    "json": "write_json",
    **{kind: f"write_{kind}" for kind in FORMATS if kind not in {"", "null"}},
}

# What the generated functions call by these names.
_TAKEN = frozenset(
    {"absent", "checker", "each", "fields", "fill", "has", "message", "model", "present", "within"}
)


@dataclass(frozen=True)
class Value:
    """A field of a message on its way.

    What a caller sends is collected and checked by its model, which knows the defaults. An answer was made by a driver and
    needs no second check: it is put together as it stands.
    """

    field: Field
    role: Role

    @property
    def name(self) -> str:
        """The attribute of the model."""
        return self.field.name

    @property
    def proto_name(self) -> str:
        """The name on the wire."""
        return self.field.proto_name

    @property
    def many(self) -> bool:
        """Whether it holds any number of values."""
        return self.field.repeated or self.field.is_map

    @property
    def plain_map(self) -> bool:
        """Whether it is a map whose values cross as they are."""
        return self.field.map_value is not None and self.write == f"{self._given} or None"

    @property
    def local(self) -> str:
        """The variable that holds it on its way."""
        return f"{self.proto_name}_" if self.proto_name in _TAKEN else naming.local(self.name)

    @property
    def raw(self) -> str:
        """The field of the protobuf message."""
        name = self.field.proto_name
        return f'getattr(message, "{name}")' if keyword.iskeyword(name) else f"message.{name}"

    @property
    def _given(self) -> str:
        return f"model.{self.name}"

    @property
    def _has(self) -> str:
        return f'has("{self.proto_name}")'

    @property
    def asked(self) -> bool:
        """Whether protobuf is asked if it is there."""
        item = self.field
        return item.presence and item.kind not in {"union", "enum"} and not self.many

    # Requests

    @cached_property
    def condition(self) -> str:
        """When a request has it; empty if it always does."""
        item = self.field
        if item.kind == "union" and not self.many:
            return f"({self.local} := {self.read}) is not None"
        if self.many or item.kind == "enum":
            return "" if item.default is None else f"{self.local} := {self.raw}"
        return self._has if self.asked else ""

    @property
    def given(self) -> str:
        """The value where the condition holds."""
        if self.condition.startswith("("):
            return self.local
        return self.read.replace(self.raw, self.local) if ":=" in self.condition else self.read

    @cached_property
    def read(self) -> str:
        """The value for a model that checks it. What cannot even be converted is refused by its path."""
        item = self.field.map_value or self.field
        if not self.many:
            return _read(item, self.raw, f'"{self.name}"')
        helper = "each_value" if self.field.is_map else "each"
        each = f'{helper}("{self.name}", {{}}, {self.raw})'
        if item.kind in {"message", "union"}:
            verb = "values_of" if item.kind == "message" else "read"
            return each.format(f"{verb}_{naming.snake(item.message.name)}")
        if item.kind == "enum":
            return each.format(f"lambda it: read_enum({_members(item)}, it)")
        if item.kind in _READERS:
            return each.format(_READERS[item.kind])
        if self.field.is_map:
            return f"{{name: {self.raw}[name] for name in {self.raw}}}"
        return self._all("it")

    # Answers

    @cached_property
    def read_answer(self) -> str:
        """The value of an answer, whether it is there or not."""
        item = self.field.map_value or self.field
        one = f"read_{naming.snake(item.message.name)}" if item.kind == "message" else ""
        if self.many:
            return self._all(f"{one}(it)" if one else _read(item, "it", '""'))
        value = f"{one}({self.raw})" if one else _read(item, self.raw, f'"{self.name}"')
        absent = f'absent("{self.name}")' if item.default is None else item.default
        if item.kind == "union":
            return value if item.optional else f'present("{self.name}", {value})'
        if item.kind == "enum":
            return value if item.default is None else f"{value} if {self.raw} else {absent}"
        return f"{value} if {self._has} else {absent}" if self.asked else value

    def _all(self, one: str) -> str:
        """Every value of a container, each converted like `it`."""
        if self.field.is_map:
            return (
                f"read_map({self.raw})"
                if one == "it"
                else f"{{name: {one} for name, it in {self.raw}.items()}}"
            )
        # A slice of a repeated field is made at once, and iterated faster than the field itself.
        items = f"{self.raw}[:]"
        return f"tuple({items})" if one == "it" else f"tuple([{one} for it in {items}])"

    # Both

    @cached_property
    def write(self) -> str:
        """The value for the protobuf message."""
        item, given = self.field.map_value or self.field, self._given
        if not self.many:
            written = _write(item, given)
            bare = item.optional and item.kind in {"message", "union"}
            return f"None if {given} is None else {written}" if bare else written
        # An item of a list is always there, which `write_json` does not know.
        one = '{"text": it.text}' if item.kind == "json" else _write(item, "it")
        if one == "it":
            return f"{given} or None"  # protobuf takes longer for what is empty than for nothing
        if self.field.is_map:
            return f"{{name: {one} for name, it in {given}.items()}}"
        return f"[{one} for it in {given}]"

    @property
    def argument(self) -> str:
        """The same as an argument of the protobuf class, where a keyword of Python is none."""
        name = self.proto_name
        return (
            f'**{{"{name}": {self.write}}}' if keyword.iskeyword(name) else f"{name}={self.write}"
        )


def _read(item: Field, raw: str, path: str) -> str:
    if item.kind in _READERS:
        return f"{_READERS[item.kind]}({raw}, {path})"
    if item.kind == "message":
        return f"within({path}, values_of_{naming.snake(item.message.name)}, {raw})"
    if item.kind == "union":
        return f"read_{naming.snake(item.message.name)}({raw}, {path})"
    if item.kind == "enum":
        return f"{_members(item)}.get({raw}, {item.enum.name}.UNKNOWN)"
    return f"tuple({raw}.paths)" if item.kind == "mask" else raw


def read_part(item: Field) -> str:
    """The value of one alternative of a union. A message among them is a model at once: nothing tells what a dict means."""
    if item.kind == "message":
        return f"read_{naming.snake(item.message.name)}(message.{item.proto_name})"
    return "None" if item.kind == "null" else _read(item, f"message.{item.proto_name}", "path")


def write_part(item: Field) -> str:
    """One alternative of a union for the protobuf message."""
    return "True" if item.kind == "null" else _write(item, "value")


def is_part(item: Field, union: Message) -> str:
    """The condition that tells the alternative by the type of a value."""
    if item.kind == "null":
        return "value is None"
    zoned = item.kind == "timestamp" and any(it.kind == "local_timestamp" for it in union.fields)
    return f"isinstance(value, {item.item_type})" + (
        " and value.tzinfo is not None" if zoned else ""
    )


# What is a special case of another type in Python, and so is asked for first.
_SPECIAL = ("null", "bool", "timestamp", "local_timestamp")


def in_order(union: Message) -> list[Field]:
    """The alternatives in the order in which they are asked for: a bool is an int in Python, and a datetime a date."""
    return sorted(
        union.fields,
        key=lambda it: _SPECIAL.index(it.kind) if it.kind in _SPECIAL else len(_SPECIAL),
    )


def _write(item: Field, given: str) -> str:
    if item.kind in {"message", "union"}:
        return f"arguments_of_{naming.snake(item.message.name)}({given})"
    if item.kind == "enum":
        return f"{naming.constant(item.enum.name)}_NUMBERS[{given}]"
    if item.kind == "mask":
        return f"write_mask({given})"
    return f"{_WRITERS[item.kind]}({given})" if item.kind in _WRITERS else given


def _members(item: Field) -> str:
    return f"{naming.constant(item.enum.name)}_MEMBERS"

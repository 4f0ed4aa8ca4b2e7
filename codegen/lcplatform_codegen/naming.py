"""The only place where one spelling turns into another: proto names into Python names."""

from __future__ import annotations

import builtins
import keyword
import re
from functools import cache

# Names that a pydantic model already uses for something else.
_MODEL_NAMES = frozenset(
    {
        "copy",
        "construct",
        "dict",
        "from_orm",
        "json",
        "model_config",
        "model_fields",
        "parse_obj",
        "schema",
        "validate",
    }
)
_BUILTINS = frozenset(name for name in dir(builtins) if name.islower())


@cache
def snake(name: str) -> str:
    """`GetObjectTags` → `get_object_tags`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def field(name: str) -> str:
    """The attribute of a model: the proto name, with an underscore where Python or pydantic needs the word itself."""
    return f"{name}_" if keyword.iskeyword(name) or name in _MODEL_NAMES else name


def argument(name: str) -> str:
    """The argument of a client's method: the proto name, with an underscore where Python needs the word itself."""
    return f"{name}_" if keyword.iskeyword(name) else name


def local(name: str) -> str:
    """A local variable that hides no builtin and is no keyword."""
    return f"{name}_" if keyword.iskeyword(name) or name in _BUILTINS else name


def constant(name: str) -> str:
    """`put_object` → `PUT_OBJECT`."""
    return snake(name).upper()


def enum_member(enum: str, value: str) -> str:
    """`VersionStage`, `VERSION_STAGE_CURRENT` → `CURRENT`."""
    prefix = constant(enum) + "_"
    member = value.removeprefix(prefix)
    return f"VALUE_{member}" if member[0].isdigit() else member


def words(name: str) -> str:
    """`receive_messages` → `receive messages`."""
    return name.replace("_", " ")


def camel(name: str) -> str:
    """`next_page_token` → `nextPageToken`, the name in ProtoJSON."""
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)

"""Models of a package: its schema through datamodel-code-generator, laid out by a template of our own."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import PythonVersion

from lcplatform_codegen import schema as json_schema
from lcplatform_codegen.model import Enum, Field, Message, Package, Role
from lcplatform_codegen.text import docstring

TEMPLATES = Path(__file__).parent / "templates" / "models"


def render(package: Package) -> tuple[str, bool]:
    """The body of `models.py`: classes alone; imports are added with those of all generated files. And whether every name
    in it stands after what it names."""
    text = generate(
        json.dumps(json_schema.for_pydantic(package)),
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        custom_template_dir=TEMPLATES,
        extra_template_data=_template_data(package),
        use_annotated=True,
        field_constraints=True,
        use_standard_collections=True,
        use_union_operator=True,
        use_exact_imports=True,
        use_subclass_enum=True,
        disable_timestamp=True,
        formatters=[],
        base_class="lcplatform_runtime.model.Model",
    )
    assert isinstance(text, str)
    named_early = any(union.told_by_type for union in package.unions)  # which stand at the end
    ordered = not named_early and ".model_rebuild()" not in text
    return _classes(text) + "".join(_alias(union) for union in package.unions), ordered


def _alias(union: Message) -> str:
    if union.told_by_type:
        parts = f"Annotated[{_alternatives(union)}, BY_TYPE]"
    else:
        parts = " | ".join(item.item_type for item in union.fields)
    return f'\n\n{union.name}: TypeAlias = "{parts}"\n"""{docstring(union.comment, 0)}"""\n'


def _alternatives(union: Message) -> str:
    """The alternatives with what is asked of them. Two of them may be one type that their values tell apart."""
    parts = sorted(union.fields, key=lambda item: item.kind == "null")  # None stands last
    return " | ".join(dict.fromkeys(map(_alternative, parts)))


def _classes(text: str) -> str:
    """Drops what the generator adds around the classes, and makes lists the immutable tuples that values need."""
    blocks = re.split(r"^(?=class )", text, flags=re.MULTILINE)[1:]
    kept = [
        block
        for block in blocks
        if not block.startswith("class ModelModel(") and not block.startswith("class Model(")
    ]
    body = "".join(
        re.split(r"^\w+\.model_rebuild\(\)", block, flags=re.MULTILINE)[0] for block in kept
    )
    return re.sub(r"\blist\[([\w.]+)\]", r"tuple[\1, ...]", body)


def _template_data(package: Package) -> defaultdict[str, dict[str, Any]]:
    data: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for enum in package.enums:
        data[enum.name] = _enum_data(enum)
    for message in package.models:
        data[message.name] = _message_data(message)
    return data


def _enum_data(enum: Enum) -> dict[str, Any]:
    comments = [docstring(value.comment, 4) for value in enum.members]
    return {
        "documentation": docstring(enum.comment, 4),
        "comments": [
            *comments,
            "A value that this version of the contract does not know. Never sent.",
        ],
    }


def _message_data(message: Message) -> dict[str, Any]:
    return {
        "documentation": docstring(message.comment, 4),
        "exclusions": message.exclusions,
        "list_field": message.fields[0].name if message.takes_list else None,
        "stand_ins": ", ".join(_stand_ins(message)),
        "takes_duration": message.takes_duration,
        "choices": [repr(names) for names in message.oneofs],
        "sensitive": [repr(item.name) for item in message.sensitive_fields],
        "annotations": {item.name: _annotation(item, message) for item in message.fields},
        "defaults": {
            item.name: f" = {item.default}" if item.default is not None else ""
            for item in message.fields
        },
        "comments": {item.name: docstring(_comment(item), 4) for item in message.fields},
    }


def _stand_ins(message: Message) -> list[str]:
    """The types of Python that stand for the message."""
    lists = ["list", "tuple"] if message.takes_list else []
    return [*lists, "timedelta"] if message.takes_duration else lists


def _comment(item: Field) -> str:
    return f"Deprecated. {item.comment}" if item.deprecated else item.comment


def _annotation(item: Field, message: Message) -> str | None:
    """The annotations that the JSON Schema of a single type has no words for."""
    if item.kind == "mask":
        return item.python_type
    if item.kind in {"json", "union"} or item.format:
        return _open(item, message)
    if message.role is Role.RESPONSE:
        return None
    if item.kind == "enum" and not item.repeated:
        return f"Annotated[{item.enum.name}{' | None' if item.optional else ''}, KNOWN]"
    if item.rules.key_pattern or item.rules.value_pattern:
        return _map(item)
    if item.repeated and item.rules.pattern:
        return _bounded(f"tuple[{_text(item.rules.pattern)}, ...]", item)
    return None


def _open(item: Field, message: Message) -> str:
    """The annotation of a JSON value or a union."""
    if item.kind != "union":
        asked = item.format or item.rules.json_object
        one = _alternative(item) if asked else item.item_type
    elif item.message.told_by_type:
        one = item.message.name
    elif message.role is Role.RESPONSE:
        one = " | ".join(part.item_type for part in item.message.fields)
    else:
        one = _alternatives(item.message)
    if item.repeated:
        several = f"tuple[{one}, ...]"
        return several if message.role is Role.RESPONSE else _bounded(several, item)
    return f"{one} | None" if item.optional else one


def _alternative(part: Field) -> str:
    """One type of a union, with what is asked of it."""
    asked = ""
    if part.rules.json_object:
        asked = "JSON_OBJECT"
    elif part.kind == "decimal":
        asked = "DECIMAL"
    elif part.kind == "int" and part.minimum is not None:
        asked = f"Field(ge={part.minimum}, le={part.maximum})"
    elif part.min_length is not None and not part.repeated:
        asked = f"Field(min_length={part.min_length})"
    return f"Annotated[{part.item_type}, {asked}]" if asked else part.item_type


def _map(item: Field) -> str:
    inside = map(_text, (item.rules.key_pattern, item.rules.value_pattern))
    return _bounded(f"dict[{', '.join(inside)}]", item)


def _text(pattern: str) -> str:
    """The type of a text that is like this."""
    return f"Annotated[str, Field(pattern={pattern!r})]" if pattern else "str"


def _bounded(plain: str, item: Field) -> str:
    """A list or a map with as many items as it may have."""
    bounds = [
        f"{name}={value}"
        for name, value in (("min_length", item.min_length), ("max_length", item.max_length))
        if value is not None
    ]
    return f"Annotated[{plain}, Field({', '.join(bounds)})]" if bounds else plain

"""The operators of DocumentStore: those that every provider has. Any other one is refused, by name, before anything happens.

They are the ones that the contract names, in filters, updates and pipelines; among expressions, the common ones that
DocumentDB 5.0 has (https://docs.aws.amazon.com/documentdb/latest/developerguide/mongo-apis.html). What works on one provider
alone, such as `$where`, `$facet`, `$round` or `$$REMOVE`, is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final, TypeAlias

from lcplatform_runtime.documents.extended_json import is_special
from lcplatform_runtime.errors import FieldViolation, ValidationError

Raw: TypeAlias = Any
"""What JSON text parses to."""

LOGICAL: Final = frozenset({"$and", "$or", "$nor"})
"""What joins filters."""

CONDITIONS: Final = frozenset(
    {
        *("$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin"),
        *("$not", "$exists", "$type", "$regex", "$options", "$elemMatch", "$all", "$size"),
    }
)
"""What is asked of a field."""

PUSH_MODIFIERS: Final = frozenset({"$each", "$position", "$slice", "$sort"})
"""What says how values are appended."""

STAGES: Final = frozenset(
    {"$match", "$project", "$group", "$sort", "$limit", "$skip", "$unwind", "$count"}
)
"""The stages of a pipeline."""

ACCUMULATORS: Final = frozenset(
    {*("$sum", "$avg", "$min", "$max", "$first", "$last", "$push", "$addToSet", "$mergeObjects")}
)
"""What becomes of the values of a group."""

EXPRESSIONS: Final = frozenset(
    {
        *("$literal", "$let", "$cond", "$ifNull", "$switch", "$and", "$or", "$not"),
        *("$cmp", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte"),
        *("$abs", "$add", "$ceil", "$divide", "$floor", "$mod", "$multiply", "$subtract"),
        *("$sum", "$avg", "$min", "$max"),
        *("$concat", "$indexOfCP", "$split", "$strLenCP", "$strcasecmp", "$substrCP"),
        *("$toLower", "$toUpper"),
        *("$arrayElemAt", "$concatArrays", "$filter", "$in", "$isArray", "$map", "$reduce"),
        *("$reverseArray", "$size", "$slice"),
        *("$arrayToObject", "$mergeObjects", "$objectToArray"),
        *(
            "$type",
            "$toBool",
            "$toDate",
            "$toDecimal",
            "$toDouble",
            "$toInt",
            "$toLong",
            "$toString",
        ),
        *("$year", "$month", "$dayOfMonth", "$dayOfWeek", "$dayOfYear", "$hour", "$minute"),
        *("$second", "$millisecond", "$dateToString"),
    }
)
"""What is computed from a document."""

SCHEMA_KEYWORDS: Final = frozenset(
    {
        *("type", "bsonType", "enum", "title", "description"),
        *("allOf", "anyOf", "oneOf", "not"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern"),
        *("items", "additionalItems", "minItems", "maxItems", "uniqueItems"),
        *("required", "properties", "patternProperties", "additionalProperties"),
        *("minProperties", "maxProperties", "dependencies"),
    }
)
"""What a validator is made of: JSON Schema draft 4 without references, formats and defaults."""


def refused(field: str, why: str) -> ValidationError:
    """The refusal of a part of a request."""
    return ValidationError(f"{field}: {why}", violations=[FieldViolation(field, why)])


def check_filter(raw: Raw, field: str = "filter") -> None:
    """Refuses a filter with an operator that is not one of the contract's.

    Args:
        raw: the parsed JSON of the filter.
        field: where it stands in the request.

    Raises:
        ValidationError: names the operator.
    """
    if not isinstance(raw, dict):
        raise refused(field, "a JSON object")
    for name, condition in raw.items():
        if name[:1] != "$":
            _check_condition(condition, field)
            continue
        _known(name, LOGICAL, field)
        if not isinstance(condition, list) or not condition:
            raise refused(field, f"{name} takes a list of filters")
        for item in condition:
            check_filter(item, field)


def is_condition(raw: Raw) -> bool:
    """Whether what a field is compared with is made of operators, and no value."""
    return isinstance(raw, dict) and next(iter(raw), "")[:1] == "$" and not is_special(raw)


def _check_condition(raw: Raw, field: str) -> None:
    if not is_condition(raw):
        return
    for name, operand in raw.items():
        _known(name, CONDITIONS, field)
        if name == "$not":
            _check_condition(operand, field)
        elif name == "$elemMatch":
            check_element(operand, field)
        elif name == "$all" and isinstance(operand, list):
            for item in operand:
                _check_condition(item, field)


def check_element(raw: Raw, field: str) -> None:
    """Refuses unknown operators in what an element of an array must be like: conditions, or a filter."""
    if is_condition(raw) and next(iter(raw)) not in LOGICAL:
        _check_condition(raw, field)
    else:
        check_filter(raw, field)


def check_pipeline(stages: Iterable[Raw], field: str = "pipeline") -> None:
    """Refuses a pipeline with a stage, an accumulator or an expression that is not one of the contract's.

    Raises:
        ValidationError: names it.
    """
    for stage in stages:
        if not isinstance(stage, dict) or len(stage) != 1:
            raise refused(field, "each stage is a JSON object with one name")
        ((name, content),) = stage.items()
        _known(name, STAGES, field)
        if name == "$match":
            check_filter(content, field)
        elif name == "$group":
            _check_group(content, field)
        elif name == "$project":
            check_expression(content, field)


def _check_group(raw: Raw, field: str) -> None:
    if not isinstance(raw, dict):
        raise refused(field, "$group takes a JSON object")
    for name, content in raw.items():
        if name == "_id":
            check_expression(content, field)
        elif isinstance(content, dict) and len(content) == 1:
            ((accumulator, operand),) = content.items()
            _known(accumulator, ACCUMULATORS, field)
            check_expression(operand, field)
        else:
            raise refused(field, f"{name[:40]!r} takes one accumulator")


def check_expression(raw: Raw, field: str) -> None:
    """Refuses unknown operators and variables in an expression."""
    if isinstance(raw, str) and raw[:2] == "$$":
        if raw[2:].partition(".")[0] in {"REMOVE", "CURRENT", "NOW", "CLUSTER_TIME"}:
            raise refused(field, f"{raw[:40]} is no variable of the contract")
    elif isinstance(raw, list):
        for item in raw:
            check_expression(item, field)
    elif isinstance(raw, dict) and not is_special(raw):
        for name, operand in raw.items():
            if name[:1] == "$":
                _known(name, EXPRESSIONS, field)
            if name != "$literal":
                check_expression(operand, field)


def check_schema(raw: Raw, field: str = "validator") -> None:
    """Refuses a validator with a keyword that is not one of the contract's.

    Raises:
        ValidationError: names it.
    """
    if not isinstance(raw, dict):
        raise refused(field, "a JSON Schema, which is an object")
    for name, content in raw.items():
        _known(name, SCHEMA_KEYWORDS, field)
        if name in {"properties", "patternProperties"} and isinstance(content, dict):
            parts: Iterable[Raw] = content.values()
        elif name in {"allOf", "anyOf", "oneOf"} and isinstance(content, list):
            parts = content
        elif name in {"not", "items", "additionalItems", "additionalProperties", "dependencies"}:
            parts = _subschemas(name, content)
        else:
            parts = ()
        for part in parts:
            check_schema(part, field)


def _subschemas(name: str, content: Raw) -> Iterable[Raw]:
    if name == "items" and isinstance(content, list):
        return content
    if name == "dependencies" and isinstance(content, dict):
        return [part for part in content.values() if isinstance(part, dict)]
    return [content] if isinstance(content, dict) else []


def _known(name: str, known: Collection[str], field: str) -> None:
    if name not in known:
        raise refused(field, f"{name[:40]} is unknown; there is {', '.join(sorted(known))}")

"""Names in statements, and what of a node is understood."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

# What a node holds beside its parts that says nothing.
_SILENT: Final = frozenset(
    {"safe", "coalesce", "big_int", "only_json_types", "typed", "value_constructor", "_type"}
)


def only(node: exp.Expr, *names: str) -> None:
    """Refuses a node that holds anything but these parts: what is not known is not guessed."""
    for name, value in node.args.items():
        if name not in names and name not in _SILENT and value not in (None, False, []):
            raise unsupported(f"{node.key.upper()} with {name.replace('_', ' ').strip()}")


# Words that name nothing unless they are quoted (PostgreSQL's documentation, appendix C).
_RESERVED: Final = frozenset({
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both", "case", "cast",
    "check", "collate", "column", "constraint", "create", "default", "deferrable", "desc", "distinct", "do",
    "else", "end", "except", "false", "fetch", "for", "foreign", "from", "grant", "group", "having", "in",
    "initially", "intersect", "into", "lateral", "leading", "limit", "not", "null", "offset", "on", "only",
    "or", "order", "placing", "primary", "references", "returning", "select", "some", "symmetric", "table",
    "then", "to", "trailing", "true", "union", "unique", "user", "using", "variadic", "when", "where",
    "window", "with",
})  # fmt: skip


def name_of(node: exp.Expr | str | None, *, label: bool = False) -> str:
    """The name that an identifier means: in small letters, unless it is quoted. Any word will do as a label after AS."""
    if isinstance(node, exp.Identifier):
        text = str(node.this)
        if node.args.get("quoted"):
            return text
        if not label and text.lower() in _RESERVED:
            raise failure("42601", f'syntax error at or near "{text}"')
        return text.lower()
    if isinstance(node, str):
        return node
    raise unsupported("a name of this form")

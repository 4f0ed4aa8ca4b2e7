"""The table docs/iam/policies.toml, and the policies that are made of it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Final

DOCS: Final = Path(__file__).parents[2] / "docs" / "iam"
TABLE: Final = DOCS / "policies.toml"
VERSION: Final = "2012-10-17"
_REASONS: Final = "reasons"


@dataclass(frozen=True, slots=True)
class Statement:
    """A few actions on a few resources, and what for."""

    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    all_but: tuple[str, ...] = ()
    """What is left out, where everything else is meant: in the place of `resources`."""
    condition: Mapping[str, Mapping[str, str | list[str]]] | None = None
    any: str = ""
    """Why it is for everything, or for everything of a kind, where it is."""
    once: bool = False
    """Whether a process asks once, for whichever operation of the service comes first."""
    uncalled: Mapping[str, str] | None = None
    """Why no call of the suite needs an action, by the action."""

    def document(self, sid: str) -> dict[str, Any]:
        """The statement as IAM takes it."""
        where = {"NotResource": self.all_but} if self.all_but else {"Resource": self.resources}
        document = {"Sid": sid, "Effect": "Allow", "Action": sorted(self.actions)}
        document |= {name: list(them) for name, them in where.items()}
        return document if self.condition is None else {**document, "Condition": self.condition}


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """What one role may do."""

    service: str
    role: str
    who: str
    operations: tuple[str, ...]
    statements: tuple[Statement, ...]
    variant: str = ""
    """Which way of the provider it is for, where several policies are enough for an operation."""
    option: str = ""
    """The option of the provider that names the role."""
    trusted: str = ""
    """The service of AWS that acts in the role."""
    any_account: str = ""
    """Why it may do so for any account, where it may."""
    uncalled: str = ""
    """Why the platform makes no call in this role."""

    @property
    def name(self) -> str:
        """Where it is in docs/iam."""
        return f"{self.service}/{self.role}"

    def document(self) -> dict[str, Any]:
        """The policy as IAM takes it."""
        title = "".join(it.title() for it in re.findall("[a-z]+", self.name))
        statements = [it.document(f"{title}{n}") for n, it in enumerate(self.statements, 1)]
        return {"Version": VERSION, "Statement": statements}

    def trust(self) -> dict[str, Any]:
        """Who may act in the role: a service of AWS, and only for this account."""
        allowed: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"Service": self.trusted},
            "Action": "sts:AssumeRole",
        }
        if not self.any_account:
            allowed["Condition"] = {"StringEquals": {"aws:SourceAccount": "${ACCOUNT}"}}
        return {"Version": VERSION, "Statement": [allowed]}

    @property
    def actions(self) -> frozenset[str]:
        """Everything that is allowed."""
        return frozenset(action for it in self.statements for action in it.actions)


def read(table: Path = TABLE) -> tuple[Policy, ...]:
    """The policies of the table. Raises TypeError where it says what is not known."""
    services: dict[str, Any] = tomllib.loads(table.read_text(encoding="utf-8"))
    reasons: dict[str, str] = services.pop(_REASONS, {})
    return tuple(
        _policy(service, role, given, reasons)
        for service, roles in services.items()
        for role, given in roles.items()
    )


def _policy(service: str, role: str, given: dict[str, Any], reasons: dict[str, str]) -> Policy:
    statements = tuple(_statement(it, reasons) for it in given.pop("statements"))
    return Policy(
        service, role, operations=tuple(given.pop("operations", ())), statements=statements, **given
    )


def _statement(given: dict[str, Any], reasons: dict[str, str]) -> Statement:
    """A reason that begins with @ is one of those that several share."""
    given["uncalled"] = {
        action: reasons[it[1:]] if it.startswith("@") else it
        for action, it in given.get("uncalled", {}).items()
    }
    fields: dict[str, Any] = {
        name: tuple(it) if isinstance(it, list) else it for name, it in given.items()
    }
    return Statement(**fields)


def placeholders(text: str) -> set[str]:
    """The names in a text that stand for what differs between accounts."""
    return set(Template(text).get_identifiers())

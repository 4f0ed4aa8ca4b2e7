"""Holds what the contract suite called against the policies: each call is allowed, and nothing is allowed without a call or a reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from tests.iam import policies, recording
from tests.iam.evaluator import allows
from tests.iam.policies import Policy, Statement
from tests.iam.recording import Made


def problems(folder: Path, services: Collection[str]) -> list[str]:
    """What is wrong, one line each. `services` are those of which the whole suite ran."""
    table, made = policies.read(), recording.read(folder)
    return [*forbidden(table, made), *unused(table, made, services)]


def forbidden(table: Iterable[Policy], made: Iterable[Made]) -> list[str]:
    """The calls that no policy allows which is there for their operation."""
    statements = {policy: policy.document()["Statement"] for policy in table}
    found: dict[str, str] = {}
    for it in sorted(made, key=repr):
        fitting = [policy for policy in statements if _concerns(policy, it)]
        lacking = {
            policy: [
                need
                for need in it.needs
                if not any(allows(statement, need) for statement in statements[policy])
            ]
            for policy in fitting
        }
        if not fitting:
            found[f"no policy is there for {it.operation}, which called {it.call}"] = ""
        elif all(lacking.values()):
            nearest = min(lacking, key=lambda policy: len(lacking[policy]))
            for need in lacking[nearest]:
                problem = f"{nearest.name} does not allow {need.action}, which {it.call} of {it.operation or 'no operation'} needs"
                found.setdefault(problem, _on(need.resource))  # one place stands for all
    return sorted(f"{problem}{where}" for problem, where in found.items())


def unused(table: Iterable[Policy], made: Iterable[Made], services: Collection[str]) -> list[str]:
    """The actions that nothing called though nobody says why, and the reasons that are none since it was called."""
    calls = list(made)
    return sorted(
        line
        for policy in table
        if policy.service in services and not policy.uncalled
        for statement in policy.statements
        for line in _unused(policy, statement, calls)
    )


def _unused(policy: Policy, statement: Statement, made: list[Made]) -> Iterator[str]:
    document = statement.document("")
    called = {
        need.action
        for it in made
        if _concerns(policy, it) or (statement.once and it.service == policy.service)
        for need in it.needs
        if allows(document, need)
    }
    for action in statement.actions:
        reason = (statement.uncalled or {}).get(action)
        if action in called and reason:
            yield f"{policy.name} says why {action} is not called, and it is: {reason}"
        elif action not in called and not reason:
            yield f"{policy.name} allows {action}, which nothing called: take it away, or say why"


def _concerns(policy: Policy, made: Made) -> bool:
    """What the provider does by itself, may be done for any operation."""
    if not made.operation:
        return bool(policy.operations)
    operation = made.operation.partition(".")[2]
    return policy.service == made.service and operation in policy.operations


def _on(resource: str | None) -> str:
    return "" if resource is None else f" on {resource}"

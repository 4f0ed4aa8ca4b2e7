"""Writes the policies of docs/iam from its table: `python -m tests.iam`, and with `--check` only says what is stale."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.iam import policies
from tests.iam.policies import DOCS, Policy

_README: Final = "README.md"
_MARK: Final = "<!-- What follows is written by `python -m tests.iam` from policies.toml. -->\n"


def main() -> int:
    """0 if everything is as it should be."""
    parser = argparse.ArgumentParser(prog="tests.iam", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if it would")
    only_check = parser.parse_args().check
    stale = changes(DOCS)
    for path, text in stale.items():
        print(path.relative_to(DOCS))
        if not only_check:
            _write(path, text)
    return 1 if stale and only_check else 0


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def changes(folder: Path) -> dict[Path, str | None]:
    """What has to be written where, or deleted, for a folder to say what the table says."""
    wanted = {folder / name: text for name, text in files(policies.read()).items()}
    readme = folder / _README
    written_by_hand = readme.read_text(encoding="utf-8").partition(_MARK)[0]
    wanted[readme] = written_by_hand + _MARK + summary(policies.read())
    there = {path: path.read_text(encoding="utf-8") for path in [*folder.glob("*/*"), readme]}
    stale: dict[Path, str | None] = {
        path: text for path, text in wanted.items() if there.get(path) != text
    }
    return stale | dict.fromkeys(there.keys() - wanted.keys())


def files(table: Iterable[Policy]) -> dict[str, str]:
    """Every policy as it stands in its file, and who may act in a role where a service of AWS does."""
    found: dict[str, str] = {}
    for policy in table:
        found[f"{policy.name}.json"] = _json(policy.document())
        if policy.trusted:
            found[f"{policy.name}.trust.json"] = _json(policy.trust())
    return found


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def summary(table: Iterable[Policy]) -> str:
    """The policies as a table, and then what each statement of each is for."""
    every = list(table)
    rows = [
        f"| [{it.name}]({it.name}.json) | {it.who} | {f'`{it.option}`' if it.option else ''} |\n"
        for it in every
    ]
    head = "\n| policy | who has it | named by the option |\n|---|---|---|\n"
    return head + "".join(rows) + "".join(_described(it) for it in every)


def _described(policy: Policy) -> str:
    lines = [f"\n## {policy.name}\n"]
    if policy.operations:
        lines.append(f"\nFor {', '.join(f'`{it}`' for it in policy.operations)}.\n")
    if policy.trusted:
        lines.append(
            f"\nAssumed by `{policy.trusted}`, as [its trust policy]({policy.name}.trust.json) says."
            f"{policy.any_account and ' ' + policy.any_account}\n"
        )
    lines.append("\n| actions | what for |\n|---|---|\n")
    for it in policy.statements:
        actions = ", ".join(f"`{action}`" for action in sorted(it.actions))
        lines.append(f"| {actions} | {' '.join(filter(None, (it.why, it.any)))} |\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main())

"""Whether a statement allows something, by the part of IAM's rules that the policies here use.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: a policy
allows what one of its statements does, since none here denies. Conditions are taken to be met: they say who is behind a call, and a call does not tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from string import Template
from typing import Any

from tests.iam.needs import ACCOUNT, REGION, Need


def allows(statement: Mapping[str, Any], need: Need) -> bool:
    """Whether a statement allows an action on a resource; on any at all where the need names none."""
    if need.action not in statement["Action"]:
        return False
    if need.resource is None:
        return True
    resource = need.resource
    if "NotResource" in statement:
        return not any(matches(it, resource) for it in statement["NotResource"])
    return any(matches(it, resource) for it in statement["Resource"])


def matches(pattern: str, resource: str) -> bool:
    """Whether a pattern stands for a resource: `*` for anything, `?` for any character, a ${NAME} for whatever it may be."""
    return _compiled(pattern).fullmatch(resource) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    names = dict.fromkeys(Template(pattern).get_identifiers(), "*")
    filled = Template(pattern).substitute(names | {"REGION": REGION, "ACCOUNT": ACCOUNT})
    kinds = {"*": ".*", "?": "."}
    return re.compile("".join(kinds.get(it) or re.escape(it) for it in filled), re.DOTALL)

"""The policies of docs/iam: written from the table, valid for IAM, as narrow as they can be, and there for every operation."""

from __future__ import annotations

import importlib
import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import botocore.session
import pytest

from lcplatform.catalogue import SERVICES
from tests.iam import policies
from tests.iam.__main__ import changes
from tests.iam.policies import DOCS, TABLE, Policy

TABLED = policies.read()
LONGEST = 6_144
"""The characters of a managed policy, white space left out:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""
MODELS = [
    "appconfig",
    "appconfigdata",
    "apprunner",
    "batch",
    "ecr",
    "ecs",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "pinpoint-sms-voice-v2",
    "s3",
    "scheduler",
    "secretsmanager",
    "sesv2",
    "sns",
    "sqs",
    "sts",
]
# What IAM calls otherwise than any operation, with the page that tells of it.
NO_OPERATIONS = {
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    "s3:DeleteObjectVersion",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionTagging",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "rds-db:connect",
    "iam:PassRole",
    "lambda:InvokeFunction",
    "events:InvokeApiDestination",
}

each = pytest.mark.parametrize("policy", TABLED, ids=[it.name for it in TABLED])


def test_what_is_written_is_what_the_table_says() -> None:
    assert not changes(DOCS), "python -m tests.iam writes it anew"


def test_what_is_stale_is_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("by hand\n", encoding="utf-8")
    stale = changes(tmp_path)
    assert tmp_path / "queue" / "sender.json" in stale
    for path, text in stale.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text or "", encoding="utf-8")
    assert not changes(tmp_path)

    (tmp_path / "queue" / "gone.json").write_text("{}", encoding="utf-8")
    (tmp_path / "queue" / "sender.json").write_text("{}", encoding="utf-8")
    assert {path.name for path in changes(tmp_path)} == {"gone.json", "sender.json"}


@each
def test_iam_takes_it(policy: Policy) -> None:
    document = policy.document()
    assert document["Version"] == "2012-10-17"
    assert len(json.dumps(document, separators=(",", ":"))) < LONGEST
    sids = [it["Sid"] for it in document["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch("[A-Za-z0-9]+", it) for it in sids), sids
    for it in document["Statement"]:
        assert it["Effect"] == "Allow", "policies of several roles add up only if none denies"
        assert it["Action"] == sorted(set(it["Action"]))
        assert ("Resource" in it) != ("NotResource" in it)
        for arn in it.get("Resource", it.get("NotResource")):
            assert re.fullmatch(r"\*|\$\{[A-Z_]+_ARN\}|arn:aws:[a-z0-9-]+:[^:]*:[^:]*:\S+", arn), (
                arn
            )


@each
def test_every_action_exists(policy: Policy) -> None:
    unknown = policy.actions - known_actions() - NO_OPERATIONS
    assert not unknown


@cache
def known_actions() -> set[str]:
    """Every operation of a model as an action. What a batch does is one action for each of its parts."""
    session = botocore.session.Session()
    models = [session.get_service_model(it) for it in MODELS]
    return {f"{it.signing_name}:{name}" for it in models for name in it.operation_names}


@each
def test_it_is_no_wider_than_it_has_to_be(policy: Policy) -> None:
    for it in policy.statements:
        assert not any("*" in action for action in it.actions)
        wide = bool(it.all_but) or any(arn == "*" or _kind(arn) for arn in it.resources)
        assert wide <= bool(it.any), f"why {it.resources}?"
        assert set(it.uncalled or {}) <= set(it.actions)


def _kind(arn: str) -> bool:
    """Whether an ARN stands for everything of a kind: `archive/*`, and not `rule/${BUS}/*` or `log-group:/aws/events/*`."""
    return re.fullmatch(r"[a-z-]+/\*", arn.split(":", 5)[-1]) is not None


@each
def test_kms_and_roles_are_given_through_one_service_alone(policy: Policy) -> None:
    keys = {"kms": "kms:ViaService", "iam:PassRole": "iam:PassedToService"}
    for it in policy.statements:
        for action in it.actions:
            key = keys.get(action) or keys.get(action.partition(":")[0])
            assert key is None or (it.condition and key in it.condition["StringEquals"])


def test_there_is_one_for_every_operation() -> None:
    there: dict[str, list[Policy]] = defaultdict(list)
    for policy in TABLED:
        for operation in policy.operations:
            there[f"{policy.service}.{operation}"].append(policy)
    assert there.keys() == operations()
    for operation, them in there.items():
        variants = [it.variant for it in them]
        assert len(set(variants)) == len(variants), f"{operation}: which of them is it?"


def operations() -> set[str]:
    """Those of every service."""
    found: set[str] = set()
    for service in SERVICES:
        module = importlib.import_module(f"lcplatform.{service}.driver")
        drivers = [it for name, it in vars(module).items() if name.endswith("Driver")]
        methods = {name for it in drivers for name in it.__abstractmethods__}
        found |= {f"{service}.{method}" for method in methods - {"support"}}
    return found


def test_every_placeholder_is_explained() -> None:
    used = policies.placeholders(TABLE.read_text(encoding="utf-8")) - {"NAMES"}
    told = (DOCS / "README.md").read_text(encoding="utf-8").partition("<!--")[0]
    rows = "".join(line for line in told.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([A-Z_]+)`", rows)) == used


def test_options_that_name_roles_exist() -> None:
    from lcplatform_aws.batch_options import BatchOptions
    from lcplatform_aws.options import EventBusOptions
    from lcplatform_aws.web_hosting_options import AppRunnerOptions, EcsExpressOptions

    fields = {
        "batch": {*BatchOptions.model_fields},
        "event_bus": {*EventBusOptions.model_fields},
        "web_hosting": {*AppRunnerOptions.model_fields, *EcsExpressOptions.model_fields},
    }
    named = [it.option for it in TABLED if it.option]
    assert named
    for option in named:
        service, _, name = option.partition(".")
        assert name in fields[service]


def test_only_this_account_is_served_in_a_role_that_a_service_assumes() -> None:
    trusted = [it for it in TABLED if it.trusted]
    assert trusted
    for policy in trusted:
        (statement,) = policy.trust()["Statement"]
        assert statement["Principal"]["Service"].endswith(".amazonaws.com")
        bound = {"StringEquals": {"aws:SourceAccount": "${ACCOUNT}"}}
        assert statement.get("Condition") == (None if policy.any_account else bound)

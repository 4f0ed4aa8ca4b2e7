"""What an application may say about its connection, and what it is told when it says something else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lcplatform import LCPlatform
from lcplatform_aws import provider
from lcplatform_aws.options import AwsOptions, inherited, read_options
from lcplatform_aws.session import Session
from lcplatform_aws.web_hosting_settings import platform_variables
from lcplatform_runtime.errors import ValidationError

ROLE = "arn:aws:iam::000000000000:role/ecs"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"regoin": "eu-west-1"}, "regoin"),
        ({"endpoint_url": "localhost:4566"}, "endpoint_url"),
        ({"read_timeout": 0}, "read_timeout"),
        ({"max_pool_connections": 0}, "max_pool_connections"),
        ({"queue_prefix": "no spaces"}, "queue_prefix"),
        ({"configuration": {"poll_interval": 14}}, r"configuration\.poll_interval"),
        ({"event_bus": {"role": "poster"}}, r"event_bus\.role"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(options: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        provider.connect(options, asynchronous=False)


@pytest.mark.parametrize(
    "options", [{"access_key_id": "AKIA"}, {"secret_access_key": "hush"}, {"session_token": "t"}]
)
def test_half_a_key_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="access_key_id"):
        read_options(options)


def test_keys_are_never_shown() -> None:
    options = read_options(
        {"access_key_id": "AKIACANARY", "secret_access_key": "canary", "session_token": "canary2"}
    )
    assert "anary" not in repr(options).lower()
    with pytest.raises(ValidationError) as refused:
        read_options({"access_key_id": "AKIACANARY", "secret_access_key": ["canary"]})
    assert "anary" not in f"{refused.value!r} {refused.value}".lower()


def test_connecting_imports_and_asks_nothing() -> None:
    """FR-060: credentials are looked for when they are needed."""
    code = """
import sys
from lcplatform import LCPlatform
platform = LCPlatform("aws", region="eu-west-1")
print(sorted({"boto3", "botocore", "urllib3"} & set(sys.modules)))
platform.queue
platform.close()
print("boto3" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]


def test_without_credentials_the_error_says_so_and_is_final() -> None:
    from lcplatform.errors import AuthenticationError

    with (
        LCPlatform("aws", region="eu-west-1", endpoint_url="http://127.0.0.1:9") as platform,
        pytest.raises(AuthenticationError, match="no credentials") as refused,
    ):
        platform.object_store.list_buckets()
    assert not refused.value.retryable


def test_without_a_region_the_error_names_the_option() -> None:
    with (
        LCPlatform("aws", access_key_id="a", secret_access_key="b") as platform,
        pytest.raises(ValidationError, match="`region`"),
    ):
        platform.queue.list_queues()


def test_a_profile_that_is_not_there_is_refused() -> None:
    with (
        LCPlatform("aws", region="eu-west-1", profile="nobody") as platform,
        pytest.raises(ValidationError, match="nobody"),
    ):
        platform.queue.list_queues()


def test_a_session_says_nothing_of_its_keys() -> None:
    options = AwsOptions(access_key_id="AKIACANARY", secret_access_key="canary")
    assert "canary" not in repr(Session(options)).lower()


def test_an_application_on_aws_is_given_where_things_are_and_no_key() -> None:
    """FR-060: it has an identity of its own."""
    options = read_options(
        {
            "region": "eu-west-1",
            "profile": "developer",
            "access_key_id": "AKIACANARY",
            "secret_access_key": "canary",
            "read_timeout": 5,
            "data_store": {
                "host": "shop.eu-west-1.rds.amazonaws.com",
                "database": "shop",
                "user": "shop",
                "max_lifetime": 600,
            },
            "authentication": {
                "discovery_url": "https://login.example.com/.well-known/openid-configuration",
                "client_id": "shop",
                "client_secret": "canary",
            },
            "web_hosting": {"infrastructure_role": ROLE, "execution_role": ROLE},
        }
    )
    told = platform_variables(inherited(options))
    start = "LCPLATFORM_PROVIDERS__AWS__"
    assert told == {
        "LCPLATFORM_PROVIDER": "aws",
        f"{start}REGION": "eu-west-1",
        f"{start}READ_TIMEOUT": "5.0",
        f"{start}AUTHENTICATION__DISCOVERY_URL": "https://login.example.com/.well-known/openid-configuration",
        f"{start}AUTHENTICATION__CLIENT_ID": "shop",
        f"{start}DATA_STORE__HOST": "shop.eu-west-1.rds.amazonaws.com",
        f"{start}DATA_STORE__DATABASE": "shop",
        f"{start}DATA_STORE__USER": "shop",
        f"{start}DATA_STORE__MAX_LIFETIME": "600.0",
    }


def test_an_application_on_aws_understands_what_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    options = read_options(
        {
            "region": "eu-west-1",
            "data_store": {"host": "db", "database": "shop", "user": "shop", "max_lifetime": 600},
        }
    )
    for name, value in platform_variables(inherited(options)).items():
        monkeypatch.setenv(name, value)
    with LCPlatform.from_env() as platform:
        info = platform.data_store.get_connection_info()
    assert (info.host, info.database, info.user) == ("db", "shop", "shop")

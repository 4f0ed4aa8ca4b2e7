"""What stands for AWS in the stories: emulators, servers and the fake, behind the addresses that an environment tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import urlsplit

from lcplatform import LCPlatform
from lcplatform_mock import trial_job
from tests.conformance import accounts
from tests.emulators import start_ministack, start_secantusdb
from tests.fake_aws.batch import Batch
from tests.fake_aws.ecs_express import EcsExpress
from tests.fake_aws.logs import Logs
from tests.fake_aws.server import FakeAws
from tests.postgresql import HOST, PostgreSQL
from tests.unit.mock.mailbox import Mailbox, receiving_mail

KEYS: Final = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@contextmanager
def cloud(client: Mapping[str, str], secret: str) -> Iterator[tuple[Mapping[str, str], Mailbox]]:
    """An account of AWS with nothing in it but what a person sets up once. Its environment, and where its e-mails arrive.

    Args:
        client: who the application is at the issuer: `client_id` and `client_secret`.
        secret: the name of the secret in which the client's secret is put.
    """
    with (
        receiving_mail() as mailbox,
        start_ministack({"SMTP_HOST": mailbox.address}) as ministack,
        start_secantusdb() as documents,
        PostgreSQL() as database,
        LCPlatform("mock", authentication={"client": client}) as issuer,
    ):
        accounts.notification(ministack.url)
        vault = accounts.client("secretsmanager", ministack.url)
        vault.create_secret(Name=secret, SecretString=client["client_secret"])
        logs = Logs()

        def value(arn: str) -> str:
            text: str = vault.get_secret_value(SecretId=arn)["SecretString"]
            return text

        batch = Batch(logs, value, {trial_job.IMAGE: trial_job.TRIAL_JOB})
        with (
            closing(EcsExpress(logs, value)) as ecs,
            FakeAws([ecs, logs, batch], behind=ministack.url) as aws,
        ):
            login = issuer.authentication.get_login_url(redirect_uri="https://app.example/callback")
            at = urlsplit(documents.url)
            told = {
                "endpoint_url": aws.url,
                "data_store": {"host": HOST, "port": database.port, "tls": "disable"},
                "document_store": {
                    "host": at.hostname,
                    "port": at.port,
                    "authentication": "none",
                    "tls": False,
                    "replica_set": None,
                },
                "authentication": {"discovery_url": login.issuer},
            }
            yield {**KEYS, "LCPLATFORM_PROVIDERS": json.dumps({"aws": told})}, mailbox
        assert not aws.refused, aws.refused

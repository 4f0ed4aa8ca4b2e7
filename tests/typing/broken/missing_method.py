"""A driver that forgot a method."""

from __future__ import annotations

from typing_extensions import override

from lcplatform.secrets.driver import SecretsDriver
from lcplatform_runtime.support import NOTHING, Support


class ForgetfulSecrets(SecretsDriver):
    """Knows what it supports and nothing else."""

    @property
    @override
    def support(self) -> Support:
        return NOTHING


secrets = ForgetfulSecrets()  # E: Cannot instantiate abstract class "ForgetfulSecrets"

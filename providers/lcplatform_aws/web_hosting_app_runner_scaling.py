"""Between how many instances App Runner scales an application: a resource of its own, of which each revision stays as it is.

There is one for each shape, named after it, and applications of the same shape share it: an account has room for few names. Those that no service has any more are
deleted when there is no room for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lcplatform_aws.errors import code_of, problem_of
from lcplatform_aws.units import given

if TYPE_CHECKING:
    from types_boto3_apprunner import AppRunnerClient

    from lcplatform_aws.session import Session

MAX_INSTANCES: Final = 25
"""The instances of one service (App Runner's MinSize, and the quota of MaxSize)."""

_OURS: Final = "lcplatform-"  # how their names start
_EXHAUSTED: Final = "ServiceQuotaExceededException"


class Scalings:
    """The auto scaling configurations of an account, as far as they are ours."""

    def __init__(self, session: Session, max_concurrency: int) -> None:
        self._session = session
        self._max_concurrency = max_concurrency
        self._known: dict[str, tuple[int, int]] = {}

    @property
    def _apprunner(self) -> AppRunnerClient:
        return self._session.apprunner

    def arn(self, least: int, most: int) -> str:
        """The one that scales between so many instances, which is made if there is none."""
        name = f"{_OURS}{least}-{most}-{self._max_concurrency}"
        shape: dict[str, Any] = {
            "MinSize": least,
            "MaxSize": most,
            "MaxConcurrency": self._max_concurrency,
        }
        answer: Any = self._apprunner.list_auto_scaling_configurations(
            AutoScalingConfigurationName=name, LatestOnly=True
        )
        for it in answer["AutoScalingConfigurationSummaryList"]:
            found = self._described(it["AutoScalingConfigurationArn"])
            # Somebody else may have made a revision of that name.
            if found["Status"] == "ACTIVE" and shape.items() <= found.items():
                return str(found["AutoScalingConfigurationArn"])
        try:
            return self._made(name, shape)
        except ClientError as error:
            if code_of(problem_of(error)) != _EXHAUSTED or not self._tidied():
                raise
            return self._made(name, shape)

    def _made(self, name: str, shape: Mapping[str, Any]) -> str:
        answer: Any = self._apprunner.create_auto_scaling_configuration(
            AutoScalingConfigurationName=name, **shape
        )
        return str(answer["AutoScalingConfiguration"]["AutoScalingConfigurationArn"])

    def _tidied(self) -> bool:
        """Deletes those of ours that no service has any more, and answers whether there were any."""
        found: list[str] = []
        token: str | None = None
        while True:
            answer: Any = self._apprunner.list_auto_scaling_configurations(
                LatestOnly=False, **given(NextToken=token)
            )
            found += [
                it["AutoScalingConfigurationArn"]
                for it in answer["AutoScalingConfigurationSummaryList"]
                if it["AutoScalingConfigurationName"].startswith(_OURS)
                and not it["HasAssociatedService"]
            ]
            token = answer.get("NextToken")
            if not token:
                break
        for arn in found:
            self._apprunner.delete_auto_scaling_configuration(AutoScalingConfigurationArn=arn)
        return bool(found)

    def instances(self, arn: str) -> tuple[int, int]:
        """The fewest and the most instances by one. A service tells no more of it than its name."""
        if arn not in self._known:
            found = self._described(arn)
            self._known[arn] = (found["MinSize"], found["MaxSize"])
        return self._known[arn]

    def _described(self, arn: str) -> Any:
        answer: Any = self._apprunner.describe_auto_scaling_configuration(
            AutoScalingConfigurationArn=arn
        )
        return answer["AutoScalingConfiguration"]

"""Whatever is done to an application on App Runner, in whatever order: it is told as it is, and what was in place comes back."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from lcplatform.web_hosting.models import ApplicationStatus, Deployment, DeploymentStatus
from tests.fake_aws.site import TEST_SITE
from tests.unit.aws.app_runner import OPTIONS, cloud_on

GREETINGS = st.sampled_from(["one", "two", "three"])


class Lives(RuleBasedStateMachine):
    """What is expected of the application: how its deployments went, the newest first, each with what it said."""

    def __init__(self) -> None:
        super().__init__()
        self.clouds = cloud_on(OPTIONS)
        self.cloud = self.clouds.__enter__()
        self.id = self.cloud.running(environment={"GREETING": "first"})
        self.deployments = [("succeeded", "first")]
        self.most = 1
        self.stopped = False

    @override
    def teardown(self) -> None:
        """Ends it."""
        self.clouds.__exit__(None, None, None)

    @property
    def said(self) -> str:
        """What it says."""
        return next(greeting for status, greeting in self.deployments if status == "succeeded")

    def told(self) -> Iterator[Deployment]:
        """The deployments as the platform tells them."""
        return self.cloud.hosting.iter_deployments(self.id, page_size=3)

    @rule(greeting=GREETINGS, fails=st.booleans())
    @precondition(lambda self: not self.stopped)
    def update(self, greeting: str, fails: bool) -> None:
        """Another greeting, which does or does not get in place."""
        environment = {"GREETING": greeting, **({"FAILS": "1"} if fails else {})}
        self.cloud.updated(self.id, environment=environment)
        self.deployments.insert(0, ("rolled_back" if fails else "succeeded", greeting))

    @rule()
    @precondition(lambda self: not self.stopped)
    def repeat(self) -> None:
        """The same again."""
        self.cloud.updated(self.id)
        self.deployments.insert(0, ("succeeded", self.said))

    @rule(data=st.data())
    @precondition(lambda self: not self.stopped)
    def roll_back(self, data: st.DataObject) -> None:
        """Any revision that was in place."""
        places = [
            number for number, (status, _) in enumerate(self.deployments) if status == "succeeded"
        ]
        place = data.draw(st.sampled_from(places))
        revision = list(self.told())[place].revision
        self.cloud.hosting.rollback_application(self.id, revision=revision)
        self.cloud.settled()
        [last] = self.cloud.hosting.list_deployments(self.id, page_size=1).deployments
        assert last.rollback_of == revision
        self.deployments.insert(0, self.deployments[place])

    @rule(most=st.integers(1, 4))
    @precondition(lambda self: not self.stopped)
    def scale(self, most: int) -> None:
        """Other numbers of instances."""
        self.cloud.hosting.scale_application(self.id, max_instances=most)
        self.cloud.settled()
        self.most = most

    @rule()
    def pause_or_resume(self) -> None:
        """No instance, or some again."""
        hosting = self.cloud.hosting
        change = hosting.resume_application if self.stopped else hosting.pause_application
        change(self.id)
        self.cloud.settled()
        self.stopped = not self.stopped

    @invariant()
    def it_is_told_as_it_is(self) -> None:
        """Settings, status and every deployment."""
        application, deployments = self.cloud.now(self.id), list(self.told())
        status = ApplicationStatus.STOPPED if self.stopped else ApplicationStatus.RUNNING
        assert application.status is status
        assert application.environment == {"GREETING": self.said}
        assert application.max_instances == self.most
        statuses = [it.status for it in deployments]
        assert statuses == [status for status, _ in self.deployments]
        assert (
            application.revision == deployments[statuses.index(DeploymentStatus.SUCCEEDED)].revision
        )
        assert {it.image for it in deployments} == {TEST_SITE}
        assert len({it.revision for it in deployments}) == len(deployments)


Lives.TestCase.settings = settings(
    max_examples=5,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLives = Lives.TestCase

"""Configurations against a model: what is current, every version before it, and what becomes of one that is deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from typing_extensions import override

from lcplatform import Json
from lcplatform.configuration.models import (
    CreateConfigurationRequest,
    DeleteConfigurationRequest,
    GetConfigurationRequest,
    ListConfigurationsRequest,
    ListVersionsRequest,
    RestoreConfigurationRequest,
    RollbackConfigurationRequest,
    Rollout,
    StopDeploymentRequest,
    UpdateConfigurationRequest,
    ValidateConfigurationRequest,
    WatchConfigurationRequest,
)
from lcplatform.drivers import Drivers
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    PreconditionFailedError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform_mock.configuration import MockConfiguration
from lcplatform_mock.configurations import share_of
from tests.unit.mock.lives import Lives, attempt, bounded

PLACES = (("shop", "prod"), ("bank", "prod"))
PLACE = st.sampled_from(PLACES)
READERS = (None, "alice", "r7")  # the second is among the first half of all, the third is not
# What a schema of the first two allows of the values below is plain to see.
SMALL = Json({"type": "integer", "maximum": 5})
WORD = Json({"type": "string"})
SCHEMAS = st.sampled_from([None, SMALL, WORD])
DATA = st.sampled_from([1, 2, 9, "one"]).map(Json)
FRESH = st.sampled_from([None, None, None, True, True, False])
RETENTION = timedelta(days=30).total_seconds()
ROLLOUT = Rollout(duration=timedelta(minutes=10), step_percent=50.0, bake=timedelta(minutes=5))


def allows(schema: Json | None, data: Json) -> bool:
    """Whether the data satisfies one of the schemas above."""
    if schema is None:
        return True
    if schema == WORD:
        return isinstance(data.value, str)
    return isinstance(data.value, int) and data.value <= 5


@dataclass
class Version:
    name: str
    etag: str
    data: Json
    schema: Json | None
    comment: str | None = None
    rollback_of: str | None = None


@dataclass
class Configuration:
    """What the model knows of one. The versions are in the order in which they came."""

    versions: list[Version]
    current: str
    description: str | None
    coming: str | None = None
    begun: float = 0.0
    purge: float | None = None

    @property
    def newest(self) -> Version:
        return self.version(self.current)

    def version(self, name: str) -> Version:
        return next(it for it in self.versions if it.name == name)

    def seen_by(self, reader: str | None, now: float) -> Version:
        reached = 50.0 if now < self.begun + 300 else 100.0
        if self.coming is not None and share_of(reader) < reached:
            return self.version(self.coming)
        return self.newest

    def settle(self, now: float) -> None:
        if self.coming is not None and now >= self.begun + 900:
            self.current, self.coming = self.coming, None


@dataclass
class Cabinet:
    places: dict[tuple[str, str], Configuration] = field(default_factory=dict)

    def settle(self, now: float) -> None:
        self.places = {
            place: it for place, it in self.places.items() if it.purge is None or it.purge > now
        }
        for it in self.places.values():
            it.settle(now)


class Configurations(Lives[Cabinet]):
    def __init__(self) -> None:
        super().__init__(Cabinet())
        self.create(PLACES[0], Json(1), None, None)

    @override
    def taken(self, drivers: Drivers) -> MockConfiguration:
        driver = drivers.configuration()
        assert isinstance(driver, MockConfiguration)
        self.driver = driver
        return driver

    @override
    def settle(self) -> None:
        self.model.settle(self.now)

    def live(self, place: tuple[str, str]) -> Configuration | None:
        found = self.model.places.get(place)
        return None if found is None or found.purge is not None else found

    def condition(self, it: Configuration | None, fresh: bool | None) -> str | None:
        if fresh is None:
            return None
        return it.newest.etag if it is not None and fresh else "stale"

    def refusal(self, it: Configuration | None, fresh: bool | None) -> type | None:
        """What meets every change of a configuration."""
        if it is None:
            return ResourceNotFoundError
        if fresh is False:
            return ConflictError
        return None if it.coming is None else PreconditionFailedError

    # --- changing

    @rule(place=PLACE, data=DATA, schema=SCHEMAS, description=st.sampled_from([None, "for us"]))
    def create(
        self, place: tuple[str, str], data: Json, schema: Json | None, description: str | None
    ) -> None:
        expected: type | None = None if allows(schema, data) else ValidationError
        if expected is None and place in self.model.places:
            expected = AlreadyExistsError
        request = CreateConfigurationRequest(
            application=place[0],
            environment=place[1],
            data=data,
            schema_=schema,
            description=description,
        )
        made, refused = attempt(lambda: self.driver.create_configuration(request))
        assert refused is expected
        if made is not None:
            version = Version(made.version, made.etag, data, schema)
            self.model.places[place] = Configuration([version], made.version, description)

    @rule(
        place=PLACE,
        data=DATA,
        schema=SCHEMAS,
        clear=st.sampled_from([(), (), ("schema",), ("description",)]),
        gradual=st.booleans(),
        fresh=FRESH,
    )
    def update(
        self,
        place: tuple[str, str],
        data: Json,
        schema: Json | None,
        clear: tuple[Literal["schema", "description"], ...],
        gradual: bool,
        fresh: bool | None,
    ) -> None:
        it = self.live(place)
        expected = self.refusal(it, fresh)
        after = schema
        if it is not None and schema is None and "schema" not in clear:
            after = it.newest.schema
        if expected is None and not allows(after, data):
            expected = ValidationError
        if schema is not None and "schema" in clear:
            expected = ValidationError
        request = UpdateConfigurationRequest(
            application=place[0],
            environment=place[1],
            data=data,
            schema_=schema,
            clear=clear,
            comment="again",
            rollout=ROLLOUT if gradual else None,
            if_match=self.condition(it, fresh),
        )
        made, refused = attempt(lambda: self.driver.update_configuration(request))
        assert refused is expected
        if made is None or it is None:
            return
        it.versions.append(Version(made.version, made.etag, data, after, comment="again"))
        if "description" in clear:
            it.description = None
        if gradual:
            it.coming, it.begun = made.version, self.now
        else:
            it.current = made.version

    @rule(place=PLACE, fresh=FRESH, data=st.data())
    def roll_back(self, place: tuple[str, str], fresh: bool | None, data: st.DataObject) -> None:
        it = self.live(place)
        names = ["never"] + ([each.name for each in it.versions] if it is not None else [])
        version = data.draw(st.sampled_from(names[::-1]))
        expected = self.refusal(it, fresh)
        if expected is None and version == "never":
            expected = ResourceNotFoundError
        request = RollbackConfigurationRequest(
            application=place[0],
            environment=place[1],
            version=version,
            if_match=self.condition(it, fresh),
        )
        made, refused = attempt(lambda: self.driver.rollback_configuration(request))
        assert refused is expected
        if made is not None and it is not None:
            old = it.version(version)
            it.versions.append(
                Version(made.version, made.etag, old.data, old.schema, rollback_of=version)
            )
            it.current = made.version

    @rule(place=PLACE)
    def stop(self, place: tuple[str, str]) -> None:
        it = self.live(place)
        request = StopDeploymentRequest(application=place[0], environment=place[1])
        answer, refused = attempt(lambda: self.driver.stop_deployment(request))
        assert refused is (ResourceNotFoundError if it is None else None)
        if answer is not None and it is not None:
            it.coming = None
            assert (answer.version, answer.etag) == (it.current, it.newest.etag)

    @rule(place=PLACE, fresh=FRESH)
    def delete(self, place: tuple[str, str], fresh: bool | None) -> None:
        it = self.model.places.get(place)
        expected: type | None = ResourceNotFoundError if it is None else None
        if it is not None and fresh is False:
            expected = ConflictError
        request = DeleteConfigurationRequest(
            application=place[0], environment=place[1], if_match=self.condition(it, fresh)
        )
        _, refused = attempt(lambda: self.driver.delete_configuration(request))
        assert refused is expected
        if refused is None and it is not None and it.purge is None:
            it.purge, it.coming = self.now + RETENTION, None

    @precondition(lambda self: any(it.purge is not None for it in self.model.places.values()))
    @rule(place=PLACE)
    def restore(self, place: tuple[str, str]) -> None:
        it = self.model.places.get(place)
        request = RestoreConfigurationRequest(application=place[0], environment=place[1])
        answer, refused = attempt(lambda: self.driver.restore_configuration(request))
        assert refused is (ResourceNotFoundError if it is None else None)
        if answer is not None and it is not None:
            it.purge = None
            assert (answer.version, answer.etag) == (it.current, it.newest.etag)

    @rule(minutes=st.integers(1, 16) | st.just(16 * 24 * 60))
    def wait(self, minutes: int) -> None:
        self.pass_time(timedelta(minutes=minutes))

    # --- reading

    @rule(data=DATA, schema=st.sampled_from([SMALL, WORD]))
    def validate(self, data: Json, schema: Json) -> None:
        answer = self.driver.validate_configuration(
            ValidateConfigurationRequest(data=data, schema_=schema)
        )
        assert (not answer.violations) is allows(schema, data)

    @rule(place=PLACE, reader=st.sampled_from(READERS))
    def read_what_is_new(self, place: tuple[str, str], reader: str | None) -> None:
        it = self.live(place)
        if it is not None:
            seen = it.seen_by(reader, self.now)
            for etag, new in ((seen.etag, False), ("other", True)):
                answer = self.driver.get_configuration(
                    GetConfigurationRequest(
                        application=place[0],
                        environment=place[1],
                        if_none_match=etag,
                        reader=reader,
                    )
                )
                assert answer.not_modified is not new
                assert answer.data == (seen.data if new else None)

    @rule(place=PLACE, reader=st.sampled_from(READERS))
    def watch(self, place: tuple[str, str], reader: str | None) -> None:
        it = self.live(place)
        told = self.driver.watch_configuration(
            WatchConfigurationRequest(application=place[0], environment=place[1], reader=reader)
        )
        first, refused = attempt(lambda: next(told))
        assert refused is (ResourceNotFoundError if it is None else None)
        if first is not None and it is not None:
            seen = it.seen_by(reader, self.now)
            assert (first.version, first.etag, first.data) == (seen.name, seen.etag, seen.data)

    @rule(
        application=st.sampled_from([None, "shop"]), deleted=st.booleans(), size=st.integers(1, 3)
    )
    def list_in_pages(self, application: str | None, deleted: bool, size: int) -> None:
        found: list[tuple[str, str, str]] = []
        token = ""
        while True:
            page = self.driver.list_configurations(
                ListConfigurationsRequest(
                    application=application,
                    include_deleted=deleted,
                    page_size=size,
                    page_token=token,
                )
            )
            found += [(it.application, it.environment, it.version) for it in page.configurations]
            token = page.next_page_token
            if not token:
                break
        assert sorted(found) == sorted(
            (*place, it.current)
            for place, it in self.model.places.items()
            if application in (None, place[0]) and (deleted or it.purge is None)
        )

    # --- always

    @invariant()
    def readers_get_what_is_theirs(self) -> None:
        for application, environment in PLACES:
            it = self.live((application, environment))
            for reader in READERS:
                request = GetConfigurationRequest(
                    application=application, environment=environment, reader=reader
                )
                answer, _ = attempt(lambda request=request: self.driver.get_configuration(request))  # type: ignore[misc]
                assert (answer is None) is (it is None)
                if answer is not None and it is not None:
                    seen = it.seen_by(reader, self.now)
                    assert (answer.version, answer.etag) == (seen.name, seen.etag)
                    assert (answer.data, answer.schema_) == (seen.data, seen.schema)
                    assert answer.description == it.description

    @invariant()
    def no_version_changes_and_none_is_lost(self) -> None:
        for (application, environment), it in self.model.places.items():
            if it.purge is None:
                answer = self.driver.list_versions(
                    ListVersionsRequest(application=application, environment=environment)
                )
                assert [
                    (each.version, each.current, each.comment, each.rollback_of)
                    for each in reversed(answer.versions)
                ] == [
                    (each.name, each.name == it.current, each.comment, each.rollback_of)
                    for each in it.versions
                ]
                first = self.driver.get_configuration(
                    GetConfigurationRequest(
                        application=application,
                        environment=environment,
                        version=it.versions[0].name,
                    )
                )
                assert first.data == it.versions[0].data


TestConfigurations = Configurations.TestCase
TestConfigurations.settings = bounded(16)

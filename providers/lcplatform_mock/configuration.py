"""Configuration in memory (FR-016 to FR-020)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from threading import Condition
from typing import Final
from weakref import WeakValueDictionary

from typing_extensions import override

from lcplatform.configuration.driver import ConfigurationDriver
from lcplatform.configuration.models import (
    CreateConfigurationRequest,
    CreateConfigurationResponse,
    DeleteConfigurationRequest,
    DeleteConfigurationResponse,
    GetConfigurationRequest,
    GetConfigurationResponse,
    ListConfigurationsRequest,
    ListConfigurationsResponse,
    ListVersionsRequest,
    ListVersionsResponse,
    RestoreConfigurationRequest,
    RestoreConfigurationResponse,
    RollbackConfigurationRequest,
    RollbackConfigurationResponse,
    StopDeploymentRequest,
    StopDeploymentResponse,
    UpdateConfigurationRequest,
    UpdateConfigurationResponse,
    ValidateConfigurationRequest,
    ValidateConfigurationResponse,
    Violation,
    WatchConfigurationRequest,
    WatchConfigurationResponse,
)
from lcplatform.configuration.support import ConfigurationCapability, ConfigurationLimits
from lcplatform_mock.configuration_journal import ConfigurationJournal
from lcplatform_mock.configurations import (
    MAX_VERSIONS,
    Change,
    Configuration,
    Deployment,
    Version,
    share_of,
)
from lcplatform_mock.gate import gated
from lcplatform_mock.listing import names_page
from lcplatform_mock.refusals import stale
from lcplatform_mock.service import Service
from lcplatform_mock.world import World
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    PreconditionFailedError,
    ResourceNotFoundError,
    invalid,
)
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patience import patience
from lcplatform_runtime.support import ConditionalUpdate, Support

# AppConfig's.
LIMITS: Final = ConfigurationLimits(
    max_data_bytes=1024**2, max_schema_bytes=32 * 1024, max_versions=MAX_VERSIONS
)
SUPPORT: Final = Support(
    capabilities=frozenset(ConfigurationCapability),
    limits=LIMITS.by_name(),
    conditional_updates=dict.fromkeys(
        ("delete_configuration", "rollback_configuration", "update_configuration"),
        ConditionalUpdate.ATOMIC,
    ),
)


@gated(ConfigurationDriver)
class MockConfiguration(Service[dict[str, Configuration]], ConfigurationDriver):
    """Configurations in memory. What time brings about has happened whenever anybody looks, and watchers are told of it
    at its moment. A watcher holds nothing but its place among the changes that are kept, so a slow one costs nothing."""

    def __init__(self, world: World) -> None:
        super().__init__(world, {})
        self._name = world.names()
        self._bells: WeakValueDictionary[str, Condition] = WeakValueDictionary()
        self._leaps = 0
        self._closed = False
        self._journal = ConfigurationJournal(world.journal)
        for it in self._journal.load():
            self._state[_key(it.application, it.environment)] = it
        with self._lock:
            self._moved()

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    # --- reading

    @override
    def get_configuration(self, request: GetConfigurationRequest, /) -> GetConfigurationResponse:
        with self._lock:
            it = self._live(request.application, request.environment)
            if request.version is not None:
                version = it.version(request.version)
                return it.answer(version, etag=version.name == it.current)
            version = it.seen_by(share_of(request.reader))
            answer = it.answer(version, etag=True)
        if request.if_none_match == version.etag:
            return answer.model_copy(update={"data": None, "schema_": None, "not_modified": True})
        return answer

    @override
    def validate_configuration(
        self, request: ValidateConfigurationRequest, /
    ) -> ValidateConfigurationResponse:
        from lcplatform_runtime.schemas.json_schema import (
            checked,  # needs a package that only this needs
        )

        flaws, more = checked(request.schema_.text).flaws(request.data)
        violations = (
            Violation(
                path=it.path,
                message=it.message,
                expected=it.expected,
                actual=it.actual,
                keyword=it.keyword,
            )
            for it in flaws
        )
        return ValidateConfigurationResponse(violations=tuple(violations), more=more)

    @override
    def list_configurations(
        self, request: ListConfigurationsRequest, /
    ) -> ListConfigurationsResponse:
        prefix = "" if request.application is None else _key(request.application, "")
        with self._lock:
            self._settle_all()
            shown = sorted(
                key
                for key, it in self._state.items()
                if request.include_deleted or it.purge_at is None
            )
            keys, token = names_page(shown, prefix, request.page_size, request.page_token)
            now = self._clock.now()
            infos = tuple(self._state[key].info(now) for key in keys)
        return ListConfigurationsResponse(configurations=infos, next_page_token=token)

    @override
    def list_versions(self, request: ListVersionsRequest, /) -> ListVersionsResponse:
        with self._lock:
            versions = list(self._live(request.application, request.environment).infos())
        # Older versions than one that made room have made room as well: nothing comes after it.
        names = [it.version for it in versions]
        start = 0
        if request.page_token:
            last = request.page_token
            start = names.index(last) + 1 if last in names else len(names)
        page = versions[start : start + request.page_size]
        more = start + len(page) < len(versions)
        return ListVersionsResponse(
            versions=tuple(page), next_page_token=page[-1].version if page and more else ""
        )

    # --- writing

    @override
    def create_configuration(
        self, request: CreateConfigurationRequest, /
    ) -> CreateConfigurationResponse:
        key = _key(request.application, request.environment)
        _check(request.schema_, request.data)
        with self._lock:
            there = self._settled(key)
            if there is not None:
                state = "exists" if there.purge_at is None else "is deleted: restore it"
                raise AlreadyExistsError(f"{there.words} {state}", resource=request.application)
            version = self._version(request.data, request.schema_)
            it = Configuration(
                application=request.application,
                environment=request.environment,
                uid=self._name(),
                description=request.description,
                created_at=version.created_at,
                current=version.name,
                versions={},
            )
            it.add(version)
            self._state[key] = it
            self._stored(it, version, [])
        return CreateConfigurationResponse(version=version.name, etag=version.etag)

    @override
    def update_configuration(
        self, request: UpdateConfigurationRequest, /
    ) -> UpdateConfigurationResponse:
        if "schema" in request.clear and request.schema_ is not None:
            raise invalid("clear", "no field that is given a value too")
        if "description" in request.clear and request.description is not None:
            raise invalid("clear", "no field that is given a value too")
        while True:
            with self._lock:
                it = self._unchanged(request)
                schema, revision = _schema_after(it.newest, request), it.revision
            _check(schema, request.data)  # which may take its time, so nobody waits for it
            with self._lock:
                if self._unchanged(request) is it and it.revision == revision:
                    return self._update(it, request, schema)

    def _update(
        self, it: Configuration, request: UpdateConfigurationRequest, schema: Json | None
    ) -> UpdateConfigurationResponse:
        version = self._version(request.data, schema, comment=request.comment)
        if request.description is not None or "description" in request.clear:
            it.description = request.description
        rollout = request.rollout
        if rollout is None:
            gone = it.add(version)
        else:
            deployment = Deployment(
                version=version.name,
                started_at=version.created_at,
                duration=rollout.duration,
                step=rollout.step_percent,
                bake=rollout.bake,
            )
            gone = it.deploy(version, deployment)
        self._stored(it, version, gone)
        return UpdateConfigurationResponse(version=version.name, etag=version.etag)

    @override
    def rollback_configuration(
        self, request: RollbackConfigurationRequest, /
    ) -> RollbackConfigurationResponse:
        with self._lock:
            it = self._unchanged(request)
            earlier = it.version(request.version)
            version = self._version(earlier.data, earlier.schema, rollback_of=earlier.name)
            self._stored(it, version, it.add(version))
        return RollbackConfigurationResponse(version=version.name, etag=version.etag)

    @override
    def stop_deployment(self, request: StopDeploymentRequest, /) -> StopDeploymentResponse:
        with self._lock:
            it = self._live(request.application, request.environment)
            it.stop(self._clock.now())
            self._changed(it)
            return StopDeploymentResponse(version=it.current, etag=it.newest.etag)

    @override
    def delete_configuration(
        self, request: DeleteConfigurationRequest, /
    ) -> DeleteConfigurationResponse:
        with self._lock:
            it = self._found(request.application, request.environment)
            _check_etag(it, request.if_match)
            purge_at = it.delete(self._clock.now())
            self._changed(it)
        return DeleteConfigurationResponse(purge_at=purge_at)

    @override
    def restore_configuration(
        self, request: RestoreConfigurationRequest, /
    ) -> RestoreConfigurationResponse:
        with self._lock:
            it = self._found(request.application, request.environment)
            it.restore(self._clock.now())
            self._changed(it)
            return RestoreConfigurationResponse(version=it.current, etag=it.newest.etag)

    def _unchanged(
        self, request: UpdateConfigurationRequest | RollbackConfigurationRequest
    ) -> Configuration:
        """The configuration that a request changes, which is as its condition says."""
        it = self._live(request.application, request.environment)
        _check_etag(it, request.if_match)
        it.check_at_rest()
        return it

    def _version(
        self,
        data: Json,
        schema: Json | None,
        *,
        comment: str | None = None,
        rollback_of: str | None = None,
    ) -> Version:
        return Version(
            name=self._name(),
            etag=self._name(),
            data=data,
            schema=schema,
            created_at=self._clock.now(),
            comment=comment,
            rollback_of=rollback_of,
        )

    # --- watching

    @override
    def watch_configuration(
        self, request: WatchConfigurationRequest, /
    ) -> Iterator[WatchConfigurationResponse]:
        key = _key(request.application, request.environment)
        share = share_of(request.reader)
        with self._lock:
            it = self._live(request.application, request.environment)
            uid, revision, leaps = it.uid, it.revision, self._leaps
            version = it.seen_by(share)
        if request.if_none_match != version.etag:
            yield _told(version)
        while True:
            with self._lock:
                change, leaps = self._await(key, uid, share, revision, leaps)
            revision = change.number
            yield _told(change.version, deleted=change.deleted, at=change.at)

    def _await(
        self, key: str, uid: str, share: float, revision: int, leaps: int
    ) -> tuple[Change, int]:
        """The next change of a configuration for a reader with this share, and how often the state had leapt by then."""
        bell = self._bell(key)
        while True:
            remaining = patience("the configuration changed")
            if self._closed:
                raise PreconditionFailedError("the platform is closed")
            it = self._settled(key)
            if it is None or it.uid != uid:
                raise ResourceNotFoundError("the configuration is gone for good")
            if leaps != self._leaps:  # what was told may never have been
                return it.as_it_is(share, self._clock.now()), self._leaps
            change = it.change_after(revision, share)
            if change is not None:
                return change, leaps
            self._listen(bell, remaining)

    def _listen(self, bell: Condition, seconds: float) -> None:
        def wake() -> None:
            with bell:
                bell.notify_all()

        cancellation = CANCELLATION.get()
        with nullcontext() if cancellation is None else cancellation.waking(wake):
            # Who gave up before it could be heard does not ring.
            if cancellation is None or not cancellation.cancelled:
                self._clock.wait(bell, None if seconds == float("inf") else seconds)

    def _bell(self, key: str) -> Condition:
        """What rings when a configuration changes. It is there as long as somebody listens."""
        return self._bells.setdefault(key, Condition(self._lock))

    def _ring(self, key: str) -> None:
        bell = self._bells.get(key)
        if bell is not None:
            bell.notify_all()

    # --- inside. The lock is held.

    def _found(self, application: str, environment: str) -> Configuration:
        it = self._settled(_key(application, environment))
        if it is None:
            raise _missing(application, environment)
        return it

    def _live(self, application: str, environment: str) -> Configuration:
        it = self._found(application, environment)
        if it.purge_at is not None:
            raise _missing(application, environment)
        return it

    def _settled(self, key: str, now: datetime | None = None) -> Configuration | None:
        """The configuration with all that has fallen due, if it is not gone for good."""
        it = self._state.get(key)
        if it is None or it.next_due is None:
            return it
        now = max(now, self._clock.now()) if now is not None else self._clock.now()
        if it.purge_at is not None:
            if it.purge_at > now:
                return it
            del self._state[key]
            self._journal.remove(it)
            self._ring(key)
            return None
        if it.settle(now):
            self._changed(it)
        return it

    def _settle_all(self) -> None:
        for key in list(self._state):
            self._settled(key)

    def _stored(self, it: Configuration, version: Version, gone: list[str]) -> None:
        self._journal.put_version(it, version, gone)
        self._changed(it)

    def _changed(self, it: Configuration) -> None:
        """Keeps what was done to a configuration, tells its watchers, and sees to what falls due next."""
        self._journal.put(it)
        self._ring(_key(it.application, it.environment))
        self._schedule(it)

    def _schedule(self, it: Configuration) -> None:
        due = it.next_due
        if due is not None:
            key = _key(it.application, it.environment)
            ahead = (due - self._clock.now()).total_seconds()
            self._world.agenda.after(ahead, partial(self._fall_due, key, due))

    def _fall_due(self, key: str, moment: datetime) -> None:
        with self._lock:
            self._settled(key, moment)

    # --- the whole service

    @override
    def settle(self) -> None:
        with self._lock:
            self._settle_all()

    @override
    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._ring_all()

    @override
    def _moved(self) -> None:
        self._leaps += 1
        self._settle_all()
        for it in self._state.values():
            self._schedule(it)
        self._ring_all()

    def _ring_all(self) -> None:
        for bell in list(self._bells.values()):
            bell.notify_all()

    @override
    def _keep(self) -> None:
        self._journal.keep(self._state.values())


def _key(application: str, environment: str) -> str:
    return f"{application}/{environment}"


def _missing(application: str, environment: str) -> ResourceNotFoundError:
    return ResourceNotFoundError(
        f"there is no configuration of {application!r} for {environment!r}", resource=application
    )


def _check(schema: Json | None, data: Json) -> None:
    """Refuses data that its schema does not allow, with everything that is wrong (FR-017)."""
    if schema is not None:
        from lcplatform_runtime.schemas.json_schema import checked, refusal  # as above

        flaws, more = checked(schema.text).flaws(data)
        if flaws:
            raise refusal("data", "not as its schema says", flaws, more=more)


def _check_etag(it: Configuration, etag: str | None) -> None:
    if etag is not None and etag != it.newest.etag:
        raise stale("configuration of", it.application)


def _schema_after(version: Version, request: UpdateConfigurationRequest) -> Json | None:
    """The schema from an update on."""
    if request.schema_ is not None:
        return request.schema_
    return None if "schema" in request.clear else version.schema


def _told(
    version: Version, *, deleted: bool = False, at: datetime | None = None
) -> WatchConfigurationResponse:
    return WatchConfigurationResponse(
        version=version.name,
        etag=version.etag,
        data=None if deleted else version.data,
        changed_at=at or version.created_at,
        deleted=deleted,
    )

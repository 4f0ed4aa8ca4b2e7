"""Configurations on AWS AppConfig: written through AppConfig, read through AppConfigData."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from typing_extensions import override

from lcplatform.configuration.driver import ConfigurationDriver
from lcplatform.configuration.models import (
    ConfigurationInfo,
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
    Rollout,
    RolloutProgress,
    StopDeploymentRequest,
    StopDeploymentResponse,
    UpdateConfigurationRequest,
    UpdateConfigurationResponse,
    ValidateConfigurationRequest,
    ValidateConfigurationResponse,
    VersionInfo,
    WatchConfigurationRequest,
    WatchConfigurationResponse,
)
from lcplatform.configuration.support import ConfigurationCapability, ConfigurationLimits
from lcplatform_aws.configuration_checks import check, refused, violations_of
from lcplatform_aws.configuration_deployments import (
    Deployment,
    Deployments,
    State,
    deletion,
    says_deleted,
)
from lcplatform_aws.configuration_places import Place, Places, missing
from lcplatform_aws.configuration_sessions import Readings, Seen
from lcplatform_aws.configuration_versions import About, Versions, read_data
from lcplatform_aws.errors import code_of, problem_of
from lcplatform_aws.pages import join_token, split_token
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    PreconditionFailedError,
    invalid,
)
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patience import patience
from lcplatform_runtime.support import ConditionalUpdate, Support

if TYPE_CHECKING:
    from lcplatform_aws.session import Session

_LIMITS: Final = ConfigurationLimits(
    max_data_bytes=1024**2, max_schema_bytes=32 * 1024, max_versions=100
)
_SUPPORT: Final = Support(
    capabilities=frozenset(ConfigurationCapability),
    limits=_LIMITS.by_name(),
    conditional_updates=dict.fromkeys(
        ("delete_configuration", "rollback_configuration", "update_configuration"),
        ConditionalUpdate.ATOMIC,
    ),
)
_KEPT: Final = timedelta(days=30)
_ATTEMPTS: Final = 10
"""How often a change is begun anew that others came in between of."""


class AppConfigConfiguration(ConfigurationDriver):
    """Configurations on AWS AppConfig.

    A change is a version that is stored and then deployed; the deployment makes it current, and says which was the last one
    before, so that of two at once one comes too late. AppConfig has no deletion that can be undone: a version that says so is
    deployed, and restoring deploys the one before it. What this platform changes it reads at once; what others change, within
    the poll interval.
    """

    def __init__(self, session: Session, poll_interval: int = 15, /) -> None:
        self._places = Places(session)
        self._deployments = Deployments(session)
        self._versions = Versions(session, self._places)
        self._readings = Readings(session, poll_interval)
        self._interval = poll_interval
        self._bell = threading.Condition()
        self._changes = 0
        self._closed = False

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    def close(self) -> None:
        """Ends every watch."""
        with self._bell:
            self._closed = True
            self._bell.notify_all()

    # --- reading

    @override
    def get_configuration(self, request: GetConfigurationRequest, /) -> GetConfigurationResponse:
        place = self._places.find(request.application, request.environment)
        if request.version is not None:
            return self._earlier(place, request.version)
        seen = self._seen(place, request.reader)
        name, at = seen.label, datetime.now(UTC)
        if name is None or says_deleted(seen.label):
            current = self._live(place)  # raises for what is deleted
            name, at = current.name, current.at
        etag = _etag(place, name)
        about = self._versions.about(place, name, at)
        modified = request.if_none_match != etag
        return GetConfigurationResponse(
            application=place.application,
            environment=place.environment,
            version=name,
            etag=etag,
            data=read_data(seen.content) if modified else None,
            schema_=_schema(about) if modified else None,
            description=about.description,
            created_at=about.created_at,
            not_modified=not modified,
        )

    def _earlier(self, place: Place, name: str) -> GetConfigurationResponse:
        current = self._live(place)
        number = self._versions.number(place, name)
        about = self._versions.about(place, name, current.at)
        return GetConfigurationResponse(
            application=place.application,
            environment=place.environment,
            version=name,
            etag=_etag(place, name) if name == current.name else None,
            data=self._versions.data(place, number),
            schema_=_schema(about),
            description=self._versions.about(place, current.name, current.at).description,
            created_at=about.created_at,
            not_modified=False,
        )

    @override
    def validate_configuration(
        self, request: ValidateConfigurationRequest, /
    ) -> ValidateConfigurationResponse:
        violations, more = violations_of(request.schema_, request.data)
        return ValidateConfigurationResponse(violations=violations, more=more)

    @override
    def list_configurations(
        self, request: ListConfigurationsRequest, /
    ) -> ListConfigurationsResponse:
        found = (
            info
            for place in self._places.all(request.application, split_token(request.page_token))
            if (info := self._info(place, deleted=request.include_deleted)) is not None
        )
        page = list(islice(found, request.page_size + 1))
        shown = page[: request.page_size]
        more = len(page) > len(shown)
        token = join_token(shown[-1].application, shown[-1].environment) if more else ""
        return ListConfigurationsResponse(configurations=tuple(shown), next_page_token=token)

    def _info(self, place: Place, *, deleted: bool) -> ConfigurationInfo | None:
        state = self._deployments.state(place)
        current = state.current
        if current is None or _gone(current) or (current.purge_at is not None and not deleted):
            return None
        about = self._versions.about(place, current.name, current.at)
        ongoing = state.ongoing
        return ConfigurationInfo(
            application=place.application,
            environment=place.environment,
            description=about.description,
            version=current.name,
            etag=_etag(place, current.name),
            created_at=about.since,
            updated_at=about.created_at,
            purge_at=current.purge_at,
            rollout=None
            if ongoing is None or ongoing.instant
            else RolloutProgress(
                version=ongoing.name, percent=ongoing.percent, started_at=ongoing.at
            ),
        )

    @override
    def list_versions(self, request: ListVersionsRequest, /) -> ListVersionsResponse:
        place = self._places.find(request.application, request.environment)
        current = self._live(place)
        versions = self._versions.listed(place)
        if request.page_token:
            versions = [it for it in versions if it[1] < int(request.page_token)]
        page = versions[: request.page_size]
        infos = []
        for name, _ in page:
            about = self._versions.about(place, name, current.at)
            infos.append(
                VersionInfo(
                    version=name,
                    created_at=about.created_at,
                    current=name == current.name,
                    comment=about.comment,
                    rollback_of=about.rollback_of,
                )
            )
        more = len(versions) > len(page)
        return ListVersionsResponse(
            versions=tuple(infos), next_page_token=str(page[-1][1]) if more else ""
        )

    # --- writing

    @override
    def create_configuration(
        self, request: CreateConfigurationRequest, /
    ) -> CreateConfigurationResponse:
        check(request.schema_, request.data)
        place = self._places.create(request.application, request.environment)
        state = self._deployments.state(place)
        current = state.current
        if current is not None and _gone(current):
            self._places.delete_profiles(place)
            self._changed(place)
            place = self._places.create(*place.key)
        elif current is not None:
            words = "exists" if current.purge_at is None else "is deleted: restore it"
            raise AlreadyExistsError(
                f"the configuration of {place.application!r} for {place.environment!r} {words}",
                resource=request.application,
            )
        now = datetime.now(UTC)
        about = About(now, now, _text(request.schema_), request.description)
        name = self._publish(place, state, request.data, about)
        if name is None:
            raise AlreadyExistsError(
                "somebody else created it at the same time", resource=request.application
            )
        return CreateConfigurationResponse(version=name, etag=_etag(place, name))

    @override
    def update_configuration(
        self, request: UpdateConfigurationRequest, /
    ) -> UpdateConfigurationResponse:
        for field in ("schema", "description"):
            given = request.schema_ if field == "schema" else request.description
            if field in request.clear and given is not None:
                raise invalid("clear", "no field that is given a value too")
        for _ in range(_ATTEMPTS):
            place, state, current = self._at_rest(request)
            before = self._versions.about(place, current.name, current.at)
            schema, description = before.schema, before.description
            if request.schema_ is not None or "schema" in request.clear:
                schema = _text(request.schema_)
            if request.description is not None or "description" in request.clear:
                description = request.description
            check(None if schema is None else Json.from_text(schema), request.data)
            about = About(
                datetime.now(UTC), before.since, schema, description, comment=request.comment
            )
            name = self._publish(place, state, request.data, about, request.rollout)
            if name is not None:
                of = name if request.rollout is None else current.name
                return UpdateConfigurationResponse(version=name, etag=_etag(place, of))
        raise _crowded()

    @override
    def rollback_configuration(
        self, request: RollbackConfigurationRequest, /
    ) -> RollbackConfigurationResponse:
        for _ in range(_ATTEMPTS):
            place, state, current = self._at_rest(request)
            data = self._versions.data(place, self._versions.number(place, request.version))
            before = self._versions.about(place, current.name, current.at)
            earlier = self._versions.about(place, request.version, current.at)
            about = About(
                datetime.now(UTC),
                before.since,
                earlier.schema,
                before.description,
                rollback_of=request.version,
            )
            name = self._publish(place, state, data, about)
            if name is not None:
                return RollbackConfigurationResponse(version=name, etag=_etag(place, name))
        raise _crowded()

    @override
    def delete_configuration(
        self, request: DeleteConfigurationRequest, /
    ) -> DeleteConfigurationResponse:
        place = self._places.find(request.application, request.environment)
        for _ in range(_ATTEMPTS):
            state, current = self._state(place)
            _check_etag(place, current, request.if_match)
            if current.purge_at is not None:
                return DeleteConfigurationResponse(purge_at=current.purge_at)
            if state.ongoing is not None:
                self._deployments.stop(place, state.ongoing)
                continue
            purge_at = datetime.now(UTC) + _KEPT
            mark = self._versions.mark(place, deletion(purge_at, current.name))
            if self._deploy(place, state, mark):
                return DeleteConfigurationResponse(purge_at=purge_at)
        raise _crowded()

    @override
    def restore_configuration(
        self, request: RestoreConfigurationRequest, /
    ) -> RestoreConfigurationResponse:
        place = self._places.find(request.application, request.environment)
        for _ in range(_ATTEMPTS):
            state, current = self._state(place)
            number = self._versions.number(place, current.name)
            if current.purge_at is None or self._deploy(place, state, number, discard=False):
                return RestoreConfigurationResponse(
                    version=current.name, etag=_etag(place, current.name)
                )
        raise _crowded()

    @override
    def stop_deployment(self, request: StopDeploymentRequest, /) -> StopDeploymentResponse:
        place = self._places.find(request.application, request.environment)
        current = self._live(place)
        ongoing = self._deployments.state(place).ongoing
        if ongoing is not None:
            self._deployments.stop(place, ongoing)
            self._changed(place)
        return StopDeploymentResponse(version=current.name, etag=_etag(place, current.name))

    def _at_rest(
        self, request: UpdateConfigurationRequest | RollbackConfigurationRequest
    ) -> tuple[Place, State, Deployment]:
        """A configuration that can be changed and is as a request says. One that others made gets what it lacks."""
        place = self._places.find(request.application, request.environment)
        state, current = self._state(place)
        if current.purge_at is not None:
            raise missing(*place.key)
        _check_etag(place, current, request.if_match)
        if state.ongoing is not None and not state.ongoing.instant:
            raise PreconditionFailedError(
                f"version {state.ongoing.name!r} is on its way: stop it, or wait until it is there"
            )
        if place.about_id is None:
            place = self._places.create(*place.key)
        return place, state, current

    def _publish(
        self,
        place: Place,
        state: State,
        data: Json,
        about: About,
        rollout: Rollout | None = None,
    ) -> str | None:
        """Stores a version and deploys it. Its name; nothing if somebody else came in between."""
        name, number = self._versions.store(place, data, about)
        if not self._deploy(place, state, number, rollout):
            return None
        self._versions.prune(place, _LIMITS.max_versions, name)
        return name

    def _deploy(
        self,
        place: Place,
        state: State,
        version: int,
        rollout: Rollout | None = None,
        *,
        discard: bool = True,
    ) -> bool:
        """Deploys a version, if nothing else was since `state` was seen. One that is not deployed is discarded."""
        occupied = state.occupied or (state.ongoing.number if state.ongoing else None)
        try:
            if occupied is not None:  # nothing else can be deployed meanwhile
                self._deployments.wait(place, occupied)
            number = self._deployments.start(place, version, rollout, state.latest)
        except ClientError as error:
            if discard:
                self._versions.discard(place, version)
            if code_of(problem_of(error)) == "ConflictException":
                return False
            raise refused(error) from error
        if rollout is None:
            self._deployments.wait(place, number)
        self._changed(place)
        return True

    # --- watching

    @override
    def watch_configuration(
        self, request: WatchConfigurationRequest, /
    ) -> Iterator[WatchConfigurationResponse]:
        place = self._places.find(request.application, request.environment)
        changes = self._changes
        seen, current = self._seen(place, request.reader), self._live(place)
        name: str | None = seen.label or current.name
        last = current.number
        if request.if_none_match != _etag(place, seen.label or current.name):
            yield self._told(place, seen.label or current.name, current.at)
        while True:
            changes = self._listen(changes)
            before, seen = seen, self._seen(place, request.reader)
            if seen is before:
                continue
            state, newest = self._state(place)
            for it in reversed([it for it in state.completed if it.number > last]):
                last = it.number
                if it.purge_at is not None:
                    name = None
                    yield _deleted(place, it)
                elif it.name != name:
                    name = it.name
                    yield self._told(place, name, it.at)
            # Between its beginning and its end, a version has some of the readers.
            early = state.ongoing is not None and state.ongoing.label == seen.label
            now = state.ongoing if early and state.ongoing is not None else newest
            if now.purge_at is None and now.name != name:
                name = now.name
                yield self._told(place, name, now.at)

    def _told(self, place: Place, name: str, at: datetime) -> WatchConfigurationResponse:
        data = self._versions.data(place, self._versions.number(place, name))
        return WatchConfigurationResponse(
            version=name, etag=_etag(place, name), data=data, changed_at=at, deleted=False
        )

    def _listen(self, changes: int) -> int:
        """Waits for a change here, or until one elsewhere could be seen. How many there were here by then."""

        def wake() -> None:
            with self._bell:
                self._bell.notify_all()

        cancellation = CANCELLATION.get()
        with nullcontext() if cancellation is None else cancellation.waking(wake), self._bell:
            remaining = patience("the configuration changed")
            if self._changes == changes and not self._closed:
                self._bell.wait(min(remaining, self._interval))
            patience("the configuration changed")
            if self._closed:
                raise PreconditionFailedError("the platform is closed")
            return self._changes

    # --- inside

    def _seen(self, place: Place, reader: str | None) -> Seen:
        try:
            return self._readings.read(place, reader)
        except ClientError as error:
            self._check_place(place, error)
            raise

    def _state(self, place: Place) -> tuple[State, Deployment]:
        """How a configuration stands that is not gone for good."""
        try:
            state = self._deployments.state(place)
        except ClientError as error:
            self._check_place(place, error)
            raise
        current = state.current
        if current is None or _gone(current):
            raise missing(*place.key)
        return state, current

    def _check_place(self, place: Place, error: ClientError) -> None:
        """Looks for a place anew that somebody else deleted."""
        if code_of(problem_of(error)) == "ResourceNotFoundException":
            self._places.forget(place)
            raise missing(*place.key) from error

    def _live(self, place: Place) -> Deployment:
        """What is current of a configuration that is not deleted."""
        _, current = self._state(place)
        if current.purge_at is not None:
            raise missing(*place.key)
        return current

    def _changed(self, place: Place) -> None:
        """Lets everybody here see what was done."""
        self._readings.drop(place)
        with self._bell:
            self._changes += 1
            self._bell.notify_all()


def _gone(current: Deployment) -> bool:
    """Whether a configuration was deleted so long ago that it cannot be restored."""
    return current.purge_at is not None and current.purge_at <= datetime.now(UTC)


def _etag(place: Place, name: str) -> str:
    return f"{place.profile_id}-{name}"


def _check_etag(place: Place, current: Deployment, etag: str | None) -> None:
    if etag is not None and etag != _etag(place, current.name):
        raise ConflictError(
            "the configuration has changed since it was read", resource=place.application
        )


def _crowded() -> ConflictError:
    return ConflictError("others change the configuration all the time", retryable=True)


def _text(schema: Json | None) -> str | None:
    return None if schema is None else schema.text


def _schema(about: About) -> Json | None:
    return None if about.schema is None else Json.from_text(about.schema)


def _deleted(place: Place, it: Deployment) -> WatchConfigurationResponse:
    return WatchConfigurationResponse(
        version=it.name, etag=_etag(place, it.name), changed_at=it.at, deleted=True
    )

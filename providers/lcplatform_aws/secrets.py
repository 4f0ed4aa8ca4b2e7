"""Secrets on AWS Secrets Manager."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from botocore.exceptions import ClientError
from typing_extensions import override

from lcplatform.secrets.driver import SecretsDriver
from lcplatform.secrets.models import (
    CancelRotationRequest,
    CancelRotationResponse,
    ConfigureRotationRequest,
    ConfigureRotationResponse,
    CreateSecretRequest,
    CreateSecretResponse,
    DeleteSecretRequest,
    DeleteSecretResponse,
    DescribeSecretRequest,
    DescribeSecretResponse,
    GetSecretRequest,
    GetSecretResponse,
    GetSecretsRequest,
    GetSecretsResponse,
    GetSecretsResult,
    ListSecretsRequest,
    ListSecretsResponse,
    ListSecretVersionsRequest,
    ListSecretVersionsResponse,
    PutSecretValueRequest,
    PutSecretValueResponse,
    RestoreSecretRequest,
    RestoreSecretResponse,
    RestoreVersionRequest,
    RestoreVersionResponse,
    RotateSecretRequest,
    RotateSecretResponse,
    SecretInfo,
    SecretVersionInfo,
    VersionStage,
)
from lcplatform.secrets.operations import RESTORE_VERSION
from lcplatform.secrets.support import SecretsCapability, SecretsLimits
from lcplatform_aws.errors import batch_failure, begun, problem_of
from lcplatform_aws.quiet import quietly
from lcplatform_aws.units import days
from lcplatform_aws.values import decode, encode, token_for
from lcplatform_runtime.errors import (
    ConflictError,
    PreconditionFailedError,
    ResourceNotFoundError,
)
from lcplatform_runtime.support import ConditionalUpdate, Support

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

    from lcplatform_aws.session import Session

_CURRENT: Final = "AWSCURRENT"
_PENDING: Final = "AWSPENDING"
_LABELS: Final = {
    VersionStage.CURRENT: _CURRENT,
    VersionStage.PREVIOUS: "AWSPREVIOUS",
    VersionStage.PENDING: _PENDING,
}
_STAGES: Final = {label: stage for stage, label in _LABELS.items()}

_SUPPORT: Final = Support(
    capabilities=frozenset(SecretsCapability),
    limits=SecretsLimits(
        max_value_bytes=65_536, max_versions=100, max_batch_names=20, max_tags=50
    ).by_name(),
    conditional_updates={
        "put_secret_value": ConditionalUpdate.CHECKED,
        "delete_secret": ConditionalUpdate.CHECKED,
        "restore_version": ConditionalUpdate.ATOMIC,
    },
)


class SecretsManagerSecrets(SecretsDriver):
    """Secrets on AWS Secrets Manager. The etag of a secret is the id of its current version."""

    def __init__(self, session: Session, /) -> None:
        self._session = session

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    @property
    def _secrets(self) -> SecretsManagerClient:
        return self._session.secretsmanager

    # --- values

    @override
    def create_secret(self, request: CreateSecretRequest, /) -> CreateSecretResponse:
        given: dict[str, Any] = encode(request.value)
        if request.description is not None:
            given["Description"] = request.description
        if request.tags:
            given["Tags"] = [{"Key": name, "Value": it} for name, it in request.tags.items()]
        token = token_for(request.idempotency_key)
        try:
            with quietly():
                answer = self._secrets.create_secret(
                    Name=request.name, ClientRequestToken=token, **given
                )
        except ClientError as error:
            if request.idempotency_key is not None and self._used(request.name, token, error):
                raise ConflictError("the idempotency key was used for another value") from error
            raise
        return CreateSecretResponse(version=answer["VersionId"], etag=answer["VersionId"])

    def _used(self, name: str, token: str, error: ClientError) -> bool:
        """Whether a name is taken because the very same call was made before, with another value."""
        if problem_of(error).get("Code") != "ResourceExistsException":
            return False
        return any(it["VersionId"] == token for it in self._versions(name))

    @override
    def get_secret(self, request: GetSecretRequest, /) -> GetSecretResponse:
        if request.version is not None:
            wanted = {"VersionId": request.version}
        else:
            # Named even where it is the default: then nothing else can be what comes back.
            wanted = {"VersionStage": _LABELS[request.stage or VersionStage.CURRENT]}
        with quietly():
            answer = self._secrets.get_secret_value(SecretId=request.name, **wanted)
        version, stages = answer["VersionId"], _stages(answer.get("VersionStages", ()))
        return GetSecretResponse(
            name=answer["Name"],
            value=decode(answer),
            version=version,
            stages=stages,
            created_at=answer["CreatedDate"],
            etag=version if VersionStage.CURRENT in stages else None,
        )

    @override
    def get_secrets(self, request: GetSecretsRequest, /) -> GetSecretsResponse:
        names = list(dict.fromkeys(request.names))
        with quietly():
            answer: Any = self._secrets.batch_get_secret_value(SecretIdList=names)
        values = {it["Name"]: it for it in answer.get("SecretValues", ())}
        errors = {it["SecretId"]: it for it in answer.get("Errors", ())}
        missing = {"ErrorCode": "ResourceNotFoundException"}
        successful, failed = [], []
        for index, name in enumerate(request.names):
            value = values.get(name)
            if value is None:
                error = errors.get(name, missing)
                code, text = error.get("ErrorCode", ""), error.get("Message", "")
                failed.append(batch_failure(index, code, text, ("secrets", "get_secrets")))
            else:
                successful.append(
                    GetSecretsResult(
                        index=index, name=name, value=decode(value), version=value["VersionId"]
                    )
                )
        return GetSecretsResponse(successful=tuple(successful), failed=tuple(failed))

    @override
    def put_secret_value(self, request: PutSecretValueRequest, /) -> PutSecretValueResponse:
        name, token = request.name, token_for(request.idempotency_key)
        current = None
        if request.pending or request.if_match is not None:
            labels = self._alive(name).get("VersionIdsToStages", {})
            current = _current(labels)
            if token not in labels:  # a repetition has nothing left to check
                _check_etag(request.if_match, current)
                if request.pending and _waiting(labels) is not None:
                    raise ConflictError(
                        "a version is pending already: make it current or cancel it"
                    )
        stages: dict[str, Any] = {"VersionStages": [_PENDING]} if request.pending else {}
        with quietly():
            answer = self._secrets.put_secret_value(
                SecretId=name, ClientRequestToken=token, **encode(request.value), **stages
            )
        version = answer["VersionId"]
        etag = current if request.pending and current is not None else version
        return PutSecretValueResponse(version=version, etag=etag)

    # --- what is known

    @override
    def describe_secret(self, request: DescribeSecretRequest, /) -> DescribeSecretResponse:
        found = self._described(request.name)
        return DescribeSecretResponse(secret=_info(found, found.get("VersionIdsToStages", {})))

    def _described(self, name: str) -> Mapping[str, Any]:
        return self._secrets.describe_secret(SecretId=name)

    def _alive(self, name: str) -> Mapping[str, Any]:
        """What is known of a secret that is not deleted."""
        found = self._described(name)
        if "DeletedDate" in found:
            raise PreconditionFailedError("the secret is deleted: restore it first")
        return found

    @override
    def list_secrets(self, request: ListSecretsRequest, /) -> ListSecretsResponse:
        given: dict[str, Any] = {}
        if request.prefix:
            given["Filters"] = [{"Key": "name", "Values": [request.prefix]}]
        if request.page_token:
            given["NextToken"] = request.page_token
        answer = self._secrets.list_secrets(
            IncludePlannedDeletion=request.include_deleted,
            MaxResults=request.page_size,
            **given,
        )
        return ListSecretsResponse(
            secrets=tuple(
                _info(it, it.get("SecretVersionsToStages", {})) for it in answer["SecretList"]
            ),
            next_page_token=answer.get("NextToken", ""),
        )

    @override
    def list_secret_versions(
        self, request: ListSecretVersionsRequest, /
    ) -> ListSecretVersionsResponse:
        # They come in no order that is promised, and there are about a hundred at most.
        found = sorted(self._versions(request.name), key=_newest_first)
        start = int(request.page_token or 0)
        end = start + request.page_size
        return ListSecretVersionsResponse(
            versions=tuple(
                SecretVersionInfo(
                    version=it["VersionId"],
                    stages=_stages(it.get("VersionStages", ())),
                    created_at=it["CreatedDate"],
                )
                for it in found[start:end]
            ),
            next_page_token=str(end) if end < len(found) else "",
        )

    def _versions(self, name: str) -> Iterator[Mapping[str, Any]]:
        given: dict[str, Any] = {}
        while True:
            answer: Any = self._secrets.list_secret_version_ids(
                SecretId=name, IncludeDeprecated=True, MaxResults=100, **given
            )
            yield from answer["Versions"]
            if not answer.get("NextToken"):
                return
            given = {"NextToken": answer["NextToken"]}

    # --- deleting and restoring

    @override
    def delete_secret(self, request: DeleteSecretRequest, /) -> DeleteSecretResponse:
        window = days(request.recovery_window, "recovery_window")
        found = self._described(request.name)
        if (gone := found.get("DeletedDate")) is not None:
            return DeleteSecretResponse(purge_at=gone)  # deleted again, it would be kept for longer
        _check_etag(request.if_match, _current(found.get("VersionIdsToStages", {})))
        answer = self._secrets.delete_secret(SecretId=request.name, RecoveryWindowInDays=window)
        return DeleteSecretResponse(purge_at=answer["DeletionDate"])

    @override
    def restore_secret(self, request: RestoreSecretRequest, /) -> RestoreSecretResponse:
        try:
            self._secrets.restore_secret(SecretId=request.name)
        except ClientError as error:
            if problem_of(error).get("Code") != "InvalidRequestException":
                raise
            if "DeletedDate" in self._described(request.name):
                raise  # it is deleted, and something else is wrong
        return RestoreSecretResponse()

    @override
    def restore_version(self, request: RestoreVersionRequest, /) -> RestoreVersionResponse:
        name, version = request.name, request.version
        labels = self._alive(name).get("VersionIdsToStages", {})
        current = _current(labels)
        _check_etag(request.if_match, current)
        if version not in labels and all(it["VersionId"] != version for it in self._versions(name)):
            raise ResourceNotFoundError(f"the secret has no version {version}")
        if version != current:
            # Fails where another version has become current in between.
            moves = {"RemoveFromVersionId": current} if current is not None else {}
            self._secrets.update_secret_version_stage(
                SecretId=name, VersionStage=_CURRENT, MoveToVersionId=version, **moves
            )
        # By now the version is current: begun anew with its old etag, the call would be in conflict with itself.
        with begun(RESTORE_VERSION, already=lambda: version != current):
            if _PENDING in labels.get(version, ()):
                self._unlabel(name, version)
        return RestoreVersionResponse(version=version, etag=version)

    # --- rotation

    @override
    def configure_rotation(self, request: ConfigureRotationRequest, /) -> ConfigureRotationResponse:
        every = days(request.every, "every")
        self._secrets.rotate_secret(
            SecretId=request.name,
            RotationLambdaARN=request.handler,
            RotationRules={"AutomaticallyAfterDays": every},
            RotateImmediately=False,
        )
        due = self._described(request.name).get("NextRotationDate")
        return ConfigureRotationResponse(
            next_rotation=due if due is not None else datetime.now(UTC) + request.every
        )

    @override
    def rotate_secret(self, request: RotateSecretRequest, /) -> RotateSecretResponse:
        answer = self._secrets.rotate_secret(SecretId=request.name)
        return RotateSecretResponse(version=answer["VersionId"])

    @override
    def cancel_rotation(self, request: CancelRotationRequest, /) -> CancelRotationResponse:
        waiting = _waiting(self._alive(request.name).get("VersionIdsToStages", {}))
        if waiting is not None:
            self._unlabel(request.name, waiting)
        return CancelRotationResponse()

    def _unlabel(self, name: str, version: str) -> None:
        self._secrets.update_secret_version_stage(
            SecretId=name, VersionStage=_PENDING, RemoveFromVersionId=version
        )


_Labels: TypeAlias = "Mapping[str, Sequence[str]]"


def _stages(labels: Sequence[str]) -> tuple[VersionStage, ...]:
    """Where a version stands. A rotation that is over leaves its label behind, on the version that is current."""
    found = [stage for label, stage in _STAGES.items() if label in labels]
    if VersionStage.CURRENT in found and VersionStage.PENDING in found:
        found.remove(VersionStage.PENDING)
    return tuple(found)


def _current(labels: _Labels) -> str | None:
    return next((version for version, its in labels.items() if _CURRENT in its), None)


def _waiting(labels: _Labels) -> str | None:
    """The version that is pending."""
    stages = ((version, _stages(its)) for version, its in labels.items())
    return next((version for version, its in stages if VersionStage.PENDING in its), None)


def _check_etag(if_match: str | None, current: str | None) -> None:
    if if_match is not None and if_match != current:
        raise ConflictError("the value of the secret has changed since it was read")


def _newest_first(version: Mapping[str, Any]) -> tuple[float, int]:
    stages = _stages(version.get("VersionStages", ()))
    rank = 0 if VersionStage.CURRENT in stages else 1 if stages else 2
    return -version["CreatedDate"].timestamp(), rank


def _info(found: Mapping[str, Any], labels: _Labels) -> SecretInfo:
    version = _current(labels)
    every = (found.get("RotationRules") or {}).get("AutomaticallyAfterDays")
    created = found.get("CreatedDate") or found["LastChangedDate"]
    return SecretInfo(
        name=found["Name"],
        description=found.get("Description") or None,
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", ())},
        created_at=created,
        modified_at=found.get("LastChangedDate") or created,
        version=version,
        etag=version,
        purge_at=found.get("DeletedDate"),
        rotation_handler=found.get("RotationLambdaARN") or None,
        rotate_every=timedelta(days=every) if every else None,
    )

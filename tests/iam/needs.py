"""What IAM asks of a caller, for each call of the SDK: actions, and the ARNs of what they touch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
"""Where emulators say that everything is."""

_ROLE: Final = re.compile(r"arn:aws:iam::\d{12}:role/\S+")


class Need(NamedTuple):
    """One action, and what it touches: "*" where IAM knows nothing narrower, nothing where the call does not tell."""

    action: str
    resource: str | None = None


Params = Mapping[str, Any]


def needs(service: str, operation: str, params: Params) -> list[Need]:
    """What a call needs. `service` is the prefix of its actions."""
    own = _SERVICES.get(service, _plain)(operation, params)
    return [Need(f"{service}:{action}", where) for action, where in own] + list(
        _general(service, operation, params)
    )


def _general(service: str, operation: str, params: Params) -> Iterator[Need]:
    """Whoever hands a role on has to be allowed to, and whoever tags what it makes."""
    yield from (Need("iam:PassRole", role) for role in dict.fromkeys(_roles(params)))
    tags = params.get("Tags") or params.get("tags")
    if tags and service in _TAGGED and not operation.startswith("Tag"):
        yield Need(f"{service}:TagResource")


_TAGGED: Final = frozenset(
    {"appconfig", "apprunner", "batch", "ecs", "events", "logs", "secretsmanager", "sns"}
)


def _roles(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if _ROLE.fullmatch(value):
            yield value
    elif isinstance(value, Mapping):
        for it in value.values():
            yield from _roles(it)
    elif isinstance(value, list | tuple):
        for it in value:
            yield from _roles(it)


Own = Iterator[tuple[str, str | None]]


def _plain(operation: str, _: Params) -> Own:
    yield operation, None


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


# --- S3: its actions have names of their own, and say what a request does rather than which it is

_S3_ACTIONS: Final = {
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "HeadBucket": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "UploadPart": "PutObject",
}
_S3_READS: Final = frozenset({"GetObject", "HeadObject"})
_VERSIONED: Final = {
    "GetObject": "GetObjectVersion",
    "DeleteObject": "DeleteObjectVersion",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectTagging": "PutObjectVersionTagging",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
}


def _s3(operation: str, params: Params) -> Own:
    bucket = f"arn:aws:s3:::{params.get('Bucket')}"
    place = f"{bucket}/{params['Key']}" if "Key" in params else bucket
    if operation in {"CopyObject", "UploadPartCopy"}:
        yield from _s3_copy(operation, params, place)
    elif operation == "DeleteObjects":
        for it in params["Delete"]["Objects"]:
            yield _version("DeleteObject", it), f"{bucket}/{it['Key']}"
    else:
        action = "GetObject" if operation in _S3_READS else _S3_ACTIONS.get(operation, operation)
        yield _version(action, params), "*" if action == "ListAllMyBuckets" else place
    if operation in _S3_READS:  # without it, what is missing is as forbidden
        yield "ListBucket", bucket
    if params.get("Tagging") and operation != "PutObjectTagging":
        yield "PutObjectTagging", place
    if params.get("IfMatch") and not operation.startswith(("Get", "Head")):
        yield "GetObject", place  # a condition tells what is there


def _s3_copy(operation: str, params: Params, place: str) -> Own:
    where, _, version = str(params["CopySource"]).partition("?versionId=")
    source, whence = {"VersionId": version}, f"arn:aws:s3:::{unquote(where).lstrip('/')}"
    yield _version("GetObject", source), whence
    yield "ListBucket", whence.partition("/")[0]
    yield "PutObject", place
    if operation == "CopyObject" and params.get("TaggingDirective") != "REPLACE":
        yield _version("GetObjectTagging", source), whence
        yield "PutObjectTagging", place


def _version(action: str, of: Params) -> str:
    return _VERSIONED.get(action, action) if of.get("VersionId") else action


# --- SQS and SNS: a batch needs what each of its parts needs


def _sqs(operation: str, params: Params) -> Own:
    url = str(params.get("QueueUrl", ""))
    name = params.get("QueueName") or url.rpartition("/")[2]
    queue = params.get("SourceArn") or (_arn("sqs", name) if name else None)
    if operation == "ListQueues":
        queue = "*"
    yield operation.removesuffix("Batch"), queue
    if operation == "CreateQueue" and params.get("tags"):
        yield "TagQueue", queue
    if operation == "StartMessageMoveTask":
        yield from ((it, queue) for it in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"))
        yield "SendMessage", params.get("DestinationArn")


_ANY_TOPIC: Final = frozenset(
    {
        "CreatePlatformEndpoint",
        "DeleteEndpoint",
        "GetEndpointAttributes",
        "GetSubscriptionAttributes",
        "ListSubscriptions",
        "ListTopics",
        "SetEndpointAttributes",
        "Unsubscribe",
    }
)


def _sns(operation: str, params: Params) -> Own:
    action = operation.removesuffix("Batch")
    if operation in _ANY_TOPIC:
        yield action, "*"
    elif operation == "CreateTopic":
        yield action, _arn("sns", params["Name"])
    elif "TargetArn" in params:
        # One emulator names devices as if they were applications.
        yield action, params["TargetArn"].replace(":app/", ":endpoint/")
    else:
        yield action, params.get("TopicArn") or params.get("PhoneNumber")


# --- the rest


def _secrets(operation: str, params: Params) -> Own:
    """A secret's ARN ends with six characters of the service's own."""
    if operation in {"BatchGetSecretValue", "ListSecrets"}:
        yield operation, "*"
        yield from (("GetSecretValue", _secret(it)) for it in params.get("SecretIdList", ()))
        return
    yield operation, _secret(params.get("SecretId") or params["Name"])


def _secret(name: str) -> str:
    return name if name.startswith("arn:") else _arn("secretsmanager", f"secret:{name}-a1B2c3")


def _events(operation: str, params: Params) -> Own:
    if operation == "PutEvents":
        buses = dict.fromkeys(it.get("EventBusName", "default") for it in params["Entries"])
        yield from (("PutEvents", _bus(it)) for it in buses)
    elif operation in _ANY_EVENTS:
        yield operation, "*"
    else:
        yield operation, _event_resource(operation, params)


_ANY_EVENTS: Final = frozenset(
    {"ListArchives", "ListEventBuses", "ListReplays", "ListRules", "TestEventPattern"}
)


def _event_resource(operation: str, params: Params) -> str | None:
    if operation.endswith("EventBus"):
        return _bus(params["Name"])
    if operation.endswith("Archive"):
        return _arn("events", f"archive/{params['ArchiveName']}")
    if operation.endswith("Replay"):
        return _arn("events", f"replay/{params['ReplayName']}")
    if "Rule" in operation or operation.endswith("Targets"):
        rule = params.get("Rule") or params["Name"]
        return _arn("events", f"rule/{params.get('EventBusName', 'default')}/{rule}")
    arn: str | None = params.get("ResourceARN")
    return arn


def _bus(name: str) -> str:
    return name if name.startswith("arn:") else _arn("events", f"event-bus/{name}")


def _logs(operation: str, params: Params) -> Own:
    group = params.get("logGroupName")
    if operation == "PutResourcePolicy":
        yield operation, "*"
        return
    yield operation, None if group is None else _arn("logs", f"log-group:{group}:log-stream:")


def _appconfig(operation: str, params: Params) -> Own:
    """Reading names the three places by other words than writing does."""
    if operation in {"ListApplications", "ListDeploymentStrategies"}:
        yield operation, "*"
        return
    application = params.get("ApplicationId") or params.get("ApplicationIdentifier")
    if application is None:
        yield operation, None
        return
    place = f"application/{application}"
    for kind, name in (
        ("environment", params.get("EnvironmentId") or params.get("EnvironmentIdentifier")),
        ("configuration", params.get("ConfigurationProfileIdentifier")),
        ("configurationprofile", params.get("ConfigurationProfileId")),
        ("hostedconfigurationversion", params.get("VersionNumber")),
        ("deployment", params.get("DeploymentNumber")),
    ):
        if name is not None:
            place += f"/{kind}/{name}"
    yield operation, _arn("appconfig", place)


_ANY_OF_ECS: Final = frozenset({"DescribeTaskDefinition", "ListServices"})


def _ecs(operation: str, params: Params) -> Own:
    if operation in _ANY_OF_ECS:
        yield operation, "*"
    elif operation == "CreateExpressGatewayService":
        place = f"service/{params.get('cluster', 'default')}/{params['serviceName']}"
        yield operation, _arn("ecs", place)
    else:
        single = next((params[it] for it in _ECS_ARN if it in params), None)
        several = params.get("serviceDeploymentArns") or params.get("serviceRevisionArns")
        yield from ((operation, it) for it in several or [single])


_ECS_ARN: Final = ("serviceArn", "service", "resourceArn")


def _apprunner(operation: str, params: Params) -> Own:
    if operation in {"ListServices", "ListAutoScalingConfigurations"}:
        yield operation, "*"
        return
    if operation == "CreateService":
        yield operation, _arn("apprunner", f"service/{params['ServiceName']}/0a1b2c")
    for name in ("ServiceArn", "ResourceArn", "AutoScalingConfigurationArn"):
        if name in params:
            yield operation, params[name]
    if operation == "CreateAutoScalingConfiguration":
        name = params["AutoScalingConfigurationName"]
        yield operation, _arn("apprunner", f"autoscalingconfiguration/{name}/1/0a1b2c")


def _batch(operation: str, params: Params) -> Own:
    if operation.startswith(("Describe", "List")):
        yield operation, "*"
    elif operation == "TerminateJob":
        yield operation, _arn("batch", f"job/{params['jobId']}")
    for kind, name in (
        ("job-definition", params.get("jobDefinitionName") or params.get("jobDefinition")),
        ("job-queue", params.get("jobQueue")),
    ):
        if name is not None and not operation.startswith(("Describe", "List")):
            yield operation, name if name.startswith("arn:") else _arn("batch", f"{kind}/{name}")


def _scheduler(operation: str, params: Params) -> Own:
    if operation == "ListSchedules":
        yield operation, "*"
        return
    place = f"schedule/{params.get('GroupName', 'default')}/{params['Name']}"
    yield operation, _arn("scheduler", place)


def _ses(operation: str, params: Params) -> Own:
    """An identity is an address or its domain: here the domain, as accounts usually have it."""
    if operation != "SendEmail":
        yield operation, "*"
        return
    yield operation, _arn("ses", f"identity/{params['FromEmailAddress'].rpartition('@')[2]}")
    if "ConfigurationSetName" in params:
        yield operation, _arn("ses", f"configuration-set/{params['ConfigurationSetName']}")


def _sts(operation: str, _: Params) -> Own:
    yield operation, "*"


_SERVICES: Final[Mapping[str, Callable[[str, Params], Own]]] = {
    "appconfig": _appconfig,
    "apprunner": _apprunner,
    "batch": _batch,
    "ecs": _ecs,
    "events": _events,
    "logs": _logs,
    "s3": _s3,
    "scheduler": _scheduler,
    "secretsmanager": _secrets,
    "ses": _ses,
    "sns": _sns,
    "sqs": _sqs,
    "sts": _sts,
}

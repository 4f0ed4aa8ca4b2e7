"""What the stub answers to calls of services that are known by their paths or by the scope of a signature, not by a target.

Each answer is as large as one of AWS for a small resource.
"""

from __future__ import annotations

import json
from typing import Any, Final

APPLICATION: Final = "arn:aws:ecs:us-east-1:000000000000:service/default/shop"
"""The application that runs on ECS."""
CREATED: Final = 1762941600.0
"""When it was created, in seconds."""
DATA: Final = {"limits": {"rate": 10, "burst": 20}, "features": {"checkout": True, "search": False}}
"""The configuration `shop` of the environment `live`."""
DEFINITION: Final = "arn:aws:batch:us-east-1:000000000000:job-definition/report:1"
"""The definition of the jobs that are submitted."""

_REVISION: Final = (
    "arn:aws:ecs:us-east-1:000000000000:service-revision/default/shop/4980306466373577095"
)
_DEPLOYMENT: Final = (
    "arn:aws:ecs:us-east-1:000000000000:service-deployment/default/shop/ejGvqq2ilnbKT9qj0vLJe"
)
_SERVICE: Final[dict[str, Any]] = {
    "serviceArn": APPLICATION,
    "serviceName": "shop",
    "cluster": "default",
    "status": {"statusCode": "ACTIVE"},
    "currentDeployment": _DEPLOYMENT,
    "activeConfigurations": [
        {
            "serviceRevisionArn": _REVISION,
            "executionRoleArn": "arn:aws:iam::000000000000:role/execution",
            "taskRoleArn": "arn:aws:iam::000000000000:role/shop",
            "cpu": "256",
            "memory": "512",
            "healthCheckPath": "/ping",
            "scalingTarget": {"minTaskCount": 1, "maxTaskCount": 4},
            "primaryContainer": {
                "image": "registry.example/shop:1",
                "containerPort": 8080,
                "environment": [
                    {"name": "PORT", "value": "8080"},
                    {"name": "LEVEL", "value": "info"},
                ],
            },
            "ingressPaths": [{"accessType": "PUBLIC", "endpoint": "shop.ecs.us-east-1.on.aws"}],
            "createdAt": CREATED,
        }
    ],
    "tags": [],
    "createdAt": CREATED,
    "updatedAt": CREATED,
}
BY_TARGET: Final[dict[str, Any]] = {
    "AWSEvents.DescribeEventBus": {
        "Name": "orders",
        "Arn": "arn:aws:events:us-east-1:000000000000:event-bus/orders",
    },
    "AWSEvents.PutEvents": {
        "FailedEntryCount": 0,
        "Entries": [{"EventId": "17793124-05d4-b198-2fde-7ededc63b103"}],
    },
    "AmazonEC2ContainerServiceV20141113.DescribeExpressGatewayService": {"service": _SERVICE},
    "AmazonEC2ContainerServiceV20141113.ListServiceDeployments": {
        "serviceDeployments": [
            {
                "serviceDeploymentArn": _DEPLOYMENT,
                "serviceArn": APPLICATION,
                "clusterArn": "arn:aws:ecs:us-east-1:000000000000:cluster/default",
                "status": "SUCCESSFUL",
                "targetServiceRevisionArn": _REVISION,
                "createdAt": CREATED,
                "finishedAt": CREATED + 90,
            }
        ]
    },
}
"""Answers to calls that name themselves in a header."""

_PROFILES: Final = "/applications/app1234/configurationprofiles"
_ABOUT: Final = {
    "created_at": "2025-11-12 10:00:00+00:00",
    "since": "2025-11-12 10:00:00+00:00",
    "schema": None,
    "description": "what the shop may do",
    "comment": None,
    "rollback_of": None,
}
BY_PATH: Final[dict[str, Any]] = {
    "/applications": {"Items": [{"Id": "app1234", "Name": "shop"}]},
    "/applications/app1234/environments": {"Items": [{"Id": "env1234", "Name": "live"}]},
    _PROFILES: {
        "Items": [
            {"Id": "pro1234", "Name": "live", "LocationUri": "hosted"},
            {"Id": "pro5678", "Name": "live:about", "LocationUri": "hosted"},
        ]
    },
    f"{_PROFILES}/pro5678/hostedconfigurationversions/1": _ABOUT,
    "/configurationsessions": {"InitialConfigurationToken": "t" * 200},
    "/configuration": DATA,
    "/v1/describejobdefinitions": {
        "jobDefinitions": [{"revision": 1, "jobDefinitionArn": DEFINITION}]
    },
    "/v1/submitjob": {
        "jobArn": "arn:aws:batch:us-east-1:000000000000:job/876da822-4198-45f2-a252-6cea32512ea8",
        "jobName": "report",
        "jobId": "876da822-4198-45f2-a252-6cea32512ea8",
    },
    "/v2/email/outbound-emails": {
        "MessageId": "0100018b7d7fbe6a-9d3c0a8e-8a5b-4b0a-9a4e-5a1f3f0c2d11-000000"
    },
}
"""Answers in JSON to calls that are known by their path."""

NEXT_POLL: Final = (
    b"Next-Poll-Configuration-Token: %s\r\nNext-Poll-Interval-In-Seconds: 0\r\nVersion-Label: v1\r\n"
    % (b"t" * 200)
)
"""The headers of a configuration, which may be asked for again at once: so each read is a call."""

BY_SCOPE: Final = {
    "sns": b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    b"<MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult><ResponseMetadata>"
    b"<RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ResponseMetadata></PublishResponse>",
    "sts": b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Arn>arn:aws:iam::000000000000:user/shop</Arn><UserId>AIDAEXAMPLE</UserId><Account>000000000000</Account>"
    b"</GetCallerIdentityResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId>"
    b"</ResponseMetadata></GetCallerIdentityResponse>",
}
"""Answers in XML of services of which one call is known, by the name for which their requests are signed."""


def written(answer: Any) -> bytes:
    """An answer as JSON."""
    return json.dumps(answer).encode()

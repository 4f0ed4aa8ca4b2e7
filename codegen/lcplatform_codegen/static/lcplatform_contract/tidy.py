"""Takes away what contract tests created: everything whose name bears the mark of the run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from lcplatform.errors import LCPlatformError

if TYPE_CHECKING:
    from lcplatform import LCPlatform
    from lcplatform.configuration import Configuration
    from lcplatform.object_store import ObjectStore
    from lcplatform.queue import Queue
    from lcplatform.secrets import Secrets


def tidy(platform: LCPlatform, token: str) -> None:
    """Deletes what it can. What is gone already, or cannot be listed, is no failure of a test."""
    with suppress(LCPlatformError):
        _queues(platform.queue, token)
    with suppress(LCPlatformError):
        _secrets(platform.secrets, token)
    with suppress(LCPlatformError):
        _configurations(platform.configuration, token)
    with suppress(LCPlatformError):
        _buckets(platform.object_store, token)


def _queues(queue: Queue, token: str) -> None:
    for name in [found.name for found in queue.iter_queues() if token in found.name]:
        with suppress(LCPlatformError):
            queue.delete_queue(name)


def _secrets(secrets: Secrets, token: str) -> None:
    for secret in [secret for secret in secrets.iter_secrets() if token in secret.name]:
        with suppress(LCPlatformError):
            secrets.delete_secret(secret.name)


def _configurations(configurations: Configuration, token: str) -> None:
    for found in [it for it in configurations.iter_configurations() if token in it.application]:
        with suppress(LCPlatformError):
            configurations.delete_configuration(found.application, found.environment)


def _buckets(objects: ObjectStore, token: str) -> None:
    for bucket in [bucket.name for bucket in objects.iter_buckets() if token in bucket.name]:
        with suppress(LCPlatformError):
            _empty(objects, bucket)
            objects.delete_bucket(bucket)


def _empty(objects: ObjectStore, bucket: str) -> None:
    for item in list(objects.iter_objects(bucket)):
        objects.delete_object(bucket, item.key)
    with suppress(LCPlatformError):
        for version in list(objects.iter_object_versions(bucket)):
            objects.delete_object(bucket, version.key, version=version.version)

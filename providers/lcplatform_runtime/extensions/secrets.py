"""Rotation of a secret by a function of the application (FR-014)."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Generator
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from lcplatform_runtime.errors import ConflictError, LCPlatformError, Outcome, ValidationError
from lcplatform_runtime.options import CallOptions

if TYPE_CHECKING:
    from lcplatform_runtime.json_value import Json, JsonInput

Value: TypeAlias = "str | bytes | Json"
"""A secret value as it is read."""

_FRESH: Final = CallOptions(bypass_cache=True)
# One body serves both colours: it yields what a call returned, and goes on with the answer, which an async caller awaits.
_Steps: TypeAlias = Generator[Any, Any, str]


class SecretVersion(Protocol):
    """A version of a secret."""

    @property
    def version(self) -> str:
        """Its name."""
        ...


class CurrentSecret(SecretVersion, Protocol):
    """The current version of a secret, with its value."""

    @property
    def value(self) -> Value:
        """The value."""
        ...

    @property
    def etag(self) -> str | None:
        """The mark of the current value."""
        ...


class SecretsClient(Protocol):
    """What a rotation needs of a blocking client."""

    def get_secret(self, name: str, /, *, options: CallOptions | None) -> CurrentSecret: ...

    def put_secret_value(
        self,
        name: str,
        value: Value | JsonInput,
        /,
        *,
        pending: bool,
        if_match: str | None,
        idempotency_key: str | None,
    ) -> SecretVersion: ...

    def restore_version(
        self, name: str, /, *, version: str, if_match: str | None
    ) -> SecretVersion: ...

    def cancel_rotation(self, name: str, /) -> object: ...


class AsyncSecretsClient(Protocol):
    """What a rotation needs of an async client."""

    async def get_secret(self, name: str, /, *, options: CallOptions | None) -> CurrentSecret: ...

    async def put_secret_value(
        self,
        name: str,
        value: Value | JsonInput,
        /,
        *,
        pending: bool,
        if_match: str | None,
        idempotency_key: str | None,
    ) -> SecretVersion: ...

    async def restore_version(
        self, name: str, /, *, version: str, if_match: str | None
    ) -> SecretVersion: ...

    async def cancel_rotation(self, name: str, /) -> object: ...


class SecretRotating:
    """Rotation for blocking clients."""

    def rotate_with(
        self: SecretsClient,
        name: str,
        fn: Callable[[Value], Value | JsonInput],
        /,
        *,
        test: Callable[[Value | JsonInput], object] | None = None,
    ) -> str:
        """Replaces the value of a secret by what `fn` makes of it, and says which version is current then.

        The new value waits as pending while `test` puts it to use. If that raises, or anything else goes wrong, the
        rotation is cancelled, the old value stays, and the error is raised. Where it cannot be known whether the new
        value was stored, a note of the error says what to do. Readers see the old value or the new one, never a mixture.

        Args:
            name: The secret.
            fn: Makes the new value from the current one. It may be called in vain, so it should do nothing else.
            test: Puts the new value to use, and raises if it is not usable.

        Raises:
            ConflictError: another rotation is under way, or somebody else changed the secret meanwhile.
            ResourceNotFoundError: there is no such secret.
        """
        steps = _rotation(self, name, fn, test)
        answer = None
        try:
            while True:
                answer = steps.send(answer)
        except StopIteration as done:
            version: str = done.value
            return version


class AsyncSecretRotating:
    """Rotation for async clients."""

    async def rotate_with(
        self: AsyncSecretsClient,
        name: str,
        fn: Callable[[Value], Value | JsonInput | Awaitable[Value | JsonInput]],
        /,
        *,
        test: Callable[[Value | JsonInput], object | Awaitable[object]] | None = None,
    ) -> str:
        """Replaces the value of a secret by what `fn` makes of it, and says which version is current then.

        The new value waits as pending while `test` puts it to use. If that raises, or anything else goes wrong, the
        rotation is cancelled, the old value stays, and the error is raised. Where it cannot be known whether the new
        value was stored, a note of the error says what to do. Readers see the old value or the new one, never a mixture.

        Args:
            name: The secret.
            fn: Makes the new value from the current one; may be async. It may be called in vain, so it should do
                nothing else.
            test: Puts the new value to use, and raises if it is not usable; may be async.

        Raises:
            ConflictError: another rotation is under way, or somebody else changed the secret meanwhile.
            ResourceNotFoundError: there is no such secret.
        """
        steps = _rotation(self, name, fn, test)
        try:
            step = next(steps)
            while True:
                try:
                    answer = await step if isawaitable(step) else step
                except BaseException as error:  # noqa: BLE001  the steps clean up and raise it again
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as done:
            version: str = done.value
            return version


def _rotation(
    client: SecretsClient | AsyncSecretsClient,
    name: str,
    fn: Callable[[Value], Any],
    test: Callable[[Any], Any] | None,
) -> _Steps:
    current: CurrentSecret = yield client.get_secret(name, options=_FRESH)
    value = yield fn(current.value)
    # The etag makes sure that the value was made from the current one; a pending version keeps a second rotation out.
    try:
        pending: SecretVersion = yield client.put_secret_value(
            name, value, pending=True, if_match=current.etag, idempotency_key=os.urandom(16).hex()
        )
    except BaseException as error:
        if getattr(error, "outcome", Outcome.UNKNOWN) is Outcome.UNKNOWN:
            # It cannot be told from one that another rotation put there, so it is not withdrawn.
            error.add_note("Perhaps the new version waits as pending: call cancel_rotation then.")
        raise
    try:
        if test is not None:
            yield test(value)
        return (yield from _promotion(client, name, pending.version, value, current))
    except BaseException as error:
        yield from _withdrawal(client, name, error)
        raise


def _promotion(
    client: SecretsClient | AsyncSecretsClient,
    name: str,
    version: str,
    value: Any,
    before: CurrentSecret,
) -> _Steps:
    """Makes the pending version current."""
    try:
        promoted: SecretVersion = yield client.restore_version(
            name, version=version, if_match=before.etag
        )
    except LCPlatformError as error:
        if isinstance(error, ConflictError) or error.outcome is Outcome.UNKNOWN:
            # Perhaps it was done and the answer got lost: a repeated call finds an etag that it changed itself.
            now: CurrentSecret = yield client.get_secret(name, options=_FRESH)
            if now.version != before.version and now.value == _as_read(value):
                return now.version
        raise
    return promoted.version


def _withdrawal(
    client: SecretsClient | AsyncSecretsClient, name: str, error: BaseException
) -> Generator[Any, Any, None]:
    """Gives up the pending version. If that fails too, the error that led here says so."""
    try:
        yield client.cancel_rotation(name)
    except LCPlatformError as failure:
        error.add_note(f"The pending version still waits, call cancel_rotation: {failure}")


def _as_read(value: Any) -> Value:
    """The value as it is read back: text that is a JSON object comes as one."""
    if isinstance(value, bytes):
        return value
    from lcplatform_runtime.json_value import Json

    if not isinstance(value, str):
        return value if isinstance(value, Json) else Json(value)
    try:
        parsed = Json.from_text(value)
    except ValidationError:
        return value
    return parsed if parsed.is_object else value

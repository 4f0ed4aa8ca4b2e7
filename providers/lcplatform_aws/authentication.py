"""Authentication by OpenID Connect: Okta, Auth0, Entra ID, or whoever else has a discovery URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr
from typing_extensions import override

from lcplatform.authentication.driver import AuthenticationDriver
from lcplatform.authentication.models import (
    Claims,
    ClientCredentialsTokenRequest,
    ClientCredentialsTokenResponse,
    DeviceFlowStatus,
    ExchangeCodeRequest,
    ExchangeCodeResponse,
    GetLoginUrlRequest,
    GetLoginUrlResponse,
    GetUserInfoRequest,
    GetUserInfoResponse,
    IntrospectTokenRequest,
    IntrospectTokenResponse,
    LogoutUrlRequest,
    LogoutUrlResponse,
    PollDeviceFlowRequest,
    PollDeviceFlowResponse,
    RefreshTokenRequest,
    RefreshTokenResponse,
    RevokeTokenRequest,
    RevokeTokenResponse,
    StartDeviceFlowRequest,
    StartDeviceFlowResponse,
    TokenSet,
    VerifyTokenRequest,
    VerifyTokenResponse,
)
from lcplatform.authentication.support import AuthenticationCapability, AuthenticationLimits
from lcplatform.secrets.models import GetSecretRequest
from lcplatform.secrets.operations import GET_SECRET
from lcplatform_aws.errors import translate
from lcplatform_runtime.clock import SYSTEM
from lcplatform_runtime.errors import LCPlatformError, Outcome, ServiceUnavailableError
from lcplatform_runtime.oidc import records
from lcplatform_runtime.oidc.discovery import Kept
from lcplatform_runtime.oidc.relying_party import RelyingParty
from lcplatform_runtime.support import Support
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from lcplatform.secrets.driver import SecretsDriver
    from lcplatform_aws.authentication_options import AuthenticationOptions
    from lcplatform_runtime.clock import Clock
    from lcplatform_runtime.oidc.transport import Transport

_LIMITS: Final = AuthenticationLimits(max_token_bytes=16_384)
_SECRET_LASTS: Final = 300.0
"""For how many seconds a secret is taken for current that nobody refuses."""

_claims = trusted(Claims)
_verified = trusted(VerifyTokenResponse)
_REVOKED: Final = RevokeTokenResponse()


class OidcAuthentication(AuthenticationDriver):
    """A client of one issuer. What issuers have in common, and how they differ, is known to the relying party of the runtime.

    The client's secret comes from Secrets Manager where it is given by name. It is read again every five minutes, and when
    the issuer refuses it: so it can be rotated while it is in use.
    """

    def __init__(
        self,
        options: AuthenticationOptions,
        secrets: SecretsDriver,
        /,
        *,
        transport: Transport | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self._secrets = secrets
        self._support = Support(
            capabilities=frozenset(
                it for it in AuthenticationCapability if it.value not in options.lacking
            ),
            limits=_LIMITS.by_name(),
        )
        name = options.client_secret_name
        secret = None if name is None else Kept(clock, lambda: (self._read(name), _SECRET_LASTS))
        self._party = RelyingParty(options, transport=transport, clock=clock, secret=secret)

    @property
    @override
    def support(self) -> Support:
        return self._support

    def _read(self, name: str) -> SecretStr:
        """The client's secret. That it cannot be had is the platform's own trouble, not its caller's."""
        try:
            value = self._secrets.get_secret(GetSecretRequest(name=name)).value
        except (ClientError, BotoCoreError, LCPlatformError) as error:
            known = error if isinstance(error, LCPlatformError) else translate(error, GET_SECRET)
            raise ServiceUnavailableError(
                f"the secret {name!r} with the secret of this platform's client cannot be read",
                retryable=known is not None and known.retryable,
                outcome=Outcome.NOT_EXECUTED,
            ) from error
        if not isinstance(value, str):
            raise ServiceUnavailableError(
                f"the secret {name!r} is not the text that is the secret of this platform's client",
                retryable=False,
                outcome=Outcome.NOT_EXECUTED,
            )
        return SecretStr(value)

    # --- logging in and out

    @override
    def get_login_url(self, request: GetLoginUrlRequest, /) -> GetLoginUrlResponse:
        login = self._party.login(
            request.redirect_uri,
            scopes=request.scopes,
            state=request.state,
            nonce=request.nonce,
            audience=request.audience,
            parameters=request.parameters,
        )
        return GetLoginUrlResponse(**_fields(login))

    @override
    def exchange_code(self, request: ExchangeCodeRequest, /) -> ExchangeCodeResponse:
        tokens = self._party.exchange(
            request.code,
            redirect_uri=request.redirect_uri,
            code_verifier=request.code_verifier,
            nonce=request.nonce,
            issuer=request.issuer,
        )
        return ExchangeCodeResponse(tokens=_token_set(tokens))

    @override
    def refresh_token(self, request: RefreshTokenRequest, /) -> RefreshTokenResponse:
        tokens = self._party.refresh(request.refresh_token, request.scopes)
        return RefreshTokenResponse(tokens=_token_set(tokens))

    @override
    def client_credentials_token(
        self, request: ClientCredentialsTokenRequest, /
    ) -> ClientCredentialsTokenResponse:
        tokens = self._party.client_credentials(request.scopes, request.audience)
        return ClientCredentialsTokenResponse(tokens=_token_set(tokens))

    @override
    def start_device_flow(self, request: StartDeviceFlowRequest, /) -> StartDeviceFlowResponse:
        flow = self._party.start_device_flow(request.scopes, request.audience)
        return StartDeviceFlowResponse(**_fields(flow))

    @override
    def poll_device_flow(self, request: PollDeviceFlowRequest, /) -> PollDeviceFlowResponse:
        poll = self._party.poll_device_flow(request.device_code, request.interval)
        return PollDeviceFlowResponse(
            status=DeviceFlowStatus(poll.status),
            tokens=None if poll.tokens is None else _token_set(poll.tokens),
            interval=poll.interval,
        )

    @override
    def logout_url(self, request: LogoutUrlRequest, /) -> LogoutUrlResponse:
        url = self._party.logout(
            id_token=request.id_token, redirect_uri=request.redirect_uri, state=request.state
        )
        return LogoutUrlResponse(url=url)

    # --- tokens that there are

    @override
    def verify_token(self, request: VerifyTokenRequest, /) -> VerifyTokenResponse:
        found = self._party.verifier.verify(
            request.token,
            kind=request.kind.value,
            audience=request.audience,
            required_scopes=request.required_scopes,
            nonce=request.nonce,
        )
        return _verified(claims=_claims_of(found))

    @override
    def get_user_info(self, request: GetUserInfoRequest, /) -> GetUserInfoResponse:
        user = self._party.user(request.access_token, request.subject)
        return GetUserInfoResponse(**_fields(user))

    @override
    def revoke_token(self, request: RevokeTokenRequest, /) -> RevokeTokenResponse:
        self._party.revoke(request.token, None if request.kind is None else request.kind.value)
        return _REVOKED

    @override
    def introspect_token(self, request: IntrospectTokenRequest, /) -> IntrospectTokenResponse:
        kind = None if request.kind is None else request.kind.value
        return IntrospectTokenResponse(**_fields(self._party.introspect(request.token, kind)))


def _fields(record: object) -> dict[str, Any]:
    """The fields of a record, which are those of a message."""
    return {name: getattr(record, name) for name in record.__slots__}  # type: ignore[attr-defined]  # of dataclasses


def _claims_of(found: records.Claims) -> Claims:
    return _claims(**_fields(found))


def _token_set(tokens: records.Tokens) -> TokenSet:
    claims = None if tokens.claims is None else _claims_of(tokens.claims)
    return TokenSet(**{**_fields(tokens), "claims": claims})

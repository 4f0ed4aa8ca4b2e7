"""Authentication with an issuer on this machine (FR-053 to FR-058): over HTTP, as with any other."""

from __future__ import annotations

import secrets
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

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
from lcplatform_mock.gate import gated
from lcplatform_mock.issuer.settings import AuthenticationSettings
from lcplatform_mock.issuer.state import SELF, Issued, Store, made_identity
from lcplatform_mock.loopback import Loopback
from lcplatform_mock.service import Service
from lcplatform_mock.world import World
from lcplatform_runtime.errors import ServiceUnavailableError
from lcplatform_runtime.oidc import records
from lcplatform_runtime.oidc.issuers import IssuerSettings, Quirks
from lcplatform_runtime.oidc.relying_party import RelyingParty
from lcplatform_runtime.support import Support
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from lcplatform_mock.issuer.site import IssuerHandler, Site

LIMITS: Final = AuthenticationLimits(max_token_bytes=16_384)
SUPPORT: Final = Support(capabilities=frozenset(AuthenticationCapability), limits=LIMITS.by_name())

_claims = trusted(Claims)
_verified = trusted(VerifyTokenResponse)
_REVOKED: Final = trusted(RevokeTokenResponse)()
# Its access tokens say what they are, and it takes either name for an audience.
_QUIRKS: Final = Quirks(typed_access_tokens=True)


@gated(AuthenticationDriver)
class MockAuthentication(Service[Issued], AuthenticationDriver):
    """A client of an issuer that the mock itself is. The issuer opens at first use and answers whoever is on this machine.

    The driver knows of it what any client would: its URL, and the client's id and secret.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world, Issued())
        self._settings = world.settings.authentication or AuthenticationSettings()
        self._store = Store(world.journal, lambda: self._state)
        if SELF not in self._state.identities:
            self._store.put("identities", SELF, made_identity())
        self._opening = threading.Lock()
        self._http: Loopback | None = None
        self._site: Site | None = None
        self._known: RelyingParty | None = None

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    # --- logging in and out

    @override
    def get_login_url(self, request: GetLoginUrlRequest, /) -> GetLoginUrlResponse:
        login = self._party().login(
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
        tokens = self._party().exchange(
            request.code,
            redirect_uri=request.redirect_uri,
            code_verifier=request.code_verifier,
            nonce=request.nonce,
            issuer=request.issuer,
        )
        return ExchangeCodeResponse(tokens=_token_set(tokens))

    @override
    def refresh_token(self, request: RefreshTokenRequest, /) -> RefreshTokenResponse:
        tokens = self._party().refresh(request.refresh_token, request.scopes)
        return RefreshTokenResponse(tokens=_token_set(tokens))

    @override
    def client_credentials_token(
        self, request: ClientCredentialsTokenRequest, /
    ) -> ClientCredentialsTokenResponse:
        tokens = self._party().client_credentials(request.scopes, request.audience)
        return ClientCredentialsTokenResponse(tokens=_token_set(tokens))

    @override
    def start_device_flow(self, request: StartDeviceFlowRequest, /) -> StartDeviceFlowResponse:
        flow = self._party().start_device_flow(request.scopes, request.audience)
        return StartDeviceFlowResponse(**_fields(flow))

    @override
    def poll_device_flow(self, request: PollDeviceFlowRequest, /) -> PollDeviceFlowResponse:
        poll = self._party().poll_device_flow(request.device_code, request.interval)
        return PollDeviceFlowResponse(
            status=DeviceFlowStatus(poll.status),
            tokens=None if poll.tokens is None else _token_set(poll.tokens),
            interval=poll.interval,
        )

    @override
    def logout_url(self, request: LogoutUrlRequest, /) -> LogoutUrlResponse:
        url = self._party().logout(
            id_token=request.id_token, redirect_uri=request.redirect_uri, state=request.state
        )
        return LogoutUrlResponse(url=url)

    # --- tokens that there are

    @override
    def verify_token(self, request: VerifyTokenRequest, /) -> VerifyTokenResponse:
        found = self._party().verifier.verify(
            request.token,
            kind=request.kind.value,
            audience=request.audience,
            required_scopes=request.required_scopes,
            nonce=request.nonce,
        )
        return _verified(claims=_claims_of(found))

    @override
    def get_user_info(self, request: GetUserInfoRequest, /) -> GetUserInfoResponse:
        user = self._party().user(request.access_token, request.subject)
        return GetUserInfoResponse(**_fields(user))

    @override
    def revoke_token(self, request: RevokeTokenRequest, /) -> RevokeTokenResponse:
        self._party().revoke(request.token, None if request.kind is None else request.kind.value)
        return _REVOKED

    @override
    def introspect_token(self, request: IntrospectTokenRequest, /) -> IntrospectTokenResponse:
        kind = None if request.kind is None else request.kind.value
        return IntrospectTokenResponse(**_fields(self._party().introspect(request.token, kind)))

    # --- the issuer

    def _party(self) -> RelyingParty:
        """What speaks with the issuer, which is open then."""
        if self._known is None:
            with self._opening:
                if self._known is None:
                    self._known = self._open()
        return self._known

    def _open(self) -> RelyingParty:
        from lcplatform_mock.issuer.people import People
        from lcplatform_mock.issuer.server import Server
        from lcplatform_mock.issuer.site import Site
        from lcplatform_mock.issuer.tokens import Tokens

        settings = self._settings
        secret = settings.client.client_secret or SecretStr(secrets.token_urlsafe(32))
        client = settings.client.model_copy(update={"client_secret": secret})
        http = self._http = self._listening()
        with self._lock:
            self._moved()
            self._store.put("identities", SELF, self._state.identities[SELF])
        self._world.flush()
        people = People(settings, client)
        tokens = Tokens(settings, self._store, people, self._clock, http.base)
        server = Server(http.base, people, tokens, self._store, settings.lifetimes)
        self._site = Site(server, self._lock, self._world.flush, settings.algorithm)
        party = IssuerSettings(
            discovery_url=http.base,
            client_id=client.client_id,
            client_secret=secret,
            scopes=settings.login_scopes,
            audience=settings.audience,
            leeway=timedelta(),
        )
        return RelyingParty(party, clock=self._clock, quirks=_QUIRKS)

    def _listening(self) -> Loopback:
        """Opens where the issuer was before, since its tokens name it by that."""
        host, _, port = self._settings.listen.rpartition(":")
        wanted = int(port) or self._state.identities[SELF].port
        try:
            return Loopback(f"{host}:{wanted}", self._handler)
        except OSError as error:
            raise ServiceUnavailableError(
                f"the issuer cannot listen on {host}:{wanted}, by which its tokens name it: {error.strerror}"
            ) from error

    def _handler(self, *connection: object) -> IssuerHandler:
        from lcplatform_mock.issuer.site import IssuerHandler

        self._party()  # one who is quick waits until there is a site
        assert self._site is not None
        return IssuerHandler(self._site, *connection)

    # --- the state

    @override
    def restore(self, snapshot: Issued) -> None:
        super().restore(snapshot)
        if self._known is not None:
            self._known.forget()

    @override
    def settle(self) -> None:
        with self._lock:
            self._store.sweep(self._clock.now())
        self._world.flush()

    @override
    def close(self) -> None:
        with self._opening:
            if self._http is not None:
                self._http.close()

    @override
    def _moved(self) -> None:
        if self._http is not None:
            self._state.identities[SELF].port = self._http.port

    @override
    def _keep(self) -> None:
        self._store.keep()


def _fields(record: object) -> dict[str, Any]:
    """The fields of a record, which are those of a message."""
    return {name: getattr(record, name) for name in record.__slots__}  # type: ignore[attr-defined]  # of dataclasses


def _claims_of(found: records.Claims) -> Claims:
    return _claims(**_fields(found))


def _token_set(tokens: records.Tokens) -> TokenSet:
    claims = None if tokens.claims is None else _claims_of(tokens.claims)
    return TokenSet(**{**_fields(tokens), "claims": claims})

"""The protocol, by Authlib's server, on the state of one mock (OAuth 2.0 with its best practices, OpenID Connect Core)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from authlib.oauth2 import AuthorizationServer, OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core.grants.util import validate_request_prompt
from typing_extensions import override

from lcplatform_mock.issuer.grants import (
    ClientGrant,
    CodeGrant,
    DeviceGrant,
    RefreshGrant,
    RequiredChallenge,
)
from lcplatform_mock.issuer.http import Answer, OAuthRequest, json_answer
from lcplatform_mock.issuer.people import People, User
from lcplatform_mock.issuer.settings import Lifetimes
from lcplatform_mock.issuer.state import Store
from lcplatform_mock.issuer.tokens import Tokens


class _Issuer(IssuerParameter):
    """Says in every answer to a login who gives it (RFC 9207), so that no other issuer can be taken for this one."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    @override
    def get_issuer(self) -> str:
        return self._issuer


def _check_supported(parameters: Mapping[str, str], redirect_uri: str) -> None:
    """Refuses what asks for something else than the query says (OpenID Connect Core 1.0, section 6), or elsewhere."""
    refusal = next((error for name, error in _ELSEWHERE.items() if name in parameters), None)
    if refusal is None and parameters.get("response_mode", "query") != "query":
        refusal = "invalid_request"
    if refusal is not None:
        raise OAuth2Error(error=refusal, redirect_uri=redirect_uri)


_ELSEWHERE: Final = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
}


class Server(AuthorizationServer):
    """Answers requests to the authorization and the token endpoint.

    Attributes:
        issuer: its name, which is its URL.
        slower: how much longer a device waits that asks too soon.
    """

    slower: Final = timedelta(seconds=5)

    def __init__(
        self, issuer: str, people: People, tokens: Tokens, store: Store, lifetimes: Lifetimes
    ) -> None:
        super().__init__()
        self.issuer = issuer
        self.people = people
        self.tokens = tokens
        self.store = store
        self.lifetimes = lifetimes
        self._names_itself = _Issuer(issuer)
        self.register_grant(CodeGrant, [RequiredChallenge()])
        for grant in (RefreshGrant, ClientGrant, DeviceGrant):
            self.register_grant(grant)

    def authorize(self, request: OAuthRequest, user: User | None) -> Answer | None:
        """Sends a user back to where they came from, with a code. `None`: they must say who they are first.

        What is wrong with the client or with where its users go is told to the user alone.
        """
        request.user = user
        try:
            grant = self.get_consent_grant(request, end_user=user)  # type: ignore[no-untyped-call]
            _check_supported(request.parameters, grant.redirect_uri)
            validate_request_prompt(grant, grant.redirect_uri)
        except OAuth2Error as error:
            error.state = request.parameters.get("state")
            answer = self.handle_error_response(request, error)
        else:
            if user is None and self.people.asks:
                return None
            answer = self.create_authorization_response(request, grant_user=user, grant=grant)
        assert isinstance(answer, Answer)
        self._names_itself.add_issuer_parameter(self, answer)
        return answer

    @override
    def query_client(self, client_id: str) -> ClientMixin:
        return self.people.clients.get(client_id)  # type: ignore[return-value]  # Authlib expects it, its stubs do not

    @override
    def save_token(self, token: Mapping[str, object], request: object) -> None:
        """Nothing: what must be known of a token was kept when it was made."""

    @override
    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    @override
    def create_oauth2_request(self, request: OAuthRequest) -> OAuthRequest:
        return request

    @override
    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        # The types of Authlib's stubs are not those that it calls this with.
        if isinstance(body, Mapping):
            return json_answer(status, body, dict(headers))
        return Answer(status, {**dict(headers), "Cache-Control": "no-store"}, str(body).encode())

"""The issuer's pages and endpoints by their paths, and the HTTP server that answers for them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from typing_extensions import override

from lcplatform_mock.issuer.endpoints import (
    DeviceAuthorization,
    Introspection,
    Revocation,
    userinfo,
)
from lcplatform_mock.issuer.http import Answer, OAuthRequest, Question, json_answer
from lcplatform_mock.issuer.keys import FRESH
from lcplatform_mock.issuer.pages import device_form, login_form, page
from lcplatform_mock.issuer.people import USER_GRANTS, People, User
from lcplatform_mock.issuer.server import Server
from lcplatform_mock.issuer.state import Device
from lcplatform_mock.loopback import Handler
from lcplatform_runtime.oidc.issuers import WELL_KNOWN
from lcplatform_runtime.oidc.login import with_query

_LONGEST_FORM: Final = 256 * 1024
# What the forms add to what a client asked for.
_OWN: Final = frozenset({"username", "password"})


class Site:
    """Everything that an issuer answers."""

    def __init__(
        self,
        server: Server,
        lock: threading.Lock,
        flush: Callable[[], None],
        algorithm: str,
    ) -> None:
        """`lock` is that of the state; `flush` keeps what an answer tells of before it is given."""
        self._server = server
        self._people: People = server.people
        self._lock = lock
        self._flush = flush
        self._algorithm = algorithm
        self.host = urlsplit(server.issuer).netloc
        self._routes: dict[tuple[str, str], Callable[[OAuthRequest], Answer]] = {
            ("GET", WELL_KNOWN): self._discovery,
            ("GET", "/.well-known/oauth-authorization-server"): self._discovery,
            ("GET", "/jwks"): self._jwks,
            ("GET", "/authorize"): self._authorize,
            ("POST", "/authorize"): self._authorize,
            ("POST", "/token"): self._token,
            ("POST", "/revoke"): lambda request: self._endpoint(Revocation(server), request),
            ("POST", "/introspect"): lambda request: self._endpoint(Introspection(server), request),
            ("POST", "/device_authorization"): self._device_authorization,
            ("GET", "/userinfo"): self._userinfo,
            ("POST", "/userinfo"): self._userinfo,
            ("GET", "/device"): self._device,
            ("POST", "/device"): self._device,
            ("GET", "/logout"): self._logout,
            ("POST", "/logout"): self._logout,
        }

    def answer(self, question: Question) -> Answer:
        """The answer to a request. What it changed is kept by then."""
        route = self._routes.get((question.method, question.path))
        if route is None:
            return json_answer(404, {"error": "not_found"})
        try:
            request = OAuthRequest(question, self._server.issuer)
            with self._lock:
                return route(request)
        except OAuth2Error as error:
            return self._told(error)
        except ValueError:
            # A form with too many fields; or Authlib quotes what may not stand in its errors.
            return json_answer(400, {"error": "invalid_request"})
        finally:
            self._flush()

    # --- what the issuer says of itself

    def _discovery(self, request: OAuthRequest) -> Answer:
        issuer = self._server.issuer
        methods = ["client_secret_basic", "client_secret_post"]
        return _published(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "userinfo_endpoint": f"{issuer}/userinfo",
                "jwks_uri": f"{issuer}/jwks",
                "revocation_endpoint": f"{issuer}/revoke",
                "introspection_endpoint": f"{issuer}/introspect",
                "device_authorization_endpoint": f"{issuer}/device_authorization",
                "end_session_endpoint": f"{issuer}/logout",
                "scopes_supported": list(self._people.scopes),
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": [*USER_GRANTS, "client_credentials"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [self._algorithm],
                "token_endpoint_auth_methods_supported": [*methods, "none"],
                "revocation_endpoint_auth_methods_supported": [*methods, "none"],
                "introspection_endpoint_auth_methods_supported": methods,
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
                "request_parameter_supported": False,
                "request_uri_parameter_supported": False,
            }
        )

    def _jwks(self, request: OAuthRequest) -> Answer:
        tokens = self._server.tokens
        return _published(tokens.keys.published(tokens.now()))

    # --- what users see

    def _authorize(self, request: OAuthRequest) -> Answer:
        user, wrong = self._user(request, request.parameters.get("login_hint"))
        answer = self._server.authorize(request, user)
        if answer is not None:
            return answer
        kept = [(name, it) for name, it in request.parameters.items() if name not in _OWN]
        return login_form(request.parameters["client_id"], kept, wrong=wrong)

    def _device(self, request: OAuthRequest) -> Answer:
        user_code = request.parameters.get("user_code", "")
        found = self._waiting(user_code)
        decision = request.parameters.get("decision", "allow" if not self._people.asks else "")
        user, wrong = self._user(request, None)
        if found is None or user is None or decision not in {"allow", "deny"}:
            unknown = found is None and bool(user_code)
            return device_form(user_code, asks=self._people.asks, wrong=wrong or unknown)
        key, device = found
        if decision == "allow":
            device.subject = user.name
        else:
            device.denied = True
        self._server.store.put("devices", key, device)
        done = "The device is connected" if decision == "allow" else "The device was refused"
        return page(200, done)

    def _logout(self, request: OAuthRequest) -> Answer:
        """Ends a login by its id token (OpenID Connect RP-Initiated Logout 1.0), and goes where its client allows."""
        parameters, tokens = request.parameters, self._server.tokens
        claims = tokens.id_token(parameters.get("id_token_hint", ""))
        login = None if claims is None else tokens.login(str(claims.get("sid")))
        if login is None or parameters.get("client_id") not in {None, login.client_id}:
            return page(400, "This logout belongs to no login")
        tokens.end(login)
        there = parameters.get("post_logout_redirect_uri")
        client = self._people.clients.get(login.client_id)
        if there is None or client is None or there not in client.post_logout_redirect_uris:
            return page(200, "Logged out")
        return Answer(302, {"Location": with_query(there, {"state": parameters.get("state")})}, b"")

    def _user(self, request: OAuthRequest, hint: str | None) -> tuple[User | None, bool]:
        """Who it is, and whether what they said of themselves was wrong."""
        name, password = (request.form.get(it) for it in ("username", "password"))
        if name is None or password is None:
            return self._people.without_form(hint), False
        user = self._people.with_password(name, password)
        return user, user is None

    def _waiting(self, user_code: str) -> tuple[str, Device] | None:
        """The device that shows this code and still waits."""
        plain = _plain(user_code)
        now = self._server.tokens.now()
        for key, device in self._server.store.state.devices.items():
            open_ = device.subject is None and not device.denied and now < device.expires_at
            if open_ and _plain(device.user_code) == plain:
                return key, device
        return None

    # --- what clients ask

    def _token(self, request: OAuthRequest) -> Answer:
        answer: object = self._server.create_token_response(request)
        assert isinstance(answer, Answer)
        return answer

    def _device_authorization(self, request: OAuthRequest) -> Answer:
        return self._endpoint(DeviceAuthorization(self._server, request), request)

    def _userinfo(self, request: OAuthRequest) -> Answer:
        return userinfo(self._server.tokens, request)

    def _endpoint(self, endpoint: Callable[[Any], Any], request: OAuthRequest) -> Answer:
        # Endpoints of Authlib are typed loosely.
        return self._server.handle_response(*endpoint(request))

    def _told(self, error: OAuth2Error) -> Answer:
        status, body, headers = error()
        return self._server.handle_response(status, body, headers)


def _plain(user_code: str) -> str:
    """A code as users may enter it: in any case, with or without its hyphen."""
    return "".join(it for it in user_code.upper() if it.isalnum())


def _published(content: Mapping[str, object]) -> Answer:
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": f"public, max-age={int(FRESH.total_seconds())}",
    }
    return Answer(200, headers, json.dumps(content).encode())


class IssuerHandler(Handler[Site]):
    """One connection to an issuer."""

    methods = frozenset({"GET", "POST"})

    @override
    def answer(self) -> None:
        lengths = self.headers.get_all("Content-Length", ["0"])
        length = lengths[0]
        if "Transfer-Encoding" in self.headers or len(lengths) > 1:
            # Where it is not certain how long a body is, the next request could hide in it.
            self._give(json_answer(400, {"error": "invalid_request"}), ends=True)
        elif not self._is_meant():
            # Another name that leads here: a page elsewhere tries to read what this one says (DNS rebinding).
            self._give(json_answer(421, {"error": "misdirected_request"}), ends=True)
        elif not length.isdecimal() or int(length) > _LONGEST_FORM:
            self._give(json_answer(413, {"error": "invalid_request"}), ends=True)
        else:
            form = self.rfile.read(int(length)).decode(errors="replace")
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._give(self.site.answer(Question(self.command, self.path, headers, form)))

    def _is_meant(self) -> bool:
        host, port = self.headers.get("Host", ""), self.site.host.rpartition(":")[2]
        return host in {self.site.host, f"localhost:{port}", f"127.0.0.1:{port}"}

    def _give(self, answer: Answer, *, ends: bool = False) -> None:
        if ends:
            self.drain()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if ends:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.body)

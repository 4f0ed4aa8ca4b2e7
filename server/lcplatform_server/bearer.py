"""Lets nobody call who does not show the server's token."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import grpc
from typing_extensions import override

from lcplatform_grpc.errors import CODES, trailers_of
from lcplatform_grpc.metadata import AUTHORIZATION, bearer
from lcplatform_runtime.errors import AuthenticationError


class Bearer(grpc.ServerInterceptor):
    """Refuses calls without the token (RFC 6750), of health checks and reflection as well."""

    def __init__(self, token: str) -> None:
        self._expected = bearer(token).encode()

    @override
    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = continuation(handler_call_details)
        shown = [
            value
            for key, value in handler_call_details.invocation_metadata or ()
            if key == AUTHORIZATION
        ]
        if len(shown) == 1 and hmac.compare_digest(_bytes(shown[0]), self._expected):
            return handler
        return _REFUSALS[_form(handler)]


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _form(handler: grpc.RpcMethodHandler[Any, Any] | None) -> tuple[bool, bool]:
    if handler is None:
        return False, False
    return bool(handler.request_streaming), bool(handler.response_streaming)


def _refuse(_: object, context: grpc.ServicerContext) -> NoReturn:
    text, trailers = trailers_of(
        AuthenticationError("the server asks for its token, and this call does not show it")
    )
    context.set_trailing_metadata(trailers)
    context.abort(CODES["AUTHENTICATION"], text)


_REFUSALS: Final[Mapping[tuple[bool, bool], grpc.RpcMethodHandler[Any, Any]]] = {
    (False, False): grpc.unary_unary_rpc_method_handler(_refuse),
    (False, True): grpc.unary_stream_rpc_method_handler(_refuse),
    (True, False): grpc.stream_unary_rpc_method_handler(_refuse),
    (True, True): grpc.stream_stream_rpc_method_handler(_refuse),
}
"""What answers in the place of each form of call."""

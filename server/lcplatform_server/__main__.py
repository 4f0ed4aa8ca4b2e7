"""`lcplatform serve`: a provider behind a gRPC server, until it is told to stop; `lcplatform deploy`: an application."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from lcplatform_runtime.errors import FieldViolation, LCPlatformError, ValidationError

if TYPE_CHECKING:
    from lcplatform import LCPlatform


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the server has stopped as it was told, 2 when it cannot run as it should."""
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        print(
            f"lcplatform: {error.name} is missing: pip install 'lcplatform[server]'",
            file=sys.stderr,
        )
        return 2
    except LCPlatformError as error:
        print(f"lcplatform: {error}", file=sys.stderr)
        return 2
    return 0


_ENDING: Final = (signal.SIGTERM, signal.SIGINT)
_EXTRA: Final = frozenset({"google", "grpc", "grpc_health", "grpc_reflection"})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lcplatform", description="Cloud services behind one interface."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="serve a provider over gRPC"))
    _add_deploy(commands.add_parser("deploy", help="deploy an application with what it needs"))
    return parser


def _add_platform(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--provider", help="the provider, such as mock or aws; from the settings where absent"
    )
    command.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        type=_pair,
        help="an option of the provider; may be given several times",
    )
    command.add_argument(
        "--config", type=Path, help="a lcplatform.toml; the environment wins over it"
    )


def _add_deploy(deploy: argparse.ArgumentParser) -> None:
    deploy.set_defaults(run=_deploy)
    deploy.add_argument("file", type=Path, help="the file that says what is deployed (app.toml)")
    _add_platform(deploy)
    deploy.add_argument(
        "--detach",
        action="store_true",
        help="do not stay in the foreground, which only the mock does",
    )


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.set_defaults(run=_serve)
    _add_platform(serve)
    serve.add_argument(
        "--listen", default="127.0.0.1:50051", metavar="HOST:PORT", help="port 0 takes a free one"
    )
    serve.add_argument(
        "--control",
        action="store_true",
        help="offer control over a mock's clock and faults (loopback only)",
    )
    serve.add_argument("--threads", type=int, help="how many ordinary calls run at a time")
    serve.add_argument("--long-poll-threads", type=int, help="how many waiting calls run at a time")
    serve.add_argument("--stream-threads", type=int, help="how many transfers run at a time")
    serve.add_argument("--answer-threads", type=int, help="how many watches are open at a time")
    serve.add_argument(
        "--max-message-bytes", type=int, help="the largest message to take or to send"
    )
    serve.add_argument(
        "--grace", type=float, help="for how many seconds calls may go on when the server stops"
    )
    serve.add_argument("--certificate-chain", type=Path, help="the server's certificates, in PEM")
    serve.add_argument("--private-key", type=Path, help="their key, in PEM")
    serve.add_argument("--client-certificates", type=Path, help="what vouches for clients, in PEM")
    serve.add_argument(
        "--token-file", type=Path, help="a file with the token that every call must show"
    )
    serve.add_argument(
        "--ready-file",
        type=Path,
        help="a file that is written with the address once calls are taken",
    )
    serve.add_argument(
        "--log", action="store_true", help="write a record of every call to standard error"
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _serve(given: argparse.Namespace) -> None:
    from lcplatform_runtime.model import build
    from lcplatform_server.server import Server
    from lcplatform_server.settings import ServerSettings

    if given.log:
        import logging

        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
        )
    stop = _told_to_stop()
    chosen = {name: getattr(given, name) for name in ServerSettings.model_fields if name != "token"}
    chosen["token"] = None if given.token_file is None else _token(given.token_file)
    settings = build(
        ServerSettings, **{name: value for name, value in chosen.items() if value is not None}
    )
    with _platform(given, dict(given.option)) as platform:
        platform.describe()  # a provider that cannot be connected is found out before anybody calls
        with Server(platform, settings) as server:
            _settle()
            _ready(server.endpoint, given.ready_file)
            stop.wait()
            for number in _ENDING:  # whoever cannot await the grace says so again
                signal.signal(number, signal.SIG_DFL)
            _say("stopping")


def _deploy(given: argparse.Namespace) -> None:
    from lcplatform_server.deploy import deploy

    for number in _ENDING:
        signal.signal(number, _stop_here)
    try:
        deploy(
            given.file,
            provider=given.provider,
            config=given.config,
            options=dict(given.option),
            detach=given.detach,
            say=_say,
            wait=threading.Event().wait,
        )
    except _ToldToStop:
        _say("stopped")


class _ToldToStop(BaseException):
    """Whatever is under way is given up: what the platform started ends with it."""


def _stop_here(*_: object) -> NoReturn:
    for number in _ENDING:  # whoever cannot await the end says so again
        signal.signal(number, signal.SIG_DFL)
    raise _ToldToStop


def _told_to_stop() -> threading.Event:
    """Is set when the process is asked to end."""
    stop = threading.Event()
    for number in _ENDING:
        signal.signal(number, lambda *_: stop.set())
    return stop


def _token(file: Path) -> str:
    """The token in a file. It is on no command line, where others could see it."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        reason = "token_file must be a file that can be read, with a token"
    raise ValidationError(reason, violations=[FieldViolation("token_file", reason)])


def _platform(given: argparse.Namespace, options: Mapping[str, Any]) -> LCPlatform:
    """The platform of the settings; what the command line says wins."""
    from lcplatform import LCPlatform, PlatformSettings

    named = {} if given.provider is None else {"provider": given.provider}
    if given.config is not None:
        settings = PlatformSettings.from_file(given.config, **named)
    else:
        settings = PlatformSettings.from_env(**named)
    return LCPlatform(given.provider, settings=settings, **options)


def _settle() -> None:
    """Keeps the collector from what lives as long as the server, and from running at every few calls: a tenth of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _ready(endpoint: str, file: Path | None) -> None:
    if file is not None:
        try:
            part = file.with_name(file.name + ".part")
            part.write_text(endpoint + "\n", encoding="utf-8")
            part.replace(file)
        except OSError as error:
            raise ValidationError(f"ready_file cannot be written: {error}") from error
    _say(f"listening on {endpoint}")


def _say(text: str) -> None:
    """Tells whoever started the server, if they still listen. They need not."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        sys.stdout = None  # else Python would try again when it ends, and complain


if __name__ == "__main__":
    sys.exit(main())

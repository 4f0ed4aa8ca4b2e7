"""Runs PostgreSQL as a child process that listens on a loopback port, for tests and benchmarks alike.

Whoever comes as `postgres` is let in without a password; every other user needs the right one.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, LiteralString, Self

import psycopg

from lcplatform_mock.sql.postgres.server import _KEEPER, _give, _identity, _programs

HOST: Final = "127.0.0.1"
USER: Final = "postgres"
_READY_SECONDS: Final = 60.0
_HBA: Final = """
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


class PostgreSQL:
    """A server with data of its own, which are gone when it is closed. It ends with the process that started it."""

    def __init__(
        self,
        connections: int = 100,
        *,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Makes it and starts it.

        Args:
            connections: how many it allows.
            settings: more of its configuration.
        """
        self._home = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._identity = _identity()
        _give(self._home, self._identity)
        self._programs = self._identity.reaching(_programs(), self._home / "programs")
        self._data = self._home / "data"
        self.port: Final = _free_port()
        self._settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": str(connections + 3),
            "superuser_reserved_connections": "3",
            "fsync": "off",
            "autovacuum": "off",
            "jit": "off",
            "shared_buffers": "64MB",
            **(settings or {}),
        }
        try:
            self._make()
            self.start()
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise

    def _make(self) -> None:
        self._data.mkdir(mode=0o700)
        _give(self._data, self._identity)
        words = ["-D", ".", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        # As the mock's own: it knows the letters of Unicode, and orders them as they are numbered.
        words += ["--locale-provider=builtin", "--locale=C.UTF-8", "--builtin-locale=C.UTF-8"]
        subprocess.run(
            self._identity.running([str(self._programs / "initdb"), *words]),
            cwd=self._data,
            check=True,
            capture_output=True,
        )
        (self._data / "pg_hba.conf").write_text(_HBA)

    def start(self) -> None:
        """Starts it, and returns when it answers."""
        command = [str(self._programs / "postgres"), "-D", "."]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        reading, self._life = os.pipe()
        log = (self._home / "log").open("wb")
        with log, os.fdopen(reading) as end:
            self._process = subprocess.Popen(
                self._identity.running(["/bin/sh", "-c", _KEEPER, *command]),
                stdin=end,
                stdout=log,
                stderr=log,
                cwd=self._data,
            )
        until = time.monotonic() + _READY_SECONDS
        while True:
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self._home / "log").read_text()) from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stops it: connections break, and transactions that are open are rolled back."""
        self._process.terminate()
        self._process.wait(30)
        os.close(self._life)

    def close(self) -> None:
        """Stops it and throws its data away."""
        if self._process.returncode is None:
            self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def connect(self, **words: Any) -> psycopg.Connection[Any]:
        """A connection of its administrator, which commits by itself."""
        given = {"host": HOST, "port": self.port, "user": USER, "dbname": USER, **words}
        return psycopg.connect(autocommit=True, **given)

    def run(self, sql: LiteralString, *params: object) -> list[tuple[Any, ...]]:
        """Runs a statement as its administrator."""
        with self.connect() as connection:
            cursor = connection.execute(sql, params or None)
            return cursor.fetchall() if cursor.description else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port

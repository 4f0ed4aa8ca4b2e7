"""Plays the story: a database's password is rotated while a shop works, and is found nowhere in the clear.

python run.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg

from lcplatform import Json, LCPlatform

HERE: Final = Path(__file__).parent
SECRET: Final = "shop/database"
PATIENCE: Final = 120.0
"""For how many seconds something is waited for that comes by itself."""

WATCHED: Final = """
import atexit, logging, os, runpy, sys
logging.basicConfig(level=logging.DEBUG)
atexit.register(lambda: logging.info("environment at the end: %r", {**os.environ}))
sys.argv = sys.argv[1:]
run = runpy.run_path if sys.argv[0].endswith(".py") else runpy.run_module
run(sys.argv[0], run_name="__main__")
"""
"""Runs a program as it is, and logs everything that it has to say, and what its environment was."""

NEEDED: Final = ("PATH", "PYTHONPATH", "HOME", "LANG", "LD_LIBRARY_PATH")
"""What a program gets of our environment. It is logged, so it is no more than must be."""

Account = dict[str, str]
"""A role and its password."""


def main() -> int:
    """Plays the story in a directory that is gone afterwards."""
    scratch = Path(tempfile.mkdtemp(prefix="rotation-"))
    scratch.chmod(0o711)  # a PostgreSQL that root starts gives up the rights of root
    try:
        Story(scratch).play()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


class Story:
    """The story. Whatever is not as it should be ends it with an AssertionError."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.state = scratch / "state"
        self.temporary = scratch / "t"
        self.temporary.mkdir()
        self.temporary.chmod(0o711)
        self.passwords: set[str] = set()
        self.endpoint: str | None = None

    def play(self) -> None:
        """All of it."""
        with self.serving() as platform:
            self.database("create")
            with self.program("shop", "shop.py", stdin=subprocess.PIPE) as shop:
                last = self.rotations(platform)
                self.search("environments and command lines", self.processes())
                self.search(
                    "state directory, and the database's own log", [self.state, self.temporary]
                )
                self.end_of(shop, platform)
        with self.serving() as platform:
            assert self.account(platform) == last
            assert logs_in(platform, last)
        say("After a restart the secret is the same, and opens the database.")
        self.search("state directory, logs and temporary files", [self.scratch])
        self.nothing_was_missed()

    def rotations(self, platform: LCPlatform) -> Account:
        """What happens while the shop works. Returns the last account."""
        self.remember_administrator(platform)
        first = self.account(platform)
        self.until(lambda: self.orders(platform, first) > 50, "orders")
        say(f"The shop works: it logs in as {first['user']}.")

        self.database("rotate")
        second = self.account(platform)
        self.shop_moves(platform, first, second)
        say(f"Rotated. The shop was told nothing, and logs in as {second['user']} by now.")

        assert logs_in(platform, first)
        self.database("retire")
        assert not logs_in(platform, first)
        assert logs_in(platform, second)
        say("Retired. The database refuses the first password.")

        assert self.broken_off(platform) == second
        say("A rotation that broke off changed nothing.")

        self.database("rotate")
        third = self.account(platform)
        self.shop_moves(platform, second, third)
        self.database("retire")
        assert third["user"] == first["user"]
        assert [logs_in(platform, it) for it in (first, second, third)] == [False, False, True]
        say(f"Rotated again, and retired: only the new password of {third['user']} is good.")
        return third

    def broken_off(self, platform: LCPlatform) -> Account:
        """The account after a rotation whose password turned out to be of no use."""
        unused = {"user": "shop_a", "password": f"unused-{os.urandom(16).hex()}"}
        self.passwords.add(unused["password"])

        def refuse(account: object) -> None:
            raise RuntimeError("it does not open the database")

        with suppress(RuntimeError):
            platform.secrets.rotate_with(SECRET, lambda _: unused, test=refuse)
        return self.account(platform)

    def shop_moves(self, platform: LCPlatform, before: Account, now: Account) -> None:
        """Waits until the shop writes orders with one account, and has no connection with the other."""
        so_far = self.orders(platform, now)
        self.until(lambda: self.orders(platform, now) > so_far + 50, f"orders of {now['user']}")
        connected = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1"
        self.until(lambda: not count(platform, connected, before["user"]), "ends of connections")

    def end_of(self, shop: subprocess.Popen[str], platform: LCPlatform) -> None:
        """The shop ends, and each order that it counts is in the database."""
        told, _ = shop.communicate("")
        assert shop.returncode == 0, tail(self.scratch / "shop.log")
        found = count(platform, "SELECT count(*) FROM orders")
        assert int(told) == found, f"the shop counts {told} orders, the database {found}"
        say(f"Of {found:,} orders none failed, and none is missing.")

    def orders(self, platform: LCPlatform, account: Account) -> int:
        """How many orders were written with an account."""
        return count(platform, "SELECT count(*) FROM orders WHERE by_whom = $1", account["user"])

    def account(self, platform: LCPlatform) -> Account:
        """What the secret holds now."""
        value = platform.secrets.get_secret(SECRET).value
        assert isinstance(value, Json)
        account: Account = value.value
        self.passwords.add(account["password"])
        return account

    def remember_administrator(self, platform: LCPlatform) -> None:
        """The password of the database's administrator is looked for as well."""
        name = platform.data_store.get_connection_info().password_secret
        assert name is not None
        self.passwords.add(str(platform.secrets.get_secret(name).value))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits for something that comes by itself."""
        latest = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < latest, f"there are no {what}"
            time.sleep(0.05)

    # --- programs

    @contextmanager
    def serving(self) -> Iterator[LCPlatform]:
        """A server, which alone has the state, and a platform that asks it."""
        ready = self.scratch / "ready"
        ready.unlink(missing_ok=True)
        command = ["lcplatform_server", "serve", "--listen", "127.0.0.1:0"]
        command += ["--ready-file", str(ready), "--config", str(HERE / "lcplatform.toml")]
        command += ["--option", f"state={self.state}"]
        self.endpoint = None
        with self.program("server", *command) as server:
            self.until(lambda: ready.exists() or server.poll() is not None, "servers")
            assert server.poll() is None, tail(self.scratch / "server.log")
            self.endpoint = ready.read_text().strip()
            with LCPlatform("grpc", endpoint=self.endpoint) as platform:
                yield platform

    @contextmanager
    def program(
        self, name: str, *command: str, stdin: int | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """A program, which ends with the context. What it logs and leaves behind is below `scratch`."""
        ours = {name: os.environ[name] for name in NEEDED if name in os.environ}
        ours["TMPDIR"] = str(self.temporary)
        if self.endpoint is not None:
            ours["LCPLATFORM_PROVIDER"] = "grpc"
            ours["LCPLATFORM_PROVIDERS__GRPC__ENDPOINT"] = self.endpoint
        with (self.scratch / f"{name}.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", WATCHED, *command],
                cwd=HERE,
                env=ours,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            with process:
                try:
                    yield process
                finally:
                    process.terminate()
                    process.wait(PATIENCE)

    def database(self, command: str) -> None:
        """Runs database.py."""
        with self.program("database", "database.py", command) as process:
            process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, tail(self.scratch / "database.log")

    # --- looking for passwords

    def processes(self) -> list[Path]:
        """The environments and the command lines of this process and of all that it has started."""
        if not Path("/proc/self/environ").exists():
            say("Where there is no /proc, environments of other processes cannot be read.")
            return []
        parents = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # one that has just ended
                parents[int(entry.parent.name)] = int(
                    entry.read_text().rpartition(")")[2].split()[1]
                )
        found = [os.getpid()]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        assert len(found) > 5, "the shop, the server and its database are among them"
        return [Path(f"/proc/{pid}/{name}") for pid in found for name in ("environ", "cmdline")]

    def search(self, what: str, places: Iterable[Path]) -> None:
        """No password is there, however it is spelt."""
        assert len(self.passwords) == 5
        assert not traces(self.passwords, [repr(dict(os.environ)).encode()])
        files = [it for place in places for it in ([place], place.rglob("*"))[place.is_dir()]]
        contents = ((it, readable(it)) for it in files)
        found = {it for it, content in contents if traces(self.passwords, [content])}
        assert not found, f"a password in the clear: {found}"
        say(f"None of {len(self.passwords)} passwords in {len(files):,} files: {what}.")

    def nothing_was_missed(self) -> None:
        """What must be there is there: so the search was in the right place."""
        for name in ("server", "shop", "database"):
            log = (self.scratch / f"{name}.log").read_bytes()
            assert b"DEBUG:" in log or b"INFO:" in log
            assert b"environment at the end: {" in log
        assert any(b"SCRAM-SHA-256$4096:" in readable(it) for it in self.state.rglob("*"))


def traces(passwords: Collection[str], contents: Iterable[bytes]) -> int:
    """How many spellings of passwords there are in these: plain, in two bytes a character, in hexadecimal, in base64."""
    spellings = {it for password in passwords for it in spelt(password.encode())}
    return sum(spelling in content for content in contents for spelling in spellings)


def spelt(word: bytes) -> Iterator[bytes]:
    """A word as it may stand in a file. In base64 it depends on what is before it."""
    yield word
    yield word.decode().encode("utf-16-le")
    yield word.hex().encode()
    for before in range(3):
        coded = b64encode(bytes(before) + word)[4:-4]
        yield coded
        yield coded.translate(bytes.maketrans(b"+/", b"-_"))


def readable(path: Path) -> bytes:
    """What is in a file; nothing, if it is none or has just gone."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""


def logs_in(platform: LCPlatform, account: Account) -> bool:
    """Whether the database takes a password."""
    place = platform.data_store.get_connection_info()
    try:
        with psycopg.connect(
            host=place.host,
            port=place.port,
            dbname=place.database,
            user=account["user"],
            password=account["password"],
        ):
            return True
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise
        return False


def count(platform: LCPlatform, statement: str, *values: str) -> int:
    """A number out of the database."""
    number = platform.data_store.query(statement, values).rows[0].values[0]
    assert isinstance(number, int)
    return number


def tail(log: Path) -> str:
    """The end of a log."""
    return log.read_text()[-2000:]


def say(text: str) -> None:
    """Tells what has been shown."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())

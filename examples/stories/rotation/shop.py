"""A shop whose workers write orders into a database, until standard input ends. Says then how many it has written.

Its password stands nowhere but in a secret. Each login reads it anew, and none is used for longer than a second: so the
shop follows a rotation without being told.

    LCPLATFORM_PROVIDER=grpc LCPLATFORM_PROVIDERS__GRPC__ENDPOINT=127.0.0.1:50051 python shop.py
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import psycopg

from lcplatform import Json, LCPlatform

SECRET: Final = "shop/database"
WORKERS: Final = 4
LASTS: Final = 1.0
"""For how many seconds a login is used."""


def main() -> None:
    """Works until standard input ends."""
    over = threading.Event()
    with LCPlatform.from_env() as platform, ThreadPoolExecutor(WORKERS) as pool:
        workers = [pool.submit(work, platform, over) for _ in range(WORKERS)]
        sys.stdin.read()
        over.set()
        print(sum(worker.result() for worker in workers))


def work(platform: LCPlatform, over: threading.Event) -> int:
    """Writes orders, and says how many the database has acknowledged. Nothing is tried twice."""
    written = 0
    while not over.is_set():
        with login(platform) as database:
            until = time.monotonic() + LASTS
            while time.monotonic() < until and not over.wait(0.005):
                database.execute("INSERT INTO orders (item) VALUES (%s)", ["a book"])
                written += 1
    return written


def login(platform: LCPlatform) -> psycopg.Connection[Any]:
    """A connection with the name and the password that are current now."""
    place = platform.data_store.get_connection_info()
    account = platform.secrets.get_secret(SECRET).value
    assert isinstance(account, Json)
    return psycopg.connect(
        host=place.host,
        port=place.port,
        dbname=place.database,
        user=account.value["user"],
        password=account.value["password"],
        autocommit=True,
    )


if __name__ == "__main__":
    main()

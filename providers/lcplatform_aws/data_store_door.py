"""Who opens connections: with what the server wants to know, each time anew."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from typing_extensions import override

from lcplatform_aws.data_store_connection import Connection
from lcplatform_aws.data_store_errors import LOGIN, said
from lcplatform_aws.quiet import quietly
from lcplatform_runtime.errors import Outcome, ServiceUnavailableError

if TYPE_CHECKING:
    from lcplatform_aws.data_store_options import DataStoreOptions
    from lcplatform_aws.session import Session

C = TypeVar("C")


class Opened(psycopg.Connection[Any]):
    """A connection of the pool, with what is known of it."""

    link: Connection

    @override
    @classmethod
    def connect(cls, conninfo: str = "", *, door: Door, **_: Any) -> Opened:  # type: ignore[override]  # the pool calls it so
        """A connection through a door."""
        opened = door.opened(lambda words: super(Opened, cls).connect(conninfo, **words))
        opened.link = Connection(opened)
        return opened


class Door:
    """Lets the workload in.

    Attributes:
        stands_open: whether it was let in the last time it tried.
        failure: why it was not.
    """

    def __init__(self, options: DataStoreOptions, session: Session, connect_timeout: float) -> None:
        self._options = options
        self._session = session
        self._connect_timeout = connect_timeout
        self._lock = threading.Lock()
        self._secret: tuple[str | None, str] | None = None
        self.stands_open = False
        self.failure: Exception | None = None

    def opened(self, connect: Callable[[dict[str, Any]], C]) -> C:
        """A connection, made by `connect` from the words that libpq knows."""
        try:
            connection = self._opened(connect)
        except Exception as error:
            self.failure, self.stands_open = error, False
            raise
        self.failure, self.stands_open = None, True
        return connection

    def _opened(self, connect: Callable[[dict[str, Any]], C]) -> C:
        kept = self._secret
        try:
            return connect(self._words())
        except psycopg.OperationalError as error:
            if kept is None or said(str(error)) != LOGIN:
                raise
        # The password was changed since it was read.
        with self._lock:
            if self._secret is kept:
                self._secret = None
        return connect(self._words())

    def user(self) -> str:
        """The user of the database."""
        options = self._options
        if options.user is not None:
            return options.user
        name = self._kept()[0]
        if name is None:
            raise _unfit("the secret in password_secret tells no username: give the option user")
        return name

    def _words(self) -> dict[str, Any]:
        options = self._options
        return {
            "host": options.host,
            "port": options.port,
            "dbname": options.database,
            "user": self.user(),
            "password": self._password(),
            "sslmode": options.tls,
            **({} if options.tls_ca_file is None else {"sslrootcert": options.tls_ca_file}),
            "gssencmode": "disable",
            # After a failover, the old node may still answer for a while.
            "target_session_attrs": "read-write",
            "connect_timeout": max(1, round(self._connect_timeout)),
            "client_encoding": "utf8",
            "application_name": "lcplatform",
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
            "autocommit": True,
        }

    def _password(self) -> str:
        options = self._options
        if options.password_secret is not None:
            return self._kept()[1]
        # Signed here, and good for fifteen minutes: one for each connection costs next to nothing.
        return self._session.rds.generate_db_auth_token(
            DBHostname=options.host, Port=options.port, DBUsername=self.user()
        )

    def _kept(self) -> tuple[str | None, str]:
        """The user, if the secret tells one, and the password."""
        with self._lock:
            if self._secret is None:
                name = self._options.password_secret
                assert name is not None, "without a secret there is a user and a token"
                with quietly():
                    answer = self._session.secretsmanager.get_secret_value(SecretId=name)
                self._secret = _read(answer.get("SecretString", ""))
            return self._secret


_SHAPE: Final = "the secret in password_secret is the JSON that RDS keeps, or the bare password"


def _unfit(why: str) -> ServiceUnavailableError:
    return ServiceUnavailableError(why, retryable=False, outcome=Outcome.NOT_EXECUTED)


def _read(text: str) -> tuple[str | None, str]:
    if not text.lstrip().startswith("{"):
        if text:
            return None, text
        raise _unfit(_SHAPE)
    try:
        told = json.loads(text)
        return told.get("username"), str(told["password"])
    except (KeyError, ValueError):
        problem = _unfit(_SHAPE)
    # Outside of the handler: what the parser raises quotes the text.
    raise problem

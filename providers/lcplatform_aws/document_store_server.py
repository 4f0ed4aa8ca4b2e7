"""The way to a DocumentDB cluster: the driver's client, made when it is first needed, and how long its calls may take."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

import pymongo
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from lcplatform_aws.document_store_values import READ, Stored
from lcplatform_aws.quiet import quietly
from lcplatform_aws.values import decode
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import AuthenticationError, Outcome
from lcplatform_runtime.json_value import Json

if TYPE_CHECKING:
    from pymongo.database import Database

    from lcplatform_aws.document_store_options import DocumentStoreOptions
    from lcplatform_aws.options import AwsOptions
    from lcplatform_aws.session import Session

_SHORTEST_WAIT: Final = 0.001  # none at all would be no limit
_RETRYABLE_WRITES: Final = (8, 0, 2)
_AUTHENTICATION_FAILED: Final = 18


class Server:
    """One cluster. Its client looks after connections, for any number of threads.

    The driver repeats nothing by itself, with one exception: a write to a server that knows a repeated one by its number, which
    then happens once. DocumentDB does from 8.0.2 on
    (https://docs.aws.amazon.com/documentdb/latest/developerguide/retryable-writes.html); an earlier one refuses such writes.
    """

    def __init__(
        self, options: AwsOptions, store: DocumentStoreOptions, session: Callable[[], Session]
    ) -> None:
        self._options = options
        self._store = store
        self._session = session
        self._lock = threading.Lock()
        self._client: MongoClient[Stored] | None = None
        self._password: str | None = None
        self._database: Database[Stored] | None = None
        self._retired: list[MongoClient[Stored]] = []

    @property
    def client(self) -> MongoClient[Stored]:
        """The client."""
        return self._client or self._connected()

    @property
    def database(self) -> Database[Stored]:
        """The database with the collections."""
        client, known = self._client or self._connected(), self._database
        if known is None or known.client is not client:
            known = self._database = client.get_database(self._store.database, READ)
        return known

    def close(self) -> None:
        """Closes every connection."""
        with self._lock:
            clients = [*self._retired, *([] if self._client is None else [self._client])]
            self._retired.clear()
            self._client = None
        for client in clients:
            client.close()

    def refused(self, error: PyMongoError) -> None:
        """Takes note of what went wrong: when a password is refused because there is a new one, the next call uses that."""
        if not isinstance(error, OperationFailure) or error.code != _AUTHENTICATION_FAILED:
            return
        if self._store.password_secret is None:
            return
        with self._lock:
            if self._client is not None and self._read_password() != self._password:
                self._retired.append(self._client)  # others may still be at work with it
                self._client = None

    def _connected(self) -> MongoClient[Stored]:
        with self._lock:
            if self._client is None:
                self._client = self._made()
            return self._client

    def _made(self) -> MongoClient[Stored]:
        words = self._words()
        wanted = self._store.retry_writes
        if wanted is not None:
            return self._open(words, retry_writes=wanted)
        client = self._open(words, retry_writes=False)
        try:
            version = tuple(client.admin.command("buildInfo")["versionArray"])
        except BaseException:
            client.close()
            raise
        if version < _RETRYABLE_WRITES or not _numbers_writes(client):
            return client
        client.close()
        return self._open(words, retry_writes=True)

    def _open(self, words: dict[str, Any], *, retry_writes: bool) -> MongoClient[Stored]:
        store, options = self._store, self._options
        return MongoClient(
            host=store.host,
            port=store.port,
            appname="lcplatform",
            replicaset=store.replica_set,
            directConnection=store.replica_set is None,
            retryReads=False,
            retryWrites=retry_writes,
            w="majority",
            maxPoolSize=options.max_pool_connections,
            connectTimeoutMS=round(options.connect_timeout * 1000),
            socketTimeoutMS=round(options.read_timeout * 1000),
            waitQueueTimeoutMS=round(options.read_timeout * 1000),
            serverSelectionTimeoutMS=round(store.server_selection_timeout * 1000),
            **words,
        )

    def _words(self) -> dict[str, Any]:
        """What the client is told of encryption, and of who we are."""
        store, options = self._store, self._options
        words: dict[str, Any] = {"tls": store.tls}
        if store.tls and store.tls_ca_file is not None:
            words["tlsCAFile"] = store.tls_ca_file
        if store.authentication == "none":
            return words
        if store.authentication == "password":
            self._password = self._read_password()
            return words | {"username": store.user, "password": self._password}
        words |= {"authMechanism": "MONGODB-AWS", "authSource": "$external"}
        if options.access_key_id is not None:
            words |= {"username": options.access_key_id, "password": options.secret_access_key}
        if options.session_token is not None:
            words["authMechanismProperties"] = {"AWS_SESSION_TOKEN": options.session_token}
        return words

    def _read_password(self) -> str:
        """The password in the secret: its text, or `password` in its object, which is how the cluster's own secret has it."""
        client = self._session().secretsmanager
        with quietly():
            answer = client.get_secret_value(
                SecretId=str(self._store.password_secret), VersionStage="AWSCURRENT"
            )
        value = decode(answer)
        found = value.plain.get("password") if isinstance(value, Json) else value
        if not isinstance(found, str):
            raise AuthenticationError(
                "the secret with the password holds neither text nor an object with a password",
                outcome=Outcome.NOT_EXECUTED,
            )
        return found


def _numbers_writes(client: MongoClient[Stored]) -> bool:
    """Whether the server keeps sessions, in which writes have numbers."""
    servers = client.topology_description.server_descriptions().values()
    return any(it.retryable_writes_supported for it in servers)


def within_deadline() -> AbstractContextManager[Any] | None:
    """Lets what is asked of the server take no longer than the call may; none if it may take any time."""
    call = current_call()
    remaining = None if call is None else call.remaining()
    return None if remaining is None else pymongo.timeout(max(remaining, _SHORTEST_WAIT))

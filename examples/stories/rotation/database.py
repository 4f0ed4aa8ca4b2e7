"""Keeps the shop's database: `create` it, `rotate` its password, `retire` the one before.

The shop has two roles that may do the same, and one of them has the current password. A rotation gives a new one to the
other role. So the shop's logins are good at any moment of it, and it can break off anywhere without harm.

    LCPLATFORM_PROVIDER=grpc LCPLATFORM_PROVIDERS__GRPC__ENDPOINT=127.0.0.1:50051 python database.py rotate
"""

from __future__ import annotations

import sys
from secrets import token_urlsafe
from typing import Any, Final

import psycopg
from psycopg import sql

from lcplatform import Json, LCPlatform

SECRET: Final = "shop/database"
ROLES: Final = ("shop_a", "shop_b")
TABLES: Final = """
    CREATE ROLE shop;
    CREATE ROLE shop_a LOGIN IN ROLE shop;
    CREATE ROLE shop_b LOGIN IN ROLE shop;
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY, item text NOT NULL, by_whom text DEFAULT session_user
    );
    GRANT SELECT, INSERT ON orders TO shop;
"""

Account = dict[str, str]
"""A role and its password."""


def main() -> None:
    """Does what the command line says."""
    commands = {"create": create, "rotate": rotate, "retire": retire}
    with LCPlatform.from_env() as platform:
        commands[sys.argv[1]](platform)


def create(platform: LCPlatform) -> None:
    """The tables, the roles, and the secret with the first password."""
    account = {"user": ROLES[0], "password": token_urlsafe(32)}
    with administration(platform) as database:
        database.execute(TABLES)
        set_password(database, account)
    platform.secrets.create_secret(SECRET, account)


def rotate(platform: LCPlatform) -> None:
    """A new password, which waits beside the current one until the database has shown that it takes it."""

    def following(current: object) -> Account:
        user = next(role for role in ROLES if role != account_of(current)["user"])
        return {"user": user, "password": token_urlsafe(32)}

    def put_to_use(account: object) -> None:
        with administration(platform) as database:
            set_password(database, account_of(account))
        connected(platform, account_of(account)).close()

    platform.secrets.rotate_with(SECRET, following, test=put_to_use)


def retire(platform: LCPlatform) -> None:
    """The other role has no password any more, so that nobody can log in with the one before."""
    current = account_of(platform.secrets.get_secret(SECRET).value)
    with administration(platform) as database:
        for role in set(ROLES) - {current["user"]}:
            database.execute(sql.SQL("ALTER ROLE {} PASSWORD NULL").format(sql.Identifier(role)))


def set_password(database: psycopg.Connection[Any], account: Account) -> None:
    """Gives the database what proves the password, and not the password: it stands in no statement and in no log."""
    user, password = account["user"], account["password"]
    proof = database.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256")
    database.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), proof.decode())
    )


def administration(platform: LCPlatform) -> psycopg.Connection[Any]:
    """A connection of the database's administrator, whose password is a secret as well."""
    place = platform.data_store.get_connection_info()
    assert place.password_secret is not None
    password = platform.secrets.get_secret(place.password_secret).value
    return connected(platform, {"user": place.user, "password": str(password)})


def connected(platform: LCPlatform, account: Account) -> psycopg.Connection[Any]:
    """A connection of this role with this password."""
    place = platform.data_store.get_connection_info()
    return psycopg.connect(
        host=place.host,
        port=place.port,
        dbname=place.database,
        user=account["user"],
        password=account["password"],
        autocommit=True,
    )


def account_of(value: object) -> Account:
    """What a secret holds, as it is read or as it is written."""
    if isinstance(value, Json):
        value = value.value
    assert isinstance(value, dict)
    return value


if __name__ == "__main__":
    main()

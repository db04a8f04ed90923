"""An account that signs in by ed25519 or parsec: the hint was to check the host and port. The plugins are in no package that the
tests unpack: what PyMySQL 1.2 raises for them is raised here."""

from __future__ import annotations

import pymysql
import pytest

from replfix.core.endpoint import Endpoint
from replfix.errors import ConnectError
from replfix.mysql import connection
from replfix.mysql.connection import Session


@pytest.mark.parametrize(
    ("raised", "said", "hint"),
    [
        (
            RuntimeError("'pynacl' package is required for ed25519_password auth method"),
            "for an ed25519 signature",
            "pip install 'replfix[ed25519]'",
        ),
        (
            pymysql.err.OperationalError(2059, "Authentication plugin 'b'parsec'' not configured"),
            "to sign in by parsec, which replfix does not know",
            "mysql_native_password or ed25519",
        ),
        (pymysql.err.OperationalError(2003, "Can't connect to MySQL server"), "Cannot connect", "host and port"),
        (OSError("no route to host"), "Cannot connect", "host and port"),
    ],
)
def test_the_way_of_signing_in_is_named(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, said: str, hint: str
) -> None:
    def connect(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(connection, "connect", connect)
    with pytest.raises(ConnectError) as caught:
        Session(Endpoint("db", 3306, "app", "secret"))
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert "secret" not in caught.value.message + caught.value.hint

"""A server's session is closed once, whichever threads close it: a screen that is left, and a poll that fails then."""

from __future__ import annotations

from replfix.core.connection.endpoint import Endpoint
from replfix.mysql.server import MysqlServer


def test_a_session_that_is_closed_meanwhile_is_closed_once() -> None:
    server = MysqlServer(Endpoint("127.0.0.1"))
    closed = []

    class Session:
        def close(self) -> None:
            closed.append(self)
            server.close()

    server.__dict__["_session"] = Session()
    server.close()
    server.close()
    assert len(closed) == 1

"""The families of servers, one module each; the version that the server sends at connect decides which it is."""

from __future__ import annotations

from replfix.mysql.connection.dialects.base import Dialect
from replfix.mysql.connection.dialects.mariadb import MariadbDialect
from replfix.mysql.connection.dialects.mysql import MysqlDialect
from replfix.mysql.connection.session import Session

__all__ = ["Dialect", "dialect_of"]


def dialect_of(session: Session) -> Dialect:
    """Return the dialect of the session's server."""
    return MariadbDialect() if session.is_mariadb else MysqlDialect()

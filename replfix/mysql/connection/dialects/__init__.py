"""The families of servers, one module each. Which one it is follows from what the server says when it is connected to."""

from __future__ import annotations

from replfix.mysql.connection.dialects.base import Dialect
from replfix.mysql.connection.dialects.mariadb import MariadbDialect
from replfix.mysql.connection.dialects.mysql import MysqlDialect
from replfix.mysql.connection.session import Session

__all__ = ["Dialect", "dialect_of"]


def dialect_of(session: Session) -> Dialect:
    return MariadbDialect() if session.is_mariadb else MysqlDialect()

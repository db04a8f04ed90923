"""The families of servers, one module each. Which one it is follows from what the server says when it is connected to."""

from __future__ import annotations

from replfix.mysql.connection import Session
from replfix.mysql.dialects.base import Dialect
from replfix.mysql.dialects.mariadb import MariadbDialect
from replfix.mysql.dialects.mysql import MysqlDialect

__all__ = ["Dialect", "dialect_of"]


def dialect_of(session: Session) -> Dialect:
    return MariadbDialect() if session.is_mariadb else MysqlDialect()

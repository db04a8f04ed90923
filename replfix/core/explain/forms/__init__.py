"""Where a message was found: one client or kind of log a file, with its marks and what it prints beside the message.

A new one is listed here: the first that recognises a text has it.
"""

from __future__ import annotations

from typing import Protocol

from replfix.core.explain.around import Around, Context
from replfix.core.explain.forms import (
    cakephp,
    codeigniter,
    dotnet,
    drupal,
    flyway,
    go,
    jdbc,
    joomla,
    knex,
    laravel,
    liquibase,
    magento,
    mysql_client,
    mysqld_log,
    node,
    other,
    pdo,
    phpmyadmin,
    postgresql_log,
    postgrex,
    python,
    rails,
    replication,
    sqlalchemy,
    tidb,
    yii,
)


class Form(Protocol):
    """What the module of a form has to have."""

    NAME: str
    """For people and JSON."""

    def recognise(self, around: Around, /) -> Context | None:
        """Return what is around the message; None when the text is not of this kind."""
        ...


FORMS: tuple[Form, ...] = (
    replication,
    tidb,
    liquibase,
    flyway,
    phpmyadmin,
    drupal,
    magento,
    joomla,
    yii,
    codeigniter,
    cakephp,
    knex,
    postgrex,
    laravel,
    sqlalchemy,
    pdo,
    dotnet,
    jdbc,
    node,
    python,
    rails,
    go,
    postgresql_log,
    mysql_client,
    mysqld_log,
    other,
)

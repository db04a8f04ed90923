"""Frameworks, and how each handles a duplicate key: one a file, in its own words.

A new one is listed here: the first whose marks are around a message has it; a driver's comes after those built on it.
"""

from __future__ import annotations

from typing import Protocol

from replfix.core.explain.around import Around
from replfix.core.explain.guide.frameworks import (
    active_record,
    cakephp_orm,
    codeigniter_db,
    command_line,
    django_orm,
    doctrine_dbal,
    dotnet_driver,
    drupal_db,
    ecto_repo,
    entity_framework,
    go_driver,
    gorm_orm,
    hibernate_jpa,
    jdbc_driver,
    knex_builder,
    laravel_eloquent,
    magento_db,
    migration_tools,
    node_driver,
    php_pdo,
    prisma_client,
    python_driver,
    rust_crates,
    sequelize_orm,
    sqlalchemy_orm,
    typeorm_orm,
    wordpress_db,
    yii_db,
)
from replfix.core.explain.guide.handling import Handling


class Framework(Protocol):
    """What the module of a framework has to have."""

    NAME: str
    """As people call it; after "In "."""

    FORMS: frozenset[str]
    """Names of ``forms/`` that mean it by themselves."""

    MARKS: tuple[str, ...]
    """What its texts have near the message, one of them."""

    HANDLING: Handling


FRAMEWORKS: tuple[Framework, ...] = (
    laravel_eloquent,
    django_orm,
    active_record,
    hibernate_jpa,
    entity_framework,
    sequelize_orm,
    typeorm_orm,
    prisma_client,
    knex_builder,
    sqlalchemy_orm,
    doctrine_dbal,
    wordpress_db,
    drupal_db,
    magento_db,
    yii_db,
    codeigniter_db,
    cakephp_orm,
    gorm_orm,
    ecto_repo,
    rust_crates,
    migration_tools,
    dotnet_driver,
    jdbc_driver,
    node_driver,
    python_driver,
    go_driver,
    php_pdo,
    command_line,
)
SPAN = 3_000
"""Characters on each side of a message in which a framework's marks are looked for."""


def framework_of(form: str, around: Around) -> str | None:
    """Return the framework of a text; None where nothing in it names one."""
    if form in _SERVERS:
        return None
    text = around.before[-SPAN:] + around.message + around.after[:SPAN]
    return next((f.NAME for f in FRAMEWORKS if form in f.FORMS or any(mark in text for mark in f.MARKS)), None)


_SERVERS = frozenset({"replication", "mysqld log", "TiDB"})
"""Forms of servers' logs: what an application is built with is not in them."""


def foremost(*names: str | None) -> str | None:
    """Return the name that is listed first."""
    return next((framework.NAME for framework in FRAMEWORKS if framework.NAME in names), None)


def handling_of(name: str | None) -> Handling | None:
    """Return how the framework of that name handles the error."""
    return next((framework.HANDLING for framework in FRAMEWORKS if name == framework.NAME), None)

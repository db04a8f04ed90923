"""Liquibase and Flyway."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "a migration tool"
FORMS: frozenset[str] = frozenset(("Liquibase", "Flyway"))
MARKS: tuple[str, ...] = ("liquibase", "flyway", "Flyway")

HANDLING = Handling(
    catch="A migration is not retried as it is: clean up what its statements before the failing one did, because MySQL commits each DDL statement by itself.",
    seeds='The rows were inserted by hand or by an earlier, failed run of the migration: compare them, then delete yours or mark the changeset as run (Liquibase changelog-sync, preConditions onFail="MARK_RAN"; Flyway repair).',
)

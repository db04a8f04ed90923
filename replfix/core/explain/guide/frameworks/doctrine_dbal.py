"""PHP: Doctrine and Symfony."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Doctrine"
FORMS: frozenset[str] = frozenset()
MARKS: tuple[str, ...] = ("octrine", "An exception occurred while executing")

HANDLING = Handling(
    catch="Catch Doctrine\\DBAL\\Exception\\UniqueConstraintViolationException. The EntityManager is closed after it: take a new one (ManagerRegistry::resetManager()) and read the row that is there.",
    upsert="Doctrine has no upsert of its own: executeStatement with INSERT … ON DUPLICATE KEY UPDATE, or ON CONFLICT (columns) DO UPDATE on PostgreSQL.",
    seeds="doctrine:fixtures:load --append inserts the fixtures again; without --append it deletes all rows first.",
)

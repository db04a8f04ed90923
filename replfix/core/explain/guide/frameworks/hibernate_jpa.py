"""Java: Hibernate, JPA and Spring Data."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Hibernate"
FORMS: frozenset[str] = frozenset()
MARKS: tuple[str, ...] = (
    "hibernate",
    "SqlExceptionHelper",
    "javax.persistence",
    "jakarta.persistence",
    "springframework",
)

HANDLING = Handling(
    catch="Catch DataIntegrityViolationException (Spring; without it org.hibernate.exception.ConstraintViolationException), and read the row in a new transaction: this one can only be rolled back, and its session is not usable any more.",
    find_or_create="Spring Data has no find-or-create that two requests at once can use: insert in a transaction of its own (REQUIRES_NEW), catch, and find.",
    upsert="A native query: INSERT … ON DUPLICATE KEY UPDATE, or ON CONFLICT (columns) DO UPDATE on PostgreSQL.",
    ignore="A native query: ON CONFLICT (columns) DO NOTHING on PostgreSQL; on MySQL INSERT IGNORE, which turns other errors into warnings too.",
    seeds="data.sql with fixed ids runs at every start with spring.sql.init.mode=always; rows that it inserts do not move a sequence or table generator.",
    sequence="allocationSize of @SequenceGenerator (50 by default) has to equal the INCREMENT BY of the sequence: otherwise ids repeat.",
)

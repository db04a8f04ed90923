"""Java without Hibernate: JDBC, Spring JDBC, MyBatis."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "JDBC"
FORMS: frozenset[str] = frozenset(("JDBC",))
MARKS: tuple[str, ...] = ("java.sql", "SQLException", "mybatis", "jdbc")

HANDLING = Handling(
    catch="Catch SQLIntegrityConstraintViolationException with getErrorCode() 1062 (Spring: DuplicateKeyException; PostgreSQL: getSQLState() 23505) and read the row that is there.",
)

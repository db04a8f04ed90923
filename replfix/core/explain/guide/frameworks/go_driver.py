"""Go drivers."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Go"
FORMS: frozenset[str] = frozenset(("Go",))
MARKS: tuple[str, ...] = ("goroutine ",)

HANDLING = Handling(
    catch="errors.As(err, &e) with *mysql.MySQLError and Number 1062 (pgx: *pgconn.PgError with Code 23505), and read the row that is there.",
)

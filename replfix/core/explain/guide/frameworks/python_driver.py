"""Python drivers."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Python"
FORMS: frozenset[str] = frozenset(("Python",))
MARKS: tuple[str, ...] = ("IntegrityError", "UniqueViolation", "pymysql", "MySQLdb", "psycopg")

HANDLING = Handling(
    catch="except IntegrityError as e with e.args[0] == 1062 (psycopg: psycopg.errors.UniqueViolation), and read the row that is there.",
)

"""PHP without a framework that is known here."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "PHP"
FORMS: frozenset[str] = frozenset(("PHP", "Joomla"))
MARKS: tuple[str, ...] = ("PDOException", "SQLSTATE[23", "mysqli", "PHP ")

HANDLING = Handling(
    catch="Catch PDOException with errorInfo[1] = 1062 (mysqli: mysqli_sql_exception with getCode() 1062; PostgreSQL: errorInfo[0] = 23505) and read the row that is there.",
)

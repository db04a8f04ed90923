"""Python drivers."""

from __future__ import annotations

import re

from replfix.core.explain.guide.handling import Handling

NAME = "Python"
FORMS: frozenset[str] = frozenset(("Python",))
MARKS = re.compile(r"IntegrityError|UniqueViolation|pymysql|MySQLdb|psycopg")

HANDLING = Handling(
    catch="except IntegrityError as e with e.args[0] == 1062 (psycopg: psycopg.errors.UniqueViolation), and read the row that is there.",
)

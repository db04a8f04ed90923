"""mysql, mysqlimport, psql: a script or a dump."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "the command line"
FORMS: frozenset[str] = frozenset(("mysql client", "phpMyAdmin"))
MARKS: tuple[str, ...] = ("psql:", "pg_restore", "mysqlimport", "ERROR 1062 (23000) at line")

HANDLING = Handling(
    catch="Look whether the script or dump ran before: its rows are there then. mysql --force goes on after this error, and leaves out every statement that fails.",
    ignore="mysqlimport --ignore leaves existing rows, --replace overwrites them; mysqldump --insert-ignore writes INSERT IGNORE.",
    seeds="A dump without DROP TABLE that is loaded into tables with rows; pg_restore --data-only into tables with rows (--clean --if-exists drops them first).",
)

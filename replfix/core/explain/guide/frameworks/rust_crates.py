"""Rust: Diesel and SQLx."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Rust"
FORMS: frozenset[str] = frozenset()
MARKS: tuple[str, ...] = ("DatabaseError(", "sqlx", "diesel", ".rs:")

HANDLING = Handling(
    catch="Match DatabaseError(DatabaseErrorKind::UniqueViolation, _) (SQLx: e.is_unique_violation()) and read the row that is there.",
    ignore="Diesel: insert_or_ignore_into(table), or .on_conflict(column).do_nothing() on PostgreSQL.",
)

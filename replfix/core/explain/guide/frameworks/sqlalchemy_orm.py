"""Python: SQLAlchemy."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "SQLAlchemy"
FORMS: frozenset[str] = frozenset(("SQLAlchemy",))
MARKS: tuple[str, ...] = ("sqlalchemy",)

HANDLING = Handling(
    catch="except sqlalchemy.exc.IntegrityError around with session.begin_nested(): … (a savepoint), then read the row that is there. session.merge() looks by the primary key only.",
    upsert="insert() of sqlalchemy.dialects.mysql has on_duplicate_key_update(), where every unique key of the table counts; that of dialects.postgresql has on_conflict_do_update(index_elements=[…]).",
    ignore='PostgreSQL: on_conflict_do_nothing(index_elements=[…]). MySQL: insert().prefix_with("IGNORE"), which turns other errors into warnings too.',
)

"""Node.js: Knex and Objection."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Knex"
FORMS: frozenset[str] = frozenset(("Knex",))
MARKS: tuple[str, ...] = ("knex", "objection")

HANDLING = Handling(
    catch="Catch the error with code 'ER_DUP_ENTRY' (PostgreSQL: '23505') and read the row that is there.",
    upsert="insert(row).onConflict('column').merge(). On MySQL the column is ignored: every unique key of the table counts.",
    ignore="insert(row).onConflict('column').ignore() leaves the existing row; on MySQL it is INSERT IGNORE, which turns other errors into warnings too.",
    seeds="knex seed:run runs every seed file again: delete or merge in it.",
)

"""Node.js: TypeORM."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "TypeORM"
FORMS: frozenset[str] = frozenset()
MARKS: tuple[str, ...] = ("QueryFailedError", "typeorm")

HANDLING = Handling(
    catch="Catch QueryFailedError with driverError.code 'ER_DUP_ENTRY' (PostgreSQL: '23505') and read the row that is there.",
    upsert="repository.upsert(rows, [columns]). On MySQL the columns are not used: every unique key of the table counts. save() of an entity with an id looks by that id, then inserts or updates.",
    ignore="createQueryBuilder().insert().orIgnore() leaves existing rows; on MySQL it is INSERT IGNORE, which turns other errors into warnings too.",
)

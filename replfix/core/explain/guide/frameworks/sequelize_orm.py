"""Node.js: Sequelize."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Sequelize"
FORMS: frozenset[str] = frozenset()
MARKS: tuple[str, ...] = ("equelize",)

HANDLING = Handling(
    catch="Catch UniqueConstraintError (its fields name the columns) and read the row that is there.",
    find_or_create="Model.findOrCreate({ where: {key columns}, defaults: {…} }).",
    upsert="Model.upsert(values), bulkCreate(rows, { updateOnDuplicate: […] }): on MySQL both are ON DUPLICATE KEY UPDATE, where every unique key of the table counts.",
    ignore="bulkCreate(rows, { ignoreDuplicates: true }) leaves existing rows; on MySQL it is INSERT IGNORE, which turns other errors into warnings too.",
    seeds="db:seed:all runs every seeder again unless seederStorage is set: use bulkCreate with ignoreDuplicates, or findOrCreate.",
)

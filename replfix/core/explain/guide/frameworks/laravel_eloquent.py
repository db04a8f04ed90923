"""Laravel: Eloquent and the query builder."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Laravel"
FORMS: frozenset[str] = frozenset(("Laravel",))
MARKS: tuple[str, ...] = ("Illuminate\\", "vendor/laravel")

HANDLING = Handling(
    catch="Catch Illuminate\\Database\\UniqueConstraintViolationException (Laravel 10; before that QueryException with errorInfo[1] = 1062) and read the row that is there.",
    find_or_create="Model::firstOrCreate([key columns], [other columns]). Since Laravel 10.20 it also takes a lost race as found; createOrFirst() inserts first.",
    upsert="Model::upsert(rows, uniqueBy, update). On MySQL and MariaDB uniqueBy is ignored: every unique key of the table counts.",
    ignore="insertOrIgnore() leaves the existing row. On MySQL it is INSERT IGNORE, which turns other errors into warnings too.",
    seeds="A seeder that ran twice (db:seed, migrate --seed): use firstOrCreate or updateOrCreate by the natural key in it, never fixed ids.",
)

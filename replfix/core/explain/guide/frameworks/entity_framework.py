""".NET: Entity Framework Core."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Entity Framework"
FORMS: frozenset[str] = frozenset()
MARKS: tuple[str, ...] = ("EntityFramework", "DbUpdateException", "DbContext")

HANDLING = Handling(
    catch='Catch DbUpdateException whose InnerException is MySqlException { Number: 1062 } or PostgresException { SqlState: "23505" }; detach the entity or use a new DbContext, and read the row that is there.',
    upsert="EF Core has no upsert of its own: ExecuteSql with INSERT … ON DUPLICATE KEY UPDATE, or ON CONFLICT (columns) DO UPDATE on PostgreSQL.",
    seeds="HasData and seeding code that ran twice, or rows that were inserted by hand with the ids of HasData. Let the database generate keys (ValueGeneratedOnAdd), do not set Id.",
)

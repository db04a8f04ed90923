""".NET drivers without Entity Framework."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = ".NET"
FORMS: frozenset[str] = frozenset((".NET",))
MARKS: tuple[str, ...] = ("MySqlException", "PostgresException", "Npgsql")

HANDLING = Handling(
    catch="catch (MySqlException e) when (e.Number == 1062), or PostgresException with SqlState 23505, and read the row that is there.",
)

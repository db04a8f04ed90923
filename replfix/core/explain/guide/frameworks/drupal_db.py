"""PHP: Drupal."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Drupal"
FORMS: frozenset[str] = frozenset(("Drupal",))
MARKS: tuple[str, ...] = ("rupal", "db_insert_placeholder")

HANDLING = Handling(
    catch="Catch \\Drupal\\Core\\Database\\IntegrityConstraintViolationException (Drupal 7: PDOException with errorInfo[1] = 1062) and read the row that is there.",
    upsert="Database::getConnection()->merge('table')->keys([…])->fields([…]) changes the row that the keys name.",
    seeds="Two requests that save the same new entity (a double submit, cron and a user), or a migration that ran twice (migrate:import --update).",
)

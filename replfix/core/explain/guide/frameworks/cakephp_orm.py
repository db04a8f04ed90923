"""PHP: CakePHP."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "CakePHP"
FORMS: frozenset[str] = frozenset(("CakePHP",))
MARKS: tuple[str, ...] = ("Cake\\", "cakephp")

HANDLING = Handling(
    catch="Catch PDOException with errorInfo[1] = 1062 and read the row that is there. The isUnique rule only looks before the insert.",
    find_or_create="$table->findOrCreate([key columns], callback): it looks first and does not take a lost race as found.",
)

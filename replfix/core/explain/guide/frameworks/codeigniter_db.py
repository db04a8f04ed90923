"""PHP: CodeIgniter."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "CodeIgniter"
FORMS: frozenset[str] = frozenset(("CodeIgniter",))
MARKS: tuple[str, ...] = ("CodeIgniter", "A Database Error Occurred")

HANDLING = Handling(
    catch="Check $this->db->error()['code'] === 1062 after the insert (with db_debug off) and read the row that is there.",
    upsert="CodeIgniter 4.3: $builder->upsert(). replace() deletes the existing row and inserts: columns that are not given are lost.",
    ignore="$builder->ignore(true)->insert() leaves the existing row, and turns other errors into warnings too.",
)

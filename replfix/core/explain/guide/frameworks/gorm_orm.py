"""Go: gorm."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "gorm"
FORMS: frozenset[str] = frozenset()
MARKS: tuple[str, ...] = ("gorm", "[rows:")

HANDLING = Handling(
    catch="errors.Is(err, gorm.ErrDuplicatedKey) with TranslateError: true in the configuration; then read the row that is there.",
    find_or_create="db.Where(key).FirstOrCreate(&row): it looks first and does not take a lost race as found.",
    upsert="db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row). On MySQL Columns is ignored: every unique key of the table counts.",
    ignore="db.Clauses(clause.OnConflict{DoNothing: true}).Create(&row) leaves the existing row.",
)

"""Ruby on Rails: Active Record."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Rails"
FORMS: frozenset[str] = frozenset(("Rails",))
MARKS: tuple[str, ...] = ("ActiveRecord::", "active_record")

HANDLING = Handling(
    catch="rescue ActiveRecord::RecordNotUnique and read the row that is there. validates :uniqueness only looks before the insert: two requests at once still collide.",
    find_or_create="create_or_find_by!(key: …) inserts first and then finds; find_or_create_by retries a lost race since Rails 7.1.",
    upsert="upsert_all(rows). unique_by: works on PostgreSQL and SQLite; on MySQL every unique key of the table counts.",
    ignore="insert_all(rows) leaves existing rows (ON CONFLICT DO NOTHING; on MySQL ON DUPLICATE KEY UPDATE of nothing).",
    seeds="db/seeds.rb that ran twice: use find_or_create_by! there.",
    sequence="ActiveRecord::Base.connection.reset_pk_sequence!('table') moves a sequence.",
)

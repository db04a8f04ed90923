"""Django."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Django"
FORMS: frozenset[str] = frozenset()
MARKS: tuple[str, ...] = ("django/db", "django.db", "django.core", "manage.py")

HANDLING = Handling(
    catch="except IntegrityError around a block of its own: with transaction.atomic(): …, then read the row that is there. Without that block the whole transaction is unusable on PostgreSQL.",
    find_or_create="Model.objects.get_or_create(key=…, defaults={…}): it needs the unique key in the database, and takes a lost race as found.",
    upsert="update_or_create(key=…, defaults={…}) reads with a lock and changes that one row. bulk_create(update_conflicts=True) is ON DUPLICATE KEY UPDATE on MySQL, where every unique key counts.",
    ignore="bulk_create(rows, ignore_conflicts=True) leaves existing rows; on MySQL it is INSERT IGNORE, which turns other errors into warnings too.",
    seeds="loaddata of a fixture with fixed primary keys overwrites the rows with those keys; a data migration that inserts should use get_or_create.",
    sequence="python manage.py sqlsequencereset APP prints the setval statements of an app.",
)

"""Node.js: Prisma."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Prisma"
FORMS: frozenset[str] = frozenset()
MARKS: tuple[str, ...] = ("risma", "P2002")

HANDLING = Handling(
    catch="Catch PrismaClientKnownRequestError with code P2002 (meta.target names the key) and read the row that is there.",
    upsert="upsert({ where, create, update }) changes the row that where names. It can read before it inserts: P2002 is still possible for two requests at once.",
    ignore="createMany({ data, skipDuplicates: true }) leaves existing rows; on MySQL it is INSERT IGNORE.",
    seeds="prisma db seed, and migrate reset, run the seed script again: use upsert by the natural key in it.",
)

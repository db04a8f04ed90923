"""What an error can be that its text does not decide, each with how to tell it from the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from replfix.core import sql
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Product
from replfix.core.explain.explanation import Case, Possibility
from replfix.core.explain.reasons import (
    counter_behind,
    equal_by_collation,
    ids_from_two_sides,
    loaded_again,
    no_row_now,
    same_insert_again,
    sequence_behind,
    value_taken,
)
from replfix.core.remedies.remedy import Fix


def possibilities(case: Case, concluded: Collection[str]) -> Iterator[Possibility]:
    """Yield each in the order in which they are looked for; none whose reason is concluded already."""
    for rule in POSSIBILITIES:
        found = rule(case.duplicate)
        if found is not None and found.code not in concluded:
            yield found


def _same_insert(_: Duplicate) -> Possibility | None:
    return Possibility(
        same_insert_again.CODE,
        "The same insert ran before: a retry after a lost answer, a double submit, a message delivered twice.",
        Fix("The other columns of the existing row are those of the new one, and it was written shortly before."),
    )


def _taken(duplicate: Duplicate) -> Possibility | None:
    if text_facts.likely_generated(duplicate):
        return None
    return Possibility(
        value_taken.CODE,
        "The value is taken by another row, or two sessions that both looked before they inserted raced for it.",
        Fix("The other columns differ."),
    )


def _counter(duplicate: Duplicate) -> Possibility | None:
    if duplicate.dialect is not Product.MYSQL or not text_facts.likely_generated(duplicate):
        return None
    table = text_facts.table_of(duplicate)
    statements = (sql.show_create_table(table), sql.highest(table, "id")) if table is not None else ()
    named = sql.table_name(table) if table is not None else "t"
    return Possibility(
        counter_behind.CODE,
        "The AUTO_INCREMENT counter is below the ids that are there, after an import or a restore.",
        Fix(
            f"AUTO_INCREMENT is not above the highest id; then ALTER TABLE {named} AUTO_INCREMENT = (highest id + 1). With the key's own column in place of id:",
            statements,
        ),
    )


def _two_sides(duplicate: Duplicate) -> Possibility | None:
    if duplicate.dialect is not Product.MYSQL or not text_facts.likely_generated(duplicate):
        return None
    return Possibility(
        ids_from_two_sides.CODE,
        "Ids come from two sides: a second server that is written to, an import, or an application that sets them.",
        Fix(
            "The existing row is another one, and AUTO_INCREMENT is above the highest id. On each server that is written to:",
            ("SELECT @@hostname, @@read_only, @@auto_increment_increment, @@auto_increment_offset",),
        ),
    )


def _sequence(duplicate: Duplicate) -> Possibility | None:
    if (
        duplicate.dialect is not Product.POSTGRESQL
        or duplicate.value is not None
        or not text_facts.is_primary(duplicate)
    ):
        return None
    table = text_facts.table_of(duplicate)
    guess = table is not None and text_facts.given_columns(duplicate) is None
    check = sql.postgresql_sequence(table.schema or None, table.name, "id")[0] if table is not None and guess else ()
    if not guess:
        named = "last_value of the column's sequence is below the highest id."
    else:
        named = "last_value is below the highest id (with the key's own column in place of id):"
    return Possibility(
        sequence_behind.CODE,
        "The sequence is below the ids that are there, after a restore, a COPY or inserts with explicit ids.",
        Fix(f"The INSERT leaves the id out, and {named}", check),
    )


def _loaded(_: Duplicate) -> Possibility | None:
    return Possibility(
        loaded_again.CODE,
        "A seeder, a migration, an import or a dump ran a second time.",
        Fix("Many of its rows are there already, and the error comes for one after the other."),
    )


def _collation(duplicate: Duplicate) -> Possibility | None:
    value = duplicate.value or ""
    if duplicate.dialect is not Product.MYSQL or not any(
        character.isalpha() or ord(character) > 127 or character == "?" for character in value
    ):
        return None
    real = text_facts.real_value(duplicate) or value
    if any(ord(character) > 0xFFFF for character in real):
        return Possibility(
            equal_by_collation.CODE,
            "The key's collation treats all emoji as equal: utf8mb4_general_ci and utf8mb4_unicode_ci do.",
            Fix("The existing row has another emoji. utf8mb4_0900_ai_ci (MySQL 8.0) and utf8mb4_bin distinguish them."),
        )
    return Possibility(
        equal_by_collation.CODE,
        "The values only differ in what the column's collation ignores.",
        Fix(
            "The existing row's value differs in case, accents or spaces at the end; or in what follows the beginning that the key covers."
        ),
    )


def _gone(_: Duplicate) -> Possibility | None:
    return Possibility(
        no_row_now.CODE,
        "There is no such row any more: it was deleted, or its transaction rolled back.",
        Fix("The look-up finds nothing, on the server that the application uses."),
    )


POSSIBILITIES: tuple[Callable[[Duplicate], Possibility | None], ...] = (
    _sequence,
    _counter,
    _two_sides,
    _same_insert,
    _taken,
    _loaded,
    _collation,
    _gone,
)

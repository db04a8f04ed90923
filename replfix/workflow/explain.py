"""From a text to explanations: what it says, what a server knows about it, and what follows."""

from __future__ import annotations

from collections.abc import Callable

from replfix.core.explain import insert
from replfix.core.explain.conclude import explain as conclude
from replfix.core.explain.duplicate import Dialect, Duplicate
from replfix.core.explain.explanation import Asked, Case, Explanation
from replfix.core.explain.reading import JOINED_BY, ambiguous
from replfix.core.explain.recognise import ACCEPTED, recognise
from replfix.errors import UsageError

MOST_EXPLAINED = 20

Ask = Callable[[Duplicate, insert.Insert | None], tuple[Asked, tuple[str, ...]]]
"""What a server knows about an error, and what it could not tell."""


def explain_text(text: str, ask: Ask | None) -> tuple[Explanation, ...]:
    """One explanation for each error in the text, the first ``MOST_EXPLAINED`` of them. UsageError when there is none."""
    found = recognise(text)
    if not found:
        raise UsageError("No duplicate-key error was recognised in the text.", f"Recognised are: {ACCEPTED}")
    return tuple(explain_one(duplicate, ask) for duplicate in found[:MOST_EXPLAINED])


def explain_one(duplicate: Duplicate, ask: Ask | None) -> Explanation:
    said = insert.read(duplicate.statement) if duplicate.statement else None
    unknowns = list(_of_the_text(duplicate))
    asked = None
    if ask is not None and duplicate.dialect is Dialect.POSTGRESQL:
        unknowns.append("It is PostgreSQL's error, and replfix connects to MySQL and MariaDB only: nothing was asked.")
    elif ask is not None:
        asked, more = ask(duplicate, said)
        unknowns.extend(more)
    return conclude(Case(duplicate, said, asked, tuple(unknowns)))


def _of_the_text(duplicate: Duplicate) -> tuple[str, ...]:
    said: list[str] = []
    if duplicate.value is None:
        said.append("The text does not hold the value: PostgreSQL writes it into DETAIL, which is missing here.")
        return tuple(said)
    if duplicate.cut:
        said.append("The message ends at 64 bytes: the value may go on.")
    if len(duplicate.columns) > 1 and ambiguous(duplicate.value, len(duplicate.columns), JOINED_BY[duplicate.dialect]):
        said.append(
            "The values are joined with ', ' and at least one of them holds that too: which is which cannot be told."
        )
    return tuple(said)

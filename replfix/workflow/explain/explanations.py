"""From a text to explanations: what it says, what a server knows about it, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BufferedIOBase

from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Kind, Product
from replfix.core.explain.explain_error import explain as conclude
from replfix.core.explain.explanation import Case, Explanation
from replfix.core.explain.read_text import JOINED_BY, ambiguous, unprinted
from replfix.core.explain.recognise import ACCEPTED, recognise
from replfix.core.explain.surge import Group, Surge
from replfix.core.words import counted
from replfix.errors import UsageError
from replfix.ports import Inquiry, PostgresqlInquiry
from replfix.workflow.explain.ask_mysql import ask_mysql
from replfix.workflow.explain.ask_postgresql import ask_postgresql
from replfix.workflow.explain.log_file import Read, records

MOST_EXPLAINED = 20


@dataclass(frozen=True, slots=True)
class Asking:
    """The server to ask, if any, and the table that the user named, where the text does not."""

    mysql: Inquiry | None = None
    postgresql: PostgresqlInquiry | None = None
    schema: str | None = None
    table: str | None = None

    def about(self, named: str | None) -> Asking:
        """Return the same server with a table, as ``[SCHEMA.]TABLE``."""
        schema, _, table = (named or "").rpartition(".")
        return replace(self, schema=schema or None, table=table or None)


NOBODY = Asking()
"""No server is asked: the text has to do."""


def explain_text(text: str, asking: Asking | None) -> tuple[Explanation, ...]:
    """Return one explanation per error in the text, of the first ``MOST_EXPLAINED``. UsageError when there is none."""
    found = recognise(text)
    if not found:
        raise UsageError("No duplicate-key error was recognised in the text.", f"Recognised are: {ACCEPTED}")
    return tuple(explain_one(duplicate, asking) for duplicate in found[:MOST_EXPLAINED])


def explain_one(duplicate: Duplicate, asking: Asking | None) -> Explanation:
    """Explain one error, with what the server has, where one of its product is asked."""
    asking = asking or NOBODY
    said = duplicate.insert
    unknowns = list(_of_the_text(duplicate))
    if asking.table is not None:
        duplicate = replace(duplicate, schema=asking.schema or duplicate.schema, table=asking.table)
    asked, postgresql = None, None
    asks = asking.mysql is not None or asking.postgresql is not None
    if asks and not duplicate.key:
        unknowns.append("The text names no key: nothing was asked.")
    elif duplicate.dialect is Product.POSTGRESQL and asking.postgresql is not None:
        postgresql = ask_postgresql(asking.postgresql, duplicate, unknowns)
    elif duplicate.dialect is Product.MYSQL and asking.mysql is not None:
        asked, duplicate = ask_mysql(asking.mysql, duplicate, said, unknowns)
    elif asks:
        unknowns.append(_OTHER_PRODUCT[duplicate.dialect])
    return conclude(Case(duplicate, said, asked, tuple(dict.fromkeys(unknowns)), postgresql))


_OTHER_PRODUCT = {
    Product.POSTGRESQL: "It is PostgreSQL's error, and the server that was named is none: nothing was asked.",
    Product.MYSQL: "It is an error of MySQL or MariaDB, and the server that was named is a PostgreSQL: nothing was asked.",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """A log, counted: its groups, the largest first, and an explanation of the latest error of the first few."""

    bytes: int
    lines: int
    errors: int
    not_grouped: int
    damaged: str | None
    groups: tuple[Group, ...]
    explanations: tuple[Explanation, ...]


GROUPS_EXPLAINED = 3


def explain_log(stream: BufferedIOBase, asking: Asking | None, progress: Callable[[Read], None]) -> Counted:
    """Read the stream to its end. UsageError when no error was in it."""
    surge, read = Surge(), Read()
    for record in records(stream, read, lambda: progress(read)):
        for duplicate in recognise(record.text):
            surge.add(duplicate, record.at)
    groups = surge.groups()
    if not groups:
        raise UsageError(
            f"No duplicate-key error was recognised in {counted(read.lines, 'line')}"
            + (f", and the file is damaged: {read.damaged}." if read.damaged else "."),
            f"Recognised are: {ACCEPTED}",
        )
    return Counted(
        bytes=read.bytes,
        lines=read.lines,
        errors=surge.count,
        not_grouped=surge.not_grouped,
        damaged=read.damaged,
        groups=groups,
        explanations=tuple(explain_one(group.latest, asking) for group in groups[:GROUPS_EXPLAINED]),
    )


def _of_the_text(duplicate: Duplicate) -> tuple[str, ...]:
    said: list[str] = []
    if duplicate.value is None:
        if duplicate.dialect is Product.POSTGRESQL and duplicate.kind is Kind.DUPLICATE:
            said.append("The value is not in the text: PostgreSQL writes it into DETAIL, which is missing here.")
        elif duplicate.kind is not Kind.REPLICA:
            said.append("The value is not in the text: the message of this error does not have it.")
        return tuple(said)
    if unprinted(duplicate.value) and text_facts.real_value(duplicate) is None:
        said.append(
            "The value contains ? or an unreadable byte, which can be in place of another character: the real value is not in the text."
        )
    if duplicate.cut and not duplicate.truncated:
        said.append("The message ends at 64 bytes: the value may go on.")
    if len(duplicate.columns) > 1 and ambiguous(duplicate.value, len(duplicate.columns), JOINED_BY[duplicate.dialect]):
        said.append(
            "The values are joined with ', ' and at least one of them contains that too: which is which is unknown."
        )
    if duplicate.others:
        said.append("The value or the key contains the words of the message itself: where one ends is uncertain.")
    return tuple(said)

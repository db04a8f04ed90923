"""From a text to explanations: what it says, what a server knows about it, and what follows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Kind, Product
from replfix.core.explain.explain_error import explain as conclude
from replfix.core.explain.explanation import Case, Explanation
from replfix.core.explain.log.mention import plain_text
from replfix.core.explain.log.rate import Rate
from replfix.core.explain.log.same_error import ErrorCount
from replfix.core.explain.read_text import JOINED_BY, ambiguous, unprinted
from replfix.core.explain.recognise import ACCEPTED, recognise
from replfix.core.explain.surge import Group, Surge
from replfix.core.words import counted
from replfix.errors import UsageError
from replfix.ports import Inquiry, PostgresqlInquiry
from replfix.workflow.explain.ask_mysql import ask_mysql
from replfix.workflow.explain.ask_postgresql import ask_postgresql
from replfix.workflow.explain.log_file import LogReader, mentions
from replfix.workflow.explain.log_source import LogSource

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
    found = recognise(plain_text(text))
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
    """A log, counted: its groups, the largest first, and an explanation of the latest error of the first few.

    ``repeated``: lines that repeat an error which is counted. ``doubtful_repeats``: of them, those that can be errors of
    their own. ``doubtful_errors``: of the errors, those that can be such a repetition. ``interrupted``: the log goes on.
    ``followed_quiet``: of a log that was followed, the seconds without an error before the end.
    """

    bytes: int
    lines: int
    errors: int
    not_grouped: int
    damaged: str | None
    groups: tuple[Group, ...]
    explanations: tuple[Explanation, ...]
    repeated: int = 0
    doubtful_repeats: int = 0
    doubtful_errors: int = 0
    interrupted: bool = False
    log_ends: str | None = None
    rate: Rate | None = None
    followed_quiet: int | None = None


GROUPS_EXPLAINED = 3


class LogCount:
    """Counts the errors of a log while it is read."""

    def __init__(self) -> None:
        self.reader = LogReader()
        self._surge = Surge()
        self._errors = ErrorCount(self._surge)
        self._last = time.monotonic()

    def read(self, source: LogSource, progress: Callable[[], None]) -> bool:
        """Read the log to its end; ``progress`` is called for each piece. False when it was interrupted (Ctrl-C)."""
        try:
            for mention in mentions(source, self.reader, progress):
                self._errors.add(mention)
                self._last = time.monotonic()
        except KeyboardInterrupt:
            self.reader.note_end()
            return False
        return True

    def counts(self) -> dict[str, int]:
        """Return the errors so far by the name of the key."""
        self._errors.settle()
        return self._surge.counts()

    def rate(self) -> Rate | None:
        """Return the errors so far over time."""
        return self._surge.rate(None)

    def counted(self, asking: Asking | None, *, interrupted: bool = False, follow: bool = False) -> Counted:
        """Return what was counted, explained. UsageError when no error was in the log; with ``follow`` there can be none."""
        self._errors.settle()
        read = self.reader.read
        groups = self._surge.groups(read.ends)
        if not groups and not follow:
            raise UsageError(
                f"No duplicate-key error was recognised in {counted(read.lines, 'line')}"
                + (f", and the file is damaged: {read.damaged}." if read.damaged else "."),
                f"Recognised are: {ACCEPTED}",
            )
        return Counted(
            bytes=read.bytes,
            lines=read.lines,
            errors=self._surge.count,
            not_grouped=self._surge.not_grouped,
            damaged=read.damaged,
            groups=groups,
            explanations=tuple(explain_one(group.latest, asking) for group in groups[:GROUPS_EXPLAINED]),
            repeated=self._errors.repeated,
            doubtful_repeats=self._errors.doubtful_repeats,
            doubtful_errors=self._errors.doubtful_errors,
            interrupted=interrupted,
            log_ends=read.ends,
            rate=self._surge.rate(read.ends),
            followed_quiet=int(time.monotonic() - self._last) if follow else None,
        )


def explain_log(source: LogSource, asking: Asking | None, progress: Callable[[LogCount], None]) -> Counted:
    """Read the log to its end, or until Ctrl-C. UsageError when no error was in it."""
    log = LogCount()
    finished = log.read(source, lambda: progress(log))
    return log.counted(asking, interrupted=not finished)


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

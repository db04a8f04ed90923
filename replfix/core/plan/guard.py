"""What a plan depends on. Each guard is checked again with the rows locked, right before the plan counts."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from replfix.core.rows.json_values import JsonValue
from replfix.core.schema.table import Table, TableName
from replfix.core.words import counted

_DIGITS = 12


class GuardKind(enum.StrEnum):
    """What is checked. The values are those of records and digests: they never change."""

    SERVER = "server"
    STOPPED = "stopped"
    NOT_APPLIED = "not-applied"
    ORIGIN = "origin"
    DEFINITIONS = "definitions"
    ROWS_AS_DIAGNOSED = "rows-as-diagnosed"
    ROW_EVENTS_EXACT = "row-events-exact"
    STATEMENTS_EXACT = "statements-exact"
    CHILDREN_AS_NAMED = "children-as-named"
    EVENTS_REHEARSED = "events-rehearsed"
    OUTCOME_REHEARSED = "outcome-rehearsed"
    OTHERS_REHEARSED = "others-rehearsed"
    MAY_LEAVE_OUT = "may-leave-out"
    SOURCE = "source"
    SOURCE_ROWS_AS_DIAGNOSED = "source-rows-as-diagnosed"
    SOURCE_TRIGGERS = "source-triggers"
    NO_SOURCE_TRIGGER = "no-source-trigger"
    SOURCE_REHEARSED = "source-rehearsed"
    ROWS_AS_LEFT = "rows-as-left"
    ROWS_AS_LEFT_ON_BOTH = "rows-as-left-on-both"
    KEYS_FREE = "keys-free"
    KEYS_FREE_ON_BOTH = "keys-free-on-both"
    FAMILIES_WHOLE = "families-whole"
    ALL_OR_NONE = "all-or-none"
    AS_RECORDED = "as-recorded"  # of an older record, which has the words alone


@dataclass(frozen=True, slots=True)
class Guard:
    """One condition of a plan. ``facts`` are what the check compares with.

    A plan made anew of another state has others, and so another digest.
    """

    kind: GuardKind
    facts: tuple[tuple[str, str | int], ...] = ()

    @classmethod
    def of(cls, kind: GuardKind, **facts: str | int) -> Guard:
        """Return the guard of that kind with those facts."""
        return cls(kind, tuple(facts.items()))

    @property
    def in_words(self) -> str:
        """The condition, for people."""
        words, facts = _WORDS[self.kind], dict(self.facts)
        rows = facts.get("rows")
        if isinstance(rows, int):
            facts |= {"rows": counted(rows, "row"), "are": "is" if rows == 1 else "are"}
        return words.format(**facts)

    def to_document(self) -> dict[str, JsonValue]:
        """Return the guard as JSON values: its kind and its facts."""
        return {"kind": self.kind.value, **dict(self.facts)}


_WORDS: Mapping[GuardKind, str] = {
    GuardKind.SERVER: "the server is {uuid}",
    GuardKind.STOPPED: "{channel} is still stopped with error {errno} on {transaction}",
    GuardKind.NOT_APPLIED: "{transaction} is not applied",
    GuardKind.ORIGIN: "the channel reads from {host}:{port}{server}",
    GuardKind.DEFINITIONS: "its tables are defined as they were diagnosed ({fingerprint})",
    GuardKind.ROWS_AS_DIAGNOSED: "{rows}, locked, {are} exactly what was diagnosed",
    GuardKind.ROW_EVENTS_EXACT: "each row event finds exactly one row, and fires no trigger and no cascade",
    GuardKind.STATEMENTS_EXACT: "each statement finds exactly one row, and fires no cascade",
    GuardKind.CHILDREN_AS_NAMED: (
        "the rows that reference a row which goes or gets another key are exactly those named here, and each has its parent when "
        "the transaction is through"
    ),
    GuardKind.EVENTS_REHEARSED: "the replica has rehearsed the plan together with the transaction's own row events",
    GuardKind.OUTCOME_REHEARSED: "the replica has rehearsed the plan together with the transaction's outcome",
    GuardKind.OTHERS_REHEARSED: "the replica has rehearsed the other rows of the transaction",
    GuardKind.MAY_LEAVE_OUT: "the account was seen to be allowed to leave it out",
    GuardKind.SOURCE: "the source is {uuid}, takes writes, and its tables are defined as they were {read} ({fingerprint})",
    GuardKind.SOURCE_ROWS_AS_DIAGNOSED: "on the source {rows}, locked, {are} exactly what was diagnosed",
    GuardKind.SOURCE_TRIGGERS: "the triggers there that can fire are the {triggers} listed, as they are written now",
    GuardKind.NO_SOURCE_TRIGGER: "no trigger there fires",
    GuardKind.SOURCE_REHEARSED: "the source has rehearsed its part (rolled back), and each statement changes exactly one row",
    GuardKind.ROWS_AS_LEFT: "{rows}, locked, exactly as the repair left them",
    GuardKind.ROWS_AS_LEFT_ON_BOTH: (
        "on the source {rows}, locked, exactly as the repair left them, and on the replica just so: the channel runs"
    ),
    GuardKind.KEYS_FREE: "every key of a row that comes back is free",
    GuardKind.KEYS_FREE_ON_BOTH: "on neither server does another row reference one that goes, or has a key of one that comes back",
    GuardKind.FAMILIES_WHOLE: "no other row references one that goes, and each that comes back has its parents",
    GuardKind.ALL_OR_NONE: "each step finds exactly one row; otherwise all of them are rolled back",
    GuardKind.AS_RECORDED: "{words}",
}


def read_guard(document: object) -> Guard | None:
    """Return what ``to_document`` wrote; of an older record, the sentence.

    None for what is neither, or of a kind that only a newer replfix knows.
    """
    if isinstance(document, str):
        return Guard.of(GuardKind.AS_RECORDED, words=document)
    if not isinstance(document, Mapping) or document.get("kind") not in [kind.value for kind in GuardKind]:
        return None
    facts = tuple(
        (str(name), fact) for name, fact in document.items() if name != "kind" and isinstance(fact, str | int)
    )
    guard = Guard(GuardKind(document["kind"]), facts)
    try:
        return guard if guard.in_words else None
    except KeyError:
        return None


def fingerprint(tables: Mapping[TableName, Table]) -> str:
    """Return a short hash of how the tables are defined."""
    return hashlib.sha256(repr(tuple(tables[name] for name in sorted(tables))).encode()).hexdigest()[:_DIGITS]

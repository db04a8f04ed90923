"""What a replica reports when its applier stops, taken apart.

The text names transaction, table and key. The *values* in it are never used: they are cut at 64 bytes, joined with
``-`` and escaped (server behaviour, 5.7 to 9.7). Values come from the row event.

Forms: ``replication_applier_status_by_worker.LAST_ERROR_MESSAGE`` (9.7), ``Last_SQL_Error`` of servers without workers,
``source log`` and the older servers' word for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

ER_DUP_ENTRY = 1062
ER_NO_REFERENCED_ROW_2 = 1452
ER_KEY_NOT_FOUND = 1032
ER_UNKNOWN_ERROR = 1105
ER_COULD_NOT_APPLY_JSON_DIFF = 3648
MISSING_PARENT_ERRORS = (1216, 1452)
FOREIGN_KEY_ERRORS = (*MISSING_PARENT_ERRORS, 1217, 1451)
ROW_ERRORS = (ER_DUP_ENTRY, ER_KEY_NOT_FOUND, ER_COULD_NOT_APPLY_JSON_DIFF, *FOREIGN_KEY_ERRORS)
"""The errors that come from rows of the replica which are not what the transaction expects."""

_HEAD = re.compile(
    # A coordinator only repeats which transaction it was; Group Replication's channels have no file and position.
    r"(?:Coordinator stopped because [^;']*?: )?Worker \d+ failed executing transaction '(?P<gtid>[^']*)'"
    r"(?: at \w+ log (?P<file>[^,;]*), end_log_pos (?P<pos>[0-9]{1,20}))?[;.]?\s*"
)
_ROWS = re.compile(
    r"Could not execute (?P<event>\w+?_rows)(?:_v1|_compressed|_compressed_v1|_partial)? event on table (?P<table>.+?); ",
    re.S,
)
_CONDITION = re.compile(r"(?P<text>.+?)(?:,\s*|\s)Error_code: (?P<errno>(?:MY-)?\d+);?\s*", re.S)
_EVENT_LOG = re.compile(r"the event's \w+ log (?P<file>[^,;]*), end_log_pos (?P<pos>[0-9]{1,20})")
_DUPLICATE = re.compile(r"Duplicate entry '(?P<value>.*)' for key '(?P<key>.*)'", re.S)
_FOREIGN_KEY = re.compile(r"a foreign key constraint fails \(.*CONSTRAINT `(?P<name>(?:[^`]|``)+)` FOREIGN KEY", re.S)
_TABLE = re.compile(
    # A table that is not there, and a column whose type does not fit: row events that fail before any row is tried.
    r"\bTable '(?P<missing>.+)' doesn't exist|\bColumn \d+(?: \([^)]*\))? of table '(?P<other>.+?)' cannot be converted",
    re.S,
)
_STATEMENT = re.compile(r"on query\. Default database: '(?P<schema>[^']*)'\. Query: '(?P<query>.*)'", re.S)


@dataclass(frozen=True, slots=True)
class ApplierError:
    """One applier error; None where the text does not say. ``table`` is ``schema.table`` as the server printed it."""

    errno: int
    message: str
    gtid: str | None = None
    log_file: str | None = None
    end_log_pos: int | None = None
    event: str | None = None  # Write_rows | Update_rows | Delete_rows | Query | None
    table: str | None = None
    key: str | None = None
    shown_value: str | None = None  # for people only: cut, joined and escaped by the server
    statement: str | None = None  # that failed; the server may have cut it
    foreign_key: str | None = None
    or_gtids: tuple[str, ...] = ()
    """Of other domains of MariaDB, where nothing in the error distinguishes them from ``gtid``."""

    @property
    def candidates(self) -> tuple[ApplierError, ...]:
        """The same error, once for each transaction that it can be about."""
        return tuple(replace(self, gtid=gtid, or_gtids=()) for gtid in (self.gtid, *self.or_gtids))

    @property
    def transaction(self) -> str | None:
        """The failing transaction as the text names it: its GTID, else a position inside it; None for neither."""
        if self.gtid is None and self.log_file is not None and self.end_log_pos is not None:
            return f"{self.log_file}:{self.end_log_pos}"
        return self.gtid

    @property
    def brief(self) -> str:
        """Event, table and key in a few words; the whole message when it names none of them."""
        parts = [self.event or "", f"on {self.table}" if self.table else "", f"key {self.key}" if self.key else ""]
        return " ".join(filter(None, parts)) or self.message


def parse(errno: int, message: str, gtid: str | None = None, or_gtids: tuple[str, ...] = ()) -> ApplierError:
    """Take a message apart. Never raises: what is not recognised stays None, the message is kept whole.

    ``gtid`` (APPLYING_TRANSACTION) wins over the one in the text.
    """
    rest = message
    found_gtid, log_file, end_pos = gtid, None, None
    if head := _HEAD.match(message):
        found_gtid = gtid or head["gtid"]
        log_file, end_pos = head["file"] or None, int(head["pos"]) if head["pos"] else None
        rest = message[head.end() :]
    if found_gtid in ("", "ANONYMOUS", "NOT_YET_DETERMINED"):
        found_gtid = None
    event = table = None
    rows, statement = _ROWS.search(rest), _STATEMENT.search(rest)
    if statement and (rows is None or statement.start() < rows.start()):
        # Its own text can contain any of the words below: only what comes before it counts, "Error 'TEXT' ".
        event, rest = "Query", rest[: statement.start()].removeprefix("Error '").rstrip().removesuffix("'")
    elif rows:
        event, table = rows["event"], rows["table"]
        rest = rest[rows.end() :]
    # Conditions can repeat ("MSG, Error_code: N; MSG2, Error_code: N2;"): the last one is what stopped the applier.
    conditions = list(_CONDITION.finditer(rest))
    text = conditions[-1]["text"] if conditions else rest
    if logs := list(_EVENT_LOG.finditer(rest)):  # the last: a value can contain the same words
        # 5.6 and 5.7 with workers call the file FIRST here; the worker's own words before it have its name. MariaDB 11.8 gives
        # events inside a transaction no position and says 0.
        named = logs[-1]["file"] if logs[-1]["file"] != "FIRST" else None
        log_file, end_pos = named or log_file, int(logs[-1]["pos"]) or end_pos
    if table is None and (named := _TABLE.search(text)):
        table = named["missing"] or named["other"]
    duplicate = _DUPLICATE.search(text)
    if duplicate is None and errno == ER_DUP_ENTRY and conditions:  # the value itself contains "Error_code: N;"
        duplicate = _DUPLICATE.search(rest[: conditions[-1].end("text")])
    return ApplierError(
        statement=statement["query"] if statement and event == "Query" else None,
        errno=errno,
        message=message,
        gtid=found_gtid,
        or_gtids=or_gtids,
        log_file=log_file,
        end_log_pos=end_pos,
        event=event,
        table=table,
        key=duplicate["key"] if duplicate else None,
        foreign_key=referenced["name"].replace("``", "`") if (referenced := _FOREIGN_KEY.search(text)) else None,
        shown_value=duplicate["value"] if duplicate else None,
    )

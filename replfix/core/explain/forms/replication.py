"""A replica's applier: the error log, SHOW REPLICA STATUS, or the workers' table of performance_schema."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned

NAME = "replication"

_ROWS = "ould not execute "  # blogs begin in the middle of a sentence
_TABLE = re.compile(r"\w{1,40} event on table (?P<table>.{1,400}); \Z", re.S)
_BOOKKEEPING = re.compile(r"failed to update GTID state in (?P<schema>\w{1,64})\.(?P<table>\w{1,64}): ")
_AFTER_GTID = re.compile(r"\A[^\n]{0,4000}?\bGtid (?P<gtid>\d{1,10}-\d{1,10}-\d{1,20})\b")  # MariaDB
_GTID = re.compile(r"failed executing transaction '(?P<gtid>[^'\n]{1,200})'")
_NO_GTID = ("ANONYMOUS", "NOT_YET_DETERMINED")
_QUERY = re.compile(r"\A' on query\. Default database: '(?P<schema>[^'\n]{0,200})'\. Query: '")
# "Replica SQL: …", "… SQL for channel 'x': …", MariaDB's "… (additional info): …", with the older words for replica too.
_STATUS = re.compile(r"Last_(?:SQL_)?Error: ")
_THREAD = re.compile(r"\] (?:\[\w+\] )?\w+ (?:SQL|\(additional info\))(?: for channel '[^'\n]{0,200}')?: ")


def recognise(around: Around) -> Context | None:
    line = around.line_before
    gtid = _GTID.search(line) or _GTID.search(around.message) or _GTID.match(around.after[:100].lstrip(" ."))
    gtid_text = gtid["gtid"] if gtid and gtid["gtid"] not in _NO_GTID else None
    if gtid_text is None and (after := _AFTER_GTID.match(around.after)):
        gtid_text = after["gtid"]
    own = _BOOKKEEPING.search(line)
    if own is not None:
        return Context(schema=own["schema"], table=own["table"], gtid=gtid_text, replication=True)
    rows = _TABLE.match(line, line.rfind(_ROWS) + len(_ROWS)) if _ROWS in line else None
    if rows is not None:
        # As the server prints it, neither name quoted: which dot divides them is unknown.
        schema, _, table = rows["table"].partition(".")
        return Context(schema=schema, table=table or None, gtid=gtid_text, replication=True)
    query = _QUERY.match(around.after[:600])
    if query is not None:
        rest = around.after[query.end() :]
        # It can go on over lines; its own quotes are not escaped, so the last one on its last line ends it.
        ends = rest.rfind("'")
        return Context(
            statement=cleaned(rest[: ends if ends >= 0 else None]),
            schema=query["schema"] or None,
            gtid=gtid_text,
            replication=True,
        )
    if gtid or _THREAD.search(line) or _STATUS.search(line):
        return Context(gtid=gtid_text, replication=True)
    return None

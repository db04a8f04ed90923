"""A writer logs statements, and every server works out their rows anew."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core import sql
from replfix.core.advisor.node import Node
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import writers
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix
from replfix.core.words import counted

CODE = "unsafe-statements"

_INTERLEAVED = 2


def examine(survey: Survey) -> Iterator[Finding]:
    for node in writers(survey):
        if node.binlog_format.upper() != "STATEMENT":
            continue
        log = node.log
        evidence = ["binlog_format is STATEMENT."]
        if node.lock_mode == _INTERLEAVED:
            evidence.append(
                "innodb_autoinc_lock_mode is 2: inserts of several rows at once get their ids interleaved, and other ones where "
                "the statement is run again."
            )
        if log is not None and log.statements:
            evidence.append(
                f"{counted(log.statements, 'statement')} in its binary log, the last one: {log.statement} …"
            )
        yield Finding(
            CODE,
            Severity.CRITICAL if node.lock_mode == _INTERLEAVED else Severity.WARNING,
            f"{node.name} logs statements, not rows: a replica can generate other ids and rows from them.",
            node=node.name,
            evidence=tuple(evidence),
            fixes=_fixes(node),
        )


def _fixes(node: Node) -> tuple[Fix, ...]:
    """Return the statements. MySQL rejects the SET while an applier of the server is running (9.7.4)."""
    if node.mariadb:
        in_file = Fix(f"and in the option file of {node.name}, under [mariadb]: binlog_format = ROW")
        return (Fix(sql=(sql.SET_ROW_FORMAT,), where=node.name), in_file)
    if not any(channel.running for channel in node.channels):
        return (Fix(sql=(sql.PERSIST_ROW_FORMAT,), where=node.name),)
    running = [sql.Channel(channel.name) for channel in node.channels if channel.running]
    stop = [sql.stop_replica(channel, "SQL_THREAD") for channel in running]
    start = [sql.start_replica(channel, receiver=False) for channel in running]
    return (Fix(sql=(*stop, sql.PERSIST_ROW_FORMAT, *start), where=node.name),)

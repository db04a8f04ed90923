"""A writer logs statements, and every server works out their rows anew."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.finding import Finding, Severity
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import writers
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
            fix_sql=(
                ("SET GLOBAL binlog_format = ROW", "-- and in the option file, under [mariadb]: binlog_format = ROW")
                if node.mariadb
                else (
                    "-- with the appliers of its channels stopped (STOP REPLICA SQL_THREAD), else it is refused",
                    "SET PERSIST binlog_format = ROW",
                )
            ),
        )

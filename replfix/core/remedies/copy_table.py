"""A table copied from the source to a replica that has stopped: three steps, two servers and a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from replfix.core import sql
from replfix.core.incident.evidence import BothDefinitions, Evidence
from replfix.core.remedies.by_hand import NEVER_BELOW, by_hand
from replfix.core.remedies.remedy import SHELL, LeadsTo, Remedy
from replfix.core.schema.table import TableName
from replfix.core.sql import definition_diff

_SCHEMA = "replfix_copy"


def copied(
    evidence: Evidence,
    both: BothDefinitions | None,
    there: TableName,
    here: TableName,
    words: str,
    *,
    ending: tuple[str, ...] | None = None,
    leads_to: LeadsTo = LeadsTo.NEXT_TRANSACTION,
    saved_as: TableName | None = None,
    again: bool = False,
) -> Iterator[Remedy]:
    """Yield the steps that copy the source's table ``there`` to the replica's ``here``, and then ``ending``.

    ``ending`` starts the channel by default, or leaves the failing transaction out. Only where no later transaction
    touches the table: a copy would be of another time otherwise. ``again``: they may change rows of it, which a key
    names, by row events: each leaves its rows as the source had them then, and the last one as they are. ``saved_as``:
    the name that the replica's own table gets.
    """
    words += f" {NEVER_BELOW}" if ending else ""
    later = both.later if both is not None else None
    if both is None or both.source_then is None or later is None or (later.by_statement if again else later.rows):
        yield Remedy(
            f"{words} The source has it as {there} now, and later transactions of the backlog change it, or may: a copy made now would not be what they expect. Rebuild the replica, or restore the table from a backup of that time."
        )
        return
    channel, mariadb = evidence.channel, evidence.status.product == "MariaDB"
    dump, client = ("mariadb-dump", "mariadb") if mariadb else ("mysqldump --set-gtid-purged=OFF", "mysql")
    source = f"--host={shlex.quote(channel.source_host)} --port={channel.source_port}"
    target = f"{client} --init-command='SET SESSION sql_log_bin = 0' {_SCHEMA}"
    table = f"{shlex.quote(there.schema)} {shlex.quote(there.name)}"
    super_read_only = evidence.status.super_read_only
    backlog = "nothing in the backlog changes it: copy that."
    if later.rows:
        backlog = "the backlog changes it by row events only: copy that. They are applied to the copy; where one stops on a row, 'replfix resolve' continues."
    yield Remedy(
        f"{words} The source has it as {there}, and {backlog} First create a place for it:",
        (
            sql.NOT_LOGGED_SESSION,
            *(["SET GLOBAL super_read_only = OFF"] if super_read_only else []),
            f"CREATE DATABASE {_SCHEMA}",
        ),
        LeadsTo.NEXT_STEP,
    )
    yield Remedy(
        "Then copy it, with accounts from your option files:",
        (f"{dump} --single-transaction --no-tablespaces --skip-triggers {source} {table} | {target}",),
        LeadsTo.NEXT_STEP,
        where=SHELL,
    )
    aside = (
        f" The replica's own table is kept as {saved_as}; drop that when it is no longer needed." if saved_as else ""
    )
    moved = (
        *([sql.rename_table(here, saved_as)] if saved_as else []),
        sql.rename_table(TableName(_SCHEMA, there.name), here),
        *_with_its_parents(both.source_then, here),
        f"DROP DATABASE {_SCHEMA}",
    )
    yield Remedy(
        f"Then put it in its place:{aside}",
        (
            *by_hand(evidence, *moved, start=""),
            *(ending or (sql.start_replica(evidence.named_channel, receiver=True),)),
        ),
        leads_to,
    )


def _with_its_parents(create: str, here: TableName) -> tuple[str, ...]:
    """Foreign keys made anew: those of the copy reference tables of the place that it comes from (9.7.4, 11.8.9)."""
    definition = definition_diff.parsed(create)
    keys = definition.foreign_keys if definition is not None else {}
    if not keys:
        return ()
    return (
        sql.WITHOUT_FOREIGN_KEYS,  # nothing is copied again for it
        *(sql.drop_foreign_key(here, name) for name in keys),
        *(sql.alter_table(here, [f"ADD {definition_diff.as_written(clause)}"]) for clause in keys.values()),
        sql.WITH_FOREIGN_KEYS,
    )

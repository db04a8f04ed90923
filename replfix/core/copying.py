"""A table copied from the source to a replica that stands still: three steps, two servers and a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from replfix.core import sql
from replfix.core.by_hand import by_hand
from replfix.core.evidence import BothDefinitions, Evidence
from replfix.core.remedy import SHELL, LeadsTo, Remedy
from replfix.core.table import TableName

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
) -> Iterator[Remedy]:
    """The source's table ``there`` as the replica's ``here``, and then ``ending``: the channel is started, if nothing is said. Only
    where no later transaction touches it: a copy would be of another time otherwise."""
    if both is None or both.source_then is None or both.later is None or both.later.rows:
        yield Remedy(
            f"{words} The source has it as {there} now, and later transactions of the backlog change it, or may: a copy of now would "
            "not be what they expect. Rebuild the replica, or restore the table from a backup of that time."
        )
        return
    channel, mariadb = evidence.channel, evidence.status.product == "MariaDB"
    dump, client = ("mariadb-dump", "mariadb") if mariadb else ("mysqldump --set-gtid-purged=OFF", "mysql")
    source = f"--host={shlex.quote(channel.source_host)} --port={channel.source_port}"
    target = f"{client} --init-command='SET SESSION sql_log_bin = 0' {_SCHEMA}"
    table = f"{shlex.quote(there.schema)} {shlex.quote(there.name)}"
    super_read_only = evidence.status.super_read_only
    yield Remedy(
        f"{words} The source has it as {there}, and nothing in the backlog changes it: copy that. First a place for it:",
        (
            sql.NOT_LOGGED_SESSION,
            *(["SET GLOBAL super_read_only = OFF"] if super_read_only else []),
            f"CREATE DATABASE {_SCHEMA}",
        ),
        LeadsTo.NEXT_STEP,
    )
    yield Remedy(
        "Then the copy, with accounts out of your option files:",
        (f"{dump} --single-transaction --no-tablespaces --skip-triggers {source} {table} | {target}",),
        LeadsTo.NEXT_STEP,
        SHELL,
    )
    moved = (sql.rename_table(TableName(_SCHEMA, there.name), here), f"DROP DATABASE {_SCHEMA}")
    yield Remedy(
        "Then put it in its place:",
        (*by_hand(evidence, *moved, start=""), *(ending or (sql.start_replica(channel.name, receiver=True),))),
        leads_to,
    )

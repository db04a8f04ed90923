"""The transaction needs more than a limit of the replica allows."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.by_hand import by_hand
from replfix.core.remedies.remedy import LeadsTo, Remedy
from replfix.core.schema.table import TableName

FAMILY = Family(
    page="limit",
    kind=Kind.SERVER,
    thread=Thread.APPLIER,
    errors={
        1021: "ER_DISK_FULL",
        1026: "ER_ERROR_ON_WRITE",
        1037: "ER_OUTOFMEMORY",
        1038: "ER_OUT_OF_SORTMEMORY",
        1041: "ER_OUT_OF_RESOURCES",
        1114: "ER_RECORD_FILE_FULL",
        1119: "ER_STACK_OVERRUN",
        1135: "ER_CANT_CREATE_THREAD",
        1153: "ER_NET_PACKET_TOO_LARGE",
        1162: "ER_TOO_LONG_STRING",
        1197: "ER_TRANS_CACHE_FULL",
        1203: "ER_TOO_MANY_USER_CONNECTIONS",
        1206: "ER_LOCK_TABLE_FULL",
        1301: "ER_WARN_ALLOWED_PACKET_OVERFLOWED",
        1436: "ER_STACK_OVERRUN_NEED_MORE",
        1461: "ER_MAX_PREPARED_STMT_COUNT_REACHED",
        1534: "ER_BINLOG_ROW_LOGGING_FAILED",
        1637: "ER_TOO_MANY_CONCURRENT_TRXS",
        1705: "ER_STMT_CACHE_FULL",
        1713: "ER_UNDO_RECORD_TOO_BIG",
        1799: "ER_INNODB_ONLINE_LOG_TOO_BIG",
        1864: "ER_MTA_EVENT_BIGGER_PENDING_JOBS_SIZE_MAX",
        1878: "ER_TEMP_FILE_WRITE_FAILURE",
        3019: "ER_INNODB_UNDO_LOG_FULL",
        3675: "ER_DISK_FULL_NOWAIT",
        3985: "ER_MDL_OUT_OF_RESOURCES",
        13125: "ER_SERVER_NET_PACKET_TOO_LARGE",
        13131: "ER_SERVER_OUT_OF_SORTMEMORY",
        13132: "ER_SERVER_RECORD_FILE_FULL",
        13133: "ER_SERVER_DISK_FULL_NOWAIT",
    },
    mariadb={
        4139: "ER_INDEX_FILE_FULL",
    },
    means=(
        "The transaction is larger than a limit of the replica: a cache, a packet, a table in memory, its memory or its disk. Nothing "
        "is wrong with its rows."
    ),
    replfix="Compares the limit on both servers, and shows the statement that raises it.",
    human="Make room on the replica's machine or raise the limit, in its configuration file too, and start the channel.",
    settings=(
        "max_binlog_cache_size", "max_binlog_stmt_cache_size", "max_heap_table_size", "replica_max_allowed_packet",
        "max_allowed_packet", "sort_buffer_size", "thread_stack",
        "innodb_online_alter_log_max_size", "replica_pending_jobs_size_max", "max_prepared_stmt_count",
    ),
)  # fmt: skip

_MOST = {"max_binlog_cache_size": 2**32, "max_binlog_stmt_cache_size": 2**32, "replica_max_allowed_packet": 2**30}
_VARIABLE = {
    1038: "sort_buffer_size",
    1153: "replica_max_allowed_packet",
    1197: "max_binlog_cache_size",
    1461: "max_prepared_stmt_count",
    1705: "max_binlog_stmt_cache_size",
    1799: "innodb_online_alter_log_max_size",
    13125: "replica_max_allowed_packet",
    13131: "sort_buffer_size",
    1864: "replica_pending_jobs_size_max",
}
_FULL = (1114, 13132)
_FULL_TABLE = re.compile(r"The table '(?P<name>.+?)' is full")
_HEAP = "max_heap_table_size"


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (*drift.the_statement(evidence), *_advise(evidence))


def _advise(evidence: Evidence) -> tuple[Remedy, ...]:
    errno = evidence.error.errno
    if errno in _FULL and (memory := _memory_table(evidence)) is not None:
        return (_larger_memory_table(evidence, memory),)
    name = _VARIABLE.get(errno)
    number = _number(evidence, name) if name else None
    if name is None or number is None:
        again = (sql.start_replica(evidence.named_channel, receiver=True),)
        return (Remedy(f"{FAMILY.human} Once there is room:", again, LeadsTo.NEXT_TRANSACTION),)
    wanted = max(_MOST.get(name, 0), 2 * number)
    return (
        Remedy(
            f"{name} is {number:,} on the replica{_there(evidence, name)}. This raises it while the server runs; set it in the "
            "configuration file as well.",
            (f"SET GLOBAL {name} = {wanted}", *_restarted(evidence)),
            LeadsTo.NEXT_TRANSACTION,
        ),
    )


def _restarted(evidence: Evidence) -> tuple[str, ...]:
    return (sql.start_replica(evidence.named_channel, receiver=True),)


def _number(evidence: Evidence, name: str) -> int | None:
    value = evidence.settings.replica.get(name) if evidence.settings else None
    return int(value) if value is not None and value.isdigit() else None


def _there(evidence: Evidence, name: str) -> str:
    value = evidence.settings.source.get(name) if evidence.settings else None
    return f", {int(value):,} on the source" if value is not None and value.isdigit() else ""


def _memory_table(evidence: Evidence) -> TableName | None:
    return next(
        (name for name, table in evidence.tables.items() if table.engine.upper() == "MEMORY" and _is(evidence, name)),
        None,
    )


def _is(evidence: Evidence, name: TableName) -> bool:
    full = _FULL_TABLE.search(evidence.error.message)
    return full is not None and full["name"] in (name.name, str(name))


def _larger_memory_table(evidence: Evidence, name: TableName) -> Remedy:
    number = max(2 * (_number(evidence, _HEAP) or 0), 2**28)
    return Remedy(
        f"{name} is a MEMORY table, and no larger than {_HEAP} was when the table was made or last altered on the replica (or when its "
        f"server started). The global value is {_number(evidence, _HEAP) or 0:,} there now{_there(evidence, _HEAP)}. This makes room; set "
        "it in the configuration file as well.",
        (
            f"SET GLOBAL {_HEAP} = {number}",
            *by_hand(evidence, f"SET SESSION {_HEAP} = {number}", sql.rebuild_table(name, "MEMORY")),
        ),
        LeadsTo.NEXT_TRANSACTION,
    )

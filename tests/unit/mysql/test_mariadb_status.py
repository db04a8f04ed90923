"""Which transaction a MariaDB applier has failed on: its message does not say, the relay log does."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest

from replfix.core.binlog.explains_error import failing_groups
from replfix.core.replication.applier_error import ApplierError, parse
from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.core.replication.start_threads import Threads
from replfix.core.replication.transaction_id import TransactionId
from replfix.mysql.connection.dialects.mariadb import MariadbDialect, failure_of, relayed_groups
from replfix.mysql.connection.session import Session

# SHOW RELAYLOG EVENTS of 10.11.19, two domains applied in parallel.
EVENTS = [
    ("Gtid", 1572, "BEGIN GTID 0-1-7"),
    ("Annotate_rows", 1628, "insert into d.t values (50,'GTID 9-9-9')"),
    ("Table_map", 1688, "table_id: 22 (d.t)"),
    ("Write_rows_v1", 1730, "table_id: 22 flags: STMT_END_F"),
    ("Xid", 1761, "COMMIT /* xid=66 */"),
    ("Gtid", 1803, "BEGIN GTID 1-1-4 cid=71"),
    ("Table_map", 1863, "table_id: 23 (d.u (odd))"),
    ("Write_rows_v1", 1905, "table_id: 23 flags: STMT_END_F"),
    ("Xid", 1936, "COMMIT /* xid=67 */"),
    ("Gtid", 1978, "GTID 0-1-8"),
    ("Query", 2050, "use `d`; create table x (id int)"),
]


def rows(events: list[tuple[str, int, str]]) -> list[dict[str, Any]]:
    return [{"Event_type": kind, "End_log_pos": str(end), "Info": info} for kind, end, info in events]


def error(table: str, end: int) -> ApplierError:
    return parse(
        1062,
        f"Could not execute Write_rows_v1 event on table {table}; Duplicate entry '5' for key 'PRIMARY', Error_code: 1062; "
        f"handler error HA_ERR_FOUND_DUPP_KEY; the event's master log binlog.000001, end_log_pos {end}",
    )


def failing(events: list[tuple[str, int, str]], position: str, told: ApplierError) -> str | None:
    found = every_failing(events, position, told)
    return found[0] if found else None


def every_failing(events: list[tuple[str, int, str]], position: str, told: ApplierError) -> tuple[str, ...]:
    return failing_groups(relayed_groups(rows(events)), MariadbGtidSet.of_replica("", position, "2"), told)


@pytest.mark.parametrize(
    ("position", "table", "end", "gtid"),
    [
        ("0-1-6,1-1-3", "d.t", 1730, "0-1-7"),
        ("0-1-6,1-1-3", "d.u (odd)", 1905, "1-1-4"),
        ("0-1-6,1-1-3", "d.u (odd)", 0, "1-1-4"),  # 11.8 gives rows no position
        ("0-1-7,1-1-3", "d.u (odd)", 1905, "1-1-4"),
        ("0-2-9,1-1-3", "d.t", 1730, "0-1-7"),  # another server's lower number is not applied for that
        ("0-1-6,1-1-3", "d.t", 1731, None),
        ("0-1-7,1-1-4", "d.t", 1730, None),
        ("0-1-6,1-1-3", "renamed.t", 1730, "0-1-7"),  # a filter of the replica gives its schema another name
    ],
)
def test_the_failing_transaction(position: str, table: str, end: int, gtid: str | None) -> None:
    assert failing(EVENTS, position, error(table, end)) == gtid


def test_an_error_without_a_place_can_be_about_a_transaction_of_each_domain() -> None:
    """As 11.8.9 has it: of each domain the first that fits, and none where the place tells."""
    alike = [(kind, end, info.replace("d.u (odd)", "d.t")) for kind, end, info in EVENTS]
    assert every_failing(alike, "0-1-6,1-1-3", error("d.t", 0)) == ("0-1-7", "1-1-4")
    assert every_failing(alike, "0-1-7,1-1-3", error("d.t", 0)) == ("1-1-4",)
    assert every_failing(alike, "0-1-6,1-1-3", error("d.t", 1905)) == ("1-1-4",)
    told = parse(1062, error("d.t", 0).message, "0-1-7", ("1-1-4",))
    assert [candidate.gtid for candidate in told.candidates] == ["0-1-7", "1-1-4"]


def test_an_event_of_another_kind_is_not_the_failing_one() -> None:
    update = [(kind.replace("Write", "Update"), end, info) for kind, end, info in EVENTS]
    assert failing(update, "0-1-6,1-1-3", error("d.t", 0)) is None
    assert failing([*update[:5], ("Gtid", 1803, "BEGIN GTID 0-1-8"), *EVENTS[1:5]], "0-1-6", error("d.t", 0)) == "0-1-8"


def test_a_failing_statement() -> None:
    told = parse(
        1050, "Error 'Table 'x' already exists' on query. Default database: 'd'. Query: 'create table x (id int)'"
    )
    assert failing(EVENTS, "0-1-6,1-1-3", told) == "0-1-8"
    other = parse(
        1050, "Error 'Table 'y' already exists' on query. Default database: 'd'. Query: 'create table y (id int)'"
    )
    assert failing(EVENTS, "0-1-6,1-1-3", other) is None


@pytest.mark.parametrize(
    "session",
    [
        "",
        "use `d`; ",
        "set unique_checks=0; ",
        "use `d``e`; set foreign_key_checks=0, sql_auto_is_null=1, check_constraint_checks=0; ",
        "use `d`; set @@sql_if_exists=1, @@system_versioning_insert_history=1; ",
    ],
)
def test_a_failing_statement_with_settings_of_its_session(session: str) -> None:
    """A dump's, or a migration's: without foreign key checks."""
    text = "create table x (id int)"
    told = parse(1050, f"Error 'Table 'x' already exists' on query. Default database: 'd'. Query: '{text}'")
    events = [*EVENTS[:-1], ("Query", 2050, f"{session}{text}")]
    assert failing(events, "0-1-6,1-1-3", told) == "0-1-8"


def test_an_error_that_names_nothing_is_the_first_ones_where_there_is_one_order() -> None:
    told = parse(1950, "An attempt was made to binlog GTID 0-1-7 which would create an out-of-order sequence number")
    assert failing(EVENTS[:5], "0-1-6", told) == "0-1-7"
    assert failing(EVENTS, "0-1-6", told) is None


def test_the_applier_alone_goes_up_to_a_position() -> None:
    transaction = TransactionId("0-1-7", "binlog.000001", 1530, 1761)
    start = MariadbDialect().start
    assert start("", Threads.BOTH) == ("STOP REPLICA '' SQL_THREAD", "START REPLICA ''")
    assert start("it's", Threads.APPLIER, until=transaction)[1] == (
        "START REPLICA 'it''s' SQL_THREAD UNTIL MASTER_LOG_FILE = 'binlog.000001', MASTER_LOG_POS = 1761"
    )
    assert start("", Threads.APPLIER, before=transaction)[1].endswith("MASTER_LOG_POS = 1530")


class Recorded:
    """A session that answers SHOW RELAYLOG EVENTS from one file, as 11.8.9 does."""

    def __init__(self, events: list[tuple[str, int, str]]) -> None:
        begins = [4, *(end for _, end, _ in events)]
        self.asked = 0
        self.events = [{**row, "Pos": str(begin)} for begin, row in zip(begins, rows(events), strict=False)]

    def query_lossy(self, statement: str) -> list[dict[str, Any]]:
        self.asked += 1
        found = re.search(r"FROM (\d+)", statement)
        return [row for row in self.events if found is None or int(row["Pos"]) >= int(found[1])]


PARALLEL = {
    "Last_SQL_Errno": "1062", "Replica_SQL_Running": "No", "Connection_name": "", "Relay_Log_File": "relay-bin.000002",
    "Relay_Log_Pos": "1936", "Relay_Log_Space": "9000", "Using_Gtid": "Slave_Pos", "Parallel_Mode": "optimistic",
    "Gtid_IO_Pos": "0-1-8,1-1-4",
}  # fmt: skip


@pytest.mark.parametrize(
    ("then", "reads"),
    [
        ({}, 1),  # from the applier's place: not the whole file again
        ({"Relay_Log_Space": "9100"}, 2),
        ({"Relay_Log_File": "relay-bin.000003"}, 2),
        ({"Last_SQL_Errno": "1032"}, 2),
        ({"Connection_name": "other"}, 2),
    ],
)
def test_a_relay_log_in_which_nothing_fits_is_read_again_once_it_changed(then: dict[str, str], reads: int) -> None:
    recorded = Recorded([("Rotate", 256, "binlog.000001;pos=4"), *EVENTS])
    row = {**PARALLEL, "Last_SQL_Error": error("d.elsewhere", 1).message}
    variables = {"position": "1-1-4", "threads": "4"}
    executed = MariadbGtidSet.of_replica("", "1-1-4", "2")
    (failed,) = failure_of(cast("Session", recorded), row, variables, executed)
    assert (failed.gtid, recorded.asked) == (None, 2)
    recorded.asked = 0
    assert failure_of(cast("Session", recorded), {**row, **then}, variables, executed)[0].gtid is None
    assert recorded.asked == reads


@pytest.mark.parametrize(
    ("threads", "gtids"), [("4", ("0-1-7",)), ("0", (None,))], ids=["parallel", "one after the other"]
)
def test_an_applier_whose_position_is_after_the_failing_transaction(threads: str, gtids: tuple[str | None]) -> None:
    """11.8.9, a ring of three in parallel: domain 1's transaction was committed after that of domain 0 had failed."""
    row = {**PARALLEL, "Last_SQL_Error": error("d.t", 0).message}
    variables = {"position": "1-1-4", "threads": threads}
    session = cast("Session", Recorded([("Rotate", 256, "binlog.000001;pos=4"), *EVENTS]))
    failed = failure_of(session, row, variables, MariadbGtidSet.of_replica("", "1-1-4", "2"))
    assert [worker.gtid for worker in failed] == list(gtids)

"""Every form of message that was seen on real servers, and the ones that only look like one."""

from __future__ import annotations

import pytest

from replfix.core.replication.applier_error import ApplierError, parse

U = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
HEAD = f"Worker 1 failed executing transaction '{U}:6' at source log binlog.000001, end_log_pos 1792; "
TAIL = "; the event's source log binlog.000001, end_log_pos 1700"


def test_duplicate_in_write_rows() -> None:
    text = (
        f"{HEAD}Could not execute Write_rows event on table shop.orders; Duplicate entry '3' for key 'orders.PRIMARY', "
        f"Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY{TAIL}"
    )
    assert parse(1062, text) == ApplierError(
        1062, text, f"{U}:6", "binlog.000001", 1700, "Write_rows", "shop.orders", "orders.PRIMARY", "3"
    )


def test_the_foreign_key_of_a_missing_parent() -> None:
    text = (
        "Could not execute Write_rows event on table a.b; Cannot add or update a child row: a foreign key constraint fails "
        "(`a`.`b`, CONSTRAINT `b``s` FOREIGN KEY (`p`) REFERENCES `q` (`id`)), Error_code: 1452; handler error"
    )
    assert parse(1452, text).foreign_key == "b`s"
    assert parse(1216, "Cannot add or update a child row: a foreign key constraint fails").foreign_key is None


def test_the_servers_gtid_wins_over_the_one_in_the_text() -> None:
    assert parse(1062, HEAD, f"{U}:tag:7").gtid == f"{U}:tag:7"


@pytest.mark.parametrize(
    ("errno", "rest", "event", "table", "key", "value"),
    [
        (
            1062,
            "Could not execute Update_rows event on table a.b; Duplicate entry '1-x' for key 'b.u', Error_code: 1062; handler "
            "error HA_ERR_FOUND_DUPP_KEY",
            "Update_rows",
            "a.b",
            "b.u",
            "1-x",
        ),
        (
            1032,
            "Could not execute Delete_rows event on table a.b; Can't find record in 'b', Error_code: 1032; handler error "
            "HA_ERR_KEY_NOT_FOUND",
            "Delete_rows",
            "a.b",
            None,
            None,
        ),
        (
            1452,
            "Could not execute Write_rows event on table a.b; Cannot add or update a child row: a foreign key constraint "
            "fails (`a`.`b`, CONSTRAINT `f` FOREIGN KEY (`p`) REFERENCES `q` (`id`)), Error_code: 1452; handler error "
            "HA_ERR_NO_REFERENCED_ROW",
            "Write_rows",
            "a.b",
            None,
            None,
        ),
        (
            3819,
            "Could not execute Write_rows event on table a.k; Check constraint 'k_chk_1' is violated., Error_code: 3819; "
            "handler error No Error!",
            "Write_rows",
            "a.k",
            None,
            None,
        ),
        (
            1062,  # no handler part
            "Could not execute Write_rows event on table a.b; Duplicate entry '3' for key 'b.PRIMARY', Error_code: MY-001062",
            "Write_rows",
            "a.b",
            "b.PRIMARY",
            "3",
        ),
        (
            1062,  # conditions repeat: the last one counts
            "Could not execute Write_rows event on table a.b; Duplicate entry '1' for key 'b.one', Error_code: 1062; Duplicate "
            "entry '2' for key 'b.two', Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY",
            "Write_rows",
            "a.b",
            "b.two",
            "2",
        ),
        (
            1032,  # … and it is not the duplicate
            "Could not execute Update_rows event on table a.b; Duplicate entry '1' for key 'b.one', Error_code: 1062; Can't "
            "find record in 'b', Error_code: 1032; handler error HA_ERR_KEY_NOT_FOUND",
            "Update_rows",
            "a.b",
            None,
            None,
        ),
        (1146, "Error executing row event: 'Table 'd.g' doesn't exist'", None, "d.g", None, None),
        (
            13146,
            "Column 2 (counting the first column as number 1) of table 'd.h' cannot be converted from type 'bigint' to type "
            "'int'",
            None,
            "d.h",
            None,
            None,
        ),
        (
            1062,
            "Error 'Duplicate entry '3' for key 'e.PRIMARY'' on query. Default database: ''. Query: 'insert into d.e values "
            "(3)'",
            "Query",
            None,
            "e.PRIMARY",
            "3",
        ),
        (
            1062,  # a statement can hold the words of a row event, and of a key
            "Error 'Duplicate entry 'a' for key 'e.u'' on query. Default database: 'd'. Query: 'insert into e values ('Could "
            "not execute Write_rows event on table x.y; Duplicate entry '1' for key 'k', Error_code: 1; the event's source log "
            "f, end_log_pos 9')'",
            "Query",
            None,
            "e.u",
            "a",
        ),
    ],
)
def test_forms(errno: int, rest: str, event: str | None, table: str | None, key: str | None, value: str | None) -> None:
    error = parse(errno, HEAD + rest)
    assert (error.event, error.table, error.key, error.shown_value) == (event, table, key, value)
    assert (error.gtid, error.log_file, error.end_log_pos) == (f"{U}:6", "binlog.000001", 1792)
    assert error.message == HEAD + rest


@pytest.mark.parametrize("event", ["Write_rows", "Write_rows_v1", "Write_rows_compressed", "Write_rows_compressed_v1"])
def test_mariadb_says_it_all_in_last_sql_error(event: str) -> None:
    error = parse(
        1062,
        f"Could not execute {event} event on table d.p; Duplicate entry '5' for key 'PRIMARY', Error_code: 1062; handler error "
        "HA_ERR_FOUND_DUPP_KEY; the event's master log bin.000001, end_log_pos 1746",
    )
    assert (error.gtid, error.event, error.table, error.key) == (None, "Write_rows", "d.p", "PRIMARY")
    assert (error.log_file, error.end_log_pos) == ("bin.000001", 1746)


@pytest.mark.parametrize(
    ("head", "gtid", "file", "position"),
    [
        ("Worker 3 failed executing transaction 'ANONYMOUS' at source log , end_log_pos 786; ", None, None, 786),
        (
            f"Worker 3 failed executing transaction '{U}:tag:9' at master log FIRST, end_log_pos 4; ",
            f"{U}:tag:9",
            "FIRST",
            4,
        ),
        (f"Worker 3 failed executing transaction '{U}:9'; ", f"{U}:9", None, None),
        (
            "Worker 3 failed executing transaction 'NOT_YET_DETERMINED' at source log b.1, end_log_pos 5; ",
            None,
            "b.1",
            5,
        ),
        ("", None, None, None),
    ],
)
def test_heads(head: str, gtid: str | None, file: str | None, position: int | None) -> None:
    error = parse(
        1032, f"{head}Could not execute Update_rows event on table d.t; Can't find record in 't', Error_code: 1032;"
    )
    assert (error.gtid, error.log_file, error.end_log_pos) == (gtid, file, position)
    assert (error.event, error.table) == ("Update_rows", "d.t")


def test_the_coordinator_only_says_which_transaction() -> None:
    error = parse(
        1062,
        "Coordinator stopped because there were error(s) in the worker(s). The most recent failure being: Worker 1 failed "
        f"executing transaction '{U}:6' at source log binlog.000001, end_log_pos 1792. See error log and/or "
        "performance_schema.replication_applier_status_by_worker table for more details about this failure or others, if any.",
    )
    assert (error.gtid, error.log_file, error.end_log_pos) == (f"{U}:6", "binlog.000001", 1792)
    assert (error.event, error.table, error.key) == (None, None, None)
    assert error.brief == error.message


@pytest.mark.parametrize(
    "value",
    [
        "; ",
        "' for key 'other.key",
        ", Error_code: 1; ",
        "x', Error_code: 1032; handler error Y; the event's source log evil, end_log_pos 1",
        "the event's source log evil, end_log_pos 1",
        " on query. Default database: ''. Query: 'drop'",
        "O''Neill",
        "\\x00\\xFF",
        "",
    ],
)
@pytest.mark.parametrize("key", ["orders.PRIMARY", "PRIMARY", "we`ird-ta.ble.u.q k", 'a"b.c"d', "it's.k"])
def test_words_in_the_value_do_not_mislead(value: str, key: str) -> None:
    error = parse(
        1062,
        f"{HEAD}Could not execute Write_rows event on table we`ird.ta.ble'\"; Duplicate entry '{value}' for key '{key}', "
        f"Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY{TAIL}",
    )
    assert (error.event, error.table, error.key) == ("Write_rows", "we`ird.ta.ble'\"", key)
    assert (error.log_file, error.end_log_pos) == ("binlog.000001", 1700)


def test_in_brief() -> None:
    assert ApplierError(1062, "m", event="Write_rows", table="a.b", key="b.u").brief == "Write_rows on a.b key b.u"
    assert ApplierError(1146, "Table is gone").brief == "Table is gone"


@pytest.mark.parametrize(
    "text", ["", "'", "Worker", HEAD, HEAD.replace("1792", "9" * 5000), "Error_code: ", "\x00" * 100]
)
def test_anything_else_is_kept_whole(text: str) -> None:
    error = parse(1, text)
    assert error.message == text
    assert (error.event, error.table, error.key) == (None, None, None)

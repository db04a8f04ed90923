"""What replfix knows about errors, its pages, and the servers' own words agree."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from replfix.core.incident.known_error import Family, Kind, Thread, families, family_of, name_of
from replfix.core.known_errors.human_advice import advise
from replfix.core.remedies.remedy import LeadsTo
from replfix.core.replication import applier_error
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from tests.places import DOCS
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, evidence, inserted

PAGES = DOCS / "errors"

QUOTED = [
    (family, int(number), message)
    for family in families()
    for number, message in re.findall(
        r"^(\d+)[^\n]*:\n\n```text\n(.*?)\n```$",
        (PAGES / f"{family.page}.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
]


def test_every_family_has_its_page_and_every_page_its_family() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == {family.page for family in families()}


@pytest.mark.parametrize("family", families(), ids=lambda f: f.page)
def test_a_page_says_what_the_code_says(family: Family) -> None:
    page = (PAGES / f"{family.page}.md").read_text()
    listed = {int(number): name for number, name in re.findall(r"^\| (\d+) \| `(\w+)` \|$", page, re.MULTILINE)}
    assert listed == family.names
    assert f"Class: `{family.kind}`. Thread: {family.thread}." in page
    words = " ".join(page.split())
    for sentence in (family.means, family.replfix, family.human):
        assert sentence in words
    index = (PAGES / "README.md").read_text()
    numbers = ", ".join(str(number) for number in sorted(family.names))
    assert f"| {numbers} | [{family.page}]({family.page}.md) | {family.kind} |" in index


def test_an_error_of_one_thread_belongs_to_one_family() -> None:
    for field in ("errors", "mariadb"):
        found = Counter((family.thread, number) for family in families() for number in getattr(family, field))
        assert [which for which, times in found.items() if times > 1] == []


def test_numbers_from_4000_on_are_those_of_the_product() -> None:
    """MySQL's 4031 ends a connection that was idle too long, MariaDB's names a trigger that is not there."""
    assert family_of(4031, product="MariaDB") is next(f for f in families() if f.page == "stored-object")
    assert family_of(4031) is not family_of(4031, product="MariaDB")
    assert family_of(4025, product="MySQL") is None
    assert family_of(1942, product="MariaDB") is not None
    assert family_of(1942) is None


def test_the_errors_that_every_dba_meets_are_known() -> None:
    applier = (
        1062, 1032, 1452, 1451, 3819, 1146, 1049, 1051, 1050, 1054, 1060, 1061, 1072, 1091, 13146, 1677, 1048, 1364, 1264,
        1406, 1366, 1205, 1213, 3572, 1594, 13121, 1756, 3030, 1837,
    )  # fmt: skip
    assert [number for number in applier if family_of(number) is None] == []
    receiver = (1236, 13114, 2003, 1045, 2005, 2013, 2061, 1129, 1130, 13117)
    assert [number for number in receiver if family_of(number, Thread.RECEIVER) is None] == []
    assert family_of(1) is not None
    assert family_of(9999) is None
    assert name_of(1062) == "ER_DUP_ENTRY"
    # One number, two meanings: which thread says it decides.
    assert (family_of(13117), family_of(13117, Thread.RECEIVER)) == (
        next(f for f in families() if f.page == "relay-log"),
        next(f for f in families() if f.page == "receiver-configuration"),
    )


@pytest.mark.parametrize(("family", "number", "message"), QUOTED, ids=lambda v: str(getattr(v, "page", v))[:20])
def test_a_quoted_message_is_taken_apart(family: Family, number: int, message: str) -> None:
    assert number in family.names
    found = applier_error.parse(number, message)
    if message.startswith("Worker"):
        assert found.gtid is not None
        assert found.log_file == "binlog.000001"
    if "on query" in message:
        assert found.event == "Query"
    if "Could not execute" in message:
        assert found.table in ("d.t", "d.c", "d.p")


def test_enough_messages_are_quoted() -> None:
    assert {f.page for f in families()} - {f.page for f, *_ in QUOTED} == {"follow-up"}


@pytest.mark.parametrize(
    ("errno", "message", "table", "event"),
    [
        # In the forms of other versions, after their manuals and reports of users; not recorded from a server here.
        (  # MySQL 8.0 with several workers
            1146,
            "Worker 1 failed executing transaction '3e11fa47-71ca-11e1-9e33-c80aa9429562:7' at master log mysql-bin.000003, "
            "end_log_pos 4711; Error executing row event: 'Table 'shop.we'ird' doesn't exist'",
            "shop.we'ird",
            None,
        ),
        (  # MySQL 5.7: no words about counting
            1677,
            "Column 1 of table 'd.t' cannot be converted from type 'bigint' to type 'int(11)'",
            "d.t",
            None,
        ),
        (  # MariaDB: the whole message in Last_SQL_Error, v1 events
            1452,
            "Could not execute Write_rows_v1 event on table d.c; Cannot add or update a child row: a foreign key constraint "
            "fails (`d`.`c`, CONSTRAINT `c_ibfk_1` FOREIGN KEY (`x`) REFERENCES `p` (`x`)), Error_code: 1452; handler error "
            "HA_ERR_NO_REFERENCED_ROW; the event's master log bin.000001, end_log_pos 1372",
            "d.c",
            "Write_rows",
        ),
        (  # MySQL 8.0.16 to 8.0.20, from a bug report: no worker, one key of the message
            1062,
            "Could not execute Write_rows event on table test_db.sbtest5; Duplicate entry '452102' for key "
            "'sbtest5.PRIMARY', Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the event's master log "
            "mysql-bin.000014, end_log_pos 645",
            "test_db.sbtest5",
            "Write_rows",
        ),
    ],
)
def test_messages_of_other_versions(errno: int, message: str, table: str, event: str | None) -> None:
    found = applier_error.parse(errno, message)
    assert (found.table, found.event) == (table, event)
    assert family_of(errno) is not None


def test_a_table_that_a_value_names_is_not_the_table() -> None:
    found = applier_error.parse(
        1062,
        "Could not execute Write_rows event on table d.t; Duplicate entry 'Table 'x.y' doesn't exist' for key 't.PRIMARY', "
        "Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the event's source log b.1, end_log_pos 8",
    )
    assert found.table == "d.t"


def test_kinds_are_all_used() -> None:
    assert {family.kind for family in families()} == set(Kind)


QUOTE = "Got fatal error 1236 from source when reading data from binary log: '{}'"
PURGED_MESSAGE = (
    "Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere, or "
    "provision a new replica from backup."
)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (PURGED_MESSAGE, "no longer has the binlog"),
        ("Could not find first log file name in binary log index file", "no longer has the binlog"),
        # In the forms of 5.5 to 8.0, after reports of users; not recorded from a server here.
        (
            "A slave with the same server_uuid/server_id as this slave has connected to the master",
            "each disconnects the other",
        ),
        (
            "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on master; the first event "
            "'mysql-bin.140409' at 123516843",
            "replica_max_allowed_packet",
        ),
        ("Client requested master to start replication from position > file size", "ends before the position"),
        ("Slave has more GTIDs than the master has, using the master's SERVER_UUID", "does not have"),
        ("something that nobody has seen", "Rebuild the replica"),
    ],
)
def test_each_reason_of_1236_has_its_own_next_step(reason: str, words: str) -> None:
    stopped = ApplierError(13114, QUOTE.format(reason))
    of = replace(evidence([inserted(ORDERS, 3, "A", None)], Rows.of(ORDERS)), error=stopped, thread=Thread.RECEIVER)
    given = advise(replace(of, lost=GtidSet.parse("aaaaaaaa-0000-0000-0000-000000000001:1-3")))
    told = [text for remedy in given for text in (remedy.text, *remedy.sql)]
    assert told[0] == "The replica lacks aaaaaaaa-0000-0000-0000-000000000001:1-3, which the source has purged."
    assert re.search(words, " ".join(told))


def test_a_gap_is_closed_before_the_channel_is_started() -> None:
    """An applier that has closed it stops, without an error."""
    of = replace(evidence([inserted(ORDERS, 3, "A", None)], Rows.of(ORDERS)), error=ApplierError(1803, "No recovery"))
    assert [(remedy.sql, remedy.leads_to) for remedy in advise(of)] == [
        (("START REPLICA SQL_THREAD UNTIL SQL_AFTER_MTS_GAPS FOR CHANNEL ''",), LeadsTo.NEXT_STEP),
        (("START REPLICA FOR CHANNEL ''",), LeadsTo.REAL_ERROR),
    ]


def test_an_error_that_is_not_known_says_so() -> None:
    of = replace(evidence([inserted(ORDERS, 3, "A", None)], Rows.of(ORDERS)), error=ApplierError(9999, "Nobody knows"))
    (remedy,) = advise(of)
    assert remedy.text.startswith("replfix has no guidance for error 9999. Read the server's message above.")
    assert "Compare on both servers" in remedy.text
    (remedy,) = advise(replace(of, thread=Thread.RECEIVER))
    assert "The receiver" in remedy.text
